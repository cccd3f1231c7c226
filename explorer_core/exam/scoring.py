"""Where a method puts the planted word among all words of a text."""

from __future__ import annotations

import numpy as np
from scipy import stats

from explorer_core.results import WordAttribution


def word_at(attribution: WordAttribution, span: tuple[int, int]) -> int | None:
    """The word that stands at these characters of the text; `None` if it was not read as one word."""
    found = np.flatnonzero((attribution.reading.word_spans == np.array(span)).all(1))
    return int(found[0]) if len(found) else None


def rank_of(scores: np.ndarray, word: int, *, signed: bool) -> tuple[float, float]:
    """Rank and hit of one word.

    Args:
        scores: Shape [word]; for the class the planted word stands for.
        word: Which word.
        signed: Whether a score can speak against the class; else its size counts.

    Returns:
        The rank from 1, the mean of their ranks for words that tie; and what a choice of the highest word finds: 1,
        0, or where k words tie for it 1 / k.
    """
    strength = scores if signed else np.abs(scores)
    rank = float(stats.rankdata(-strength, method="average")[word])
    best = np.flatnonzero(strength == strength.max())
    return rank, 1.0 / len(best) if word in best else 0.0
