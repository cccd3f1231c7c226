"""What a spectrum costs is said from one decomposition that is timed, and the cube of its side."""

from __future__ import annotations

import itertools

import pytest

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.tracing import jacobians
from tests.conftest import build_tiny


@pytest.mark.parametrize(("family", "n_rows"), [("lstm", 80), ("bilstm", 80), ("gru", 40), ("rnn", 40)])
def test_the_price_is_the_timed_matrix_times_steps_and_the_cube_of_its_side(family, n_rows, monkeypatch):
    model = build_tiny(family, hidden_size=40)
    clock = itertools.count()
    monkeypatch.setattr(jacobians.time, "perf_counter", lambda: float(next(clock)))  # every timing takes a second
    monkeypatch.setattr(jacobians, "_TIMED_ROWS", 20)
    n_steps = len(api.trace_states(model, "not bad at all").tokens)
    assert api.price_spectrum(model, "not bad at all") == pytest.approx((n_rows / 20) ** 3 * n_steps)


def test_a_bert_or_nothing_to_read_has_no_price():
    with pytest.raises(IncompatibleError, match="recurrent"):
        api.price_spectrum(build_tiny("bert"), "good")
    with pytest.raises(InvalidInputError):
        api.price_spectrum(build_tiny("lstm"), "  ")
