"""Where in a corpus a network is in the state it was in over a span of a text.

The story, after Strobelt et al. 2018 (LSTMVis: A tool for visual analysis of hidden state dynamics in recurrent neural
networks): a person marks a span of words and a threshold. The units whose value is at or above the threshold at every
word of the span, and below it at the word before or after if that is asked for, are the pattern P. At every place of
the corpus of as many words, within one text, the same question gives the units S that fit there, and the place is
scored by what the two share,

    score = |P ∩ S| / |P ∪ S|        (Jaccard, in [0, 1]),

so that a place at which everything is on does not win. For each unit one column of half-precision numbers is compared
bit by bit, and "throughout L words" comes from about log2(L) shifted ANDs: 1 million words and 128 units take less than
half a second.
"""

from __future__ import annotations

import operator

import numpy as np

from explorer_core.corpus._index import StateIndex
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.half_precision import LARGEST, at_least
from explorer_core.results import PatternMatches, RecurrentTrace, TransformerTrace
from explorer_core.unit_pattern import states_after_words, units_on

MAX_MATCHES = 10_000
_CHUNK_WORDS = 131_072  # worked on at once, so that the counts of one chunk stay in the processor's cache


def find_pattern(
    index: StateIndex,
    trace: RecurrentTrace | TransformerTrace,
    span: tuple[int, int],
    threshold: float,
    *,
    off_before: bool = False,
    off_after: bool = False,
    n: int = 100,
) -> PatternMatches:
    """The places of a corpus most like a span of a text; see `api.find_pattern`."""
    first, last = _checked(index, trace, span, threshold, n)
    about = index.about
    values = states_after_words(trace, about.layer, about.direction, about.quantity)
    fits = units_on(values, (first, last), threshold, off_before=off_before, off_after=off_after)
    pattern = np.flatnonzero(fits)
    if not len(pattern):
        raise InvalidInputError(
            f"No unit is at {threshold:g} or above throughout these {last - first + 1} words"
            + (" and below it beside them" if off_before or off_after else "")
            + ". Lower the threshold, mark fewer words"
            + (", or do not ask for units to be off beside them." if off_before or off_after else ".")
        )
    length = last - first + 1
    scores = place_scores(index, fits, length, threshold, off_before=off_before, off_after=off_after)
    has_place = index.n_words_of_text >= length
    texts = np.flatnonzero(has_place)
    best = np.zeros(0)
    if len(texts):
        best = np.maximum.reduceat(scores, index.starts[index.filled])[has_place[index.filled]]  # [text with a place]
    order = np.argsort(-best, kind="stable")[:n]
    order = order[best[order] > 0]
    words = [
        start + int(np.argmax(scores[start:end]))
        for start, end in ((int(index.starts[text]), int(index.starts[text + 1])) for text in texts[order])
    ]
    labels = index.labels[texts]
    return PatternMatches(
        model=about.model,
        fingerprint=about.fingerprint,
        corpus=about.corpus,
        layer=about.layer,
        direction=about.direction,
        quantity=about.quantity,
        words=trace.words[first : last + 1],
        span=(first, last),
        threshold=float(threshold),
        off_before=off_before,
        off_after=off_after,
        units=pattern,
        matches=index.places(np.array(words, dtype=np.int64), length, best[order]),
        n_places=int((index.n_words_of_text[texts] - length + 1).sum()),
        n_texts=len(texts),
        label_counts=np.bincount(labels[labels >= 0], minlength=len(about.label_names)),
    )


def place_scores(
    index: StateIndex, pattern: np.ndarray, length: int, threshold: float, *, off_before: bool, off_after: bool
) -> np.ndarray:
    """Jaccard index of the pattern with the units that fit at the place which begins at each word.

    Args:
        index: The corpus.
        pattern: Whether each unit is of the pattern; bool array [unit].
        length: Words of a place.
        threshold: A unit is on at or above it.
        off_before: Whether it must also be off at the word before, where there is one in the text.
        off_after: The same of the word after.

    Returns:
        Shape [word]; 0 where a place of so many words would leave its text.
    """
    n_words, n_units = index.about.n_words, index.about.n_units
    scores = np.zeros(n_words)
    counts = np.uint8 if n_units < 256 else np.uint16
    for start in range(0, n_words, _CHUNK_WORDS):
        end = min(start + _CHUNK_WORDS, n_words)
        low, high = max(start - 1, 0), min(end + length, n_words)  # one word before, and what places reach into
        size = end - start
        shared: np.ndarray = np.zeros(size, dtype=counts)
        fitting: np.ndarray = np.zeros(size, dtype=counts)
        is_first = index.number_in_text[start:end] == 0
        n_left = index.n_words_of_text[index.text_of_word[start:end]] - index.number_in_text[start:end]  # to the end
        for unit in range(n_units):
            is_on = at_least(index.states[unit, low:high], threshold)
            fits = _throughout(is_on[start - low :], length, size)
            if off_before:
                fits &= is_first | ~_shifted(is_on, start - low - 1, size)
            if off_after:
                fits &= (n_left <= length) | ~_shifted(is_on, start - low + length, size)
            fitting += fits
            if pattern[unit]:
                shared += fits
        either = int(pattern.sum()) + fitting.astype(np.int64) - shared
        scores[start:end] = np.where(n_left >= length, shared / np.maximum(either, 1), 0.0)
    return scores


def _throughout(is_on: np.ndarray, length: int, size: int) -> np.ndarray:
    """Whether a run of so many words from each of the first `size` words is on; beyond the array nothing is."""
    found = is_on
    reach = 1
    while reach < length:
        step = min(reach, length - reach)
        found = found[: max(len(found) - step, 0)] & found[step:]
        reach += step
    return _shifted(found, 0, size).copy()


def _shifted(values: np.ndarray, shift: int, size: int) -> np.ndarray:
    """`size` values from a place on; False beyond both ends."""
    low, high = max(shift, 0), min(shift + size, len(values))
    found = values[low : max(high, low)]
    if len(found) == size:
        return found
    padded = np.zeros(size, dtype=bool)
    padded[low - shift : low - shift + len(found)] = found
    return padded


def _checked(
    index: StateIndex, trace: RecurrentTrace | TransformerTrace, span: tuple[int, int], threshold: float, n: int
) -> tuple[int, int]:
    """The span, if everything fits together."""
    if trace.fingerprint != index.about.fingerprint:
        raise IncompatibleError(
            f"The text was read by another network ({trace.model[:60]}) than the corpus ({index.about.model[:60]}). "
            "Trace the text with the model of the index."
        )
    n_words = len(trace.words)
    try:
        first, last = (operator.index(each) for each in span)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("A span is two whole numbers: its first and its last word, from 0.") from error
    if not 0 <= first <= last < n_words:
        raise InvalidInputError(f"There is no span from word {first} to {last}; words run from 0 to {n_words - 1}.")
    if not isinstance(threshold, int | float | np.number) or not -LARGEST <= threshold <= LARGEST:
        raise InvalidInputError("The threshold must be a number from -65,504 to 65,504, the range of what is kept.")
    if not isinstance(n, int | np.integer) or not 1 <= n <= MAX_MATCHES:
        raise InvalidInputError(f"n is {str(n)[:20]!r}; allowed: 1 to {MAX_MATCHES:,}.")
    return first, last
