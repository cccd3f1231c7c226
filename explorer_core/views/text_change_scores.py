"""The scores of the words of a text and of its edited form by one method, on one axis of aligned words."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import GREY, family_line
from explorer_core.results import TextChange
from explorer_core.text import visible
from explorer_core.views import _entries, _paired, _style

ABOUT = {
    "label": "Scores before and after an edit",
    "sentence": "What each word did to the logit in a text and in its edited form, and the change at words of both.",
    "how": "Above, grey is the text before the edit and colour the text after it; below, after less before, only where "
    "both texts have a word. A word that did not change can weigh otherwise, because the words around it did.",
    "does_not_show": "A cause: the scores of both texts come from one method, and a change at a word far from the edit "
    "can be that method's way of sharing.",
    "formula": "Δ(word) = score in the edited text − score in the text, both for one class",
    "source": "Kaushik, Hovy and Lipton 2020, Learning the difference that makes a difference with counterfactually "
    "augmented data",
    "order": 114,
}


def render(found: TextChange, *, height: int = 430, width: int = 1000) -> go.Figure:
    """Two panels over the aligned words.

    Args:
        found: From `api.compare_texts`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    spec = _style.describe(height)
    _paired.two_panels(spec, found.names, width)
    color = family_line(found.architecture)[0]
    colors, names = (GREY, color), ("before", "after")
    unit = "logit" if found.unit == "logit" else "score"
    _style.value_axis(spec, unit, limits=_paired.ends_of(found.scores))
    _style.axis(spec, "y").update(exponentformat="power", nticks=6)
    _style.reference_line(spec, 0.0)
    _paired.mark_edits(spec, found)
    _paired.pair_of_bars(spec, found.names, found.scores, names, colors)
    label = _style.escaped(found.target_label, 30)
    _entries.heading(spec, f"{_paired.named(names, colors)}   scores for {label}", 1.0, yshift=6)
    _paired.difference_bars(
        spec, found.names, found.score_difference, (color, color), "after the edit less before it", unit
    )
    return _style.build(spec)


def alt_text(found: TextChange) -> str:
    """The figure in words: the words whose score moved most."""
    about = registry.describe("attribution")[found.method]
    moved = np.where(np.isfinite(found.score_difference), np.abs(found.score_difference), -1.0)
    order = [int(at) for at in np.argsort(-moved, kind="stable")[:3] if moved[at] > 0]
    if not order:
        return visible(f"{about.label}: no score of a word that both texts have moved.")
    parts = ", ".join(
        f"{found.names[at][:60]} {number(float(found.score_difference[at]), signed=True)}" for at in order
    )
    return visible(f"{about.label} for {found.target_label[:40]}: the scores that the edit moved most are {parts}.")
