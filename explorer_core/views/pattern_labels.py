"""Labels of the texts in which a pattern returns, against all texts it could have returned in."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import class_colors
from explorer_core.results import PatternMatches
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Labels of the matches",
    "sentence": "The share of each label among the best matches of a pattern, against its share in the corpus.",
    "how": "The dot is the label's share among the texts listed, with its 95 % interval (Wilson), the bar its share "
    "among all texts that are long enough; where the interval leaves the bar's end out, the pattern goes with the "
    "label or against it.",
    "does_not_show": "That the network uses the pattern for its verdict; and near-copies of a text make the interval "
    "too narrow.",
    "formula": "interval = (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), z = 1.96",
    "source": "Wilson 1927, Probable inference, the law of succession, and statistical inference",
    "order": 125,
}
ROW = 44  # px


def render(found: PatternMatches, *, height: int | None = None) -> go.Figure:
    """One row for each label.

    Args:
        found: From `api.find_pattern`, over a corpus with labels.
        height: Height of the figure in pixels; left out, as the number of labels asks for.
    """
    rates = found.label_rates()
    names = found.matches.label_names
    n_labels = len(names)
    spec = _style.describe(height or ROW * max(n_labels, 1) + 66)
    spec["layout"] |= {"hovermode": "closest", "bargap": 0.45}
    colors = list(class_colors(names)) if n_labels else []
    y = np.arange(n_labels)
    spec["data"] = [
        {"type": "bar", "orientation": "h", "x": rates.base, "y": y, "marker": {"color": colors, "opacity": 0.3},
         "customdata": rates.base_counts, "hovertemplate": "all texts: %{x:.3f} (%{customdata:,})<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": rates.share, "y": y,
         "marker": {"color": colors, "size": 11},
         "error_x": {"type": "data", "symmetric": False, "array": rates.high - rates.share,
                     "arrayminus": rates.share - rates.low, "color": _style.INK, "thickness": 1.6, "width": 5},
         "customdata": np.stack([rates.counts, np.full(n_labels, rates.n_matches)], axis=1),
         "hovertemplate": "matches: %{x:.3f} (%{customdata[0]:,} of %{customdata[1]:,})<extra></extra>"},
    ]  # fmt: skip
    _style.axis(spec, "x").update(
        title={"text": "share of the texts", "standoff": 8, "font": {"color": _style.INK}},
        range=[-0.02, 1.02],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        ticktext=["0", "0.25", "0.5", "0.75", "1"],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        zeroline=False,
    )
    _style.axis(spec, "y").update(
        tickvals=y,
        ticktext=[_style.escaped(name, 18) for name in names],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        range=[n_labels - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        ticks="",
    )
    longest = max((min(len(visible(name)), 18) for name in names), default=1)
    spec["layout"]["margin"] |= {"l": 26 + int(longest * 7.6), "r": 20, "b": 52}
    return _style.build(spec)


def alt_text(found: PatternMatches) -> str:
    """The figure in words: each label's share among the matches and in the corpus."""
    rates = found.label_rates()
    parts = [
        f"{visible(name)[:40]} {number(share)} of the matches, {number(base)} of all texts"
        for name, share, base in zip(found.matches.label_names, rates.share, rates.base, strict=True)
    ]
    return f"Labels of {rates.n_matches:,} matches: " + ("; ".join(parts) if parts else "none") + "."
