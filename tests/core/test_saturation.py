"""Saturation: shares that are direct counts."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from tests.conftest import build_tiny

TEXT = "it was not good but the ending is unbelievably great and never dull"


def test_shares_are_counts_of_words_where_the_direction_has_read_them(recurrent_family):
    trace = api.trace_states(build_tiny(recurrent_family), TEXT)
    found = api.gate_saturation(trace)
    n_words = len(trace.words)
    for layer, direction, gate, unit in np.ndindex(found.left.shape):
        values = trace.quantities()[found.names[gate]][layer, direction]
        seen = [float(values[pos, unit]) for pos in trace.pos_of_words(direction)]
        assert found.left[layer, direction, gate, unit] == pytest.approx(sum(v < found.low for v in seen) / n_words)
        assert found.right[layer, direction, gate, unit] == pytest.approx(sum(v > found.high for v in seen) / n_words)


@pytest.mark.parametrize(
    ("family", "names", "low"),
    [
        ("lstm", ("input", "forget", "output"), 0.1),
        ("gru", ("reset", "update"), 0.1),
        ("rnn", ("hidden",), -0.9),
    ],
)
def test_candidates_are_no_gates_and_a_network_without_gates_shows_its_tanh(family, names, low):
    found = api.gate_saturation(api.trace_states(build_tiny(family), TEXT))
    assert found.names == names
    assert (found.low, found.high) == (low, 0.9)
    assert np.all(found.left + found.right <= 1)


def test_the_table_has_a_row_for_every_gate_of_every_unit():
    found = api.gate_saturation(api.trace_states(build_tiny("bilstm"), TEXT))
    frame = found.to_frame()
    assert len(frame) == 2 * 2 * 3 * 16
    row = frame[(frame.layer == 1) & (frame.direction == "backward") & (frame.gate == "forget") & (frame.unit == 7)]
    assert row["right"].item() == found.right[1, 1, 1, 7]
