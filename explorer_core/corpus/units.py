"""What one unit does over a corpus: the words and places that drive it, and what its value goes along with.

Karpathy, Johnson and Fei-Fei 2015 (Visualizing and understanding recurrent networks) read units off the texts in which
they are high. A card adds what such a reading needs to be judged: how many places a mean rests on, the other end of the
scale, and correlations with things that are known of a word or its text.
"""

from __future__ import annotations

import math

import numpy as np

from explorer_core.corpus._index import StateIndex
from explorer_core.errors import InvalidInputError
from explorer_core.results import Places, SimilarUnits, UnitCard, WordMeans

DEAD_BELOW = 0.05  # 99th minus 1st percentile of a unit that hardly moves
MIN_COUNT = 5  # places of a word, for a mean to say something
SMALL_CORPUS_WORDS = 1_000  # below this every word counts
WORDS_PER_COUNT = 50_000  # in a large corpus a word must come once in so many
MIN_TEXTS = 5  # texts a word must be in to be rated
MAX_SHOWN = 200
_CHUNK_WORDS = 65_536


def unit_card(index: StateIndex, unit: int, *, n_words: int = 10, n_places: int = 8) -> UnitCard:
    """The card of one unit; see `api.unit_card`."""
    unit = index.check_unit(unit)
    for name, count in (("n_words", n_words), ("n_places", n_places)):
        _check_count(name, count)
    about = index.about
    values = index.states[unit].astype(np.float64)  # [word]
    n_kinds = len(index.vocabulary)
    counts = np.bincount(index.word_ids, minlength=n_kinds)  # [kind of word]
    means = np.bincount(index.word_ids, weights=values, minlength=n_kinds) / np.maximum(counts, 1)
    least = least_count(about.n_words)
    top_words, bottom_words = (_words(index, means * sign, counts, least, n_words, sign) for sign in (1, -1))
    top_places, bottom_places = (_places(index, values * sign, n_places, sign) for sign in (1, -1))
    rated, odds = word_log_odds(index)
    has_keeper = index.log_keep.size > 0
    return UnitCard(
        model=about.model,
        fingerprint=about.fingerprint,
        corpus=about.corpus,
        layer=about.layer,
        direction=about.direction,
        quantity=about.quantity,
        unit=unit,
        n_texts=about.n_texts,
        n_words=about.n_words,
        label_names=about.label_names,
        mean=float(index.mean[unit]),
        std=float(index.std[unit]),
        low=float(index.low[unit]),
        high=float(index.high[unit]),
        is_dead=bool(index.high[unit] - index.low[unit] < DEAD_BELOW),
        min_count=least,
        top_words=top_words,
        bottom_words=bottom_words,
        top_places=top_places,
        bottom_places=bottom_places,
        label_corr=_label_corr(index, values),
        position_corr=correlation(values, index.number_in_text.astype(np.float64)),
        sentiment_corr=np.array([correlation(means[rated], each, counts[rated]) for each in odds]),
        n_rated_words=len(rated),
        half_life=half_life(float(index.log_keep[unit])) if has_keeper else None,
        saturation={
            name: (float(index.gate_low[gate, unit]), float(index.gate_high[gate, unit]))
            for gate, name in enumerate(about.gate_names)
        },
    )


def similar_units(index: StateIndex, unit: int, n: int = 8) -> SimilarUnits:
    """Units whose values go with those of one unit, and against them; see `api.similar_units`."""
    unit = index.check_unit(unit)
    _check_count("n", n)
    about = index.about
    products = np.zeros(about.n_units)
    for start in range(0, about.n_words, _CHUNK_WORDS):
        chunk = index.states[:, start : start + _CHUNK_WORDS].astype(np.float32)
        chunk -= index.mean[:, None].astype(np.float32)  # [unit, word]
        products += (chunk @ chunk[unit]).astype(np.float64)
    spread = index.std * index.std[unit] * about.n_words
    corr = np.full(about.n_units, np.nan)
    np.divide(products, spread, out=corr, where=spread > 0)
    corr = np.clip(corr, -1.0, 1.0)
    corr[unit] = np.nan
    known = np.flatnonzero(np.isfinite(corr))
    order = known[np.argsort(-corr[known], kind="stable")]
    like = order[corr[order] > 0][:n]
    unlike = order[::-1][corr[order[::-1]] < 0][:n]
    return SimilarUnits(unit, like, corr[like], unlike, corr[unlike])


def _check_count(name: str, count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= MAX_SHOWN:
        raise InvalidInputError(f"{name} is {str(count)[:20]!r}; allowed: 1 to {MAX_SHOWN}.")


def least_count(n_words: int) -> int:
    """Places a word must have to be listed, in a corpus of so many words."""
    return 1 if n_words < SMALL_CORPUS_WORDS else max(MIN_COUNT, n_words // WORDS_PER_COUNT)


def word_log_odds(index: StateIndex) -> tuple[np.ndarray, np.ndarray]:
    """How much a word speaks for each label, by the texts it is in.

    Returns:
        Words in at least `MIN_TEXTS` labelled texts, as indices into the vocabulary, int array [word]; and for each
        label ln((a + 1) / (A - a + 1)) - ln((b + 1) / (B - b + 1)), shape [class, word], where a of the A texts with
        the label and b of the B others have the word.
    """
    n_classes, n_kinds = len(index.about.label_names), len(index.vocabulary)
    texts, kinds = index.words_of_texts
    of = index.labels[texts]
    has = np.zeros((n_classes, n_kinds), dtype=np.int64)  # texts of each class with each word
    for each in range(n_classes):
        has[each] = np.bincount(kinds[of == each], minlength=n_kinds)
    sizes = np.bincount(index.labels[index.labels >= 0], minlength=n_classes).astype(np.float64)
    rated = np.flatnonzero(has.sum(0) >= MIN_TEXTS)
    odds = np.zeros((n_classes, len(rated)))
    for each in range(n_classes):
        a, b = has[each, rated], has[:, rated].sum(0) - has[each, rated]
        n_with, n_others = sizes[each], sizes.sum() - sizes[each]
        odds[each] = np.log((a + 1) / (n_with - a + 1)) - np.log((b + 1) / (n_others - b + 1))
    return rated, odds


def correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Pearson's r, weighted if asked for; NaN where one side does not move."""
    if len(x) < 2:
        return math.nan
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    dx, dy = x - w @ x, y - w @ y
    spread = math.sqrt((w @ dx**2) * (w @ dy**2))
    size = math.sqrt((w @ x**2) * (w @ y**2))
    return float(np.clip((w @ (dx * dy)) / spread, -1.0, 1.0)) if spread > 1e-12 * max(size, 1e-12) else math.nan


def half_life(log_keep: float) -> float:
    """Tokens after which half is left, from the mean ln of the gate that keeps; infinite if nothing is lost."""
    return math.inf if log_keep >= 0 else math.log(0.5) / log_keep


def _label_corr(index: StateIndex, values: np.ndarray) -> np.ndarray:
    """Correlation of the value at the end of reading with each label, shape [class]."""
    texts = index.filled[index.labels[index.filled] >= 0]
    end = index.starts[texts + 1] - 1 if index.about.direction == 0 else index.starts[texts]
    is_label = index.labels[texts] == np.arange(len(index.about.label_names))[:, None]  # [class, text]
    return np.array([correlation(values[end], each.astype(np.float64)) for each in is_label])


def _words(index: StateIndex, means: np.ndarray, counts: np.ndarray, least: int, n: int, sign: int) -> WordMeans:
    """The words with the highest means, which are given times a sign."""
    listed = np.flatnonzero(counts >= least)
    chosen = listed[np.argsort(-means[listed], kind="stable")][:n]
    return WordMeans(tuple(index.vocabulary[kind] for kind in chosen), sign * means[chosen], counts[chosen])


def _places(index: StateIndex, values: np.ndarray, n: int, sign: int) -> Places:
    """The highest place of each text, of the texts where it is highest; values are given times a sign."""
    highest = np.maximum.reduceat(values, index.starts[index.filled])  # [text with words]
    best = np.argsort(-highest, kind="stable")[:n]
    words = [
        start + int(np.argmax(values[start:end]))
        for start, end in ((int(index.starts[text]), int(index.starts[text + 1])) for text in index.filled[best])
    ]
    return index.places(np.array(words, dtype=np.int64), 1, sign * highest[best])
