"""A map of how alike methods rank the words of many texts, one point a text."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import BLUE
from explorer_core.results import AgreementMap
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Agreement map",
    "sentence": "How alike methods rank the words of many texts: Kendall's tau of each pair, one point a text.",
    "how": "Tau is +1 where two methods order the words of a text alike, 0 where they have nothing to do with each "
    "other, −1 where one turns the other round. Left, every text for each pair, the upright line their median and its "
    "95 % interval. Right, above the dotted diagonal the method of the upright axis is closer to the third one, "
    "below it that of the level axis; open marks are texts judged wrongly.",
    "does_not_show": "Which method is right: methods may agree and all be wrong. Tau counts words that hardly matter "
    "as much as those that decide, and where a method has no sign only sizes are compared.",
    "formula": "τ_b = (pairs of words in the same order − pairs in opposite order) ÷ √((pairs not tied in one) · "
    "(pairs not tied in the other))",
    "source": "Jain and Wallace 2019, Attention is not explanation; Kendall 1938, A new measure of rank correlation",
    "order": 68,
}
_SPLIT, _GAP = 0.5, 0.12  # share of the width the left panel has, and that is between both
_STRIP_PX = 92


def render(result: AgreementMap, *, chosen: int | None = None) -> go.Figure:
    """Strips of taus for every pair, and beside them a map of the first two methods against the last.

    Args:
        result: From `api.map_agreement`.
        chosen: A text to ring, from 0.
    """
    n_pairs = len(result.pairs)
    spec = _style.describe(100 + max(_STRIP_PX * n_pairs, 270))
    spec["layout"] |= {"hovermode": "closest"}
    spec["layout"]["margin"] |= {"l": 20, "r": 16, "t": 26, "b": 52}
    has_map = len(result.methods) > 2
    _tau_axis(spec, "x", 1, "Kendall's tau")
    _style.axis(spec, "x").update(domain=[0, _SPLIT - _GAP / 2] if has_map else [0, 1])
    _style.axis(spec, "y").update(range=[-0.7, n_pairs - 0.15], visible=False)
    for index in range(n_pairs):
        _draw_strip(spec, result, index, float(n_pairs - 1 - index), chosen)
    if has_map:
        _draw_map(spec, result, chosen)
    return _style.build(spec)


def alt_text(result: AgreementMap) -> str:
    """The figure in words: the median of every pair and its interval."""
    parts = [
        f"{pair_label(result, index)} {number(float(result.median[index]), signed=True)} "
        f"({number(float(result.low[index]), signed=True)} to {number(float(result.high[index]), signed=True)})"
        for index in range(len(result.pairs))
    ]
    return f"Median tau over {len(result.texts):,} texts: {'; '.join(parts)}."


def pair_label(result: AgreementMap, index: int) -> str:
    """The two methods of a pair, as a person calls them."""
    one, other = result.pairs[index]
    return f"{label_of(result.methods[one])} and {label_of(result.methods[other])}"


def label_of(method: str) -> str:
    """What a person calls a method."""
    return registry.describe("attribution")[method].label


def _tau_axis(spec: _style.Spec, letter: str, row: int, title: str) -> None:
    _style.axis(spec, letter, row).update(
        title={"text": title, "standoff": 8, "font": {"color": _style.INK, "size": 13}}, range=[-1.05, 1.05],
        tickvals=[-1, -0.5, 0, 0.5, 1], ticktext=["−1", "−0.5", "0", "+0.5", "+1"],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
    )  # fmt: skip


def _marker(result: AgreementMap, chosen: int | None) -> _style.Spec:
    """Filled marks for texts judged rightly or without a label, open ones for the others; a ring for the chosen."""
    is_wrong = (result.true >= 0) & (result.true != result.predicted)
    symbols = np.where(is_wrong, "circle-open", "circle").tolist()
    sizes = np.full(len(result.texts), 8.0)
    if chosen is not None:
        symbols[chosen], sizes[chosen] = "diamond-open" if is_wrong[chosen] else "diamond", 15.0
    return {"symbol": symbols, "size": sizes, "color": BLUE, "opacity": 0.7}


def _told(result: AgreementMap) -> list[str]:
    return [f"text {row}: {_style.escaped(text, 60)}"
            for row, text in zip(result.row_numbers, result.texts, strict=True)]  # fmt: skip


def _draw_strip(spec: _style.Spec, result: AgreementMap, index: int, y: float, chosen: int | None) -> None:
    tau = result.tau[index]
    # by rank, so that points with like values stand apart: the same every time, and no claim about a density
    place = np.argsort(np.argsort(tau, kind="stable"), kind="stable") * 3 % 7
    spec["data"].append(
        {"type": "scatter", "mode": "markers", "x": tau, "y": y + (place - 3) * 0.055,
         "marker": _marker(result, chosen), "customdata": _told(result),
         "hovertemplate": "%{x:+.2f}<br>%{customdata}<extra></extra>"}
    )  # fmt: skip
    low, middle, high = (float(ends[index]) for ends in (result.low, result.median, result.high))
    spec["layout"]["shapes"] += [
        {"type": "rect", "x0": low, "x1": high, "y0": y - 0.3, "y1": y + 0.3, "layer": "below", "xref": "x",
         "yref": "y", "fillcolor": "rgba(128,132,140,0.28)", "line": {"width": 0}},
        {"type": "line", "x0": middle, "x1": middle, "y0": y - 0.3, "y1": y + 0.3, "xref": "x", "yref": "y",
         "line": {"color": _style.INK, "width": 2.5}},
    ]  # fmt: skip
    said = f"{_style.escaped(pair_label(result, index), 60)}  <b>{number(middle, signed=True)}</b>"
    _entries.heading(spec, said, y + 0.34, x=-1.05, xref="x", yref="y")


def _draw_map(spec: _style.Spec, result: AgreementMap, chosen: int | None) -> None:
    last = len(result.methods) - 1
    across, up = result.tau[result.pair(1, last)], result.tau[result.pair(0, last)]
    names = [_style.escaped(label_of(name), 40) for name in result.methods]
    _tau_axis(spec, "x", 2, f"tau of {names[1]} and {names[last]}")
    _tau_axis(spec, "y", 2, f"tau of {names[0]} and {names[last]}")
    _style.axis(spec, "x", 2).update(domain=[_SPLIT + _GAP / 2, 1], anchor="y2")
    _style.axis(spec, "y", 2).update(anchor="x2", domain=[0, 1])
    spec["layout"]["shapes"].append(
        {"type": "line", "x0": -1.05, "x1": 1.05, "y0": -1.05, "y1": 1.05, "xref": "x2", "yref": "y2", "layer": "below",
         "line": {"color": _style.FAINT, "width": 1, "dash": "dot"}}
    )  # fmt: skip
    spec["data"].append(
        {"type": "scatter", "mode": "markers", "x": across, "y": up, "xaxis": "x2", "yaxis": "y2",
         "marker": _marker(result, chosen), "customdata": _told(result),
         "hovertemplate": "%{x:+.2f}, %{y:+.2f}<br>%{customdata}<extra></extra>"}
    )  # fmt: skip
