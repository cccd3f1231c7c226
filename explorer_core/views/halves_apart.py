"""The verdict of a bidirectional network beside what each half would decide alone, and with its past out of order."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, GREEN, GREY, PURPLE
from explorer_core.results import HalfHonesty
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Halves apart",
    "sentence": "What a bidirectional network would decide with one half, and with the past of one half out of order.",
    "how": "Each row is one reader of the same text; right of the dotted line it decides for the class named, left of "
    "it against. Faint dots are single orders of the words a half has read; the large mark is their mean.",
    "does_not_show": "How a network trained with one half would do: this one was trained with both, so a half alone "
    "and a past out of order are readings it has never had.",
    "formula": "log odds = ln p − ln(1 − p); forward alone = W→ h→ + W← m← + b with m← the mean of h← over reference "
    "texts, or zero; the past of the backward half are all words but the first, of the forward half all but the last",
    "source": "Schuster and Paliwal 1997, Bidirectional recurrent neural networks; Khandelwal et al. 2018, Sharp "
    "nearby, fuzzy far away: how neural language models use context",
    "needs": "bidirectional",
    "order": 46,
}
ROW_PX = 58  # of which the upper third holds the name and the value
_NAMES = ("Forward half alone", "Backward half alone")
_SHUFFLED = ("Forward half, past shuffled", "Backward half, past shuffled")


def rows_of(found: HalfHonesty, twin: tuple[str, float] | None) -> list[tuple[str, float, str, np.ndarray]]:
    """Every row from the top: name, log odds, colour, and the log odds of single orders."""
    none = np.zeros(0)
    rows = [("Both halves", found.odds, GREY, none)]
    rows += [(_NAMES[index], float(found.odds_alone[index]), (GREEN, PURPLE)[index], none) for index in (0, 1)]
    if found.shuffled.shape[1]:
        orders = found.odds_shuffled
        rows += [(_SHUFFLED[index], float(orders[index].mean()), (GREEN, PURPLE)[index], orders[index])
                 for index in (0, 1)]  # fmt: skip
    if twin is not None:
        rows.append((twin[0], float(twin[1]), BLUE, none))
    return rows


def render(found: HalfHonesty, *, twin: tuple[str, float] | None = None) -> go.Figure:
    """A row for each reader over the log odds of the class.

    Args:
        found: From `api.compare_halves`.
        twin: Name and log odds of a network that reads forward only.
    """
    rows = rows_of(found, twin)
    spec = _style.describe(len(rows) * ROW_PX + 74)
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    spec["layout"]["margin"] |= {"l": 14, "r": 14, "t": 14, "b": 60}
    for place, (name, odds, color, orders) in enumerate(rows):
        if len(orders):
            spec["data"].append(_dots(orders, place, color))
        spec["data"].append(_mark(name, odds, place, color, is_mean=bool(len(orders))))
        value = f"<b>{number(odds, signed=True)}</b>  p {number(_prob(odds))}"
        for x, anchor, text in ((0, "left", _style.escaped(name, 30)), (1, "right", value)):
            spec["layout"]["annotations"].append(
                {
                    "x": x, "xref": "paper", "xanchor": anchor, "y": place, "yref": "y", "yshift": 20, "text": text,
                    "showarrow": False, "font": {"size": 14, "color": _style.INK},
                }
            )  # fmt: skip
    values = np.concatenate([[0.0], *([row[1]] for row in rows), *(row[3] for row in rows)])
    room = max(float(np.ptp(values)) * 0.06, 0.1)
    label = _style.escaped(found.labels[found.target], 24)
    _style.axis(spec, "x").update(
        title={"text": f"log odds of {label}", "standoff": 8, "font": {"color": _style.INK}},
        range=[float(values.min()) - room, float(values.max()) + room],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
    )  # fmt: skip
    _style.axis(spec, "y").update(range=[len(rows) - 0.6, -0.65], showgrid=False, zeroline=False, showticklabels=False)
    spec["layout"]["shapes"] += [
        {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": place - 0.5, "y1": place - 0.5, "yref": "y",
         "layer": "below", "line": {"color": _style.GRID, "width": 1}}
        for place in range(1, len(rows))
    ]  # fmt: skip
    spec["layout"]["shapes"].append(
        {"type": "line", "x0": 0, "x1": 0, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
         "line": {"color": _style.FAINT, "width": 1.5, "dash": "dot"}}
    )  # fmt: skip
    return _style.build(spec)


def alt_text(found: HalfHonesty, *, twin: tuple[str, float] | None = None) -> str:
    """The figure in words: the log odds of every reader."""
    said = "; ".join(f"{visible(name)} {number(odds, signed=True)}" for name, odds, _, _ in rows_of(found, twin))
    return f"Log odds of {visible(found.labels[found.target])}: {said}."


def _prob(odds: float) -> float:
    return 1.0 / (1.0 + float(np.exp(-min(max(odds, -700.0), 700.0))))


def _mark(name: str, odds: float, place: int, color: str, *, is_mean: bool) -> dict[str, Any]:
    marker = {"size": 15, "color": color, "symbol": "diamond" if is_mean else "circle"}
    what = "mean log odds" if is_mean else "log odds"
    return {
        "type": "scatter", "mode": "markers", "x": [odds], "y": [place + 0.08], "marker": marker,
        "hovertemplate": f"<b>{_style.escaped(name, 40)}</b><br>{what} %{{x:+.3f}}<extra></extra>",
    }  # fmt: skip


def _dots(orders: np.ndarray, place: int, color: str) -> dict[str, Any]:
    # spread a little up and down, by a fixed rule, so that equal ones can be told apart
    lift = ((np.arange(len(orders)) * 0.618) % 1 - 0.5) * 0.3
    return {
        "type": "scatter", "mode": "markers", "x": orders, "y": place + 0.08 + lift, "opacity": 0.45,
        "marker": {"size": 7, "color": color}, "hovertemplate": "one order: %{x:+.3f}<extra></extra>",
    }  # fmt: skip
