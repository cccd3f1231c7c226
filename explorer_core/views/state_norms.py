"""Size of the state after every word: one line for each layer, direction and quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.numerals import axis_limit, number
from explorer_core.palette import SERIES, layer_color
from explorer_core.results import RecurrentTrace, Trace, TransformerTrace
from explorer_core.views import _style

ABOUT = {
    "label": "Size of the state",
    "sentence": "Euclidean length (L2 norm) of the state after each word.",
    "how": "A high point is a word after which many units are far from zero; the backward direction reads from right "
    "to left.",
    "does_not_show": "How much the state matters: its length says nothing about the side of the decision it lies on, "
    "and lengths of different layers or models are not on one scale.",
    "formula": "‖h‖ = √(h₁² + h₂² + … + hₙ²) over the n units of one layer and direction; the same for c",
    "source": "Euclidean norm; h and c as in Hochreiter and Schmidhuber 1997, Long short-term memory",
    "order": 20,
}


@dataclass(frozen=True)
class NormLine:
    """One line: its name, L2 norm after each word (shape [word]), colour and dash."""

    name: str
    values: np.ndarray
    color: str
    dash: str


def norms(trace: Trace) -> tuple[NormLine, ...]:
    """L2 norm over units after each word, for every layer, direction and kind of state.

    Raises:
        IncompatibleError: If the trace holds no hidden states.
    """
    if isinstance(trace, RecurrentTrace):
        return _recurrent_norms(trace)
    if isinstance(trace, TransformerTrace):
        pos = trace.reading.last_token_of_word
        sizes = np.linalg.norm(trace.hidden[:, pos], axis=-1)  # [layer + 1, word]
        n_layers = len(sizes) - 1
        return tuple(
            NormLine("embedding" if layer == 0 else f"layer {layer}", sizes[layer], layer_color(layer, n_layers),
                     "dot" if layer == 0 else "solid")
            for layer in range(n_layers + 1)
        )  # fmt: skip
    raise IncompatibleError("Sizes of states are drawn for traces of recurrent networks and of BERT.")


def render(trace: Trace, *, height: int = 340, width: int = 270) -> go.Figure:
    """L2 norms over words.

    Args:
        trace: A trace of a recurrent network or of a BERT. For BERT a word is read at its last token.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure with word positions on x and the norm, from 0, on y.
    """
    lines = norms(trace)
    spec = _style.describe(height)
    _style.word_axis(spec, trace.words, width=width)
    top = axis_limit(max(float(line.values.max()) for line in lines))
    _style.value_axis(spec, "L2 norm of the state", limits=(0.0, top))
    shown = [_style.escaped(word, 40) for word in trace.words]
    spec["data"] = [
        _style.line(np.arange(len(shown)), line.values, line.name, line.color, line.dash, text=shown,
                    hovertemplate="%{y:.3~g}")
        for line in lines
    ]  # fmt: skip
    ends = [(len(shown) - 1, float(line.values[-1]), line.name, line.color) for line in lines]
    _style.label_ends(spec, ends, limits=(0.0, top), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(trace: Trace) -> str:
    """The figure in words: largest norm of each line."""
    parts = [f"{line.name} at most {number(float(line.values.max()))}" for line in norms(trace)]
    return f"L2 norm of the state over {len(trace.words)} words: " + ", ".join(parts) + "."


def _recurrent_norms(trace: RecurrentTrace) -> tuple[NormLine, ...]:
    found = []
    kinds: Sequence[tuple[str, np.ndarray | None]] = (("hidden", trace.hidden), ("cell", trace.cell))
    n_layers, n_directions = trace.hidden.shape[:2]
    for kind, values in kinds:
        if values is None:
            continue
        for layer in range(n_layers):
            for direction in range(n_directions):
                sizes = np.linalg.norm(values[layer, direction, trace.pos_of_words(direction)], axis=-1)  # [word]
                parts = [kind]
                if n_layers > 1:
                    parts.append(f"layer {layer + 1}")
                if n_directions > 1:
                    parts.append(trace.directions[direction])
                color = SERIES[(layer * n_directions + direction) % len(SERIES)]
                found.append(NormLine(", ".join(parts), sizes, color, "solid" if kind == "hidden" else "dash"))
    return tuple(found)
