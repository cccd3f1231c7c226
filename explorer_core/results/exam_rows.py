"""How one method did in a shortcut exam, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_N_RESAMPLES = 2_000
_Z = 1.959963984540054  # the normal quantile of 0.975


@dataclass(frozen=True)
class ExamRow:
    """How one method did on the network of one family, over the texts that count.

    Attributes:
        family, method: Whose row this is.
        n_texts: Texts that count.
        n_words: Words of a text, mean.
        precision: Share of texts in which the planted word ranks first (precision at 1); where k words tie, 1 / k.
        precision_low, precision_high: Its 95 % interval (Wilson 1927).
        mean_rank: Mean rank of the planted word, from 1; the mean of their ranks where words tie.
        mean_rank_low, mean_rank_high: Its 95 % interval (bootstrap over texts; Efron 1979).
        random_precision, random_rank: What a random order would come to.
    """

    family: str
    method: str
    n_texts: int
    n_words: float
    precision: float
    precision_low: float
    precision_high: float
    mean_rank: float
    mean_rank_low: float
    mean_rank_high: float
    random_precision: float
    random_rank: float


def wilson(n_hits: float, n_texts: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); ties make hits that are no whole numbers, which scipy's would refuse."""
    share, weight = n_hits / n_texts, _Z**2 / n_texts
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean_interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % interval of a mean, from means of texts drawn again with replacement (percentile bootstrap)."""
    from scipy import stats

    found = stats.bootstrap(
        (values,), np.mean, n_resamples=_N_RESAMPLES, confidence_level=0.95, method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)
