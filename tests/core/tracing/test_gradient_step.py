"""The chain rule at one unit and one word: both sides agree, and each term is what autograd finds for its path."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from tests.conftest import build_tiny
from tests.core import autograd_oracle

TEXT = "not unbelievably bad but great"
GATES = {"lstm": "ifgo", "bilstm": "ifgo", "gru": "rzn"}
WISHES = ({"target": 1}, {"of": "loss", "label": 0})


def every_step(model, units=(0, 7), **wish):
    trace = api.trace_states(model, TEXT, running=False)
    gradients = api.trace_gradients(model, TEXT, **wish)
    for layer, direction, word in np.ndindex(*trace.hidden.shape[:2], len(trace.words)):
        for unit in units:
            place = {"layer": layer, "direction": direction, "unit": unit, "word": word}
            yield api.trace_gradient_step(model, TEXT, **place, trace=trace, gradients=gradients)


def unrolled(model, reading):
    """The graph by hand in float64, and its logit of class 1."""
    vectors = model.module.embedding.weight[reading.token_ids.tolist()].detach()
    found = autograd_oracle.unroll(model.module, vectors)
    return found, found.logits[1]


def by(value, node) -> torch.Tensor:
    return torch.autograd.grad(value, node, retain_graph=True, allow_unused=True)[0]


# Both sides ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", WISHES, ids=["logit", "loss"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-12), ("float32", 2e-5)])
def test_every_sum_comes_out(recurrent_family, pooling, dtype, limit, wish):
    model = build_tiny(recurrent_family, pooling=pooling, dtype=dtype)
    for step in every_step(model, **wish):
        assert len(step.equations) == {"rnn": 1, "gru": 2}.get(recurrent_family, 3)
        for equation in step.equations:
            size = max(
                abs(equation.left), *(abs(part.value or 0) for part in equation.parts if part.group is None), 1e-9
            )
            size = max(size, *(abs(value) for value in equation.worked.values()), 0)
            assert abs(equation.difference) <= limit * size, (step.layer, step.direction, step.word, equation)


def test_the_left_sides_are_the_gradients_of_a_network_unrolled_by_hand(recurrent_family):
    model = build_tiny(recurrent_family, dtype="float64")
    for step in every_step(model, target=1):
        graph, logit = unrolled(model, step.reading)
        wanted = by(logit, graph.hidden[step.layer][step.direction][step.pos])
        found = {equation.symbol: equation.left for equation in step.equations}
        assert found["∂y/∂h"] == pytest.approx(0 if wanted is None else float(wanted[step.unit]), rel=1e-9, abs=1e-15)


# Each term ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_what_comes_through_a_gate_is_what_autograd_finds_through_that_gate(family):
    model = build_tiny(family, dtype="float64")
    for step in every_step(model, target=1):
        if step.is_last:
            assert not any(step.value(f"∂y/∂h: through {letter}₊₁") for letter in GATES[family])
            continue
        graph, logit = unrolled(model, step.reading)
        state = graph.hidden[step.layer][0][step.pos]
        found, wanted = {}, {}
        for letter, gate in zip(GATES[family], graph.gates[step.layer][0][step.pos_after], strict=True):
            grad = by(logit, gate)
            wanted[letter] = float(torch.autograd.grad(gate, state, grad, retain_graph=True)[0][step.unit])
            found[letter] = step.value(f"∂y/∂h: through {letter}₊₁")
        if family == "gru":  # the candidate's graph runs through the reset gate too, which has a term of its own
            found["n"] += found["r"]
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_what_comes_from_the_layer_above_is_what_autograd_finds_through_it(family):
    model = build_tiny(family, dtype="float64")
    for step in every_step(model, target=1):
        if step.layer:
            continue
        graph, logit = unrolled(model, step.reading)
        state, above = graph.hidden[0][0][step.pos], graph.hidden[1][0][step.pos]
        # with the upper layer's own state before it held fixed, it reads this word here and nowhere else
        nodes = graph.gates[1][0][step.pos] or [above]
        grads = [by(logit, node) for node in nodes]
        if family == "gru":
            nodes, grads = nodes[1:], grads[1:]  # r acts through n, which is in the graph of n
        wanted = sum(
            torch.autograd.grad(node, state, grad, retain_graph=True)[0][step.unit]
            for node, grad in zip(nodes, grads, strict=True)
        )
        assert step.value("∂y/∂h: from layer 2") == pytest.approx(float(wanted), rel=1e-9, abs=1e-15)


def test_the_cell_of_the_next_step_and_its_forget_gate_are_the_oracles():
    model = build_tiny("lstm", dtype="float64")
    for step in every_step(model, target=1):
        graph, logit = unrolled(model, step.reading)
        cells, gates = graph.cell[step.layer][0], graph.gates[step.layer][0]
        if not step.is_last:
            grad = float(by(logit, cells[step.pos_after])[step.unit])
            kept = float(gates[step.pos_after][1][step.unit].detach())
            assert step.value("∂y/∂c: ∂y/∂c₊₁ × f₊₁") == pytest.approx(grad * kept, rel=1e-9, abs=1e-15)
        shown = float((gates[step.pos][3] * (1 - torch.tanh(cells[step.pos]) ** 2))[step.unit].detach())
        assert step.value("∂y/∂c: o") * step.value("∂y/∂c: (1 − tanh² c)") == pytest.approx(shown, rel=1e-9)


def test_the_last_step_of_each_direction_gets_its_gradient_from_the_head_alone():
    model = build_tiny("bilstm", dtype="float64")
    row, n_units = model.module.classifier.weight[1], 16
    for direction, word in ((0, 4), (1, 0)):
        step = api.trace_gradient_step(model, TEXT, layer=1, direction=direction, unit=3, word=word, target=1)
        assert step.is_last
        by_hidden = step.equations[1]
        assert by_hidden.left == by_hidden.right == float(row[direction * n_units + 3])


def test_the_strongest_unit_of_a_vanilla_rnn_is_told_with_its_weight():
    model = build_tiny("rnn", dtype="float64")
    step = api.trace_gradient_step(model, TEXT, layer=1, unit=4, word=2, target=1)
    gradients = api.trace_gradients(model, TEXT, 1)
    states = api.trace_states(model, TEXT).hidden[1, 0, step.pos_after]
    weight = model.module.rnn.weight_hh_l1[:, 4].numpy()
    shares = weight * gradients.grad_hidden[1, 0, step.pos_after] * (1 - states**2)
    most = int(np.abs(shares).argmax())
    assert step.value(f"∂y/∂h: U[{most}, 4]") == weight[most]
    assert step.value("∂y/∂h: 15 other units") == pytest.approx(shares.sum() - shares[most], rel=1e-9)


def test_a_saturated_rnn_keeps_the_digits_of_its_slope():
    """1 - h^2 of a float32 h near 1 has none."""
    model = build_tiny("rnn")
    with torch.no_grad():
        model.module.rnn.bias_ih_l1.fill_(7.0)
    for step in every_step(model, target=1):
        equation = step.equations[0]
        assert equation.difference == pytest.approx(0, abs=2e-5 * max(abs(equation.left), 1e-12) + 1e-12)


# As a result --------------------------------------------------------------------------------------------------------


def test_the_same_step_of_the_chain_comes_from_traces_and_from_the_text():
    model = build_tiny("gru")
    place = {"layer": 1, "unit": 3, "word": 2}
    trace, gradients = api.trace_states(model, TEXT), api.trace_gradients(model, TEXT, of="loss", label="positive")
    given = api.trace_gradient_step(model, TEXT, **place, trace=trace, gradients=gradients)
    read = api.trace_gradient_step(model, TEXT, **place, of="loss", label="positive")
    assert all(np.array_equal(value, read.arrays()[name]) for name, value in given.arrays().items())
    assert not [name for name, value in read.arrays().items() if value.dtype.hasobject]
    assert (read.of, read.target_label) == ("loss", "positive")
    frame = read.to_frame().set_index("name")["value"]
    assert frame["∂y/∂h left"] == read.equations[0].left
    assert frame["∂y/∂h: from the head"] == read.value("∂y/∂h: from the head")


@pytest.mark.parametrize(
    "place", [{"layer": 2}, {"direction": 1}, {"unit": 16}, {"unit": -1}, {"word": 5}, {"unit": 1.5}]
)
def test_a_step_of_the_chain_that_is_not_there_is_refused_with_the_bounds(place):
    with pytest.raises(InvalidInputError, match=rf"no {next(iter(place))} .* run from 0 to"):
        api.trace_gradient_step(build_tiny("lstm"), TEXT, **place)


def test_traces_of_another_text_or_network_are_refused_by_the_chain_rule():
    model = build_tiny("lstm")
    other = {"trace": api.trace_states(model, "not bad"), "gradients": api.trace_gradients(model, "not bad")}
    for given in ({"trace": other["trace"]}, {"gradients": other["gradients"]}):
        with pytest.raises(InvalidInputError, match="another text"):
            api.trace_gradient_step(model, TEXT, **given)
    with pytest.raises(InvalidInputError, match="give the model that was traced"):
        api.trace_gradient_step(build_tiny("lstm", seed=5), "not bad", **other)


def test_a_bert_has_no_chain_through_time():
    with pytest.raises(IncompatibleError, match="Only a recurrent network"):
        api.trace_gradient_step(build_tiny("bert"), TEXT)


def test_a_class_that_does_not_exist_has_no_chain_rule():
    with pytest.raises(InvalidInputError, match="negative, positive"):
        api.trace_gradient_step(build_tiny("lstm"), TEXT, target="neutral")
