"""Largest singular value of many square matrices at once.

A few steps of the bidiagonalisation of Golub and Kahan 1965 find it in a fraction of the time of a full decomposition,
and say how far off they may be: with the residual r of the largest value and its distance d to the next one, the error
is at most r, and at most r^2 / d. Matrices that are not settled by then are decomposed in full.
"""

from __future__ import annotations

import numpy as np
import torch

N_STEPS = (6, 14)  # tried in turn on those that are not settled
TOLERANCE = 1e-6  # relative
_SMALL = 32  # up to this size a full decomposition is as fast


def largest_singular(matrices: np.ndarray) -> np.ndarray:
    """Largest singular value of each matrix, shape [n], float64, relative error 1e-6; from shape [n, unit, unit]."""
    scale = np.abs(matrices).max((1, 2))
    matrices = matrices / np.where(scale > 0, scale, 1)[:, None, None]  # squares of small numbers are no numbers
    found, unsettled = np.zeros(len(matrices)), np.arange(len(matrices))
    for n_steps in N_STEPS if matrices.shape[-1] > _SMALL else ():
        found[unsettled], error = _bidiagonalise(matrices[unsettled], n_steps)
        unsettled = unsettled[~(error <= TOLERANCE * found[unsettled])]  # a NaN is not settled
        if not len(unsettled):
            break
    if len(unsettled):  # torch's decomposition is the faster one
        found[unsettled] = torch.linalg.svdvals(torch.from_numpy(matrices[unsettled]))[:, 0].numpy()
    return found * scale.astype(np.float64)


def _bidiagonalise(matrices: np.ndarray, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest singular values, from below, and how far off they may be; both [n]."""
    n, n_units, _ = matrices.shape
    smallest = np.finfo(matrices.dtype).tiny
    start = np.random.default_rng(0).normal(size=n_units)
    right = np.zeros((n, n_steps + 1, n_units), matrices.dtype)
    left = np.zeros((n, n_steps, n_units), matrices.dtype)
    small = np.zeros((n, n_steps, n_steps + 1))  # upper bidiagonal, and what is left over
    right[:, 0] = start / np.linalg.norm(start)
    for step in range(n_steps):
        new = np.matmul(matrices, right[:, step, :, None])[..., 0]
        length = _make_orthogonal(new, left[:, :step])
        left[:, step], small[:, step, step] = new / np.maximum(length, smallest)[:, None], length
        new = np.matmul(left[:, step, None], matrices)[:, 0]
        length = _make_orthogonal(new, right[:, : step + 1])
        right[:, step + 1], small[:, step, step + 1] = new / np.maximum(length, smallest)[:, None], length
    directions, values, _ = np.linalg.svd(small[:, :, :-1])
    residual = small[:, -1, -1] * np.abs(directions[:, -1, 0])
    gap = np.maximum(values[:, 0] - values[:, 1] - residual, smallest)
    return values[:, 0], np.minimum(residual, residual**2 / gap)


def _make_orthogonal(vectors: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Take from vectors [n, unit] their part in the span of orthonormal rows [n, k, unit], in place; what is left of
    their lengths, [n].
    """
    for _ in range(2 if to.shape[1] else 0):  # twice, for rounding
        vectors -= np.matmul(np.matmul(to, vectors[..., None]).swapaxes(1, 2), to)[:, 0]
    return np.sqrt(np.einsum("nu,nu->n", vectors, vectors))
