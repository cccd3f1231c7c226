"""How far each word's score moves when the text is compared with something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import WordAttribution, changes_sign
from explorer_core.text import visible
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Scores over baselines",
    "sentence": "The mean score of each word over all baselines, with whiskers from the lowest to the highest.",
    "how": "A bar is the mean over the baselines, its whiskers reach from the lowest score to the highest; a hatched "
    "bar with ± above it is a word of weight whose sign depends on the baseline.",
    "does_not_show": "Which baseline is right: none is, and the mean of all is no better than one of them.",
    "formula": "bar = mean over b of score(word, b); whiskers = min and max over b",
    "source": "Sturmfels, Lundberg and Lee 2020, Visualizing the impact of feature attribution baselines",
    "order": 62,
}
_MARKED = 60  # words; more marks than that would run into each other


def render(found: Sequence[WordAttribution], *, height: int = 260, width: int = 860) -> go.Figure:
    """A bar with whiskers for each word.

    Args:
        found: From `api.attribute`, by one method from different baselines over one text; at least one.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    scores = np.stack([one.scores for one in found])  # [baseline, word]
    mean, low, high = scores.mean(0), scores.min(0), scores.max(0)
    flips = changes_sign(found)
    spec = _style.describe(height)
    spec["layout"] |= {"bargap": 0.25, "hovermode": "closest"}
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, found[0].words, width=width)
    ends = min(float(low.min()), 0.0), max(float(high.max()), 0.0)
    _style.value_axis(spec, found[0].unit, limits=ends if ends[1] > ends[0] else (-1.0, 1.0))
    _style.reference_line(spec, 0.0)
    spec["data"].append(
        {
            "type": "bar",
            "x": np.arange(len(mean)),
            "y": mean,
            "marker": {
                "color": _entries.by_sign(mean, _entries.push_colors(found[0].labels, found[0].target)),
                "line": {"width": 0},
                "pattern": {**_entries.HATCH, "shape": ["/" if flip else "" for flip in flips.tolist()]},
            },
            "error_y": {
                "type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low,
                "color": _style.INK, "thickness": 1.5, "width": 4,
            },
            "customdata": [_told(*one) for one in zip(mean.tolist(), low.tolist(), high.tolist(), strict=True)],
            "hovertext": [_style.escaped(word, 40) for word in found[0].words],
            "hovertemplate": "<b>%{hovertext}</b> %{customdata}<extra></extra>",
        }
    )  # fmt: skip
    for word in np.flatnonzero(flips & (len(mean) <= _MARKED)).tolist():
        spec["layout"]["annotations"].append(
            {"x": word, "y": float(high[word]), "yshift": 9, "text": "±", "showarrow": False,
             "font": {"size": 14, "color": _style.INK}}
        )  # fmt: skip
    _entries.heading(spec, f"<b>Mean and spread over {len(found)} baselines</b>", 1, yshift=6)
    return _style.build(spec)


def alt_text(found: Sequence[WordAttribution]) -> str:
    """The figure in words: the words whose scores move most, and those whose sign depends on the baseline."""
    scores = np.stack([one.scores for one in found])
    order = np.argsort(-np.ptp(scores, axis=0), kind="stable")[:3]
    words = found[0].words
    moved = ", ".join(
        f"{visible(words[word])[:40]} from {number(float(scores[:, word].min()), signed=True)} to "
        f"{number(float(scores[:, word].max()), signed=True)}"
        for word in order
    )
    turned = ", ".join(visible(words[word])[:40] for word in np.flatnonzero(changes_sign(found))[:6])
    return f"Over {len(found)} baselines scores move most for {moved}. Sign changes: {turned or 'none'}."


def _told(mean: float, low: float, high: float) -> str:
    return f"mean {number(mean, signed=True)}, {number(low, signed=True)} to {number(high, signed=True)}"
