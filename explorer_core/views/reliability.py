"""Whether a network that says 90 % is right nine times out of ten."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import Judgement
from explorer_core.text import visible
from explorer_core.views import _judged, _style

ABOUT = {
    "label": "Reliability",
    "sentence": "Share of right decisions against how sure the network was.",
    "how": "Each dot holds the texts of one bin of confidence, a tenth wide; the bar through it is a 95 % interval. On "
    "the dotted diagonal a network is as often right as it says. Below it, it is too sure of itself.",
    "does_not_show": "How many texts a dot holds (shown when pointed at), and whether these texts are like those the "
    "network will meet.",
    "formula": "ECE = Σ (texts of the bin ÷ texts) |accuracy − mean confidence|, ten bins of equal width; bars: Wilson",
    "source": "Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks",
    "order": 310,
}


def render(judged: Judgement, *, height: int = 340) -> go.Figure:
    """Accuracy of each bin of confidence, a line for each network.

    Args:
        judged: From `api.judge`, with labels.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"]["b"] = 54
    _judged.share_axis(spec, "share right")
    low = min(0.5, 1 / len(judged.labels))
    _style.axis(spec, "x").update(
        title={"text": "confidence (probability of the class decided for)", "standoff": 8},
        range=[low - 0.02, 1.02], showgrid=False, zeroline=False, ticks="outside", ticklen=4, tickcolor=_style.GRID,
    )  # fmt: skip
    spec["data"].append(
        _style.line([low, 1.0], [low, 1.0], "as often right as it says", _style.FAINT, "dot", hoverinfo="skip")
    )
    ends = []
    for model, scores in enumerate(judged.scores):
        found = scores.reliability
        filled = np.flatnonzero(found.counts)
        x, y = found.confidence[filled], found.accuracy[filled]
        color, dash = _judged.line_of(judged, model)
        drawn = _style.line(
            x, y, _style.escaped(judged.models[model], 28), color, dash,
            customdata=found.counts[filled],
            hovertemplate="sure %{x:.3f}, right %{y:.3f}, %{customdata:,} texts",
        )  # fmt: skip
        error = {"type": "data", "symmetric": False, "array": found.high[filled] - y,
                 "arrayminus": y - found.low[filled], "thickness": 1, "width": 3, "color": color}  # fmt: skip
        spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 8, "color": color}, "error_y": error})
        ends.append((float(x[-1]), float(y[-1]), judged.models[model], color))
    _style.label_ends(spec, ends, limits=(-0.03, 1.03), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(judged: Judgement) -> str:
    """The figure in words."""
    parts = (f"{visible(scores.model)[:40]} {number(scores.ece)}" for scores in judged.scores)
    return f"Calibration error: {'; '.join(parts)}."
