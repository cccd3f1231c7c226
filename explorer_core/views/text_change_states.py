"""How far an edit of a text moves the hidden states after each word, in every layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.palette import FAMILY_WIDTH, GREY, family_line, layer_color
from explorer_core.results import TextChange
from explorer_core.text import visible
from explorer_core.views import _entries, _paired, _style

ABOUT = {
    "label": "States before and after an edit",
    "sentence": "How far apart the hidden states after the same word are in a text and in its edited form, by layer.",
    "how": "A line for each layer and direction; zero means the edit left no trace in the state after that word, and a "
    "shaded column is the edit itself. A direction that reads backward (dotted) carries the edit to the words before "
    "it, and with it every layer above; a BERT carries it to all words.",
    "does_not_show": "Whether the verdict cares: a state can move in ways the classifier does not look at.",
    "formula": "distance = 2‖h − h′‖ ÷ (‖h‖ + ‖h′‖), from 0 to 2; turn = 1 − cos(h, h′), from 0 to 2",
    "source": "Kornblith, Norouzi, Lee and Hinton 2019, Similarity of neural network representations revisited",
    "order": 113,
}
QUANTITIES = {"distance": "relative distance", "turn": "1 − cosine"}


def render(found: TextChange, *, quantity: str = "distance", height: int = 320, width: int = 1000) -> go.Figure:
    """A line for each layer and direction over the aligned words.

    Args:
        found: From `api.compare_texts`.
        quantity: `distance` or `turn`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        InvalidInputError: If there is no such quantity.
    """
    values = _values(found, quantity)
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, found.names, width=width)
    known = values[np.isfinite(values)]
    limits = (0.0, min(nice_limit(float(known.max(initial=0.0))), 2.0))
    _style.value_axis(spec, QUANTITIES[quantity], limits=limits)
    _style.axis(spec, "y").update(nticks=6, exponentformat="power")
    _paired.mark_edits(spec, found)
    n_layers = len(found.layers)
    first = 0 if found.layers[0] == "embedding" else 1
    alone = family_line(found.architecture)[0] if n_layers == 1 else ""
    ends = []
    for layer, name in enumerate(found.layers):
        color = alone or (GREY if layer + first == 0 else layer_color(layer + first, n_layers - 1 + first))
        for way, direction in enumerate(found.directions):
            title = f"{name} {direction}" if len(found.directions) > 1 else name
            line = _line(found, values[layer, way], title, color, "dot" if way else "solid")
            if line is not None:
                spec["data"].append(line)
                ends.append((len(found.names) - 1, float(line["y"][-1]), title, color))
    if not spec["data"]:  # no word of one text stands in the other
        spec["data"].append(_style.line([0], [None], "no word in common", GREY))
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    what = "relative distance" if quantity == "distance" else "turn"
    _entries.heading(spec, f"{what} of the hidden states after each word", 1.0, yshift=6)
    return _style.build(spec)


def alt_text(found: TextChange, *, quantity: str = "distance") -> str:
    """The figure in words: where each layer moves most."""
    values = _values(found, quantity)
    parts = []
    for layer, name in enumerate(found.layers):
        for way, direction in enumerate(found.directions):
            row = values[layer, way]
            if np.isfinite(row).any():
                most = int(np.nanargmax(row))
                title = f"{name} {direction}" if len(found.directions) > 1 else name
                parts.append(f"{title} {number(float(row[most]))} at {found.names[most][:40]}")
    what = QUANTITIES[quantity].capitalize()
    if not parts:
        return f"{what} of the hidden states: the two texts have no word in the same place."
    return visible(f"{what} of the hidden states, at most, in every layer: {'; '.join(parts)}.")


def _values(found: TextChange, quantity: str) -> np.ndarray:
    if quantity not in QUANTITIES:
        raise InvalidInputError(f"States are compared by {' or '.join(QUANTITIES)}, not by {str(quantity)[:40]!r}.")
    return found.state_distance if quantity == "distance" else found.state_turn


def _line(found: TextChange, values: np.ndarray, title: str, color: str, dash: str) -> _style.Spec | None:
    there = np.flatnonzero(np.isfinite(values))
    if not len(there):
        return None
    told = [f"{title}: {number(float(values[at]))} at <b>{_style.escaped(found.names[at], 40)}</b>" for at in there]
    line = _style.line(there, values[there], title, color, dash, text=told, hovertemplate="%{text}<extra></extra>")
    line["line"]["width"] = FAMILY_WIDTH if len(found.layers) * len(found.directions) <= 4 else 1.8
    if len(there) <= _paired.MANY_WORDS:
        line |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}}
    return line
