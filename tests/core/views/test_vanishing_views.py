"""The pictures of Jacobians and connectivity: what is drawn is what was measured, at its word and on its scale."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import IncompatibleError
from explorer_core.palette import GREY, family_line
from explorer_core.views import connectivity, step_spectrum, vanishing
from tests.conftest import build_tiny

TEXT = "the unbelievably good film was never dull"


@pytest.fixture
def trio():
    """`trio(family, direction)`: a network, its untrained twin and an RNN over one text."""

    def make(family: str = "lstm", direction: int = 0, text: str = TEXT):
        model = build_tiny(family)
        place = {"direction": direction, "target": 1}
        own = api.trace_jacobians(model, text, spectrum=False, **place)
        other = None if direction else api.trace_jacobians(build_tiny("rnn"), text, spectrum=False, target=1)
        return own, api.trace_untrained_jacobians(model, text, **place), other

    return make


def drawn(figure) -> dict[str, np.ndarray]:
    """Values of the lines of a figure with exponents on y, by name."""
    return {
        line.name: 10.0 ** np.asarray(line.y, dtype=float) for line in figure.data if not line.name.endswith("halves")
    }


@pytest.mark.parametrize(("family", "n_lines"), [("rnn", 2), ("gru", 3), ("lstm", 4), ("bilstm", 4)])
def test_every_norm_is_drawn_at_its_word_with_the_promise_where_there_is_one(trio, family, n_lines):
    own, untrained, other = trio(family)
    found = drawn(vanishing.render(own, untrained=untrained, other=other))
    quantities = own.quantities()
    name = vanishing.network_names(own, untrained, other)[0]
    mine = {key: values for key, values in found.items() if key.startswith(f"{name} ")}
    assert len(mine) == n_lines
    for quantity in quantities.keys() - {"kept_max"}:
        key = f"{name} {vanishing.symbol_of(own, quantity)}"
        np.testing.assert_allclose(mine[key], quantities[quantity][own.pos_of_words], rtol=1e-9)
    n_of_twin = n_lines - (own.kept_mean is not None)
    assert sum(key.startswith("untrained ") for key in found) == n_of_twin
    colors = {line.name.split()[0]: line.line.color for line in figure_lines(own, untrained, other)}
    assert colors["untrained"] == GREY
    assert colors[name] == family_line(family)[0]


def figure_lines(own, untrained, other):
    figure = vanishing.render(own, untrained=untrained, other=other)
    return [line for line in figure.data if line.line.color is not None]


@pytest.mark.parametrize("direction", [0, 1])
def test_a_diamond_stands_where_a_line_first_lies_below_half_of_its_end(trio, direction):
    own, untrained, _ = trio("bilstm", direction)
    marks = {
        line.name.removesuffix(" halves"): (int(line.x[0]), 10.0 ** float(line.y[0]))
        for line in vanishing.render(own, untrained=untrained).data
        if line.name.endswith("halves")
    }
    assert marks
    for line in vanishing.lines(own, untrained):
        back = line.values if direction else line.values[::-1]
        at_end = (own if line.network != "untrained" else untrained).quantities()[line.quantity][own.end]
        below = [step for step, value in enumerate(back) if value < at_end / 2]
        key = f"{line.network} {line.symbol}"
        if not below:
            assert key not in marks
            continue
        word = below[0] if direction else len(back) - 1 - below[0]
        assert marks[key] == (word, pytest.approx(line.values[word]))


def test_a_zero_stands_on_the_line_of_zeros_and_is_never_hidden(trio):
    own = trio()[0]
    gone = dataclasses.replace(own, grad_norm=np.where(np.arange(len(own.tokens)) < 3, 0.0, own.grad_norm))
    figure = vanishing.render(gone)
    line = next(line for line in figure.data if "∂z" in line.name)
    foot = figure.layout.yaxis.tickvals[0]
    assert figure.layout.yaxis.ticktext[0] == "0"
    assert line.y[0] == foot < min(line.y[-3:])
    assert line.customdata[0] == "0"


def test_the_floor_of_float32_is_marked_where_a_line_reaches_it(trio):
    own = trio()[0]
    tiny = dataclasses.replace(own, grad_norm=own.grad_norm * 1e-39)
    said = [note.text for note in vanishing.render(tiny).layout.annotations]
    assert any("the dotted line" in text and "1.18e−38" in text for text in said)
    said = [note.text for note in vanishing.render(own).layout.annotations]
    assert any("below this axis" in text for text in said)


def test_networks_that_do_not_share_words_direction_or_classes_are_refused(trio):
    own, _, other = trio("bilstm")
    with pytest.raises(IncompatibleError, match="other words"):
        vanishing.render(own, other=trio("lstm", text="good film")[0])
    with pytest.raises(IncompatibleError, match="direction"):
        vanishing.render(own, other=trio("bilstm", 1)[0])
    with pytest.raises(IncompatibleError, match="classes"):
        vanishing.render(own, other=dataclasses.replace(other, labels=("bad", "good")))


def test_two_networks_of_one_family_are_told_apart_by_name(trio):
    own = dataclasses.replace(trio()[0], model="starter-lstm")
    names = vanishing.network_names(own, None, dataclasses.replace(own, model="mine"))
    assert names == ("lstm", "untrained", "mine")


# One step -----------------------------------------------------------------------------------------------------------


def test_a_step_shows_radius_and_singular_values_of_each_words_last_token(recurrent_family):
    trace = api.trace_jacobians(build_tiny(recurrent_family), TEXT)
    figure = step_spectrum.render(trace)
    found = {line.name: np.asarray(line.y, dtype=float) for line in figure.data}
    pos = trace.pos_of_words
    np.testing.assert_allclose(found["spectral radius"], trace.spectral_radius[pos])
    np.testing.assert_allclose(found["largest σ"], trace.singular_values[pos].max(1))
    np.testing.assert_allclose(found["middle σ"], np.median(trace.singular_values[pos], axis=1))
    assert figure.layout.yaxis.range[1] > max(found["largest σ"].max(), 1)
    assert step_spectrum.growing(trace).tolist() == [(row > 1).sum() for row in trace.singular_values[pos]]


def test_a_trace_without_its_spectrum_is_refused_in_words():
    trace = api.trace_jacobians(build_tiny("rnn"), TEXT, spectrum=False)
    for view in (step_spectrum.render, step_spectrum.alt_text, step_spectrum.growing):
        with pytest.raises(IncompatibleError, match="spectrum=True"):
            view(trace)


# Connectivity -------------------------------------------------------------------------------------------------------


def connected(strength: np.ndarray):
    text = " ".join(["good"] * len(strength))
    found = api.trace_connectivity(build_tiny("rnn"), text)
    return dataclasses.replace(found, strength=np.tril(strength))


@pytest.mark.parametrize("scale", connectivity.SCALES)
def test_the_map_holds_every_strength_on_its_printed_scale_and_nothing_above_the_diagonal(family, scale):
    found = api.trace_connectivity(build_tiny(family), TEXT)
    (drawn,) = connectivity.render(found, scale=scale).data
    read = np.tri(len(found.words), dtype=bool)
    assert np.isnan(drawn.z[~read]).all()
    np.testing.assert_allclose(drawn.customdata[read], found.strength[read])
    low, top = connectivity.limits(found, scale)
    shown = found.strength if scale == "linear" else np.log10(np.clip(found.strength, low, None))
    np.testing.assert_allclose(drawn.z[read], shown[read])
    ends = (low, top) if scale == "linear" else (np.log10(low), np.log10(top))
    assert (drawn.zmin, drawn.zmax) == pytest.approx(ends)
    assert found.strength.max() <= top


@pytest.mark.parametrize(("smallest", "n_decades"), [(0.9, 1), (2e-3, 3), (1e-30, 6), (0.0, 1)])
def test_a_logarithmic_scale_spans_whole_powers_of_ten_and_at_most_six(smallest, n_decades):
    strength = np.full((3, 3), 0.95)
    strength[2, 0] = smallest
    low, top = connectivity.limits(connected(strength), "log")
    assert top / low == pytest.approx(10.0**n_decades)
    assert top == 1.0


def test_a_block_of_a_long_text_is_drawn_as_its_largest_cell(monkeypatch):
    monkeypatch.setattr(connectivity, "MOST_DRAWN", 4)
    strength = np.random.default_rng(0).random((9, 9))
    found = connected(strength)
    (drawn,) = connectivity.render(found).data
    assert drawn.z.shape == (3, 3)
    assert drawn.z[2, 0] == pytest.approx(found.strength[6:9, 0:3].max())
    assert drawn.z[1, 1] == pytest.approx(found.strength[3:6, 3:6].max())
    assert np.isnan(drawn.z[0, 1])


def test_how_often_the_newest_word_counts_most_is_said():
    strength = np.array([[1.0, 0, 0], [0.5, 1.0, 0], [2.0, 0.1, 1.0]])
    found = connected(strength)
    assert connectivity.newest_first(found) == "After 2 of 3 words the verdict depends most on the word just read."
    assert "depends most on word 1, good: 2.00" in connectivity.alt_text(found)
