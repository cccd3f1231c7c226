"""Loss and accuracy of a run while it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, GREEN, GREY, VERMILLION
from explorer_core.views import _style

if TYPE_CHECKING:
    from explorer_core.training.store import TrainingCurves

ABOUT = {
    "label": "Training curves",
    "sentence": "Loss by step, and loss and accuracy on the validation rows after every epoch.",
    "how": "Training loss (grey: each step, blue: running mean) and validation loss (orange) share the left panel; "
    "validation accuracy is on the right. When orange rises while blue falls, the model learns its rows by heart.",
    "does_not_show": "Accuracy on other kinds of text: validation rows come from the same source as the training rows.",
    "formula": "loss = −(1/n) Σ ln p(true label), in nats; accuracy = texts judged right ÷ texts; the blue line is the "
    "mean of the last 15 steps",
    "source": "Goodfellow, Bengio and Courville 2016, Deep Learning, sections 6.2 and 7.8",
    "order": 50,
}


def render(curves: TrainingCurves, *, height: int = 260) -> go.Figure:
    """Loss (nats) on the left, accuracy (share) on the right, over steps.

    Args:
        curves: From `api.training_curves`; may be empty or half done.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["margin"] |= {"b": 44, "t": 32}
    step_axis = {"title": {"text": "step", "standoff": 6}, "showgrid": False, "zeroline": False}
    _style.axis(spec, "x").update(domain=[0, 0.44], **step_axis)
    _style.axis(spec, "x", 2).update(domain=[0.6, 1], anchor="y2", matches="x", **step_axis)
    _style.value_axis(spec, "loss (nats)")
    _style.value_axis(spec, "accuracy", row=2, limits=(0.0, 1.0))
    _style.axis(spec, "y", 2)["anchor"] = "x2"
    step, loss = np.asarray(curves.step), np.asarray(curves.loss_nats, dtype=float)
    if len(step):
        each = _style.line(step, loss, "one step", GREY, opacity=0.45, hoverinfo="skip")
        each["line"]["width"] = 1
        spec["data"] += [each, _style.line(step, running_mean(loss), "training", BLUE, hovertemplate="%{y:.3f}")]
    for values, color, row, dash in (
        (curves.epoch_loss_nats, VERMILLION, 1, "dash"),
        (curves.epoch_accuracy, GREEN, 2, "solid"),
    ):
        if len(values):
            drawn = _style.line(np.asarray(curves.epoch_step), np.asarray(values, dtype=float), "validation", color,
                                dash, row=row, hovertemplate="%{y:.3f}")  # fmt: skip
            spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 8}})
    _name_lines(spec)
    return _style.build(spec)


def running_mean(values: np.ndarray, width: int = 15) -> np.ndarray:
    """Mean of the last `width` values, of fewer at the start; shape [step]. What is no number is left out."""
    finite = np.isfinite(values)
    sums = np.cumsum(np.where(finite, values, 0.0))
    counts = np.cumsum(finite)
    sums[width:] -= sums[:-width].copy() if len(sums) > width else 0.0
    counts[width:] -= counts[:-width].copy() if len(counts) > width else 0
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def alt_text(curves: TrainingCurves) -> str:
    """The figure in words: the last loss and accuracy."""
    if not len(curves.step):
        return "Training has not written a step yet."
    said = [f"training loss {number(running_mean(np.asarray(curves.loss_nats, dtype=float))[-1])} nats"]
    if len(curves.epoch_accuracy):
        said.append(f"validation accuracy {number(float(curves.epoch_accuracy[-1]))}")
    return f"After step {int(curves.step[-1]):,}: " + ", ".join(said) + "."


def _name_lines(spec: dict[str, Any]) -> None:
    """Names of the lines, in their colour, above the panels: ends of noisy lines are no place for them."""
    for x, names in ((0.0, (("training", BLUE), ("validation", VERMILLION))), (0.6, (("validation", GREEN),))):
        text = "   ".join(f'<span style="color:{color}"><b>{name}</b></span>' for name, color in names)
        spec["layout"]["annotations"].append(
            {"x": x, "y": 1, "xref": "paper", "yref": "paper", "text": text, "showarrow": False, "xanchor": "left",
             "yanchor": "bottom", "yshift": 4}
        )  # fmt: skip
