"""Pictures of the vanishing lab: they draw its numbers, whole or half done, and no label lies on another."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.numerals import number
from explorer_core.palette import family_line
from explorer_core.results import LabResult
from explorer_core.views import _lab, lab_accuracy, lab_gradient, lab_learning, lab_starts

SPEC = api.LabSpec(lags=(2, 4, 6), gate_biases=(-1.0, 2.0), n_units=4, steps=24, n_seeds=3)
VIEWS = (lab_accuracy, lab_gradient, lab_learning, lab_starts)


@functools.cache
def finished() -> LabResult:
    return api.run_lab(SPEC)


def half_done(n_checks: int) -> LabResult:
    """The lab as it was after some of its measurements."""
    seen: list[LabResult] = []
    api.run_lab(SPEC, watch=seen.append)
    return seen[n_checks - 1]


def drawn(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure: Any) -> list[str]:
    return [note.text.replace("<b>", "").replace("</b>", "") for note in figure.layout.annotations]


def test_families_are_compared_at_the_largest_bias_and_the_plain_start() -> None:
    settings = [finished().settings[row] for row in _lab.compared(finished())]
    assert [(one.family, one.gate_bias, one.is_orthogonal) for one in settings] == [
        ("rnn", None, False), ("gru", 2.0, False), ("lstm", 2.0, False),
    ]  # fmt: skip


def test_a_line_is_the_median_over_seeds_and_every_seed_has_its_dot() -> None:
    found, figure = finished(), lab_accuracy.render(finished())
    for row, label in zip(_lab.compared(found), ("RNN", "GRU", "LSTM"), strict=True):
        line, dots = drawn(figure, label), drawn(figure, f"{label}, each seed")
        np.testing.assert_allclose(line.y, np.median(found.final_accuracy[row], axis=-1))
        assert list(line.x) == [2, 4, 6]
        assert sorted(zip(dots.x, dots.y, strict=True)) == sorted(
            (lag, value)
            for lag, seeds in zip(SPEC.lags, found.final_accuracy[row], strict=True)
            for value in seeds.tolist()
        )
        color, dash = family_line(found.settings[row].family)
        assert (line.line.color, line.line.dash) == (color, dash)
        assert number(float(found.final_accuracy[row, 0, 1])) in line.customdata[0]


@pytest.mark.parametrize("view", [lab_accuracy, lab_learning])
def test_chance_is_a_tick_and_a_line_across(view: Any) -> None:
    figure = view.render(finished())
    assert "chance 0.25" in figure.layout.yaxis.ticktext
    assert [shape.y0 for shape in figure.layout.shapes if shape.line.dash == "dot"] == [0.25]
    assert len(set(figure.layout.yaxis.tickvals)) == len(figure.layout.yaxis.tickvals)


def test_a_tick_too_near_to_chance_is_left_out() -> None:
    spec = dataclasses.replace(SPEC, task="adding", steps=2)
    ticks = lab_accuracy.render(api.run_lab(spec)).layout.yaxis
    assert list(ticks.ticktext) == ["0", "chance 0.15", "0.5", "0.75", "1"]
    assert list(ticks.tickvals) == [0, pytest.approx(0.1536), 0.5, 0.75, 1]


def test_learning_is_drawn_over_its_steps() -> None:
    found, figure = finished(), lab_learning.render(finished(), lag=2)
    row = _lab.compared(found)[2]
    line = drawn(figure, "LSTM")
    assert list(line.x) == found.steps.tolist()
    np.testing.assert_allclose(line.y, np.median(found.accuracy[row, 2], axis=0))


def test_shares_are_drawn_before_and_after_learning_with_the_numbers_themselves() -> None:
    found, figure = finished(), lab_gradient.render(finished())
    row = _lab.compared(found)[0]
    for moment, when in enumerate(("before", "after")):
        line = drawn(figure, f"RNN {when} learning")
        share = np.median(found.grad_share[row, :, :, moment], axis=-1)
        np.testing.assert_allclose(10.0 ** np.array(line.y), share)
        assert list(line.customdata) == [number(value) for value in share.tolist()]
    assert drawn(figure, "RNN before learning").line.width < drawn(figure, "RNN after learning").line.width
    assert texts(figure) == ["RNN", "GRU", "LSTM"]


def test_cells_hold_the_medians_of_every_start() -> None:
    found, figure = finished(), lab_starts.render(finished())
    accuracy, gradient = figure.data
    np.testing.assert_allclose(np.array(accuracy.z), np.median(found.final_accuracy, axis=-1))
    share = np.median(found.grad_share[..., 0], axis=-1)
    np.testing.assert_allclose(np.array(gradient.z), np.clip(np.log10(share), -12, 0))
    first, *_, last = figure.layout.yaxis.ticktext
    assert (first, last) == ("RNN, PyTorch's start", "LSTM, forget bias 2, orthogonal")
    assert f"{np.median(found.final_accuracy[0, 0]):.2f}" in texts(figure)
    assert gradient.customdata[0][0] == number(float(share[0, 0]))


def test_ink_stands_out_from_its_cell() -> None:
    figure = lab_starts.render(finished())
    accuracy = figure.data[0]
    for note in figure.layout.annotations:
        if note.xref == "x" and note.yref == "y":
            value = accuracy.z[int(note.y)][int(note.x)]
            assert (note.font.color == "#101018") == (value > 0.55)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("n_checks", [1, 5])
def test_a_lab_half_done_is_drawn_as_far_as_it_is(view: Any, n_checks: int) -> None:
    found = half_done(n_checks)
    figure = view.render(found)
    assert figure.data
    assert view.alt_text(found).endswith(".")
    if view is lab_gradient:
        assert not [trace for trace in figure.data if trace.name.endswith("after learning")]
        assert texts(figure) == ["RNN", "GRU", "LSTM"]
    if view is lab_learning:
        assert len(drawn(figure, "RNN").x) == n_checks
    if view is lab_starts:
        assert "right answers<br>so far" in texts(figure)


@pytest.mark.parametrize("view", VIEWS)
def test_a_family_that_diverged_leaves_a_gap(view: Any) -> None:
    whole = finished()
    row = _lab.compared(whole)[1]
    accuracy, grad_norm, diverged = whole.accuracy.copy(), whole.grad_norm.copy(), whole.diverged.copy()
    accuracy[row], grad_norm[row], diverged[row] = np.nan, np.nan, 3
    found = dataclasses.replace(whole, accuracy=accuracy, loss=accuracy, grad_norm=grad_norm, diverged=diverged)
    figure = view.render(found)
    if view is not lab_starts:
        assert texts(figure) == ["RNN", "LSTM"]
        assert "no number" in view.alt_text(found)


@pytest.mark.parametrize("lags", [(1,), (150, 160, 170, 180, 190, 198, 199, 200), (5, 200)])
def test_no_two_lags_stand_on_one_another(lags: tuple[int, ...]) -> None:
    found = api.run_lab(api.LabSpec(families=("rnn",), lags=lags, n_units=2, steps=1, n_seeds=1, orthogonal=False))
    axis = lab_accuracy.render(found).layout.xaxis
    low, high = axis.range
    assert low < lags[0] and high > lags[-1]
    assert axis.tickvals[0] == lags[-1]
    places = np.sort(np.array(axis.tickvals)) / (high - low) * 430
    assert (np.diff(places) >= 22).all()  # px; three digits are some 21 wide


def test_a_lag_that_was_not_tried_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="lags run from 0 to 2"):
        lab_learning.render(finished(), lag=3)


def test_pictures_in_words_hold_their_numbers() -> None:
    found = finished()
    assert f"RNN {number(float(np.median(found.final_accuracy[0, 0])))} at 2" in lab_accuracy.alt_text(found)
    assert "GRU after learning" in lab_gradient.alt_text(found)
    assert "over a lag of 4 after 24 steps" in lab_learning.alt_text(found, lag=1)
    lag = found.learned_lag(0)
    assert f"RNN, PyTorch's start: {'no lag' if lag is None else f'up to {lag}'}" in lab_starts.alt_text(found)
