"""One unit's state and gates over the words: the six lines of an LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION
from explorer_core.results import RecurrentTrace
from explorer_core.views import _style

ABOUT = {
    "label": "One unit over the words",
    "sentence": "What one unit holds after each word, and the gates that decided it.",
    "how": "Above are the signed values, below the gates from 0 (closed) to 1 (open): where an LSTM's forget gate is "
    "near 1 and its input gate near 0, or a GRU's update gate is near 1, the unit keeps what it has.",
    "does_not_show": "What the verdict rests on: a unit rarely stands for one idea, and all units together decide.",
    "formula": "LSTM: c = f × c₋₁ + i × g, h = o × tanh(c). GRU: h = (1 − z) × n + z × h₋₁. "
    "RNN: h = tanh(W x + b + U h₋₁ + b′)",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Gers et al. 2000, Learning to forget; "
    "Cho et al. 2014, Learning phrase representations using RNN encoder-decoder; Elman 1990, Finding structure in time",
    "needs": "recurrent",
    "order": 30,
}

_LOOKS = {
    "hidden": (BLUE, "solid"),
    "cell": (VERMILLION, "solid"),
    "candidate": (PURPLE, "dot"),
    "input": (GREEN, "solid"),
    "forget": (ORANGE, "solid"),
    "output": (SKY, "dash"),
    "reset": (GREEN, "solid"),
    "update": (ORANGE, "solid"),
}
SIGNED = frozenset({"hidden", "cell", "candidate"})


def render(
    trace: RecurrentTrace, *, layer: int = 0, direction: int = 0, unit: int = 0, height: int = 340, width: int = 270
) -> go.Figure:
    """Hidden state, cell and gates of one unit after every word.

    Args:
        trace: From `api.trace_states`.
        layer: Layer of the unit, from 0.
        direction: 0 forward, 1 backward.
        unit: The unit, from 0.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    lines = unit_values(trace, layer=layer, direction=direction, unit=unit)
    signed = {name: values for name, values in lines.items() if name in SIGNED}
    gates = {name: values for name, values in lines.items() if name not in SIGNED}
    spec = _style.describe(height)
    rows = 2 if gates else 1
    _style.word_axis(spec, trace.words, width=width, rows=rows)
    limit = axis_limit(max(float(np.abs(values).max()) for values in signed.values()))
    _style.value_axis(spec, "state", limits=(-limit, limit))
    _style.reference_line(spec, 0.0)
    shares = [0.5, 0.42] if gates else [1.0]  # of the height
    if gates:
        _style.value_axis(spec, "gate", row=2, limits=(0.0, 1.0))
        _style.axis(spec, "x").update(anchor="y", matches="x2")
        _style.axis(spec, "x", 2).update(anchor="y2")
        _style.axis(spec, "y").update(domain=[1 - shares[0], 1])
        _style.axis(spec, "y", 2).update(
            domain=[0, shares[1]], anchor="x2", tickvals=[0, 0.5, 1], ticktext=["0", "0.5", "1"]
        )
    groups = ((signed, (-limit, limit)), (gates, (0.0, 1.0)))
    for row, ((group, limits), share) in enumerate(zip(groups, shares, strict=False), start=1):
        _draw_group(spec, trace.words, group, row, limits, _style.plot_height(spec) * share)
    return _style.build(spec)


def unit_values(trace: RecurrentTrace, *, layer: int, direction: int, unit: int) -> dict[str, np.ndarray]:
    """Every quantity of one unit after each word, each of shape [word].

    Raises:
        InvalidInputError: If there is no such layer, direction or unit; the message names the bounds.
    """
    n_layers, n_directions, _, n_units = trace.hidden.shape
    for name, value, size in (("layer", layer, n_layers), ("direction", direction, n_directions),
                              ("unit", unit, n_units)):  # fmt: skip
        if not 0 <= value < size:
            raise InvalidInputError(f"There is no {name} {value}; {name}s of this model run from 0 to {size - 1}.")
    pos = trace.pos_of_words(direction)
    return {name: values[layer, direction, pos, unit] for name, values in trace.quantities().items()}


def alt_text(trace: RecurrentTrace, *, layer: int = 0, direction: int = 0, unit: int = 0) -> str:
    """The figure in words: where each line ends."""
    lines = unit_values(trace, layer=layer, direction=direction, unit=unit)
    parts = [f"{name} {number(float(values[-1]), signed=name in SIGNED)}" for name, values in lines.items()]
    return f"Unit {unit} after the last of {len(trace.words)} words: " + ", ".join(parts) + "."


def _draw_group(
    spec: dict[str, Any],
    words: Sequence[str],
    group: dict[str, np.ndarray],
    row: int,
    limits: tuple[float, float],
    height: float,
) -> None:
    shown = [_style.escaped(word, 40) for word in words]
    ends = []
    for name, values in group.items():
        color, dash = _LOOKS.get(name, (BLUE, "solid"))
        number_format = "%{y:+.3f}" if row == 1 else "%{y:.3f}"
        spec["data"].append(
            _style.line(np.arange(len(shown)), values, name, color, dash, row=row, text=shown,
                        hovertemplate=number_format)
        )  # fmt: skip
        ends.append((len(shown) - 1, float(values[-1]), name, color))
    _style.label_ends(spec, ends, limits=limits, height=height, row=row)
