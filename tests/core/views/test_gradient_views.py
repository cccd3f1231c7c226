"""The pictures of gradients: what is drawn is what was found, zeros are seen, and a gate's bar is a derivative."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.numerals import number
from explorer_core.palette import NEGATIVE, POSITIVE
from explorer_core.views import _log, gradient_gates, gradient_lines
from tests.conftest import build_tiny
from tests.core import autograd_oracle

TEXT = "not unbelievably bad but great"


def line_of(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


def said_above(figure) -> str:
    return next(note.text for note in figure.layout.annotations if "floor of" in note.text)


# Lines --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [0, 1])
def test_lines_are_the_norms_at_the_step_that_has_read_the_word(direction):
    found = api.trace_gradients(build_tiny("bilstm"), TEXT, 1)
    figure = gradient_lines.render(found, layer=1, direction=direction)
    pos = found.pos_of_words(direction)
    for name, norms in (("hidden state h", found.hidden_norm), ("cell state c", found.cell_norm)):
        np.testing.assert_allclose(10 ** line_of(figure, name).y, norms[1, direction, pos], rtol=1e-6)
    np.testing.assert_allclose(10 ** line_of(figure, "word vector").y, found.embedding_norm_by_word, rtol=1e-6)
    shown = line_of(figure, "word vector").customdata
    assert shown[1] == number(found.embedding_norm_by_word[1])


def test_a_bert_has_a_line_for_every_layer_and_places_for_its_special_tokens():
    found = api.trace_gradients(build_tiny("bert", num_layers=3), TEXT, 1)
    figure = gradient_lines.render(found)
    assert [trace.name for trace in figure.data] == ["word vector", "embedding", "layer 1", "layer 2", "layer 3"]
    assert list(figure.data[0].x) == [-1, 0, 1, 2, 3, 4, 5]
    inner = line_of(figure, "layer 1")
    of_word = np.sqrt(np.square(found.hidden_norm[1])[found.word_of_token == 1].sum())
    assert 10 ** inner.y[2] == pytest.approx(of_word, rel=1e-6)


def test_zeros_are_drawn_on_a_line_of_their_own_and_said():
    found = api.trace_gradients(build_tiny("bert"), TEXT, 1)
    figure = gradient_lines.render(found)
    top = line_of(figure, "layer 2")  # the head reads [CLS] alone
    assert list(top.customdata[1:]) == ["0"] * 6
    assert len(set(top.y[1:].tolist())) == 1
    assert top.y[1] < min(trace.y.min() for trace in figure.data if trace.name != "layer 2")
    assert list(top.marker.size) == [0, 7, 7, 7, 7, 7, 7]
    assert figure.layout.yaxis.ticktext[0] == "0"
    assert figure.layout.yaxis.tickvals[0] == top.y[1]
    assert "○ is exactly 0" in said_above(figure)
    assert figure.layout.yaxis.range[0] < top.y[1]


def test_without_zeros_nothing_is_said_of_them():
    figure = gradient_lines.render(api.trace_gradients(build_tiny("lstm"), TEXT, 1))
    assert said_above(figure) == "floor of float32: 1.18e−38, below this axis"
    assert "0" not in figure.layout.yaxis.ticktext


def test_the_floor_of_the_format_is_drawn_where_values_come_near_it():
    found = api.trace_gradients(build_tiny("rnn"), TEXT, 1)
    faded = found.grad_embedding.copy()
    faded[0] = np.float32(1e-40)  # below the floor, not zero
    figure = gradient_lines.render(dataclasses.replace(found, grad_embedding=faded))
    floor = np.log10(np.finfo(np.float32).tiny)
    assert any(shape.y0 == pytest.approx(float(floor), rel=1e-6) for shape in figure.layout.shapes)
    assert "the dotted line" in said_above(figure)
    low, high = figure.layout.yaxis.range
    assert low < line_of(figure, "word vector").y[0] < floor < high


def test_the_format_of_a_float64_network_is_named():
    figure = gradient_lines.render(api.trace_gradients(build_tiny("gru", dtype="float64"), TEXT, 1))
    assert "floor of float64: 2.23e−308" in said_above(figure)


def test_gradients_that_are_zero_everywhere_have_an_axis_too():
    found = api.trace_gradients(build_tiny("gru"), TEXT, 1)
    nothing = dataclasses.replace(
        found, grad_hidden=np.zeros_like(found.grad_hidden), grad_embedding=np.zeros_like(found.grad_embedding)
    )
    figure = gradient_lines.render(nothing)
    assert all(text == "0" for trace in figure.data for text in trace.customdata)
    assert np.isfinite(figure.layout.yaxis.range).all()


@pytest.mark.parametrize(("low", "high", "labels"), [
    (-1.1, 0.2, ["0.1", "0.2", "0.5", "1"]),
    (-4.2, -3.4, ["10<sup>−4</sup>", "2 × 10<sup>−4</sup>"]),
    (-6.1, 0.1, ["10<sup>−6</sup>", "10<sup>−5</sup>", "10<sup>−4</sup>", "0.001", "0.01", "0.1", "1"]),
])  # fmt: skip
def test_ticks_are_round_values_of_few_digits(low, high, labels):
    assert [text for _, text in _log._ticks(low, high)] == labels


@pytest.mark.parametrize("low", [-45.0, -300.0, -8.0])
def test_there_are_never_too_many_ticks(low):
    assert 2 <= len(_log._ticks(low, 0.5)) <= 7


@pytest.mark.parametrize("place", [{"layer": 2}, {"direction": 1}])
def test_a_layer_or_direction_that_is_not_there_is_refused(place):
    found = api.trace_gradients(build_tiny("lstm"), TEXT)
    for view in (gradient_lines, gradient_gates):
        with pytest.raises(InvalidInputError, match="run from 0 to"):
            view.render(found, **place)


def test_the_lines_are_told_with_their_number_and_label():
    found = api.trace_gradients(build_tiny("lstm"), TEXT, of="loss", label="positive")
    said = gradient_lines.alt_text(found)
    assert "gradient of the loss of positive" in said
    assert number(found.embedding_norm_by_word.max()) in said
    assert gradient_lines.render(found).layout.yaxis.title.text == "L2 norm of the gradient of the loss"


# Gates --------------------------------------------------------------------------------------------------------------


def logit_with_open_gate(module, vectors, gate: int, positions, by: float) -> float:
    """The logit of class 1 of a network of one direction, unrolled by hand, with a gate of its top layer opened."""
    config, inputs = module.config, [vector.double() for vector in vectors]
    named = {name: value.double() for name, value in module.named_parameters()}
    for layer in range(config.num_layers):
        w, u, b, d = (named[f"rnn.{kind}_l{layer}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        h = c = torch.zeros(config.hidden_size, dtype=torch.float64)
        states = []
        for pos, x in enumerate(inputs):
            nudge = torch.zeros(4, dtype=torch.float64)
            if layer == config.num_layers - 1 and pos in positions:
                nudge[gate] = by
            if module.rnn.mode == "LSTM":
                i, f, g, o = (w @ x + b + u @ h + d).chunk(4)
                i, f, o = (torch.sigmoid(each) + nudge[index] for each, index in ((i, 0), (f, 1), (o, 3)))
                c = f * c + i * torch.tanh(g)
                h = o * torch.tanh(c)
            else:
                from_word, from_state = (w @ x + b).chunk(3), (u @ h + d).chunk(3)
                r, z = (torch.sigmoid(from_word[index] + from_state[index]) + nudge[index] for index in range(2))
                h = (1 - z) * torch.tanh(from_word[2] + r * from_state[2]) + z * h
            states.append(h)
        inputs = states
    pooled = autograd_oracle.POOLINGS[config.pooling](inputs, config.hidden_size)
    return float((named["classifier.weight"] @ pooled + named["classifier.bias"])[1])


@pytest.mark.parametrize(("family", "gates"), [("lstm", {"input": 0, "forget": 1, "output": 3}),
                                               ("gru", {"reset": 0, "update": 1})])  # fmt: skip
def test_a_bar_is_how_fast_the_logit_moves_while_the_gate_opens(family, gates):
    """Central differences of the logit over a gate opened in every unit, at every token of a word."""
    model = build_tiny(family, dtype="float64", pooling="mean")
    found = api.trace_gradients(model, TEXT, 1)
    _, slopes = gradient_gates.slopes(found, layer=1)
    assert list(slopes) == list(gates)
    vectors = model.module.embedding.weight[found.reading.token_ids.tolist()]
    step = 1e-5
    for gate, index in gates.items():
        for word in range(len(found.words)):
            positions = np.flatnonzero(found.word_of_token == word).tolist()
            up, down = (logit_with_open_gate(model.module, vectors, index, positions, by) for by in (step, -step))
            assert slopes[gate][word] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-9)


def test_bars_share_one_scale_and_take_the_colour_of_the_class_that_gains():
    model = build_tiny("lstm")
    found = api.trace_gradients(model, TEXT, "positive")
    figure = gradient_gates.render(found, layer=1)
    ranges = {tuple(figure.layout[f"yaxis{row if row > 1 else ''}"].range) for row in (1, 2, 3)}
    assert len(ranges) == 1
    for bars in figure.data:
        assert [color == POSITIVE for color in bars.marker.color] == [value >= 0 for value in bars.y]
    loss = gradient_gates.render(api.trace_gradients(model, TEXT, of="loss", label="positive"), layer=1)
    for bars in loss.data:  # what raises the loss of positive speaks for negative
        assert [color == NEGATIVE for color in bars.marker.color] == [value >= 0 for value in bars.y]


def test_tooltips_hold_the_sum_and_the_norm_over_units():
    found = api.trace_gradients(build_tiny("lstm"), TEXT, 1)
    bars = next(trace for trace in gradient_gates.render(found, layer=1).data if trace.name == "forget")
    pos = found.word_of_token == 1  # a word of several tokens
    grads = found.grad_gates[1, 0, pos, 1].astype(float)
    assert list(bars.customdata[1]) == [number(grads.sum(), signed=True), number(np.linalg.norm(grads))]


@pytest.mark.parametrize("family", ["rnn", "bert"])
def test_a_network_without_gates_is_refused_in_words(family):
    with pytest.raises(IncompatibleError, match="no gates"):
        gradient_gates.render(api.trace_gradients(build_tiny(family), TEXT))


def test_the_gates_are_told_by_the_word_that_counts_most():
    found = api.trace_gradients(build_tiny("gru"), TEXT, 1)
    _, slopes = gradient_gates.slopes(found, layer=1)
    at = int(np.abs(slopes["update"]).argmax())
    assert f"update gate {number(slopes['update'][at], signed=True)} at {found.words[at]}" in gradient_gates.alt_text(
        found, layer=1
    )


def test_an_end_token_has_a_place_of_its_own_in_both_pictures():
    found = api.trace_gradients(build_tiny("lstm", vocabulary="words", end_token=True), "the film was good", 1)
    for view in (gradient_lines, gradient_gates):
        figure = view.render(found, layer=1)
        assert list(figure.data[0].x) == [0, 1, 2, 3, 4]
        assert "<i>[END]</i>" in json.dumps(figure.to_plotly_json()["layout"], default=str)
