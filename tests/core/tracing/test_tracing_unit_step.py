"""The equations of one unit: both sides agree, and each number is the oracle's."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from tests.conftest import build_tiny
from tests.core import oracle

TEXT = "not unbelievably bad but great"


def every_step(model, trace, units=(0, 15)):
    n_layers, n_directions = trace.hidden.shape[:2]
    for layer, direction, word in np.ndindex(n_layers, n_directions, len(trace.words)):
        for unit in units:
            yield api.trace_unit_step(model, TEXT, layer=layer, direction=direction, unit=unit, word=word, trace=trace)


@pytest.mark.parametrize("seed", range(3))
def test_both_sides_of_every_equation_agree(recurrent_family, seed):
    model = build_tiny(recurrent_family, seed=seed)
    trace = api.trace_states(model, TEXT)
    for step in every_step(model, trace):
        for equation in step.equations:
            assert abs(equation.difference) <= 1e-6 * max(1, abs(equation.left))
            assert equation.left == step.value({"c": "cell", "h": "hidden", "n": "candidate"}[equation.symbol])


def test_the_numbers_are_those_of_a_network_unrolled_by_hand(recurrent_family):
    model = build_tiny(recurrent_family)
    trace = api.trace_states(model, TEXT)
    vectors = model.module.embedding.weight[trace.reading.token_ids.tolist()].double().numpy()
    by_hand = oracle.read(model.module, vectors)
    for step in every_step(model, trace):
        place = (step.layer, step.direction, step.pos)
        assert step.value("hidden") == pytest.approx(by_hand.hidden[(*place, step.unit)], abs=1e-5)
        for gate, name in enumerate(trace.gate_names):
            assert step.value(name) == pytest.approx(by_hand.gates[(*place, gate, step.unit)], abs=1e-5)
        if step.pos_before is not None:
            before = by_hand.hidden[step.layer, step.direction, step.pos_before, step.unit]
            assert step.value("hidden_before") == pytest.approx(before, abs=1e-5)


def test_what_comes_from_word_and_state_opens_the_gates(recurrent_family):
    model = build_tiny(recurrent_family)
    trace = api.trace_states(model, TEXT)
    for step in every_step(model, trace, units=(3,)):
        sums = dict(zip(step.blocks, step.from_word + step.from_state, strict=True))
        for name, inside in sums.items():
            if name == "candidate" and "update" in step.names:
                continue  # the reset gate stands between, see the equation
            expected = np.tanh(inside) if name in ("candidate", "hidden") else 1 / (1 + np.exp(-inside))
            assert step.value(name) == pytest.approx(expected, abs=1e-6)


def test_the_first_step_of_each_direction_begins_at_zero():
    model = build_tiny("bilstm")
    n_words = len(TEXT.split())
    for direction, word in ((0, 0), (1, n_words - 1)):
        step = api.trace_unit_step(model, TEXT, layer=1, direction=direction, word=word)
        assert step.is_first
        assert step.value("cell_before") == step.value("hidden_before") == 0
        assert np.array_equal(step.equations[0].worked[0], 0.0)  # nothing is kept of nothing


def test_inside_a_word_the_step_before_is_the_token_before():
    model = build_tiny("bilstm")
    trace = api.trace_states(model, TEXT)
    word = trace.words.index("unbelievably")
    first, last = trace.reading.first_token_of_word[word], trace.reading.last_token_of_word[word]
    assert last > first
    forward, backward = (
        api.trace_unit_step(model, TEXT, direction=direction, word=word, trace=trace) for direction in (0, 1)
    )
    assert (forward.pos, forward.pos_before) == (last, last - 1)
    assert (backward.pos, backward.pos_before) == (first, first + 1)
    assert forward.value("cell_before") == trace.cell[0, 0, last - 1, 0]
    assert backward.value("cell_before") == trace.cell[0, 1, first + 1, 0]


def test_the_same_step_comes_from_a_trace_and_from_the_text():
    model = build_tiny("gru")
    trace = api.trace_states(model, TEXT)
    given, read = (api.trace_unit_step(model, TEXT, layer=1, unit=3, word=2, trace=one) for one in (trace, None))
    assert all(np.array_equal(value, read.arrays()[name]) for name, value in given.arrays().items())
    assert not [name for name, value in read.arrays().items() if value.dtype.hasobject]
    frame = read.to_frame().set_index("name")["value"]
    assert frame["h_left"] == read.value("hidden")


@pytest.mark.parametrize(
    "place",
    [
        {"layer": 2},
        {"direction": 1},
        {"unit": 16},
        {"unit": -1},
        {"word": 5},
        {"unit": 1.5},
        {"word": "2"},
        {"layer": None},
        {"unit": True},
    ],
)
def test_a_step_that_is_not_there_is_refused_with_the_bounds(place):
    with pytest.raises(InvalidInputError, match=rf"no {next(iter(place))} .* run from 0 to"):
        api.trace_unit_step(build_tiny("lstm"), TEXT, **place)


def test_a_trace_of_another_text_or_network_is_refused():
    model = build_tiny("lstm")
    trace = api.trace_states(model, "not bad")
    with pytest.raises(InvalidInputError, match="another text"):
        api.trace_unit_step(model, TEXT, trace=trace)
    with pytest.raises(InvalidInputError, match="give the model that was traced"):
        api.trace_unit_step(build_tiny("lstm", seed=5), "not bad", trace=trace)


def test_a_bert_takes_no_steps():
    with pytest.raises(IncompatibleError, match="Only recurrent networks"):
        api.trace_unit_step(build_tiny("bert"), TEXT)
