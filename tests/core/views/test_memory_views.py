"""Views of memory: what is drawn is what the trace holds, and a share too small is drawn on the floor."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.palette import NEGATIVE, POSITIVE
from explorer_core.views import _memory, memory_unit, memory_units, memory_words
from tests.conftest import build_tiny

TEXT = "not that bad , the acting was unbelievably good"


@pytest.fixture(scope="module")
def memory_of():
    kept = {}

    def make(family: str, **sizes):
        key = (family, *sorted(sizes.items()))
        if key not in kept:
            kept[key] = api.trace_memory(build_tiny(family, **sizes), TEXT)
        return kept[key]

    return make


def test_a_dot_lies_at_the_promise_and_the_measurement_of_its_unit(memory_of, recurrent_family):
    memory = memory_of(recurrent_family)
    direction = len(memory.directions) - 1
    dots = memory_units.render(memory, layer=1, direction=direction, unit=3).data[0]
    assert list(dots.customdata) == list(range(16))
    assert np.allclose(dots.y, np.maximum(memory.unit_measured[1, direction], _memory.FLOOR))
    if recurrent_family == "rnn":
        assert np.allclose(dots.x, np.abs(memory.step_change[1, direction]).mean(0))
    else:
        assert np.allclose(dots.x, np.maximum(memory.unit_promised[1, direction], _memory.FLOOR))
        assert "half-life" in dots.text[3]
    assert dots.text[3].startswith("unit 3<br>")


def test_the_chosen_unit_is_ringed_and_the_diagonal_is_where_a_promise_is_kept(memory_of):
    memory = memory_of("lstm")
    figure = memory_units.render(memory, layer=0, unit=5)
    dots, diagonal, ring = figure.data
    assert (ring.x[0], ring.y[0]) == (dots.x[5], dots.y[5])
    assert list(diagonal.x) == list(diagonal.y) == [_memory.FLOOR, 1.0]
    assert [note.text for note in figure.layout.annotations if "unit" in note.text] == ["<b>unit 5</b>"]
    assert len(memory_units.render(memory, layer=0).data) == 2


def test_a_vanilla_rnn_has_no_diagonal_and_says_what_lies_below(memory_of):
    figure = memory_units.render(memory_of("rnn"))
    assert len(figure.data) == 1
    assert "mean change of the state" in figure.layout.xaxis.title.text


def test_a_unit_whose_change_grows_is_drawn_above_a_hundred_percent(memory_of):
    memory = memory_of("lstm")
    grown = dataclasses.replace(memory, end_change=memory.step_change * 40)
    figure = memory_units.render(grown)
    assert figure.layout.yaxis.range[1] > np.log10(40)
    assert "1,000 %" in figure.layout.yaxis.ticktext
    assert figure.layout.xaxis.ticktext[-1] == "100 %"


def test_units_with_nothing_to_measure_are_left_out_and_it_is_said():
    memory = api.trace_memory(build_tiny("lstm", vocabulary="words"), "zzz qqq")
    figure = memory_units.render(memory, unit=2)
    assert len(figure.data[0].x) == 0
    assert any("changes nothing" in note.text for note in figure.layout.annotations)
    assert memory_units.alt_text(memory).startswith("No word changes any unit")
    assert memory_unit.render(memory).data
    assert memory_words.render(memory).data


def test_bars_are_the_relative_changes_and_the_change_of_the_logit(memory_of, recurrent_family):
    memory = memory_of(recurrent_family)
    bars = memory_words.render(memory, target=1).data
    expected = [memory.top_hidden_change, memory.logit_change[:, 1]]
    if recurrent_family in ("lstm", "bilstm"):
        expected.insert(0, memory.top_cell_change)
    assert len(bars) == len(expected)
    for drawn, values in zip(bars, expected, strict=True):
        assert np.array_equal(drawn.x, np.arange(len(memory.words)))
        assert np.array_equal(drawn.y, values)


@pytest.mark.parametrize("target", [0, 1])
def test_a_logit_that_falls_has_the_colour_of_the_other_class(memory_of, target):
    memory = memory_of("gru")
    figure = memory_words.render(memory, target=target)
    own, other = (NEGATIVE, POSITIVE) if target == 0 else (POSITIVE, NEGATIVE)
    logit = memory.logit_change[:, target]
    assert list(figure.data[-1].marker.color) == [own if value >= 0 else other for value in logit]
    low, high = figure.layout.yaxis2.range
    assert low == -high


def test_a_unit_is_a_line_of_promises_and_dots_where_it_was_measured(memory_of, recurrent_family):
    memory = memory_of(recurrent_family)
    drawn = {each.name: each for each in memory_unit.render(memory, layer=1, unit=7).data}
    kept = memory.measured_kept[1, 0, :, 7]
    there = np.flatnonzero(np.isfinite(kept))
    assert np.array_equal(drawn["measured"].x, there)
    assert np.allclose(drawn["measured"].y, np.maximum(kept[there], _memory.FLOOR))
    assert ("promised" in drawn) == (recurrent_family != "rnn")
    if "promised" in drawn:
        assert np.allclose(drawn["promised"].y, np.maximum(memory.promised_kept[1, 0, :, 7], _memory.FLOOR))
    assert np.argmax(drawn["measured"].marker.size) == np.argmax(np.abs(memory.step_change[1, 0, there, 7]))


@pytest.mark.parametrize("view", [memory_units, memory_unit])
@pytest.mark.parametrize("place", [{"layer": 2}, {"direction": 1}, {"unit": 16}, {"unit": -1}])
def test_a_place_that_is_not_there_is_refused_with_the_bounds(memory_of, view, place):
    name = next(iter(place))
    with pytest.raises(InvalidInputError, match=rf"no {name} .* run from 0 to"):
        view.render(memory_of("lstm"), **place)


def test_memory_is_told_in_words_too(memory_of):
    memory = memory_of("lstm")
    assert memory_units.alt_text(memory, unit=2).startswith("Of 16 units the middle one keeps ")
    assert "the gates promise" in memory_units.alt_text(memory)
    assert "the gates promise" not in memory_units.alt_text(memory_of("rnn"))
    assert "half-life" in memory_unit.alt_text(memory, unit=2)
    assert "half-life" not in memory_unit.alt_text(memory_of("rnn"), unit=2)
    most = int(memory.top_hidden_change.argmax())
    assert memory_words.alt_text(memory, target=1).startswith(f"Swapping word {most + 1} ({memory.words[most]}) ")
