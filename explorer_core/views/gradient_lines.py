"""Size of the gradient over the words, on a logarithmic axis: how far back the verdict reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, PURPLE, VERMILLION, layer_color
from explorer_core.params import check_index
from explorer_core.results import GradientTrace
from explorer_core.results._entries import Entries, entries_of
from explorer_core.results.gradients import norm_of
from explorer_core.text import visible
from explorer_core.views import _entries, _log, _style

ABOUT = {
    "label": "Gradient over the words",
    "sentence": "How strongly the logit (or the loss) hangs on the state, the cell and the vector of each word.",
    "how": "Each step down the axis is a power of ten: a line that falls to the left loses the same share with every "
    "word further back. A recurrent state is taken where its word has just been read; of a BERT all vectors of a word "
    "count together, and the head reads only [CLS] of the last layer.",
    "does_not_show": "What is remembered: a state can hold a word that this logit does not hang on at this point. "
    "Lines of different quantities compare nudges of the same length, not of the same likelihood.",
    "formula": "‖∂y/∂h_t‖, ‖∂y/∂c_t‖ and ‖∂y/∂x_t‖: L2 norms of total derivatives over the units; y is the logit or "
    "the loss, x_t all word vectors of the word",
    "source": "Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is difficult; "
    "Werbos 1990, Backpropagation through time",
    "order": 80,
}


@dataclass(frozen=True)
class GradientLine:
    """One line: its name, L2 norm for each entry (shape [entry]), colour and dash."""

    name: str
    values: np.ndarray
    color: str
    dash: str


def lines(gradients: GradientTrace, layer: int, direction: int) -> tuple[Entries, tuple[GradientLine, ...]]:
    """Words and special tokens, and the norms over them.

    Raises:
        InvalidInputError: If there is no such layer or direction.
    """
    entries = entries_of(gradients.reading)
    vectors = GradientLine("word vector", _together(entries, gradients.embedding_norm), PURPLE, "dot")
    if not gradients.is_recurrent:
        n_layers = len(gradients.grad_hidden) - 1
        layers = [
            GradientLine("embedding" if index == 0 else f"layer {index}", _together(entries, norms),
                         layer_color(index, n_layers), "solid")
            for index, norms in enumerate(gradients.hidden_norm)
        ]  # fmt: skip
        return entries, (vectors, *layers)
    check_index("layer", layer, len(gradients.grad_hidden))
    check_index("direction", direction, len(gradients.directions))
    pos = entries.first_token if direction else entries.last_token
    looks = {"hidden": ("hidden state h", BLUE, "solid"), "cell": ("cell state c", VERMILLION, "dash")}
    values = gradients.quantities()
    states = [
        GradientLine(name, norm_of(values[key][layer, direction, pos]), color, dash)
        for key, (name, color, dash) in looks.items()
        if key in values
    ]
    return entries, (*states, vectors)


def render(
    gradients: GradientTrace, *, layer: int = 0, direction: int = 0, height: int = 380, width: int = 700
) -> go.Figure:
    """L2 norms of the gradient over words.

    Args:
        gradients: From `api.trace_gradients`.
        layer: Of a recurrent network, from 0; a BERT has a line for every layer.
        direction: Of a recurrent network: 0 forward, 1 backward.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure with words and special tokens on x and exponents of ten of the norm on y; zeros stand on a line of
        their own.

    Raises:
        InvalidInputError: If there is no such layer or direction.
    """
    entries, found = lines(gradients, layer, direction)
    scale = _log.scale_of([line.values for line in found], gradients.floor, gradients.grad_hidden.dtype.name)
    spec = _style.describe(height)
    spec["layout"]["margin"]["t"] = 28
    _entries.entry_axis(spec, entries, width=width)
    _log.log_axis(spec, scale, f"L2 norm of the gradient of the {gradients.of}")
    names = [_style.escaped(name, 40) for name in entries.names]
    for line in found:
        drawn = _log.log_line(scale, entries.place, line.values, line.name, line.color, line.dash)
        spec["data"].append(drawn | {"text": names})
    last = float(entries.place[-1])
    ends = [(last, float(scale.place(line.values)[-1]), line.name, line.color) for line in found]
    _style.label_ends(spec, ends, limits=(scale.low, scale.high), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(gradients: GradientTrace, *, layer: int = 0, direction: int = 0) -> str:
    """The figure in words: where each line is largest, and how far it falls."""
    entries, found = lines(gradients, layer, direction)
    parts = []
    for line in found:
        at = int(line.values.argmax())
        most, least = number(float(line.values[at])), number(float(line.values.min()))
        parts.append(f"{line.name} at most {most} ({visible(entries.names[at])[:40]}), at least {least}")
    return (
        f"Size of the gradient of the {gradients.of} of {visible(gradients.target_label)[:40]} over "
        f"{len(gradients.words)} words, on a logarithmic axis: {'; '.join(parts)}."
    )


def _together(entries: Entries, norms: np.ndarray) -> np.ndarray:
    """L2 norm over all tokens of each entry, from norms by token [pos]; shape [entry]."""
    return np.sqrt(entries.sums(np.square(norms)))
