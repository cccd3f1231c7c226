"""Gradients over training and text by epoch: the numbers that are drawn, scales that stay, marks that are honest."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError, NotFoundError
from explorer_core.results import Checkpoint, GradientHistory, PairHistory
from explorer_core.views import (
    _steps,
    checkpoint_changes,
    checkpoint_gates,
    checkpoint_pairs,
    checkpoint_verdict,
    gradient_history,
    gradient_history_lines,
)
from tests.conftest import build_tiny


def history_of(n_records: int = 5, *, n_distances: int = 12, **changes) -> GradientHistory:
    step = np.array([100 * k * k // 25 for k in range(n_records)])
    near = np.linspace(1.0, 0.5, n_records)
    norms = near[:, None, None, None] * 0.5 ** np.arange(n_distances) * np.ones((1, 2, 1, 1))
    return dataclasses.replace(
        GradientHistory(
            "mine", "lstm", 100, "validation", 12, step, step / 50, np.full(n_records, 0.6), norms, ("head", "bias"),
            np.full((n_records, 2), 0.1), np.arange(1, 65), np.full(64, 0.5), 1.0,
        ),
        **changes,
    )  # fmt: skip


def test_the_map_draws_exponents_of_the_norms_and_tells_the_norms():
    history = history_of()
    drawn = gradient_history.render(history, layer=1).data[0]
    np.testing.assert_allclose(10.0 ** np.asarray(drawn.z, dtype=float), history.hidden_norm[:, 1, 0].T, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(drawn.customdata, dtype=float)[..., 1], history.hidden_norm[:, 1, 0].T)
    np.testing.assert_array_equal(np.asarray(drawn.customdata, dtype=float)[0, :, 0], history.step)


def test_the_scale_is_whole_decades_and_the_same_for_every_layer_and_direction():
    norms = history_of().hidden_norm.copy()
    norms[:, 1] *= 1e-3
    history = history_of(hidden_norm=norms)
    first, second = (gradient_history.render(history, layer=layer).data[0] for layer in (0, 1))
    assert (first.zmin, first.zmax) == (second.zmin, second.zmax)
    assert gradient_history.scale_of(history) == (-7.0, 0.0)
    assert list(first.colorbar.tickvals) == list(range(-7, 1))


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_of_nothing_but_zeros_or_broken_numbers_is_drawn(value):
    history = history_of(hidden_norm=np.full((5, 1, 1, 3), value))
    assert gradient_history.scale_of(history) == (-1.0, 0.0)
    assert gradient_history.render(history).data
    assert gradient_history_lines.render(history).data
    assert gradient_history.alt_text(history).endswith(".")


def test_columns_of_recordings_are_of_one_width_and_hold_their_steps():
    history = history_of()
    edges = _steps.edges(history.step)
    at = _steps.place(history.step)
    assert ((edges[:-1] < at) & (at < edges[1:])).all()
    np.testing.assert_allclose(np.diff(edges), np.diff(edges)[0])
    assert len(_steps.edges(np.array([7]))) == 2


def test_names_of_many_recordings_do_not_overlap_and_the_last_is_there():
    step = np.unique((np.arange(201) ** 2 * 20_000 / 200**2).round().astype(int))
    history = history_of(len(step), n_distances=3, step=step, n_steps=20_000)
    axis = gradient_history.render(history, width=700).layout.xaxis2
    shown = np.asarray(axis.tickvals, dtype=float)
    gaps = np.abs(np.diff(np.sort(shown))) / (axis.range[1] - axis.range[0]) * 700
    assert gaps.min() >= 45
    assert "20,000" in axis.ticktext


def test_a_run_that_still_trains_leaves_room_for_what_will_come():
    axis = gradient_history.render(history_of(3)).layout.xaxis2
    assert axis.range[1] > np.sqrt(100)


def test_clipping_is_the_share_of_the_steps_between_two_recordings():
    norms = np.full(64, 0.5)
    norms[[0, 1, 5]] = 2.0
    history = history_of(train_norm=norms)
    bars = gradient_history.render(history).data[1]
    np.testing.assert_allclose(bars.y, history.clipped_share[1:])
    assert history.clipped_share[1] == 0.5  # steps 1 to 4
    assert history.clipped_share[2] == pytest.approx(1 / 12)  # steps 5 to 16
    assert "3 of 64 steps (4.7%)" in gradient_history.told_marks(history)
    free = history_of(clip_norm=0.0, train_norm=norms)
    assert not free.is_clipped.any()
    assert gradient_history.told_marks(free) == "Nothing is clipped in this run."


def test_explosions_and_broken_steps_are_marked_at_their_steps():
    norms = np.full(64, 0.5)
    norms[[29, 30, 39]] = 5.01, 4.99, np.nan  # the median before is 0.5
    history = history_of(train_norm=norms)
    assert history.exploded.tolist() == [30]
    assert history.broken.tolist() == [40]
    marks = {drawn.name: drawn for drawn in gradient_history.render(history).data if drawn.name}
    np.testing.assert_allclose(marks["exploded"].x, np.sqrt([30]))
    np.testing.assert_allclose(marks["no number"].x, np.sqrt([40]))
    assert "exploded at step 30. The gradient was no number at step 40." in gradient_history.told_marks(history)


def test_nothing_explodes_in_the_first_steps_of_a_run():
    norms = np.full(64, 0.5)
    norms[5] = 100.0
    assert not len(history_of(train_norm=norms).exploded)


def test_bands_of_distances_cover_every_distance_once():
    for n_distances in (1, 2, 3, 12, 48, 49):
        named = gradient_history_lines.bands(n_distances)
        covered = [distance for _, part in named for distance in range(n_distances)[part]]
        assert covered == list(range(n_distances))
    assert [name for name, _ in gradient_history_lines.bands(12)] == ["last token", "1 back", "2 to 3 back",
                                                                      "4 to 7 back", "8 to 11 back"]  # fmt: skip


def test_lines_are_means_over_bands_layers_and_groups():
    history = history_of()
    lines = {name: values for name, values, _ in gradient_history_lines.lines_of(history, "distance", 1)}
    np.testing.assert_allclose(lines["4 to 7 back"], history.hidden_norm[:, 1, 0, 4:8].mean(-1))
    layers = {name: values for name, values, _ in gradient_history_lines.lines_of(history, "layer")}
    np.testing.assert_allclose(layers["layer 2"], history.hidden_norm[:, 1, 0].mean(-1))
    groups = {name: values for name, values, _ in gradient_history_lines.lines_of(history, "group")}
    np.testing.assert_allclose(groups["bias"], history.group_norm[:, 1])
    figure = gradient_history_lines.render(history, by="group")
    whole = figure.data[0]
    np.testing.assert_allclose(10.0 ** np.asarray(whole.y, dtype=float), history.train_norm)
    assert any("clipped at 1" in note.text for note in figure.layout.annotations)


def test_what_was_not_recorded_is_refused():
    history = history_of()
    for view in (gradient_history, gradient_history_lines):
        with pytest.raises(InvalidInputError, match="no layer 2"):
            view.render(history, layer=2)
        with pytest.raises(InvalidInputError, match="no direction 1"):
            view.render(history, direction=1)
        with pytest.raises(NotFoundError, match="first recording"):
            view.render(history_of(0))
    with pytest.raises(InvalidInputError, match="distance, layer, group"):
        gradient_history_lines.render(history, by="colour")


def test_every_array_and_row_of_a_history_can_be_taken_away():
    history = history_of()
    assert set(history.arrays()) >= {"hidden_norm", "group_norm", "train_norm", "step", "group_names"}
    frame = history.to_frame()
    assert len(frame) == history.hidden_norm.size
    row = frame[(frame.step == 16) & (frame.layer == "layer 2") & (frame.distance == 3)]
    assert row.grad_hidden_norm.item() == history.hidden_norm[2, 1, 0, 3]


# The same text at every epoch ---------------------------------------------------------------------------------------


@pytest.fixture
def trace():
    models = {Checkpoint(k, float(k), Path()): build_tiny("lstm", seed=k) for k in (1, 2, 3)}
    return api.trace_checkpoints(models, "the film was not good", "positive")


def test_every_epoch_is_a_line_and_the_chosen_one_is_in_colour(trace):
    figure = checkpoint_verdict.render(trace, index=1)
    probs, norms = (figure.data[start : start + 3] for start in (0, 3))
    by_name = {line.name: line for line in probs}
    assert set(by_name) == {"epoch 1", "epoch 2", "epoch 3"}
    for index, name in enumerate(("epoch 1", "epoch 2", "epoch 3")):
        np.testing.assert_allclose(by_name[name].y, trace.running_probs[index, :, 1], rtol=1e-6)
    assert probs[-1].name == norms[-1].name == "epoch 2"  # drawn last, over the others
    assert probs[-1].opacity is None
    assert by_name["epoch 1"].opacity < by_name["epoch 3"].opacity
    np.testing.assert_allclose(norms[-1].y, trace.grad_norm[1], rtol=1e-6)


def test_scales_stay_while_the_epoch_moves(trace):
    for view in (checkpoint_verdict, checkpoint_changes, checkpoint_gates):
        layouts = [view.render(trace, index=index).layout.to_plotly_json() for index in range(3)]
        ranges = [[value["range"] for key, value in layout.items() if key.startswith("yaxis")] for layout in layouts]
        assert ranges[0] == ranges[1] == ranges[2]


def test_changes_are_those_since_the_epoch_before(trace):
    bars, dots = checkpoint_changes.render(trace, index=2).data
    np.testing.assert_allclose(bars.y, trace.word_steps[2] - trace.word_steps[1])
    np.testing.assert_allclose(dots.y, trace.word_steps[2])
    assert not np.any(checkpoint_changes.render(trace, index=0).data[0].y)
    assert "first that was saved" in checkpoint_changes.alt_text(trace, index=0)


def test_gates_are_drawn_one_panel_each(trace):
    figure = checkpoint_gates.render(trace, index=0, layer=1)
    chosen = [line for line in figure.data if line.opacity is None]
    assert len(chosen) == 4
    for state, line in enumerate(chosen):
        np.testing.assert_allclose(line.y, trace.state_mean[0, 1, 0, :, state])


def test_epochs_layers_and_gates_that_are_not_there_are_refused(trace):
    for view in (checkpoint_verdict, checkpoint_changes, checkpoint_gates):
        with pytest.raises(InvalidInputError, match="no checkpoint 3"):
            view.render(trace, index=3)
    with pytest.raises(InvalidInputError, match="no layer 2"):
        checkpoint_gates.render(trace, layer=2)
    bare = dataclasses.replace(trace, state_names=(), state_mean=np.zeros((3, 1, 1, 5, 0)))
    with pytest.raises(IncompatibleError, match="no gates"):
        checkpoint_gates.render(bare)


def test_pairs_are_drawn_with_their_interval_one_panel_a_phenomenon():
    n_right = np.array([[30, 3, 5], [60, 9, 20]])
    share = n_right / np.array([100, 20, 40])
    found = PairHistory(
        "mine", "data", ("a", "b"), np.array([10, 20]), np.array([1.0, 2.0]), ("all", "negation", "not_only"),
        np.array([100, 20, 40]), n_right, share - 0.1, share + 0.2,
    )  # fmt: skip
    figure = checkpoint_pairs.render(found, index=1)
    lines = {line.name: line for line in figure.data if line.name}
    np.testing.assert_allclose(lines["negation"].y, [0.15, 0.45])
    np.testing.assert_allclose(lines["not only"].y, [0.125, 0.5])
    np.testing.assert_allclose(lines["all pairs"].y, [0.3, 0.6])
    band = figure.data[0]
    np.testing.assert_allclose(band.y, [0.35, 0.65, 0.35, 0.05])
    headings = [note.text for note in figure.layout.annotations]
    assert headings == ["<b>negation</b>  n = 20", "<b>not only</b>  n = 40"]
    assert "negation from 0.150 to 0.450" in checkpoint_pairs.alt_text(found)
