"""Attention followed through all layers: how much of [CLS] comes from each word, if attention were all."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE
from explorer_core.results import AttentionSummary
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Attention rollout",
    "sentence": "Attention followed from [CLS], which the head reads, down through all layers to the words.",
    "how": "A bar is the share of [CLS] after the last layer that comes from a word, if every layer passed on half of "
    "what it had and half of what its heads, averaged, looked at; the dotted line is an even share.",
    "does_not_show": "What the verdict rests on: rollout leaves out the values that attention moves, the feed-forward "
    "layers and the head, so a word with a high bar may argue for either class, or for none.",
    "formula": "R_l = (mean over heads of A_l / 2 + I / 2) R_l₋₁, R₀ = I; drawn: the row of [CLS] of the last layer",
    "source": "Abnar and Zuidema 2020, Quantifying attention flow in transformers",
    "needs": "transformer",
    "order": 75,
}


def render(summary: AttentionSummary, *, height: int = 340, width: int = 270) -> go.Figure:
    """Rollout of the first entry, which the head reads, over words.

    Args:
        summary: From `api.summarise_attention`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure with word positions on x and shares, from 0, on y; special tokens have no bar.
    """
    values = word_shares(summary)
    even = 1 / len(summary.word_of_entry)
    top = axis_limit(max(float(values.max()), even))
    spec = _style.describe(height)
    _style.word_axis(spec, summary.words, width=width)
    _style.value_axis(spec, f"share of {_style.escaped(summary.entries[0], 12)} after all layers", limits=(0.0, top))
    _style.axis(spec, "y")["range"] = [0.0, top]
    _style.reference_line(spec, even)
    spec["data"] = [
        {
            "type": "bar",
            "x": np.arange(len(values)),
            "y": values,
            "text": [_style.escaped(word, 40) for word in summary.words],
            "textposition": "none",
            "marker": {"color": BLUE},
            "hovertemplate": "%{y:.3f}<extra></extra>",
        }
    ]
    spec["layout"]["bargap"] = 0.25
    return _style.build(spec)


def word_shares(summary: AttentionSummary) -> np.ndarray:
    """Share of the reading that comes from each word; shape [word]."""
    return summary.reading_of_text[~summary.is_special]


def alt_text(summary: AttentionSummary) -> str:
    """The figure in words: the three words with the largest shares."""
    values = word_shares(summary)
    top = np.argsort(-values, kind="stable")[:3]
    parts = [f"{visible(summary.words[index])[:40]} {number(float(values[index]))}" for index in top]
    return f"Rollout over {len(values)} words; largest: " + ", ".join(parts) + "."
