"""Sizes of states and single units: what is drawn is what the trace holds."""

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.views import gate_saturation, gate_values, state_norms, unit_lines
from tests.core.views.conftest import TEXTS


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_sizes_of_any_text_are_drawn_for_every_family(trace_of, family, text):
    trace = trace_of(family, text)
    figure = state_norms.render(trace)
    assert all(len(drawn.y) == len(trace.words) for drawn in figure.data)
    assert all(np.all(drawn.y >= 0) for drawn in figure.data)
    assert not [word for word in figure.layout.xaxis.ticktext if "<" in word or "\u202e" in word]


def test_a_size_is_the_root_of_the_sum_of_squares_after_the_words_last_token(trace_of):
    trace = trace_of("lstm", "unbelievably good plot", num_layers=1)
    hidden, cell = state_norms.norms(trace)
    assert [hidden.name, cell.name] == ["hidden", "cell"]
    for word, pos in enumerate(trace.reading.last_token_of_word):
        assert hidden.values[word] == pytest.approx((trace.hidden[0, 0, pos] ** 2).sum() ** 0.5)
        assert cell.values[word] == pytest.approx((trace.cell[0, 0, pos] ** 2).sum() ** 0.5)


def test_the_backward_direction_is_read_at_the_first_token_of_a_word(trace_of):
    trace = trace_of("bilstm", "unbelievably good plot", num_layers=1)
    lines = {line.name: line.values for line in state_norms.norms(trace)}
    first = trace.reading.first_token_of_word
    assert first[0] == 0 < trace.reading.last_token_of_word[0]
    assert np.allclose(lines["hidden, backward"], np.linalg.norm(trace.hidden[0, 1, first], axis=-1))


def test_every_layer_of_a_bert_and_its_embedding_have_a_line(trace_of):
    names = [line.name for line in state_norms.norms(trace_of("bert", "not bad"))]
    assert names == ["embedding", "layer 1", "layer 2"]


def test_every_layer_and_direction_has_a_name_of_its_own(trace_of, recurrent_family):
    names = [line.name for line in state_norms.norms(trace_of(recurrent_family, "not bad", num_layers=3))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_lines_of_a_unit_are_its_own_quantities(trace_of, recurrent_family, text):
    trace = trace_of(recurrent_family, text)
    direction = trace.hidden.shape[1] - 1
    figure = unit_lines.render(trace, layer=1, direction=direction, unit=5)
    drawn = {line.name: np.asarray(line.y) for line in figure.data}
    assert set(drawn) == set(trace.quantities())
    for name, values in trace.quantities().items():
        assert np.array_equal(drawn[name], values[1, direction, trace.pos_of_words(direction), 5])


def test_gates_have_a_panel_from_zero_to_one_and_signed_values_one_centred_on_zero(trace_of):
    figure = unit_lines.render(trace_of("lstm", "not bad at all"))
    low, high = figure.layout.yaxis.range
    assert low == -high
    assert figure.layout.yaxis2.range == pytest.approx((-0.03, 1.03))
    assert {line.name for line in figure.data if line.yaxis == "y2"} == {"input", "forget", "output"}


def test_a_network_without_gates_has_one_panel(trace_of):
    figure = unit_lines.render(trace_of("rnn", "not bad"))
    assert [line.name for line in figure.data] == ["hidden"]
    assert figure.layout.xaxis.showticklabels


@pytest.mark.parametrize("place", [{"layer": 2}, {"direction": 1}, {"unit": 16}, {"unit": -1}])
def test_a_unit_that_is_not_there_is_refused_with_the_bounds(trace_of, place):
    name = next(iter(place))
    with pytest.raises(InvalidInputError, match=rf"no {name} .* run from 0 to"):
        unit_lines.render(trace_of("lstm", "not bad"), **place)


def test_the_figures_are_told_in_words_too(trace_of):
    trace = trace_of("gru", "not bad", num_layers=1)
    assert unit_lines.alt_text(trace, unit=3).startswith("Unit 3 after the last of 2 words: hidden ")
    assert "update" in unit_lines.alt_text(trace, unit=3)
    assert "2 words" in state_norms.alt_text(trace)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_spread_of_a_gate_counts_every_value_once(trace_of, recurrent_family, text):
    trace = trace_of(recurrent_family, text)
    found = gate_values.histograms(trace)
    assert all(counts.sum(-1) == pytest.approx(1.0) for counts in found.values())
    figure = gate_values.render(trace, layer=1)
    n_lines = trace.hidden.shape[0] * trace.hidden.shape[1]
    assert len(figure.data) == len(found) * n_lines


def test_printed_shares_of_a_gate_are_counts_of_its_values(trace_of):
    trace = trace_of("bilstm", TEXTS["thirty words"])
    below, above = gate_values.shares(trace, 1, 1)["forget"]
    values = trace.quantities()["forget"][1, 1, trace.pos_of_words(1)].ravel().tolist()
    assert below == pytest.approx(sum(value < 0.1 for value in values) / len(values))
    assert above == pytest.approx(sum(value > 0.9 for value in values) / len(values))
    assert "forget: " in gate_values.alt_text(trace, layer=1, direction=1)
    assert any(
        "forget" in note.text and "above 0.9" in note.text for note in gate_values.render(trace).layout.annotations
    )


def test_a_network_without_gates_shows_its_hidden_state_from_minus_one(trace_of):
    trace = trace_of("rnn", "not bad at all")
    figure = gate_values.render(trace)
    assert list(figure.layout.xaxis.range) == [-1.0, 1.0]
    assert "below −0.9" in figure.layout.annotations[0].text
    assert "hidden" in gate_saturation.alt_text(api.gate_saturation(trace))


@pytest.mark.parametrize("text", [TEXTS["one word"], TEXTS["thirty words"]], ids=["one word", "thirty words"])
def test_every_unit_is_a_dot_at_its_own_shares(trace_of, recurrent_family, text):
    saturation = api.gate_saturation(trace_of(recurrent_family, text))
    n_layers, n_directions, n_gates, n_units = saturation.left.shape
    for gate, layer, direction in np.ndindex(n_gates, n_layers, n_directions):
        found = gate_saturation.places(saturation, gate, layer, direction)
        assert sorted(unit for units in found.values() for unit in units) == list(range(n_units))
        for (opened, closed), units in found.items():
            assert np.all(saturation.right[layer, direction, gate, units] == opened)
            assert np.all(saturation.left[layer, direction, gate, units] == closed)
    figure = gate_saturation.render(saturation, layer=1, unit=5)
    dots = [drawn for drawn in figure.data if drawn.customdata is not None]
    assert len(dots) == n_gates * n_layers * n_directions
    rings = [drawn for drawn in figure.data if drawn.customdata is None]
    assert [(ring.x[0], ring.y[0]) for ring in rings] == [
        (saturation.right[1, 0, gate, 5], saturation.left[1, 0, gate, 5]) for gate in range(n_gates)
    ]


def test_a_dot_carries_what_a_click_on_it_chooses(trace_of):
    saturation = api.gate_saturation(trace_of("bilstm", TEXTS["thirty words"]))
    for drawn in gate_saturation.render(saturation).data:
        for x, y, (layer, direction, unit) in zip(drawn.x, drawn.y, drawn.customdata, strict=True):
            places = {(float(saturation.right[layer, direction, gate, unit]),
                       float(saturation.left[layer, direction, gate, unit])) for gate in range(3)}  # fmt: skip
            assert (x, y) in places


def test_a_ring_around_a_unit_that_is_not_there_is_refused(trace_of):
    with pytest.raises(InvalidInputError, match="run from 0 to 15"):
        gate_saturation.render(api.gate_saturation(trace_of("lstm", "not bad")), unit=16)
