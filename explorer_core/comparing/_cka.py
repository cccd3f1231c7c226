"""Linear CKA of two sets of states, from sums over features: never a matrix of state by state.

Kornblith et al. 2019, Similarity of neural network representations revisited, compare two kernels by the
Hilbert-Schmidt independence criterion. Their plain estimate is too large where there are few states for so many
units; the unbiased estimate of Song et al. 2012, Feature selection via dependence maximization, used so by Nguyen et
al. 2021, Do wide and deep networks learn the same things?, is not:

    HSIC(K, L) = (tr(K'L') + 1'K'1 1'L'1 / ((n - 1)(n - 2)) - 2 / (n - 2) 1'K'L'1) / (n(n - 3)),

where K' = X X' without its diagonal. For linear kernels every term is a sum over features.
"""

from __future__ import annotations

import numpy as np

FEWEST = 4  # states


def debiased_cka(one: np.ndarray, other: np.ndarray) -> float:
    """CKA from unbiased estimates; at most about 1, a little below 0 for unrelated states, NaN where either has no
    variance to compare.

    Args:
        one: States, shape [state, unit]; at least `FEWEST` of them.
        other: Other states of the same things; any number of units.
    """
    one, other = centred(one), centred(other)
    own = unbiased_hsic(one, one) * unbiased_hsic(other, other)
    return float(unbiased_hsic(one, other) / np.sqrt(own)) if own > 0 else float("nan")


def plain_cka(one: np.ndarray, other: np.ndarray) -> float:
    """CKA as first defined, in [0, 1]; NaN where either has no variance."""
    one, other = centred(one), centred(other)
    own = _crossed(one, one) * _crossed(other, other)
    return float(_crossed(one, other) / np.sqrt(own)) if own > 0 else float("nan")


def centred(states: np.ndarray) -> np.ndarray:
    """States less their mean, in double precision and of unit size over all, which changes no CKA; zeros where they do
    not vary.
    """
    found = states.astype(np.float64)
    found -= found.mean(0)
    size = float(np.abs(found).max(initial=0.0))
    if size <= 1e-6 * float(np.abs(states).max(initial=0.0)):
        return np.zeros_like(found)  # nothing but rounding
    return found / (size * np.sqrt(len(found)))


def unbiased_hsic(one: np.ndarray, other: np.ndarray) -> float:
    """Unbiased estimate of the criterion for linear kernels of centred states; may be below zero."""
    n_states = len(one)
    own, others = (one**2).sum(1), (other**2).sum(1)  # diagonals of both kernels
    rows, other_rows = one @ one.sum(0) - own, other @ other.sum(0) - others  # sums of rows without them
    trace = _crossed(one, other) - own @ others
    both = rows.sum() * other_rows.sum() / ((n_states - 1) * (n_states - 2))
    return float((trace + both - 2 / (n_states - 2) * (rows @ other_rows)) / (n_states * (n_states - 3)))


def _crossed(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one.T @ other) ** 2).sum())
