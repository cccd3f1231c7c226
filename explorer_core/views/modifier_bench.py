"""Minimal pairs by phenomenon: right on both sides, swing of the verdict, and how long the swing lasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.results import ModifierBench
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "Modifiers",
    "sentence": "For each phenomenon of minimal pairs: share right on both sides, mean swing of the verdict, and words "
    "the swing lasts.",
    "how": "A row is a phenomenon with its number of pairs, a mark one model, the line through it the 95 % interval. "
    "Left, a model that goes by single words stands near 0, a coin at 0.25 (dotted). In the middle, a mark on zero "
    "does not hear the edit, one left of it hears it the wrong way round. Right, how many of the next words the edit "
    "is still heard.",
    "does_not_show": "Why a pair is judged so, or that few pairs say much: where the lines are long, marks may stand "
    "apart by chance. Logits of two models are not the same unit: a model that is surer of itself swings further.",
    "formula": "swing = (logit of the first text's class − logit of the second's) over the first text − the same over "
    "the second; lasts = Σ S(k) over the next words k, S by Kaplan and Meier, an effect ends where it falls below half "
    "of its largest value; intervals: Wilson, bootstrap over pairs",
    "source": "Gardner et al. 2020, Evaluating models' local decision boundaries via contrast sets; Kaplan and Meier "
    "1958, Nonparametric estimation from incomplete observations",
    "order": 360,
}
MOST_GROUPS = 30  # rows
_MARK_PX, _GAP_PX = 8, 15
_GAP = 0.045  # share of the width between panels
_CHANCE = 0.25


def render(bench: ModifierBench) -> go.Figure:
    """Three panels with a row for each phenomenon.

    Args:
        bench: From `api.measure_modifiers`.
    """
    n_models, groups = len(bench.models), bench.groups[:MOST_GROUPS]
    band = n_models * _MARK_PX + _GAP_PX
    spec = _style.describe(max(len(groups) * band, 120) + 126)
    names = [f"{_style.escaped(_many.said(name), 24)}  <span style='opacity:0.65'>{count:,}</span>"
             for name, count in zip(groups, bench.n_pairs, strict=False)]  # fmt: skip
    widest = max(_style.text_width(visible(_many.said(name))[:24]) for name in groups) + 44
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    spec["layout"]["margin"] |= {"l": 16 + int(widest), "r": 20, "t": 40, "b": 72}
    panels = _panels(bench)
    wide = (1 - _GAP * (len(panels) - 1)) / len(panels)
    colors = _many.colors_of(bench.architectures)
    called = _many.names_of(bench.models, bench.architectures)
    for row, (quantity, title, limits, ticks) in enumerate(panels, 1):
        left = (row - 1) * (wide + _GAP)
        number_of = row if row > 1 else ""
        _style.axis(spec, "x", row).update(
            title={"text": title, "standoff": 8, "font": {"color": _style.INK, "size": 13}}, range=limits, **ticks,
            domain=[left, min(left + wide, 1.0)], anchor=f"y{number_of}", gridcolor=_style.GRID, zeroline=False,
            tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        )  # fmt: skip
        _style.axis(spec, "y", row).update(
            anchor=f"x{number_of}", range=[len(groups) - 0.5, -0.5], tickvals=list(range(len(groups))),
            ticktext=names if row == 1 else [""] * len(groups), showticklabels=row == 1, showgrid=False,
            zeroline=False, tickfont={"size": 14, "color": _style.INK}, ticks="",
        )  # fmt: skip
        for place in range(n_models):
            offset = (place - (n_models - 1) / 2) * _MARK_PX / band
            values, low, high = (getattr(bench, name)[place, : len(groups)] for name in _fields(quantity))
            there = np.flatnonzero(~np.isnan(values))
            if not len(there):
                continue  # no effect that could last
            told = [
                f"{_style.escaped(called[place], 28)}, {_style.escaped(_many.said(groups[group]), 30)}: "
                f"{_number(quantity, values[group])} ({_number(quantity, low[group])} to "
                f"{_number(quantity, high[group])})"
                for group in there
            ]
            ends = (low[there], high[there])
            axes: dict[str, Any] = {"xaxis": f"x{number_of}", "yaxis": f"y{number_of}"}
            spec["data"].append(
                _many.marks(values[there], there + offset, *ends, told, place, colors[place], size=7, **axes)
            )
    _lines(spec, len(groups))
    _many.name_marks(spec, bench.models, bench.architectures)
    return _style.build(spec)


def alt_text(bench: ModifierBench) -> str:
    """The figure in words: all pairs, then the phenomenon on which the models differ most."""
    called = _many.names_of(bench.models, bench.architectures)

    def parts(group: int) -> str:
        return ", ".join(
            f"{visible(name)} {number(float(bench.right[place, group]))} right on both sides, swing "
            f"{number(float(bench.swing_mean[place, group]), signed=True)}"
            for place, name in enumerate(called)
        )

    found = f"Of {int(bench.n_pairs[0]):,} pairs: {parts(0)}."
    if len(bench.groups) > 1 and len(called) > 1:
        spread = np.ptp(bench.right[:, 1:], axis=0)
        widest = 1 + int(spread.argmax())
        found += f" Furthest apart on {visible(_many.said(bench.groups[widest]))[:40]}: {parts(widest)}."
    return found


def _fields(quantity: str) -> tuple[str, str, str]:
    return "swing_mean" if quantity == "swing" else quantity, f"{quantity}_low", f"{quantity}_high"


def _number(quantity: str, value: float) -> str:
    return number(float(value), signed=quantity == "swing")


def _panels(bench: ModifierBench) -> list[tuple[str, str, list[float], dict[str, object]]]:
    """Quantity, title, limits and ticks of each panel."""
    shown = bench.groups[:MOST_GROUPS]
    ends = [bench.swing_low[:, : len(shown)], bench.swing_high[:, : len(shown)]]
    low, high = float(min(0.0, ends[0].min())), float(max(0.0, ends[1].max()))
    room = 0.04 * (high - low or 1.0)
    least = -axis_limit(-low) if low < 0 else -room
    shares = {"tickvals": [0, 0.5, 1], "ticktext": ["0", "0.5", "1"]}
    horizon = float(bench.horizon)
    return [
        ("right", "both sides<br>right, share", [-0.05, 1.05], shares),
        ("swing", "swing,<br>logits", [least, max(axis_limit(high), room)], {"nticks": 4}),
        (
            "lasting",
            f"lasts, words<br>of the next {bench.horizon}",
            [-0.5, horizon + 0.5],
            {"dtick": max(2, horizon // 2)},
        ),
    ]


def _lines(spec: _style.Spec, n_groups: int) -> None:
    """Chance and zero, a rule below all pairs, and faint ones between phenomena."""
    upright = {"type": "line", "y0": 0, "y1": 1, "layer": "below"}
    spec["layout"]["shapes"] += [
        {**upright, "x0": _CHANCE, "x1": _CHANCE, "xref": "x", "yref": "y domain",
         "line": {"color": _style.FAINT, "width": 1, "dash": "dot"}},
        {**upright, "x0": 0, "x1": 0, "xref": "x2", "yref": "y2 domain", "line": {"color": _style.FAINT, "width": 1.2}},
    ]  # fmt: skip
    for place in range(1, n_groups):
        spec["layout"]["shapes"].append(
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": place - 0.5, "y1": place - 0.5, "yref": "y",
             "layer": "below", "line": {"color": _style.FAINT if place == 1 else _style.GRID, "width": 1}}
        )  # fmt: skip
