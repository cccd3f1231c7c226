"""Whether two networks differ in how often they are right, over the same texts.

Two accuracies over the same texts are not two independent shares: only the texts on which one is right and the other
wrong tell them apart (McNemar 1947, Note on the sampling error of the difference between correlated proportions or
percentages; Dietterich 1998, Approximate statistical tests for comparing supervised classification learning
algorithms). The test is the exact one: if neither were better, each such text would fall to either side like a coin.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.judging.scores import MAX_DRAWS
from explorer_core.params import SEED
from explorer_core.results import AccuracyComparison, Judgement

N_RESAMPLES = 1_000
_TAILS = (2.5, 97.5)


def compare(judged: Judgement, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> AccuracyComparison:
    """McNemar's test and the difference of accuracies of every pair; see `api.compare_accuracy`."""
    SEED.check(seed)
    if len(judged.models) < 2:
        raise IncompatibleError("Two models or more are compared. Judge the texts by another model too.")
    if not judged.has_labels:
        raise IncompatibleError("Without labels nobody is right or wrong. Judge texts with labels.")
    labelled = np.flatnonzero(judged.true >= 0)
    is_right = judged.is_right[:, labelled]  # [model, text]
    pairs = list(combinations(range(len(judged.models)), 2))
    b = np.array([int((is_right[one] & ~is_right[other]).sum()) for one, other in pairs])
    c = np.array([int((is_right[other] & ~is_right[one]).sum()) for one, other in pairs])
    p = np.array([mcnemar(int(one), int(other)) for one, other in zip(b, c, strict=True)])
    _, row_of = np.unique(judged.table.rows[labelled], return_inverse=True)
    n_resamples = max(min(n_resamples, MAX_DRAWS // max(len(labelled), 1)), 20)
    low, high = _intervals(is_right, pairs, row_of, n_resamples, seed)
    return AccuracyComparison(
        models=judged.models,
        architectures=judged.architectures,
        fingerprints=judged.fingerprints,
        accuracy=is_right.mean(1),
        only_first=b,
        only_second=c,
        p=p,
        p_holm=holm(p),
        difference=(b - c) / len(labelled),
        low=low,
        high=high,
        n_texts=len(labelled),
        n_rows=int(row_of.max()) + 1,
        n_resamples=n_resamples,
        seed=seed,
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of as uneven a split of the texts on which just one of two networks is right; 1 without
    such texts.
    """
    from scipy.stats import binomtest

    n_split = only_first + only_second
    return float(binomtest(only_first, n_split, 0.5).pvalue) if n_split else 1.0


def holm(p: np.ndarray) -> np.ndarray:
    """p-values for all comparisons together: the chance that any of them is false is bounded (Holm 1979, A simple
    sequentially rejective multiple test procedure); shape [pair].
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))), 1.0)
    return adjusted


def _intervals(
    is_right: np.ndarray, pairs: list[tuple[int, int]], row_of: np.ndarray, n_resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % percentile intervals of the differences; whole rows are drawn, the same ones for every pair."""
    n_rows = int(row_of.max()) + 1
    sums = np.stack([np.bincount(row_of, weights=one, minlength=n_rows) for one in is_right])  # [model, row]
    counts = np.bincount(row_of, minlength=n_rows).astype(np.float64)
    rng, accuracy = np.random.default_rng(seed), np.zeros((n_resamples, len(is_right)))
    for sample in range(n_resamples):
        drawn = np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows)  # how often each row
        accuracy[sample] = sums @ drawn / (counts @ drawn)
    ends = [np.percentile(accuracy[:, one] - accuracy[:, other], _TAILS) for one, other in pairs]
    low, high = np.array(ends).T
    return low, high
