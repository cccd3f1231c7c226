"""Where in a text the evidence lies, and who is right when it lies early or late.

A network that reads from left to right has to carry early evidence to the end; one that also reads from the end meets
it last. Where people marked the words that carry a text's verdict, the middle of the marked words says where the
evidence lies; else it lies in the third with the largest share of the networks' own scores, which is what they went
by, and not what they should have gone by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.comparing.accuracy import mcnemar
from explorer_core.comparing.reasons import third_of
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.judging.scores import wilson
from explorer_core.params import SEED
from explorer_core.results import EvidenceThirds, Judgement, ReasonComparison
from explorer_core.text import split_words

FEWEST_WORDS = 3
_N_RESAMPLES, _TAILS = 2_000, (2.5, 97.5)
BILSTM, LSTM = "bilstm", "lstm"


def by_marks(judged: Judgement, spans: Sequence[Sequence[tuple[int, int]]], seed: int) -> EvidenceThirds:
    """Accuracy by the third in which the marked words lie; `spans` in characters, one entry for each judged text."""
    thirds = np.array(
        [third_of_marks(text, marks) for text, marks in zip(judged.table.texts, spans, strict=True)], dtype=np.int64
    )
    return _measure(judged, np.arange(len(judged)), thirds, "marks", seed)


def by_scores(judged: Judgement, reasons: ReasonComparison, seed: int) -> EvidenceThirds:
    """Accuracy by the third with the largest share of the scores, on average over the networks."""
    if reasons.indices.max() >= len(judged) or any(
        judged.table.texts[place] != text for place, text in zip(reasons.indices, reasons.texts, strict=True)
    ):
        raise InvalidInputError("The reasons are of other texts. Compare them over this judgement first.")
    mean = reasons.third_shares.mean(0)  # [text, third]; NaN where any network scores nothing
    thirds = np.where(np.isnan(mean).any(1), -1, np.nan_to_num(mean).argmax(1))
    return _measure(judged, reasons.indices, thirds, "scores", seed)


def third_of_marks(text: str, marks: Sequence[tuple[int, int]]) -> int:
    """Third of the words in which the middle of the marked ones lies; -1 where none is marked or there are too few."""
    words = split_words(text)
    marked = [
        (place + 0.5) / len(words)
        for place, (start, end) in enumerate(words)
        if any(low < end and start < high for low, high in marks)
    ]
    if len(words) < FEWEST_WORDS or not marked:
        return -1
    return int(third_of(np.array(np.mean(marked))))


def _measure(judged: Judgement, places: np.ndarray, thirds: np.ndarray, how: str, seed: int) -> EvidenceThirds:
    SEED.check(seed)
    if not judged.has_labels:
        raise IncompatibleError("Without labels nobody is right or wrong. Judge texts with labels.")
    used = (judged.true[places] >= 0) & (thirds >= 0)
    places, thirds = places[used], thirds[used]
    if not len(places):
        raise InvalidInputError("No text has a label and a place where its evidence lies. Give other texts.")
    is_right = judged.is_right[:, places]  # [model, text]
    n_texts = np.bincount(thirds, minlength=3)
    n_right = np.stack([np.bincount(thirds[one], minlength=3) for one in is_right])
    low, high = wilson(n_right, np.broadcast_to(n_texts, n_right.shape))
    with np.errstate(invalid="ignore"):
        accuracy = n_right / n_texts
    one, other = (next((at for at, name in enumerate(judged.architectures) if name == family), None)
                  for family in (BILSTM, LSTM))  # fmt: skip
    contrast = None if one is None or other is None else (one, other)
    gap = np.full((4, 3), np.nan)  # difference, low, high, p
    for third in range(3) if contrast else ():
        here = is_right[list(contrast or ())][:, thirds == third].astype(np.int64)
        if here.shape[1]:
            gap[:, third] = _gap(here, seed)
    return EvidenceThirds(
        models=judged.models,
        architectures=judged.architectures,
        fingerprints=judged.fingerprints,
        how=how,
        indices=judged.indices[places],
        thirds=thirds,
        n_texts=n_texts,
        n_right=n_right,
        accuracy=accuracy,
        low=low,
        high=high,
        contrast=contrast,
        difference=gap[0],
        difference_low=gap[1],
        difference_high=gap[2],
        p=gap[3],
        n_left_out=int((~used).sum()),
        seed=seed,
    )


def _gap(is_right: np.ndarray, seed: int) -> tuple[float, float, float, float]:
    """Difference of two accuracies over the same texts, its 95 % bootstrap interval and McNemar's p; [2, text]."""
    both = is_right[0] - is_right[1]
    counts = np.array([(both == value).sum() for value in (-1, 0, 1)])
    drawn = np.random.default_rng(seed).multinomial(len(both), counts / len(both), size=_N_RESAMPLES)
    low, high = np.percentile((drawn[:, 2] - drawn[:, 0]) / len(both), _TAILS)
    return float(both.mean()), float(low), float(high), mcnemar(int(counts[2]), int(counts[0]))
