"""How long the texts are and how many there are of each label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer_core.palette import BLUE, class_colors
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Lengths and labels",
    "sentence": "Number of texts of each length and of each label.",
    "how": "Left: each bar counts the texts of so many words. Right: how many texts carry each label.",
    "does_not_show": "Whether labels are right, or texts alike.",
    "formula": "left: number of texts with a ≤ words < b; right: number of texts with each label",
    "source": "The labelled texts as they were read from the source, counted",
    "order": 60,
}


def render(lengths: Mapping[str, int], labels: Mapping[str, int], *, height: int = 240) -> go.Figure:
    """Two bar charts side by side.

    Args:
        lengths: Number of texts by range of words, in order, such as `{"1-5": 12, "6-10": 40}`.
        labels: Number of texts by label.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "closest", "bargap": 0.12}
    spec["layout"]["margin"] |= {"b": 46, "t": 20}
    _style.axis(spec, "x").update(domain=[0, 0.52], type="category", title={"text": "words in a text", "standoff": 6},
                                  automargin=True)  # fmt: skip
    _style.axis(spec, "x", 2).update(domain=[0.72, 1], anchor="y2", title={"text": "texts", "standoff": 6},
                                     rangemode="tozero", gridcolor=_style.GRID)  # fmt: skip
    _style.value_axis(spec, "texts")
    _style.axis(spec, "y", 2).update(anchor="x2", type="category", autorange="reversed", ticklabelstandoff=6)
    counts = np.array(list(labels.values()), dtype=int)
    spec["data"] = [
        {"type": "bar", "x": list(lengths), "y": list(lengths.values()), "marker": {"color": BLUE},
         "hovertemplate": "%{x} words: %{y:,}<extra></extra>"},
        {"type": "bar", "x": counts, "y": [_style.escaped(name, 18) for name in labels], "orientation": "h",
         "xaxis": "x2", "yaxis": "y2", "marker": {"color": list(class_colors(tuple(labels)))},
         "texttemplate": "%{x:,}", "textposition": "auto", "textangle": 0,
         "hovertemplate": "%{y}: %{x:,}<extra></extra>"},
    ]  # fmt: skip
    return _style.build(spec)


def alt_text(lengths: Mapping[str, int], labels: Mapping[str, int]) -> str:
    """The figure in words."""
    said = ", ".join(f"{visible(name)[:40]}: {count:,}" for name, count in labels.items())
    common = max(lengths, key=lambda name: lengths[name]) if lengths else "no"
    return f"Texts by label: {said}. Most texts have {common} words."
