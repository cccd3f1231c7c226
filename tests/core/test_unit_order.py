"""Orders of units: permutations that change no value, checked against plain formulas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from explorer_core import api, unit_order
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import UnitOrder
from tests.conftest import build_tiny

TEXT = "it was not good but the ending is unbelievably great and the acting never dull"


@pytest.fixture(scope="module")
def traces():
    return {name: api.trace_states(build_tiny(name), TEXT) for name in ("rnn", "gru", "lstm", "bilstm")}


def permuted(trace, order):
    """The same network with its units renamed: unit k is what unit order[k] was."""
    cell = None if trace.cell is None else trace.cell[..., order]
    return dataclasses.replace(trace, hidden=trace.hidden[..., order], cell=cell, gates=trace.gates[..., order])


def with_hidden(trace, hidden):
    return dataclasses.replace(trace, hidden=hidden)


def test_every_order_of_every_family_holds_each_unit_once(traces, recurrent_family):
    trace = traces[recurrent_family]
    for how in unit_order.possible_orders(trace):
        for layer, direction in np.ndindex(trace.hidden.shape[:2]):
            found = api.order_units(trace, how, layer=layer, direction=direction)
            assert sorted(found.order.tolist()) == list(range(16))
            assert found.how == how


def test_the_stored_order_is_that_of_the_numbers(traces):
    found = api.order_units(traces["lstm"], "stored")
    assert found.order.tolist() == list(range(16))
    assert found.value is None


@pytest.mark.parametrize("seed", range(5))
def test_similar_units_stand_together_however_the_units_are_numbered(traces, recurrent_family, seed):
    trace = traces[recurrent_family]
    renamed = np.random.default_rng(seed).permutation(16)
    straight = api.order_units(trace, layer=1).order
    turned = renamed[api.order_units(permuted(trace, renamed), layer=1).order]
    assert turned.tolist() in (straight.tolist(), straight[::-1].tolist())


def test_units_of_two_kinds_are_not_mixed_and_constant_ones_are_kept(traces):
    trace = traces["rnn"]
    rng = np.random.default_rng(0)
    n_pos = trace.hidden.shape[2]
    wave = np.sin(np.arange(n_pos))[:, None]
    kinds = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
    drawn = np.choose(kinds, [wave, -wave, np.zeros_like(wave)]) + rng.normal(size=(n_pos, 16)) * 1e-3 * (kinds != 2)
    trace = with_hidden(trace, np.broadcast_to(drawn, trace.hidden.shape).astype(np.float32))
    shown = kinds[api.order_units(trace).order]
    assert (np.diff(shown) != 0).sum() == 2


def test_a_network_of_constant_units_has_an_order_too(traces):
    trace = with_hidden(traces["rnn"], np.zeros_like(traces["rnn"].hidden))
    for how in ("similarity", "verdict"):
        assert sorted(api.order_units(trace, how).order.tolist()) == list(range(16))
    assert np.isnan(api.order_units(trace, "verdict").value).all()


@pytest.mark.parametrize("direction", [0, 1])
def test_the_verdict_order_is_numpys_own_correlation(traces, direction):
    trace = traces["bilstm"]
    found = api.order_units(trace, "verdict", layer=1, direction=direction, target="positive")
    logits = trace.running_logits_by_word.astype(np.float64)
    states = trace.hidden[1, direction, trace.pos_of_words(direction)].astype(np.float64)
    expected = [np.corrcoef(states[:, unit], logits[:, 1] - logits[:, 0])[0, 1] for unit in range(16)]
    assert found.value == pytest.approx(expected, abs=1e-10)
    assert np.all(np.diff(found.value[found.order]) <= 0)
    assert "positive" in found.name


def test_the_margin_is_the_logit_minus_the_mean_of_the_others():
    logits = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]])
    assert unit_order.margin(logits, 0).tolist() == [-3.0, -1.5]
    assert unit_order.margin(logits, 2).tolist() == [4.5, 3.0]


def test_the_other_class_turns_the_correlations_round(traces):
    one, other = (api.order_units(traces["lstm"], "verdict", target=target).value for target in (0, 1))
    assert one == pytest.approx(-other, abs=1e-9)


def test_units_that_do_not_move_come_last_and_have_no_correlation(traces):
    hidden = traces["gru"].hidden.copy()
    hidden[..., [2, 5]] = 0.25
    found = api.order_units(with_hidden(traces["gru"], hidden), "verdict")
    assert found.order[-2:].tolist() == [2, 5]
    assert np.isnan(found.value[[2, 5]]).all()
    assert np.isfinite(np.delete(found.value, [2, 5])).all()


@pytest.mark.parametrize(("family", "gate"), [("lstm", 1), ("gru", 1), ("bilstm", 1)])
def test_memory_is_the_half_life_of_the_gate_that_keeps(traces, family, gate):
    trace = traces[family]
    direction = len(trace.directions) - 1
    found = api.order_units(trace, "memory", layer=1, direction=direction)
    keep = trace.gates[1, direction, :, gate].astype(np.float64)
    assert found.value == pytest.approx(np.log(0.5) / np.log(keep).mean(0), rel=1e-6)
    assert np.all(np.diff(found.value[found.order]) <= 0)
    assert found.unit == "tokens"
    shrunk = np.exp(np.log(keep).mean(0) * found.value)  # so many steps of the average gate
    assert shrunk == pytest.approx(0.5)


def test_gates_that_never_open_or_never_close_have_a_finite_half_life():
    keep = np.array([[0.0, 1.0, 0.5]] * 4, dtype=np.float32)
    closed, opened, half = unit_order.half_life(keep)
    assert 0 < closed < 0.01
    assert np.isfinite(opened) and opened > 1e6
    assert half == pytest.approx(1.0)


def test_a_vanilla_network_has_no_memory_order_and_says_so(traces):
    assert "memory" not in unit_order.possible_orders(traces["rnn"])
    with pytest.raises(IncompatibleError, match="no gate that keeps"):
        api.order_units(traces["rnn"], "memory")


def test_without_a_running_verdict_there_is_no_order_by_it():
    trace = api.trace_states(build_tiny("bilstm"), TEXT, running=False)
    assert "verdict" not in unit_order.possible_orders(trace)
    with pytest.raises(IncompatibleError, match="running=True"):
        api.order_units(trace, "verdict")


@pytest.mark.parametrize("text", ["terrible", "not bad"])
def test_texts_of_one_and_two_words_are_ordered_without_a_warning(recurrent_family, text, recwarn):
    trace = api.trace_states(build_tiny(recurrent_family), text)
    for how in unit_order.possible_orders(trace):
        api.order_units(trace, how)
    assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"how": "size"}, "stored, similarity, verdict, memory"),
        ({"how": 5}, "stored, similarity, verdict, memory"),
        ({"layer": 2}, "run from 0 to 1"),
        ({"layer": 0.5}, "run from 0 to 1"),
        ({"layer": "x" * 9999}, "run from 0 to 1"),
        ({"direction": None}, "run from 0 to 0"),
        ({"direction": 1}, "run from 0 to 0"),
        ({"how": "verdict", "target": 7}, "negative, positive"),
        ({"how": "verdict", "target": "neutral"}, "negative, positive"),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(traces, given, said):
    with pytest.raises(InvalidInputError, match=said):
        api.order_units(traces["lstm"], **given)


@pytest.mark.parametrize("call", [api.order_units, api.gate_saturation])
def test_a_bert_has_neither_order_nor_saturation(call):
    with pytest.raises(IncompatibleError, match=r"Only .* recurrent network"):
        call(api.trace_states(build_tiny("bert"), "not bad"))


def test_an_order_is_taken_away_row_by_row(traces):
    found = api.order_units(traces["lstm"], "memory")
    frame = found.to_frame()
    assert frame["unit"].tolist() == found.order.tolist()
    assert frame["value"].to_numpy() == pytest.approx(found.value[found.order])
    assert list(api.order_units(traces["lstm"], "stored").to_frame().columns) == ["row", "unit"]


def test_no_order_is_born_that_leaves_a_unit_out():
    with pytest.raises(AssertionError, match="permutation"):
        UnitOrder("stored", np.array([0, 0, 2]), None)
