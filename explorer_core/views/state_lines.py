"""States and gates of several networks over one text: one line each, on one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import family_line
from explorer_core.results import StateLines
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "States and gates of several networks",
    "sentence": "How far each word moves the state, what the gates keep and write, and how large the state is.",
    "how": "One line a network, read at its top layer after each word, from left to right. A high point of the move is "
    "a word that overwrites what was there; a keeping gate near 1 leaves the memory as it was.",
    "does_not_show": "Whether what is kept or moved matters to the verdict, and the backward half of a bidirectional "
    "network. Sizes of states of different families are not on one scale; moves and gates are shares.",
    "formula": "move: ‖h_t − h_t₋₁‖ / (‖h_t‖ + ‖h_t₋₁‖); keep: mean of f (LSTM) or z (GRU); write: mean of i (LSTM) or "
    "1 − z (GRU); size: √(mean of h²), over the units of a layer",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Cho et al. 2014, Learning phrase "
    "representations using RNN encoder-decoder",
    "order": 22,
}
AXIS = {
    "move": "share of the state moved",
    "keep": "mean of the gate that keeps",
    "write": "mean of the gate that writes",
    "size": "root mean square of the state",
}


def render(found: StateLines, *, names: Sequence[str] | None = None, height: int = 320, width: int = 860) -> go.Figure:
    """Lines over the words.

    Args:
        found: One quantity of the networks.
        names: What each is called; its family or its own name when left out.
        height: Of the figure in pixels.
        width: Pixels the plot will have at least.
    """
    spec = _style.describe(height)
    _style.word_axis(spec, found.aligned.words, width=width)
    largest = float(np.nanmax(found.values, initial=0.0))
    limits = (0.0, axis_limit(largest) if found.quantity == "size" else 1.0)
    _style.value_axis(spec, AXIS[found.quantity], limits=limits)
    words = [_style.escaped(word, 40) for word in found.aligned.words]
    called = names or _many.names_of(found.models, found.architectures)
    ends = []
    for name, architecture, values in zip(called, found.architectures, found.values, strict=True):
        color, dash = family_line(architecture)
        spec["data"].append(
            _style.line(np.arange(len(words)), values, _style.escaped(name, 40), color, dash, text=words,
                        hovertemplate="%{y:.3~g} at <b>%{text}</b>")
        )  # fmt: skip
        last = int(np.flatnonzero(np.isfinite(values))[-1])
        ends.append((last, float(values[last]), name, color))
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(found: StateLines, *, names: Sequence[str] | None = None) -> str:
    """The figure in words: the mean of each line and its highest word."""
    called = names or _many.names_of(found.models, found.architectures)
    said = []
    for name, values in zip(called, found.values, strict=True):
        top = int(np.nanargmax(values))
        said.append(
            f"{visible(name)}: {number(float(np.nanmean(values)))} on average, {number(float(values[top]))} at word "
            f"{top + 1} ({visible(found.aligned.words[top])[:40]})"
        )
    return f"{AXIS[found.quantity].capitalize()} over {len(found.aligned.words)} words. {'; '.join(said)}."
