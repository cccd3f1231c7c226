"""How far back learning reached while a run was trained: a map of distance by step, and which steps were clipped."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, VERMILLION
from explorer_core.results import GradientHistory
from explorer_core.text import visible
from explorer_core.views import _entries, _steps, _style
from explorer_core.views._style import Spec

ABOUT = {
    "label": "Gradient by distance, over training",
    "sentence": "How strongly the loss pulls at the state so many tokens before the end, recorded while a run trains.",
    "how": "A column is one recording, a row a distance in tokens from the last one that is read; the brighter, the "
    "more a nudge to the state there would move the loss. A map that darkens upwards within a few rows means that "
    "training cannot reach further back. Bars below: share of the steps since the recording before that were clipped; "
    "▲ a step whose gradient exploded, ✕ one that was no number.",
    "does_not_show": "What the network remembers: gradients can vanish over words it still holds (Zucchet and Orvieto "
    "2024). They also shrink because the loss does, everywhere alike: compare the rows of a column, not only columns.",
    "formula": "mean over the fixed texts of ‖∂ℓ/∂h_(T−d)‖, ℓ each text's cross entropy with dropout off, T its last "
    "token (of a backward half: its first), d the distance; recording k of N after n (k/N)² of n steps; ▲ where the "
    "norm before clipping is over 10 × the median of the 50 steps before",
    "source": "Hochreiter 1998, The vanishing gradient problem during learning recurrent neural nets and problem "
    "solutions; Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks",
    "order": 84,
}
MOST_DECADES = 8
_SHARES = (0.74, 0.15)  # of the height: map, clipping


def scale_of(history: GradientHistory) -> tuple[float, float]:
    """Exponents of ten at both ends of the colours: whole ones, the same for every layer and direction."""
    norms = history.hidden_norm[np.isfinite(history.hidden_norm) & (history.hidden_norm > 0)]
    if not len(norms):
        return -1.0, 0.0
    high = math.ceil(math.log10(float(norms.max())) - 1e-9)
    low = math.floor(math.log10(float(norms.min())) + 1e-9)
    return float(max(min(low, high - 1), high - MOST_DECADES)), float(high)


def render(
    history: GradientHistory, *, layer: int = 0, direction: int = 0, height: int = 460, width: int = 700
) -> go.Figure:
    """The map of one layer and direction, with clipping, explosions and broken steps.

    Args:
        history: From `api.gradient_history`; may be of a run that still trains.
        layer: From 0; of a BERT 0 is the embedding.
        direction: 0 forward, 1 backward.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such layer or direction.
        NotFoundError: If nothing has been recorded yet.
    """
    norms = _steps.norms_of(history, layer, direction)  # [record, distance]
    low, high = scale_of(history)
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"] |= {"l": 74, "t": 28}
    _steps.step_axis(spec, history, rows=2, width=width)
    n_distances = norms.shape[1]
    _style.axis(spec, "y").update(
        domain=[1 - _SHARES[0], 1],
        title={"text": _distance_title(direction), "standoff": 8, "font": {"color": _style.INK}},
        range=[-0.5, n_distances - 0.5], nticks=8, tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        showgrid=False, zeroline=False,
    )  # fmt: skip
    _style.value_axis(spec, "clipped", row=2, limits=(0.0, 1.0))
    _style.axis(spec, "y", 2).update(domain=[0, _SHARES[1]], anchor="x2", tickvals=[0, 1], ticktext=["none", "all"])
    powers = list(range(int(low), int(high) + 1))
    with np.errstate(divide="ignore"):
        shown = np.log10(np.clip(norms, 10.0**low, None)).T  # [distance, record]
    steps = np.broadcast_to(history.step, norms.T.shape)
    spec["data"] = [
        {
            "type": "heatmap", "z": shown, "x": _steps.edges(history.step), "y": np.arange(n_distances),
            "zmin": low, "zmax": high, "colorscale": "Cividis", "hoverongaps": False,
            "customdata": np.stack([steps, norms.T], axis=-1),
            "hovertemplate": "step %{customdata[0]:,}, %{y} tokens back: %{customdata[1]:.3~g}<extra></extra>",
            "colorbar": {
                "title": {"text": "norm<br>of the<br>gradient", "font": {"color": _style.INK}}, "thickness": 12,
                "tickfont": {"color": _style.INK}, "tickvals": powers, "ticktext": [_power(one) for one in powers],
                "y": 1 - _SHARES[0] / 2, "len": _SHARES[0] + 0.06,
            },
        }
    ]  # fmt: skip
    _draw_clipping(spec, history)
    _draw_marks(spec, history)
    return _style.build(spec)


def alt_text(history: GradientHistory, *, layer: int = 0, direction: int = 0) -> str:
    """The figure in words: near and far at the first and the last recording, clipping and what went wrong."""
    norms = _steps.norms_of(history, layer, direction)
    parts = [
        f"at step {history.step[index]:,} {number(float(norms[index, 0]))} at the last token and "
        f"{number(float(norms[index, -1]))} at {history.n_distances - 1} tokens back"
        for index in dict.fromkeys((0, len(norms) - 1))
    ]
    said = f"Norm of the gradient of {visible(history.name)}, {history.layer_names[layer]}: {'; '.join(parts)}."
    return f"{said} {told_marks(history)}"


def told_marks(history: GradientHistory) -> str:
    """Clipping, explosions and broken steps as a sentence or two."""
    n_steps, n_clipped = len(history.train_step), int(history.is_clipped.sum())
    if not history.clip_norm:
        said = "Nothing is clipped in this run."
    elif not n_steps:
        said = "No step has been taken yet."
    else:
        share = f"{n_clipped / n_steps:.1%}"
        said = f"{n_clipped:,} of {n_steps:,} steps ({share}) had a norm above {history.clip_norm:g} and were clipped."
    for steps, what in ((history.exploded, "exploded"), (history.broken, "was no number")):
        if len(steps):
            named = ", ".join(f"{step:,}" for step in steps[:5])
            more = f" and {len(steps) - 5:,} more" if len(steps) > 5 else ""
            said += f" The gradient {what} at step {named}{more}."
    return said


def _draw_clipping(spec: Spec, history: GradientHistory) -> None:
    shares = history.clipped_share
    at, borders = _steps.place(history.step), _steps.edges(history.step)
    known = np.isfinite(shares)
    before = np.concatenate([[0], history.step[:-1]]) + 1
    spec["data"].append(
        {
            "type": "bar", "x": at[known], "y": shares[known], "width": np.diff(borders)[known] * 0.9,
            "customdata": [
                f"steps {first:,} to {last:,}: {share:.0%} clipped"
                for first, last, share in zip(before[known], history.step[known], shares[known], strict=True)
            ],
            "hovertemplate": "%{customdata}<extra></extra>", "marker": {"color": BLUE, "line": {"width": 0}},
            "xaxis": "x2", "yaxis": "y2",
        }
    )  # fmt: skip
    what = f"share of steps clipped at {history.clip_norm:g}" if history.clip_norm else "nothing is clipped in this run"
    _entries.heading(spec, what, _SHARES[1], yshift=2)


def _draw_marks(spec: Spec, history: GradientHistory) -> None:
    """Signs on the upper border of the map, and what they mean above it."""
    named = []
    for steps, symbol, sign, name, color in (
        (history.exploded, "triangle-up", "▲", "exploded", VERMILLION),
        (history.broken, "x", "✕", "no number", VERMILLION),
    ):
        if len(steps):
            named.append(f"<span style='color:{color}'>{sign}</span> {name}")
            spec["data"].append(
                {
                    "type": "scatter", "mode": "markers", "x": _steps.place(steps), "y": np.full(len(steps), 1.0),
                    "yaxis": "y3", "xaxis": "x", "cliponaxis": False, "name": name,
                    "marker": {"symbol": symbol, "size": 9, "color": color},
                    "customdata": [f"step {step:,}: {name}" for step in steps],
                    "hovertemplate": "%{customdata}<extra></extra>",
                }
            )  # fmt: skip
    if named:
        _style.axis(spec, "y", 3).update(overlaying="y", anchor="x", range=[0, 1], visible=False)
        spec["layout"]["annotations"].append(
            {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom", "yshift": 8,
             "showarrow": False, "text": "   ".join(named), "font": {"size": 12}}
        )  # fmt: skip


def _distance_title(direction: int) -> str:
    return "tokens after the beginning" if direction else "tokens before the end"


def _power(exponent: int) -> str:
    return f"10<sup>{exponent}</sup>".replace("-", "−") if not -3 <= exponent <= 3 else f"{10.0**exponent:g}"
