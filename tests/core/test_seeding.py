"""The global generators: the same draws from the same seed, one leader at a time, and no trace afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core.seeding import seeded


def drawn(seed: int) -> tuple[float, float]:
    with seeded(seed):
        return float(torch.rand(1)), float(np.random.rand())


def test_a_seed_draws_the_same_again_and_leaves_no_trace():
    before = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"]
    assert drawn(3) == drawn(3) != drawn(4)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], before[1])


def test_a_crash_inside_leaves_no_trace_and_lets_go():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded(1):
        torch.rand(5)
        raise ZeroDivisionError
    assert torch.equal(torch.get_rng_state(), before)
    assert drawn(3) == drawn(3)


def test_threads_never_lead_the_generators_at_once():
    alone = {seed: drawn(seed) for seed in range(4)}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(drawn, [seed % 4 for seed in range(400)]))
    assert all(found == alone[index % 4] for index, found in enumerate(together))
