"""Times and memory of a pass: against a clock and a count of one's own, cancelled, and without a trace."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.comparing import price
from explorer_core.errors import CancelledError, InvalidInputError
from explorer_core.results import PriceList
from tests.conftest import build_tiny
from tests.core.comparing.prices import made_price, made_prices
from tests.core.test_leaves_no_trace import state_of


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Cells of a few hundredths of a second."""
    monkeypatch.setattr(price, "MIN_S", 0.02)


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_a_price_has_every_cell_and_leaves_no_trace(family):
    model = build_tiny(family)
    before, shares = state_of(model), []
    found = api.measure_price(model, lengths=(16, 4), batches=(1, 3), progress=shares.append)
    assert state_of(model) == before
    assert found.lengths.tolist() == [4, 16]
    assert found.batches.tolist() == [1, 3]
    assert (found.median_s > 0).all()
    assert (found.n_runs >= 1).all()
    assert found.n_params == sum(weight.numel() for weight in model.module.parameters())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    np.testing.assert_allclose(found.texts_per_s, np.array([[1], [3]]) / found.median_s)
    assert len(found.to_frame()) == 4


def test_a_time_is_what_a_clock_says():
    """A network that waits takes as long as it waits, and half as many texts a second."""
    model = build_tiny("rnn")
    waits = torch.nn.Identity()
    waits.forward = lambda **given: threading.Event().wait(0.02) or model.module(**given)
    report = price._Report(None)
    found = price._time(waits, price.random_batch(model, 1, 4), report)
    assert 0.02 <= np.median(found.times) < 0.2


def test_memory_is_what_a_pass_allocates():
    """Two buffers at once, each of 3 MiB, one after the other of 1: the peak is 6 MiB."""

    class Hungry(torch.nn.Module):
        def forward(self, input_ids, attention_mask):
            first = torch.empty(3 * 2**18)
            second = torch.empty(3 * 2**18)
            del first, second
            for _ in range(4):
                torch.empty(2**18)
            return type("Found", (), {"logits": torch.zeros(1, 2)})

    assert price.peak_of(Hungry(), {"input_ids": None, "attention_mask": None}, "cpu") == pytest.approx(6, abs=0.01)
    assert math.isnan(price.peak_of(Hungry(), {"input_ids": None, "attention_mask": None}, "mps"))


def test_a_longer_batch_takes_more_memory():
    found = api.measure_price(build_tiny("bert"), lengths=(8, 64), batches=(1, 8))
    assert (np.diff(found.peak_mib, axis=0) > 0).all()
    assert (np.diff(found.peak_mib, axis=1) > 0).all()


def test_lengths_a_network_cannot_read_are_left_out_and_all_of_them_refused():
    model = build_tiny("bert", max_tokens=16)
    assert api.measure_price(model, lengths=(8, 32), batches=(1,)).lengths.tolist() == [8]
    with pytest.raises(InvalidInputError, match="at most 16 tokens"):
        api.measure_price(model, lengths=(32,))


@pytest.mark.parametrize("given", [(), (0,), (1.5,), (True,), ("8",), (10**9,), "8", None])
def test_what_is_no_length_is_refused(given):
    with pytest.raises(InvalidInputError, match="whole numbers from 1 to"):
        api.measure_price(build_tiny("rnn"), lengths=given)
    with pytest.raises(InvalidInputError, match="whole numbers from 1 to"):
        api.measure_price(build_tiny("rnn"), batches=given)


def test_it_is_cancelled_inside_a_cell_and_while_it_waits_for_another():
    model, before = build_tiny("gru"), state_of(build_tiny("gru"))

    def stop(share):
        if share > 0:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        api.measure_price(model, lengths=(4, 8), batches=(1,), progress=stop)
    assert state_of(model) == before
    assert price._ALONE.acquire(timeout=0)
    waiting = threading.Event()

    def count(share):
        if waiting.is_set():
            raise CancelledError("Enough.")
        waiting.set()

    with pytest.raises(CancelledError):
        api.measure_price(model, lengths=(4,), batches=(1,), progress=count)
    price._ALONE.release()


def test_an_estimate_grows_with_what_is_measured():
    one, two = build_tiny("lstm"), build_tiny("bert")
    assert api.price_measuring([one, two]) > api.price_measuring([one]) > api.price_measuring([one], lengths=(8,)) > 0


def test_a_list_of_prices_has_the_model_first_and_a_row_for_each_cell():
    listed = made_prices("a", "b", "c")
    found = listed.arrays()
    assert found["median_s"].shape == (3, 2, 3)
    assert found["record_accuracy"].tolist()[:2] == [0.8, 0.8]
    assert math.isnan(found["record_accuracy"][2])
    frame = listed.to_frame()
    assert len(frame) == 3 * 2 * 3
    assert frame["train_s"].isna().sum() == 6
    other = made_price("d", lengths=np.array([1, 2, 3]))
    with pytest.raises(AssertionError, match="the same lengths"):
        PriceList(("a", "d"), (listed.prices[0], other), (None, None))
