"""Half-precision numbers compared by their bits, against the comparison of the numbers themselves."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core.half_precision import LARGEST, at_least, to_half

EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)
FINITE = EVERY[np.isfinite(EVERY)]


@pytest.mark.parametrize(
    "threshold",
    [0.0, -0.0, 0.3, -0.3, 0.5, -0.5, 1e-7, -1e-7, 5e-8, 2.0**-24, -(2.0**-24), 1.0, 65504.0, -65504.0, 7e4, -7e4, 0.1],
)
def test_every_half_is_compared_as_its_number_is(threshold):
    assert np.array_equal(at_least(FINITE, threshold), FINITE.astype(np.float64) >= threshold)


def test_thresholds_between_and_on_halves_are_kept_exactly():
    rng = np.random.default_rng(0)
    values = rng.normal(size=500).astype(np.float16)
    for threshold in (*rng.normal(size=200), *values[:50].astype(float)):
        assert np.array_equal(at_least(values, threshold), values.astype(np.float64) >= threshold)


def test_values_beyond_the_range_become_its_ends():
    found = to_half(np.array([1e9, -1e9, 1.5, 65_520.0]))
    assert found.dtype == np.float16
    assert found.tolist() == [LARGEST, -LARGEST, 1.5, LARGEST]
