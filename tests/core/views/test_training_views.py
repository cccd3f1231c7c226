"""Curves of a run and histograms of texts."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from explorer_core.views import text_histogram, training_curves


def curves(n_steps, n_epochs):
    return SimpleNamespace(
        step=np.arange(1, n_steps + 1),
        loss_nats=np.linspace(0.7, 0.2, n_steps),
        epoch_step=np.arange(1, n_epochs + 1) * 10,
        epoch_loss_nats=np.linspace(0.6, 0.4, n_epochs),
        epoch_accuracy=np.linspace(0.6, 0.8, n_epochs),
    )


@pytest.mark.parametrize(("n_steps", "n_epochs"), [(0, 0), (1, 0), (5, 0), (40, 4)])
def test_a_run_is_drawn_from_its_first_step_on(n_steps, n_epochs):
    figure = training_curves.render(curves(n_steps, n_epochs))
    assert len(figure.data) == (2 if n_steps else 0) + (2 if n_epochs else 0)
    assert figure.layout.yaxis2.range == pytest.approx((-0.03, 1.03))
    assert training_curves.alt_text(curves(n_steps, n_epochs)).endswith(".")


def test_a_running_mean_is_the_mean_of_the_last_values():
    values = np.arange(40.0)
    smooth = training_curves.running_mean(values, width=5)
    for index in range(40):
        assert smooth[index] == pytest.approx(values[max(0, index - 4) : index + 1].mean())


def test_a_running_mean_passes_over_what_is_no_number():
    smooth = training_curves.running_mean(np.array([np.nan, 1.0, np.nan, 3.0]), width=3)
    assert np.isnan(smooth[0])
    assert smooth[1:].tolist() == [1.0, 1.0, 2.0]


def test_histograms_count_what_they_are_given_and_labels_are_never_markup():
    figure = text_histogram.render({"1-5": 3, "6-10": 9}, {"<b>good</b>": 7, "bad": 5})
    lengths, labels = figure.data
    assert list(lengths.y) == [3, 9]
    assert list(labels.x) == [7, 5]
    assert "<b>" not in json.dumps(list(labels.y))
    assert text_histogram.alt_text({"1-5": 3, "6-10": 9}, {"good": 7}) == (
        "Texts by label: good: 7. Most texts have 6-10 words."
    )
    assert text_histogram.render({}, {}).layout.xaxis.type == "category"
