"""The two halves of a bidirectional network on one axis: what each has added to the logit so far."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import GREEN, PURPLE
from explorer_core.results import BiLstmHalves
from explorer_core.text import visible
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Two halves",
    "sentence": "What the forward half has added to the logit after each word, and the backward half from the end on.",
    "how": "The solid line is the forward half after each word, read from left to right; the dashed line is the "
    "backward half, read from right to left; each ends at its full dot, and the two dots and the bias sum to the "
    "logit.",
    "does_not_show": "What both halves say of the same words: at any one word the forward half has read what is left "
    "of it, the backward half what is right of it, and only at its dot has each read everything.",
    "formula": "forward(t) = w→ · pool(h→₀ … h→ₜ), backward(t) = w← · pool(h←ₜ … h←_T); "
    "logit = forward(T) + backward(0) + b",
    "source": "Schuster and Paliwal 1997, Bidirectional recurrent neural networks",
    "needs": "bidirectional",
    "order": 45,
}

MAX_DOTTED = 60  # above so many words a line has no dot at every word
_LOOKS = (("forward", GREEN, "solid"), ("backward", PURPLE, "dash"))


def lines(halves: BiLstmHalves) -> tuple[np.ndarray, np.ndarray]:
    """What either half has added to the target logit when it has read each entry, each of shape [entry]."""
    entries = halves.entries
    return (
        halves.forward[entries.last_token, halves.target],
        halves.backward[entries.first_token, halves.target],
    )


def render(halves: BiLstmHalves, *, height: int = 330, width: int = 860) -> go.Figure:
    """Two lines over the words.

    Args:
        halves: From `api.trace_halves`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    entries = halves.entries
    spec = _style.describe(height)
    spec["layout"]["margin"]["t"] = 34
    _entries.entry_axis(spec, entries, width=width)
    found = lines(halves)
    low, high = (float(edge(np.append(np.concatenate(found), 0.0))) for edge in (np.min, np.max))
    room = (high - low) * 0.08 or 1.0
    label = _style.escaped(halves.labels[halves.target], 24)
    _style.value_axis(spec, f"added to the logit of {label}", limits=(low - room, high + room))
    _style.reference_line(spec, 0.0)
    for values, (name, color, dash) in zip(found, _LOOKS, strict=True):
        line = _style.line(entries.place, values, f"{name} half", color, dash, hovertemplate="%{y:+.3f}")
        line["line"]["width"] = 2.5
        if len(values) <= MAX_DOTTED:
            line |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}}
        end = len(values) - 1 if name == "forward" else 0
        dot = {"type": "scatter", "x": [float(entries.place[end])], "y": [values[end]], "mode": "markers",
               "hoverinfo": "skip", "marker": {"size": 12, "color": color}}  # fmt: skip
        spec["data"] += [line, dot]
        shown = number(float(values[end]), signed=True)
        text = f"forward half ends at {shown} →" if name == "forward" else f"← backward half ends at {shown}"
        at = {"x": 1, "xanchor": "right"} if name == "forward" else {"x": 0, "xanchor": "left"}
        _entries.heading(spec, f"<b>{text}</b>", 1.0, yshift=6, font={"size": 13, "color": color}, **at)
    return _style.build(spec)


def alt_text(halves: BiLstmHalves) -> str:
    """The figure in words: where both lines end, and the sum."""
    forward, backward = (number(float(value), signed=True) for value in halves.final[:, halves.target])
    bias, logit = (number(float(one[halves.target]), signed=True) for one in (halves.bias, halves.logits))
    return (
        f"Over {len(halves.words)} words the forward half adds {forward} and the backward half {backward} to the logit "
        f"of {visible(halves.labels[halves.target])}; with the bias {bias} that is {logit}."
    )
