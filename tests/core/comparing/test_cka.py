"""Linear CKA from sums over features is that of the matrices of state by state."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer_core.comparing import _cka
from explorer_core.comparing._cka import debiased_cka, plain_cka


def kernel(states):
    """Products of every two states, by loops."""
    return [[sum(a * b for a, b in zip(one, other, strict=True)) for other in states] for one in states]


def hsic_by_loops(one, other):
    """The unbiased estimate as a mean over different places (Song et al. 2012, theorem 2): pairs, less twice triples,
    plus quadruples.
    """
    ks, ls = kernel(one.tolist()), kernel(other.tolist())
    places = range(len(ks))
    pairs = list(itertools.permutations(places, 2))
    triples = list(itertools.permutations(places, 3))
    quadruples = list(itertools.permutations(places, 4))
    return (
        sum(ks[i][j] * ls[i][j] for i, j in pairs) / len(pairs)
        - 2 * sum(ks[i][j] * ls[i][q] for i, j, q in triples) / len(triples)
        + sum(ks[i][j] * ls[q][r] for i, j, q, r in quadruples) / len(quadruples)
    )


def cka_by_loops(one, other):
    return hsic_by_loops(one, other) / np.sqrt(hsic_by_loops(one, one) * hsic_by_loops(other, other))


def some(n_states, n_units, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, (n_states, n_units))


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_debiased_cka_is_the_mean_over_pairs_triples_and_quadruples(shift):
    base = some(9, 3, 0, shift)
    other = np.concatenate([base[:, :2] * 2 + 0.3 * some(9, 2, 1), some(9, 2, 2)], axis=1)
    assert debiased_cka(base, other) == pytest.approx(cka_by_loops(base, other), abs=1e-9)


def test_plain_cka_is_that_of_centred_matrices_of_state_by_state():
    one, other = some(30, 5, 0, 2.0), some(30, 7, 1)
    middle = np.eye(30) - 1 / 30
    k, l = middle @ one @ one.T @ middle, middle @ other @ other.T @ middle  # noqa: E741
    expected = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
    assert plain_cka(one, other) == pytest.approx(expected, abs=1e-9)


def test_cka_of_states_with_themselves_is_one_turned_moved_and_scaled_too():
    one = some(40, 6, 0)
    turn, _ = np.linalg.qr(some(6, 6, 1))
    assert debiased_cka(one, one) == 1.0
    assert plain_cka(one, one) == 1.0
    assert debiased_cka(one, 5 * one @ turn + 7) == pytest.approx(1.0, abs=1e-9)


def test_cka_is_the_same_both_ways_and_changes_with_no_order_of_the_states():
    one, other = some(25, 4, 0), some(25, 6, 1) + some(25, 1, 2)
    order = np.random.default_rng(3).permutation(25)
    assert debiased_cka(one, other) == pytest.approx(debiased_cka(other, one), abs=1e-12)
    assert debiased_cka(one[order], other[order]) == pytest.approx(debiased_cka(one, other), abs=1e-12)


def test_unrelated_states_have_a_debiased_cka_about_zero_where_the_plain_one_is_large():
    found = [(debiased_cka(a, b), plain_cka(a, b)) for a, b in
             ((some(40, 60, 2 * seed), some(40, 60, 2 * seed + 1)) for seed in range(30))]  # fmt: skip
    debiased, plain = np.mean(found, axis=0)
    assert abs(debiased) < 0.03
    assert plain > 0.5


def test_states_that_never_vary_have_no_cka():
    flat = np.full((10, 3), 0.1, dtype=np.float32)
    assert np.isnan(debiased_cka(flat, some(10, 3, 0)))
    assert np.isnan(plain_cka(some(10, 3, 0), flat))


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_the_size_of_states_changes_nothing(scale):
    one, other = some(20, 4, 0), some(20, 4, 0)[:, ::-1] + some(20, 4, 1)
    assert debiased_cka(one * scale, other) == pytest.approx(debiased_cka(one, other), abs=1e-9)


def test_an_unbiased_estimate_may_be_below_zero():
    found = [
        _cka.unbiased_hsic(_cka.centred(some(8, 2, seed)), _cka.centred(some(8, 2, 99 - seed))) for seed in range(20)
    ]
    assert min(found) < 0 < max(found)
