"""Whether methods mark the words that people mark.

Agreement with people is plausibility: it says how reasonable scores look, not whether they are what the network went
by (Jacovi and Goldberg 2020, Towards faithfully interpretable NLP systems). Measures are those of DeYoung et al. 2020,
ERASER: a benchmark to evaluate rationalized NLP models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer_core import registry
from explorer_core.attribution import _over_texts
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import HumanAgreement, WordAttribution
from explorer_core.results.human_agreement import AUPRC, TOKEN_F1
from explorer_core.text import Reading, read_text

if TYPE_CHECKING:
    from explorer_core.datasets._rationales import RationaleTexts

TARGETS = ("predicted", "gold")
AT = (1, 3, 5)  # numbers of words precision is measured at
MEASURES = (AUPRC, TOKEN_F1, *(f"precision_at_{k}" for k in AT))
N_ORDERS = 1_000
_UNMARKED, _MARKED, _WRONG = "no word marked", "every word marked", "a text judged wrongly"
_UNLABELLED = "no label"


def measure(
    model: LoadedModel,
    data: RationaleTexts,
    true: np.ndarray,
    *,
    methods: Sequence[str] | None,
    n_texts: int,
    target: str,
    only_right: bool,
    seed: int,
    progress: Progress | None = None,
) -> HumanAgreement:
    """Every measure of every method over texts; see `api.measure_human_agreement`."""
    names = _over_texts.check_methods(model, _over_texts.cheap_methods(model) if methods is None else methods, 1)
    _over_texts.N_TEXTS.check(n_texts)
    if target not in TARGETS:
        raise InvalidInputError(f"The target is {str(target)[:60]!r}; allowed: {', '.join(TARGETS)}.")
    if (target == "gold" or only_right) and not (true >= 0).any():
        raise InvalidInputError("The texts have no labels of the model's classes. Explain the predicted class instead.")
    left_out: Counter[str] = Counter()
    marks: dict[int, np.ndarray] = {}

    def use(place: int, why: str | None) -> bool:
        if why is None:
            reading = read_text(model.tokenizer, data.texts[place], model.max_tokens)
            marks[place] = marked_words(reading.word_spans, data.spans[place])
            why = _UNMARKED if not marks[place].any() else _MARKED if marks[place].all() else None
        if why is None and (target == "gold" or only_right) and true[place] < 0:
            why = _UNLABELLED
        if why is None and only_right and _judge(model, data.texts[place]) != true[place]:
            why = _WRONG
        if why is not None:
            left_out[why] += 1
        return why is None

    explained = _over_texts.explain_each(
        model, data.texts, _over_texts.draw_order(len(data.texts), seed), names, n_texts,
        lambda place: int(true[place]) if target == "gold" else None, use, progress,
    )  # fmt: skip
    used = sorted((_measured(place, marks.pop(place), found) for place, found in explained), key=lambda one: one.place)
    if not used:
        why = "; ".join(f"{n} with {reason}" for reason, n in _over_texts.counted(left_out).items())
        raise InvalidInputError(f"No text is left to measure on: {why or 'there are none'}. Give other texts.")
    places, masks = [one.place for one in used], [one.marked for one in used]
    values = np.stack([one.values for one in used], axis=-1)  # [method, measure, text]
    low, high = _over_texts.interval(values, np.mean, seed)
    random_low, random_high = np.percentile(random_means(masks, seed), [2.5, 97.5], axis=0)
    return HumanAgreement(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        dataset=data.origin,
        methods=names,
        target=target,
        measures=MEASURES,
        texts=tuple(data.texts[place] for place in places),
        row_numbers=data.row_numbers[places],
        true=true[places],
        predicted=np.array([one.predicted for one in used], dtype=np.int64),
        starts=np.cumsum([0, *map(len, masks)]),
        words=tuple(word for one in used for word in one.reading.words),
        word_spans=np.concatenate([one.reading.word_spans for one in used]),
        marked=np.concatenate(masks),
        scores=np.concatenate([one.scores for one in used], axis=1),
        values=values,
        low=low,
        high=high,
        expected=np.array([expected_of(len(mask), int(mask.sum())) for mask in masks]).T,
        random_low=random_low,
        random_high=random_high,
        left_out=_over_texts.counted(left_out),
        n_truncated=sum(bool(one.reading.truncated_words) or one.reading.is_last_word_cut for one in used),
        seed=seed,
        notes=data.notes,
    )


@dataclass(frozen=True)
class _Used:
    """One text: its place, its marks [word], scores [method, word] and measures [method, measure]."""

    place: int
    reading: Reading
    predicted: int
    marked: np.ndarray
    scores: np.ndarray
    values: np.ndarray


def _measured(place: int, marked: np.ndarray, found: Sequence[WordAttribution]) -> _Used:
    scores = np.stack([ranking(one) for one in found])
    values = np.array([measures_of(marked, row) for row in scores])
    return _Used(place, found[0].reading, int(found[0].logits.argmax()), marked, scores, values)


def marked_words(word_spans: np.ndarray, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """Words of which a span holds at least one character; bool array [word].

    Args:
        word_spans: Start and end of each word in characters, int array [word, 2].
        spans: Start and end of what was marked, in characters of the same text.
    """
    if not len(spans):
        return np.zeros(len(word_spans), dtype=bool)
    starts, ends = (np.sort(edge) for edge in np.array(spans, dtype=np.int64).T)
    # spans that have begun before a word's end, less those that ended by its beginning, reach into it
    begun = np.searchsorted(starts, word_spans[:, 1], side="left")
    over = np.searchsorted(ends, word_spans[:, 0], side="right")
    return np.asarray(begun > over)


def ranking(found: WordAttribution) -> np.ndarray:
    """What words are ranked by: the score for the class, or its size where the method has no sign; shape [word]."""
    scores = found.scores.astype(np.float64)
    return scores if registry.describe("attribution")[found.method].extra["signed"] else np.abs(scores)


def measures_of(marked: np.ndarray, scores: np.ndarray) -> list[float]:
    """`MEASURES` of one text, where some words are marked and some are not."""
    from sklearn.metrics import average_precision_score

    # as many words are taken as are marked, so precision, recall and their F1 are one number
    token_f1 = _precision(marked, scores, int(marked.sum()))
    return [
        float(average_precision_score(marked, scores)),
        token_f1,
        *(_precision(marked, scores, min(k, len(scores))) for k in AT),
    ]


def _precision(marked: np.ndarray, scores: np.ndarray, k: int) -> float:
    """Share of marked words among the k with the largest scores. Of words with one score the last places go to any,
    so each counts for its chance: a method without an opinion is as good as a random order, wherever the marks are.
    """
    last = np.sort(scores)[-k]
    above, level = scores > last, scores == last
    return float((marked[above].sum() + (k - above.sum()) * marked[level].mean()) / k)


def expected_of(n_words: int, n_marked: int) -> list[float]:
    """`MEASURES` of words in random order on average (Bestgen 2015, Exact expected average precision of the random
    baseline for system evaluation).
    """
    share = n_marked / n_words
    harmonic = float((1.0 / np.arange(1, n_words + 1)).sum())
    others = (n_marked - 1) / (n_words - 1) if n_words > 1 else 0.0
    average_precision = (harmonic + others * (n_words - harmonic)) / n_words
    return [average_precision, share, *(share for _ in AT)]


def random_means(masks: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """Means over texts of `MEASURES` of words in random order; shape [order, measure]."""
    rng = np.random.default_rng([seed, 1])
    total = np.zeros((N_ORDERS, len(MEASURES)))
    for mask in masks:
        n_words, n_marked = len(mask), int(mask.sum())
        drawn = rng.permuted(np.broadcast_to(mask, (N_ORDERS, n_words)), axis=1)
        hits = drawn.cumsum(1)  # [order, rank]
        precision = hits / np.arange(1, n_words + 1)
        total[:, 0] += (precision * drawn).sum(1) / n_marked
        total[:, 1] += precision[:, n_marked - 1]
        for index, k in enumerate(AT, start=2):
            total[:, index] += precision[:, min(k, n_words) - 1]
    return total / len(masks)


def _judge(model: LoadedModel, text: str) -> int:
    from explorer_core.attribution import _scorer

    reading = read_text(model.tokenizer, text, model.max_tokens)
    return int(_scorer.make(model, reading, None, None).logits.argmax())
