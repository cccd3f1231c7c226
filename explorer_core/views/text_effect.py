"""Whether long texts, or texts with unknown words, are judged worse."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import Effect, Judgement
from explorer_core.text import visible
from explorer_core.views import _judged, _style

ABOUT = {
    "label": "By length and unknown words",
    "sentence": "Share of right decisions, or confidence without labels, of texts from few words to many.",
    "how": "The texts are put into up to five groups of about equal size, from few to many; each dot is one group, "
    "drawn at the middle of its range, and the bar through it a 95 % interval.",
    "does_not_show": "That length is the cause: long texts may be harder for other reasons, or of another kind.",
    "formula": "dot = right decisions ÷ texts of the group (Wilson), or mean confidence ± 1.96 standard errors",
    "source": "Wilson 1927, Probable inference, the law of succession, and statistical inference",
    "order": 320,
}
_TITLES = {"n_words": "words in the text", "unknown_share": "share of words unknown to the network"}


def render(judged: Judgement, *, effect: int = 0, height: int = 300) -> go.Figure:
    """One line for each network.

    Args:
        judged: From `api.judge`.
        effect: Number of the property in `judged.effects`.
        height: Height of the figure in pixels.
    """
    found = judged.effects[effect]
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"]["b"] = 54
    _judged.share_axis(spec, "share right" if found.is_accuracy else "mean confidence")
    middles = _middles(found)
    is_log = found.quantity == "n_words" and np.nanmax(middles) > 20 * max(np.nanmin(middles), 1)
    low_end, high_end = float(np.nanmin(middles)), float(np.nanmax(middles))
    room = 0.04 * (high_end - low_end or 1)
    limits = [max(low_end - room, -0.02 * high_end), high_end + room]
    _style.axis(spec, "x").update(
        range=[math.log10(max(low_end, 1) * 0.9), math.log10(high_end * 1.1)] if is_log else limits,
        title={"text": _TITLES[found.quantity], "standoff": 8}, showgrid=False, zeroline=False, ticks="outside",
        ticklen=4, tickcolor=_style.GRID, type="log" if is_log else "linear",
        **({} if found.quantity == "n_words" else {"tickformat": ".0%"}),
    )  # fmt: skip
    if is_log:
        ticks = [step * 10**power for power in range(7) for step in (1, 2, 5)]
        _style.axis(spec, "x").update(tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    ends = []
    for model, name in enumerate(found.models):
        used = np.flatnonzero(found.n_texts[model])
        x, y = middles[model, used], found.value[model, used]
        color, dash = _judged.line_of(judged, model)
        ranges = [_range(found, model, int(place)) for place in used]
        drawn = _style.line(
            x, y, _style.escaped(name, 28), color, dash,
            customdata=[[said, f"{found.n_texts[model, place]:,}"] for said, place in zip(ranges, used, strict=True)],
            hovertemplate="%{customdata[0]}: %{y:.3f}, %{customdata[1]} texts",
        )  # fmt: skip
        low, high = (np.nan_to_num(getattr(found, end)[model, used], nan=0.0) for end in ("low", "high"))
        has_ends = ~np.isnan(found.low[model, used])
        above, below = np.where(has_ends, high - y, 0.0), np.where(has_ends, y - low, 0.0)
        error = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1, "width": 3,
                 "color": color}  # fmt: skip
        spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 8, "color": color}, "error_y": error})
        ends.append((float(np.log10(x[-1])) if is_log else float(x[-1]), float(y[-1]), name, color))
    _style.label_ends(spec, ends, limits=(-0.03, 1.03), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(judged: Judgement, *, effect: int = 0) -> str:
    """The figure in words."""
    found = judged.effects[effect]
    parts = []
    for model, name in enumerate(found.models):
        used = np.flatnonzero(found.n_texts[model])
        said = (f"{number(float(found.value[model, place]))} at {_range(found, model, int(place))}" for place in used)
        parts.append(f"{visible(name)[:40]} {', '.join(said)}")
    return f"{'Share right' if found.is_accuracy else 'Mean confidence'}: {'; '.join(parts)}."


def _middles(found: Effect) -> np.ndarray:
    return (found.low_end + found.high_end) / 2


def _range(found: Effect, model: int, place: int) -> str:
    low, high = found.low_end[model, place], found.high_end[model, place]
    if found.quantity == "n_words":
        return f"{low:,.0f} words" if low == high else f"{low:,.0f} to {high:,.0f} words"
    return f"{low:.1%} unknown" if low == high else f"{low:.1%} to {high:.1%} unknown"
