"""The result of a memory trace: what follows from promised shares and changes, by hand-sized numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from tests.conftest import build_tiny

TEXT = "not bad at all"


@pytest.fixture(scope="module")
def traced():
    return api.trace_memory(build_tiny("bilstm", num_layers=1, hidden_size=4), TEXT)


def with_promise(traced, forward, backward):
    """The trace with these shares promised of each of its four words, by every unit."""
    both = np.stack([forward, backward])[None, :, :, None]  # [layer, direction, word, unit]
    return dataclasses.replace(traced, promised_kept=np.broadcast_to(both, traced.step_change.shape).copy())


def test_the_horizon_counts_words_back_from_the_end_of_each_directions_reading(traced):
    """Forward the last word is read last, backward the first one."""
    made = with_promise(traced, [0.05, 0.4, 0.8, 1.0], [1.0, 0.6, 0.5, 0.2])
    assert made.horizon(0.5)[0].tolist() == [[2] * 4, [3] * 4]
    assert made.horizon(0.1)[0].tolist() == [[3] * 4, [4] * 4]
    assert made.horizon(0.9)[0].tolist() == [[1] * 4, [1] * 4]


@pytest.mark.parametrize("share", [0.0, 1.0, -1, 2, float("nan"), "half", None])
def test_a_horizon_of_no_share_is_refused(traced, share):
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        traced.horizon(share)


def test_a_share_is_measured_only_where_the_word_changed_the_unit_enough(traced):
    step = np.zeros_like(traced.step_change)
    step[0, 0, :, 0] = [-2.0, 0.3, 0.1, 0.0]  # a tenth of the largest is 0.2
    step[0, 0, :, 1] = [5e-5, 0.0, 0.0, 0.0]
    made = dataclasses.replace(traced, step_change=step, end_change=np.full_like(step, 0.6))
    assert made.is_measurable[0, 0, :, 0].tolist() == [True, True, False, False]
    assert not made.is_measurable[0, 0, :, 1].any()
    assert np.allclose(made.measured_kept[0, 0, :, 0], [0.3, 2.0, np.nan, np.nan], equal_nan=True)


def test_a_unit_keeps_the_sum_of_its_changes_and_is_promised_their_weighted_mean(traced):
    step, end = np.zeros_like(traced.step_change), np.zeros_like(traced.step_change)
    step[0, 0, :, 0], end[0, 0, :, 0] = [2.0, -1.0, 0.5, 0.5], [0.1, 0.1, -0.3, 0.5]
    made = with_promise(traced, [0.1, 0.2, 0.5, 1.0], [1.0] * 4)
    made = dataclasses.replace(made, step_change=step, end_change=end)
    assert made.unit_measured[0, 0, 0] == pytest.approx(1.0 / 4.0)
    assert made.unit_promised[0, 0, 0] == pytest.approx((0.2 + 0.2 + 0.25 + 0.5) / 4.0)
    assert made.disagreement[0, 0, 0] == pytest.approx(0.25 - 1.15 / 4)
    assert np.isnan(made.unit_measured[0, 0, 1])


def test_the_top_layers_change_joins_both_directions_as_one_vector(traced):
    sizes = np.linalg.norm(traced.final_hidden[-1], axis=-1)
    change = traced.hidden_change[-1] * sizes[:, None]
    expected = np.sqrt((change**2).sum(0) / (sizes**2).sum())
    assert np.allclose(traced.top_hidden_change, expected)
    one_way = api.trace_memory(build_tiny("lstm"), TEXT)
    assert np.allclose(one_way.top_hidden_change, one_way.hidden_change[-1, 0])
    assert np.allclose(one_way.top_cell_change, one_way.cell_change[-1, 0])


def test_a_memory_trace_is_taken_away_as_arrays_and_as_a_table(recurrent_family, tmp_path):
    traced = api.trace_memory(build_tiny(recurrent_family, hidden_size=3), TEXT)
    with np.load(traced.save(tmp_path / "memory.npz")) as arrays:
        assert np.array_equal(arrays["end_change"], traced.end_change)
        assert np.allclose(arrays["unit_measured"], traced.unit_measured, equal_nan=True)
        assert ("horizon_half" in arrays) == ("promised_kept" in arrays) == (recurrent_family != "rnn")
        assert not [name for name in arrays if arrays[name].dtype.hasobject]
    frame = pd.read_csv(traced.save(tmp_path / "memory.csv"))
    assert len(frame) == traced.step_change.size
    assert np.allclose(frame["step_change"], traced.step_change.ravel(), atol=1e-6)
    assert set(frame["word"]) == set(traced.words)
    assert ("promised_kept" in frame) == (recurrent_family != "rnn")


def test_a_trace_of_the_wrong_shape_is_never_handed_out(traced):
    for name in ("step_change", "logit_change", "promised_kept", "cell_change"):
        with pytest.raises(AssertionError, match=name):
            dataclasses.replace(traced, **{name: getattr(traced, name)[..., :1, :]})
    with pytest.raises(InvalidInputError, match="not finite"):
        dataclasses.replace(traced, end_change=np.full_like(traced.end_change, np.nan))
