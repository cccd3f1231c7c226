"""Which class a network takes for which."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.results import Judgement
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Confusion",
    "sentence": "How many texts of each class a network takes for each class.",
    "how": "A row holds the texts of one label; its cells say what the network decided. The darker, the larger the "
    "share of the row. Right answers are on the diagonal from top left.",
    "does_not_show": "How sure the network was, and texts without a label.",
    "formula": "cell = texts with the row's label that are decided for the column's class; colour = cell ÷ row's sum",
    "source": "Counted by scikit-learn: sklearn.metrics.confusion_matrix",
    "order": 300,
}
_COLORS = [[0, "rgba(0,114,178,0.04)"], [1, "rgba(0,114,178,0.85)"]]
_MOST = 20  # classes drawn
_MOST_WRITTEN = 8  # classes whose counts are written into the cells


def render(judged: Judgement, *, model: int = 0, height: int = 300) -> go.Figure:
    """Counts and shares of each row.

    Args:
        judged: From `api.judge`, with labels.
        model: Number of the network in it.
        height: Height of the figure in pixels.
    """
    counts = judged.scores[model].confusion[:_MOST, :_MOST]
    n_rows = counts.sum(1, keepdims=True)
    shares = np.divide(counts, n_rows, out=np.zeros(counts.shape), where=n_rows > 0)
    names = [_style.escaped(label, 14) for label in judged.labels[:_MOST]]
    places = list(range(len(names)))
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    ticks = {"tickvals": places, "ticktext": names, "showgrid": False, "zeroline": False}
    _style.axis(spec, "x").update(title={"text": "decided for", "standoff": 6}, side="bottom", **ticks)
    _style.axis(spec, "y").update(title={"text": "label", "standoff": 8}, autorange="reversed", **ticks)
    longest = max(_style.text_width(name) for name in names)
    spec["layout"]["margin"] |= {"b": 54, "l": 44 + int(longest)}
    spec["data"] = [
        {
            "type": "heatmap",
            "x": places,
            "y": places,
            "z": shares,
            "zmin": 0,
            "zmax": 1,
            "colorscale": _COLORS,
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "customdata": counts,
            "hovertemplate": "%{customdata:,} texts, %{z:.1%} of the row<extra></extra>",
        }
    ]
    if len(names) <= _MOST_WRITTEN:
        spec["data"] += [_numbers(counts, shares > 0.5, "#ffffff"), _numbers(counts, shares <= 0.5, _style.INK)]
    return _style.build(spec)


def alt_text(judged: Judgement, *, model: int = 0) -> str:
    """The figure in words."""
    counts = judged.scores[model].confusion
    rows = [
        f"{visible(label)[:30]}: {int(row[place]):,} of {int(row.sum()):,} right"
        for place, (label, row) in enumerate(zip(judged.labels, counts, strict=True))
    ]
    return f"Texts by label, {visible(judged.models[model])[:40]}: {'; '.join(rows[:_MOST])}."


def _numbers(counts: np.ndarray, where: np.ndarray, color: str) -> _style.Spec:
    """Counts of some cells in a colour that can be read on them."""
    cells = np.argwhere(where)
    return {
        "type": "scatter",
        "mode": "text",
        "x": cells[:, 1],
        "y": cells[:, 0],
        "text": [f"{int(counts[row, column]):,}" for row, column in cells],
        "textfont": {"size": 15, "color": color},
        "hoverinfo": "skip",
    }
