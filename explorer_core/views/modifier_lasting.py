"""How long an edit is still heard in the running verdict, word after word."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import ModifierBench
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "How long a modifier lasts",
    "sentence": "Share of edits whose effect on the running verdict is still there so many words after the last "
    "changed one.",
    "how": "A line that falls early forgets: the two texts of a pair have come back together. A line that stays up "
    "keeps the edit to the end. The band is the 95 % interval; a line ends where fewer than three effects are watched.",
    "does_not_show": "Edits that are never heard, which are left out here, and what would have come after the end of a "
    "text: a text that ends first counts as long as it goes on. A small effect counts as much as a large one.",
    "formula": "S(k) = Π over j < k of (1 − effects that fall below half of their largest value at word j + 1 ÷ "
    "effects watched until then); band: bootstrap over pairs",
    "source": "Kaplan and Meier 1958, Nonparametric estimation from incomplete observations; Gill 1980, Censoring and "
    "stochastic integrals",
    "order": 361,
}
_FEWEST = 3  # effects behind a point of a line


def render(bench: ModifierBench, *, group: int = 0, height: int = 320) -> go.Figure:
    """One line for each network.

    Args:
        bench: From `api.measure_modifiers`.
        group: Index of the group.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["margin"]["b"] = 54
    words = np.arange(bench.curve.shape[2])
    _style.value_axis(spec, "share that still lasts", limits=(0.0, 1.0))
    _style.axis(spec, "y").update(tickvals=[0, 0.25, 0.5, 0.75, 1])
    _style.axis(spec, "x").update(
        title={"text": "words after the last changed one", "standoff": 8, "font": {"color": _style.INK}},
        range=[-0.2, float(words[-1]) + 0.2], dtick=2, zeroline=False, showgrid=False, ticks="outside", ticklen=4,
        tickcolor=_style.GRID, tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
    )  # fmt: skip
    _style.reference_line(spec, 0.5)
    ends = []
    called = _many.names_of(bench.models, bench.architectures)
    dashes = _many.dashes_of(bench.architectures)
    for place, color in enumerate(_many.colors_of(bench.architectures)):
        curve = bench.curve[place, group]
        if np.isnan(curve).any():
            continue
        words = np.arange(_last_watched(bench, place, group) + 1)
        curve, low, high = (one[place, group, words] for one in (bench.curve, bench.curve_low, bench.curve_high))
        spec["data"].append(
            {"type": "scatter", "mode": "lines", "x": np.concatenate([words, words[::-1]]),
             "y": np.concatenate([high, low[::-1]]), "fill": "toself", "fillcolor": _style.faint(color, 0.13),
             "line": {"width": 0}, "hoverinfo": "skip"}
        )  # fmt: skip
        told = [f"{number(float(a))} to {number(float(b))}" for a, b in zip(low, high, strict=True)]
        spec["data"].append(
            _style.line(words, curve, _style.escaped(called[place], 28), color, dashes[place], customdata=told,
                        hovertemplate="%{y:.2f} (%{customdata})")
        )  # fmt: skip
        ends.append((float(words[-1]), float(curve[-1]), called[place], color))
    if not ends:
        spec["data"].append(_style.line([0.0], [0.0], "none", _style.GRID) | {"opacity": 0.0})
        spec["layout"]["annotations"].append(
            {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "text": "No edit is heard.", "showarrow": False}
        )
    _style.label_ends(spec, ends, limits=(-0.03, 1.03), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(bench: ModifierBench, *, group: int = 0) -> str:
    """The figure in words: what is left after the horizon."""
    parts = [
        f"{visible(name)} {number(float(bench.curve[place, group, bench.horizon]))} of "
        f"{int(bench.n_effects[place, group]):,}"
        for place, name in enumerate(_many.names_of(bench.models, bench.architectures))
        if bench.n_effects[place, group]
    ]
    over = visible(_many.said(bench.groups[group]))[:40]
    if not parts:
        return f"No edit is heard among {over}."
    return f"Share of effects that last {bench.horizon} words or more, {over}: {', '.join(parts)}."


def _last_watched(bench: ModifierBench, place: int, group: int) -> int:
    """The last word to which enough effects are watched, at least 1."""
    here = bench.members(group)
    lasted, fell = bench.lasted[place, here], bench.fell[place, here]
    n_watched = [int(((lasted > step) | ((lasted == step) & fell)).sum()) for step in range(bench.curve.shape[2] - 1)]
    return max([step + 1 for step, count in enumerate(n_watched) if count >= _FEWEST], default=1)
