"""When a run learned what: share of minimal pairs judged right on both sides, by phenomenon and epoch."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, GREY
from explorer_core.results import PairHistory
from explorer_core.text import visible
from explorer_core.views import _entries, _epochs, _style

ABOUT = {
    "label": "Pairs by epoch",
    "sentence": "Share of minimal pairs whose two texts are both judged right, for each phenomenon, at every "
    "checkpoint of a run.",
    "how": "One panel a phenomenon, with its number of pairs n; the line is the share of pairs right on both sides, "
    "the band its 95 % interval, the grey line all pairs together. A network that goes by single words judges both "
    "texts of a pair alike and gets none; guessing at random gets one pair in four (dotted).",
    "does_not_show": "Why a pair is judged right, or that few pairs say much: where the band is wide, the line may "
    "move by chance alone. The texts were not learned from.",
    "formula": "share = pairs with both texts right ÷ pairs; interval: Wilson's score interval for a share of n pairs, "
    "95 %",
    "source": "Gardner et al. 2020, Evaluating models' local decision boundaries via contrast sets; Wilson 1927, "
    "Probable inference, the law of succession, and statistical inference",
    "order": 89,
}
_COLUMNS = 4
_ROW_PX = 128
_GAPS_PX = (54.0, 34.0)  # between panels: across, down


def render(history: PairHistory, *, index: int | None = None, width: int = 860) -> go.Figure:
    """Small panels, four in a row, on the same axes.

    Args:
        history: From `api.evaluate_checkpoints`.
        index: A checkpoint to mark, from 0.
        width: Pixels the figure will have at least.
    """
    names = history.names[1:] or history.names
    n_rows = math.ceil(len(names) / _COLUMNS)
    spec = _style.describe(70 + n_rows * _ROW_PX)
    spec["layout"]["margin"] |= {"t": 26, "b": 44, "l": 44}
    across = _GAPS_PX[0] / width
    down = _GAPS_PX[1] / _style.plot_height(spec)
    wide, high = (1 - across * (_COLUMNS - 1)) / _COLUMNS, (1 - down * (n_rows - 1)) / n_rows
    for place, name in enumerate(names):
        row, column = divmod(place, _COLUMNS)
        left, top = column * (wide + across), 1 - row * (high + down)
        is_lowest = place + _COLUMNS >= len(names)
        _panel(spec, history, name, place + 1, is_lowest=is_lowest, index=index)
        _style.axis(spec, "x", place + 1)["domain"] = [left, min(left + wide, 1.0)]
        _style.axis(spec, "y", place + 1)["domain"] = [max(top - high, 0.0), top]
        n_pairs = int(history.n_pairs[history.names.index(name)])
        title = f"<b>{_style.escaped(name.replace('_', ' '), 22)}</b>  n = {n_pairs}"
        _entries.heading(spec, title, top, x=left, yshift=2)
    return _style.build(spec)


def alt_text(history: PairHistory, *, index: int | None = None) -> str:
    """The figure in words: the share of each phenomenon at the first and at the last checkpoint."""
    parts = [
        f"{name.replace('_', ' ')} from {number(float(history.share[0, at]))} to "
        f"{number(float(history.share[-1 if index is None else index, at]))}"
        for at, name in enumerate(history.names)
    ]
    return visible(f"Share of pairs right on both sides: {'; '.join(parts)}.")


def _panel(spec: _style.Spec, history: PairHistory, name: str, row: int, *, is_lowest: bool, index: int | None) -> None:
    at, number_of = history.names.index(name), row if row > 1 else ""
    epochs, n_pairs = history.epoch, int(history.n_pairs[at])
    axes = {"xaxis": f"x{number_of}", "yaxis": f"y{number_of}"}
    pad = 0.3 if len(epochs) > 1 else 1.0
    every = max(1, math.ceil(len(epochs) / 8))
    shown = epochs[::every]
    _style.axis(spec, "x", row).update(
        anchor=f"y{number_of}", range=[float(epochs[0]) - pad, float(epochs[-1]) + pad], showgrid=False, zeroline=False,
        tickvals=shown, ticktext=[_epochs.epoch(float(one)) for one in shown], tickangle=0,
        tickfont={"size": 12, "color": _style.INK}, showticklabels=is_lowest,
        **({"title": {"text": "epoch", "standoff": 4, "font": {"color": _style.INK}}} if is_lowest else {}),
    )  # fmt: skip
    _style.value_axis(spec, "", row=row, limits=(0.0, 1.0))
    _style.axis(spec, "y", row).update(anchor=f"x{number_of}", tickvals=[0, 0.5, 1], ticktext=["0", "0.5", "1"])
    _style.reference_line(spec, 0.25, row=row)
    band = np.concatenate([history.high[:, at], history.low[::-1, at]])
    told = [
        f"{right} of {n_pairs} pairs, 95 %: {low:.2f} to {high:.2f}"
        for right, low, high in zip(history.n_right[:, at], history.low[:, at], history.high[:, at], strict=True)
    ]
    spec["data"] += [
        {"type": "scatter", "mode": "lines", "x": np.concatenate([epochs, epochs[::-1]]), "y": band, "fill": "toself",
         "fillcolor": "rgba(0,114,178,0.22)", "line": {"width": 0}, "hoverinfo": "skip", **axes},
        _style.line(epochs, history.share[:, 0], "all pairs", GREY, row=row, hovertemplate="%{y:.2f}", opacity=0.7),
        _style.line(epochs, history.share[:, at], _style.escaped(name.replace("_", " "), 40), BLUE, row=row,
                    customdata=told, hovertemplate="%{y:.2f}: %{customdata}"),
    ]  # fmt: skip
    spec["data"][-2]["line"]["width"] = 1.2
    if index is not None and 0 <= index < len(epochs):
        spec["data"].append(
            {"type": "scatter", "mode": "markers", "x": epochs[[index]], "y": history.share[[index], at],
             "marker": {"size": 9, "color": BLUE}, "hoverinfo": "skip", **axes}
        )  # fmt: skip
