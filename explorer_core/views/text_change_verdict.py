"""The running verdicts of one model over two texts that differ by an edit, on one axis of aligned words."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.palette import FAMILY_WIDTH, GREY, family_line
from explorer_core.results import TextChange
from explorer_core.text import visible
from explorer_core.views import _entries, _paired, _style

ABOUT = {
    "label": "Verdict before and after an edit",
    "sentence": "The verdict after each word of a text and of its edited form, on one axis of aligned words.",
    "how": "The grey line is the text before the edit, the coloured line the text after it; a shaded column is a word "
    "that was put in, taken out or replaced, and a line has no point where its text has no word. Where the two lines "
    "meet again, the edit is forgotten.",
    "does_not_show": "What the edit does to words before it: every point is the answer to a beginning of the text, and "
    "beginnings that end before the edit are the same, also for a BiLSTM and a BERT.",
    "formula": "p(t) = softmax(z(t)) of the class, z(t) the logits after word t of either text",
    "source": "Kaushik, Hovy and Lipton 2020, Learning the difference that makes a difference with counterfactually "
    "augmented data",
    "order": 112,
}


def render(found: TextChange, *, height: int = 430, width: int = 1000) -> go.Figure:
    """Both lines above, and the second text less the first below.

    Args:
        found: From `api.compare_texts`, with the running verdicts.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        InvalidInputError: If the verdicts after every word were not asked for.
    """
    probs = _probs(found)
    spec = _style.describe(height)
    upper, _ = _paired.two_panels(spec, found.names, width)
    _style.value_axis(spec, "probability", limits=(0.0, 1.0))
    _style.axis(spec, "y").update(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "0.25", "0.5", "0.75", "1"])
    if len(found.labels) == 2:
        _style.reference_line(spec, 0.5)
    _paired.mark_edits(spec, found)
    color = family_line(found.architecture)[0]
    ends = []
    for side, (name, shade, dash) in enumerate((("before", GREY, "dot"), ("after", color, "solid"))):
        there = np.flatnonzero(np.isfinite(probs[side]))
        told = [f"{name}: {number(float(probs[side, at]))} after <b>{_style.escaped(found.names[at], 40)}</b>"
                for at in there]  # fmt: skip
        line = _style.line(there, probs[side, there], name, shade, dash, text=told,
                           hovertemplate="%{text}<extra></extra>")  # fmt: skip
        line["line"]["width"] = FAMILY_WIDTH
        if len(there) <= _paired.MANY_WORDS:
            line |= {"mode": "lines+markers", "marker": {"size": 6, "color": shade}}
        spec["data"].append(line)
        ends.append((len(found.names) - 1, float(probs[side, there[-1]]), name, shade))
    _style.label_ends(spec, ends, limits=(0.0, 1.0), height=_style.plot_height(spec) * upper)
    label = _style.escaped(found.target_label, 30)
    _entries.heading(spec, f"probability of {label} after each word", 1.0, yshift=6)
    gap = probs[1] - probs[0]
    limit = nice_limit(float(np.abs(gap[np.isfinite(gap)]).max(initial=0.0)))
    _paired.difference_bars(spec, found.names, gap, (color, color), "after the edit less before it", "difference")
    _style.axis(spec, "y", 2).update(range=[-limit * 1.03, limit * 1.03])
    return _style.build(spec)


def alt_text(found: TextChange) -> str:
    """The figure in words: how both end, and where they lie furthest apart."""
    gap = np.diff(_probs(found), axis=0)[0]
    said = (
        f"Probability of {found.target_label[:40]}: {number(float(found.probs[0, found.target]))} over the text, "
        f"{number(float(found.probs[1, found.target]))} over the edited one."
    )
    if not np.isfinite(gap).any():
        return visible(said)
    most = int(np.nanargmax(np.abs(gap)))
    return visible(
        f"{said} They lie furthest apart after {found.names[most][:60]}, by {number(float(gap[most]), signed=True)}."
    )


def _probs(found: TextChange) -> np.ndarray:
    if found.running_probs is None:
        raise InvalidInputError(
            "The verdicts after every word were not asked for. Compare the texts with running=True."
        )
    return found.running_probs
