"""Gradients while a run was trained, as lines over its steps: by distance, by layer, or by group of weights."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import number
from explorer_core.palette import GREY, SERIES, layer_color
from explorer_core.results import GradientHistory
from explorer_core.text import visible
from explorer_core.views import _log, _steps, _style

ABOUT = {
    "label": "Gradient over training, as lines",
    "sentence": "The gradient of the loss by distance, by layer or by group of weights, over the steps of a run.",
    "how": "A line is the mean over a band of distances, over all distances of a layer, or the gradient of all weights "
    "of a group together; lines that lie far apart by distance mean that far words hardly correct the network. With "
    "groups, the grey line is the whole gradient of every step of training before clipping, the dotted line the norm "
    "at which it is clipped.",
    "does_not_show": "How far a weight moves: AdamW divides each gradient by its own size. Layers and groups of "
    "different sizes are not on one scale; compare how each line moves.",
    "formula": "by distance and layer: mean of ‖∂ℓ/∂h_(T−d)‖ over texts and distances d, ℓ each text's own loss; by "
    "group: ‖∂L/∂W‖ over all weights W of the group, L the mean loss of the fixed texts, dropout off; grey: "
    "‖∂L_batch/∂W‖ over all weights, dropout on",
    "source": "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks; Glorot and "
    "Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
    "order": 85,
}
BY = ("distance", "layer", "group")


def bands(n_distances: int) -> list[tuple[str, slice]]:
    """Bands of distances, each twice as wide as the one before, with what a person calls them."""
    found, first = [("last token", slice(0, 1))], 1
    while first < n_distances:
        last = min(2 * first, n_distances) - 1
        found.append((f"{first} to {last} back" if last > first else f"{first} back", slice(first, last + 1)))
        first = last + 1
    return found


def lines_of(
    history: GradientHistory, by: str, layer: int = 0, direction: int = 0
) -> list[tuple[str, np.ndarray, str]]:
    """Name, values [record] and colour of each line.

    Raises:
        InvalidInputError: If there is no such division, layer or direction.
        NotFoundError: If nothing has been recorded yet.
    """
    if by not in BY:
        raise InvalidInputError(f"Lines are drawn by {', '.join(BY)}, not by {str(by)[:40]!r}.")
    norms = _steps.norms_of(history, layer, direction)  # [record, distance]
    if by == "distance":
        named = bands(history.n_distances)
        return [
            (name, norms[:, part].mean(1), layer_color(index + 1, len(named)))
            for index, (name, part) in enumerate(named)
        ]
    if by == "layer":
        every = history.hidden_norm[:, :, direction].mean(-1)  # [record, layer]
        first = 1 if history.is_recurrent else 0
        return [
            (name, every[:, index], layer_color(index + first, every.shape[1] - 1 + first))
            for index, name in enumerate(history.layer_names)
        ]
    return [
        (name, history.group_norm[:, index], SERIES[index % len(SERIES)])
        for index, name in enumerate(history.group_names)
    ]


def render(
    history: GradientHistory, *, by: str = "distance", layer: int = 0, direction: int = 0, height: int = 340,
    width: int = 700,
) -> go.Figure:  # fmt: skip
    """Lines over the steps of a run, on a logarithmic axis.

    Args:
        history: From `api.gradient_history`.
        by: `distance`, `layer` or `group`.
        layer: From 0, for `distance`.
        direction: 0 forward, 1 backward, for `distance` and `layer`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such division, layer or direction.
        NotFoundError: If nothing has been recorded yet.
    """
    lines = lines_of(history, by, layer, direction)
    at = _steps.place(history.step)
    drawn = [values for _, values, _ in lines]
    whole, clip = np.zeros(0), 0.0
    if by == "group":
        inside = history.train_step <= history.step[-1]
        whole, clip = history.train_norm[inside], history.clip_norm
        drawn += [whole, np.array([clip] if clip else [])]
    scale = _log.scale_of(drawn, float(np.finfo(np.float32).tiny), "float32")
    spec = _style.describe(height)
    spec["layout"]["margin"] |= {"l": 78, "t": 26}
    _steps.step_axis(spec, history, width=width)
    _log.log_axis(spec, scale, "norm of the gradient")
    if not scale.has_floor and scale.zero is None:
        spec["layout"]["annotations"].clear()  # the floor of the number format is far away
    if by == "group" and len(whole):
        each = _log.log_line(scale, _steps.place(history.train_step[inside]), whole, "each step", GREY)
        spec["data"].append(each | {"mode": "lines", "opacity": 0.45, "hoverinfo": "skip", "hovertemplate": None})
        spec["data"][-1]["line"]["width"] = 1
    if clip:
        _style.reference_line(spec, float(np.log10(clip)))
        spec["layout"]["annotations"].append(
            {"x": 0, "xref": "x domain", "y": float(np.log10(clip)), "yref": "y", "xanchor": "left",
             "yanchor": "bottom", "showarrow": False, "text": f"clipped at {clip:g}",
             "font": {"size": 12, "color": _style.INK}}
        )  # fmt: skip
    ends = []
    for name, values, color in lines:
        spec["data"].append(_log.log_line(scale, at, values, _style.escaped(name, 40), color))
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            ends.append((float(at[-1]), float(scale.place(values[finite[-1:]])[0]), name, color))
    _style.label_ends(spec, ends, limits=(scale.low, scale.high), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(history: GradientHistory, *, by: str = "distance", layer: int = 0, direction: int = 0) -> str:
    """The figure in words: where every line begins and ends."""
    parts = [
        f"{visible(name)} from {number(float(values[0]))} to {number(float(values[-1]))}"
        for name, values, _ in lines_of(history, by, layer, direction)
    ]
    when = f"from step {history.step[0]:,} to {history.step[-1]:,}"
    return f"Norm of the gradient by {by} {when}: {'; '.join(parts)}."
