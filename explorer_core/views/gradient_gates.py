"""Which gate would change the verdict: how fast the logit moves while a gate opens, word by word."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.numerals import axis_limit, number
from explorer_core.params import check_index
from explorer_core.results import GradientTrace
from explorer_core.results._entries import Entries, entries_of
from explorer_core.results.gradients import norm_of
from explorer_core.text import visible
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Which gate would change the verdict",
    "sentence": "How fast the logit (or the loss) moves as each gate opens at each word, in all units alike.",
    "how": "An upward bar: opening this gate at this word raises the logit (or the loss), closing it lowers it; opened "
    "by 0.01 in every unit, it moves by a hundredth of the bar, with all that follows after the word. All panels share "
    "one scale; colour says which class gains.",
    "does_not_show": "How far a gate can still open (one near 1 can only close), what larger steps do, and units that "
    "cancel in the sum: the tooltip has the L2 norm over units, the map above shows each.",
    "formula": "Σ over units u and tokens of the word: ∂y/∂a_u, a = gate after its sigmoid; exactly dy/dε for "
    "a → a + ε. The candidate is no gate: it opens nothing",
    "source": "Werbos 1990, Backpropagation through time; gates as in Hochreiter and Schmidhuber 1997, Gers et al. "
    "2000 and Cho et al. 2014",
    "needs": "gates",
    "order": 82,
}
LETTERS = {"input": "i", "forget": "f", "output": "o", "reset": "r", "update": "z"}


def slopes(gradients: GradientTrace, layer: int = 0, direction: int = 0) -> tuple[Entries, dict[str, np.ndarray]]:
    """Words and special tokens, and for each gate the derivative of the logit or loss while it opens there.

    Returns:
        The entries, and by gate the sum of the gradient over units and tokens, shape [entry].

    Raises:
        IncompatibleError: If the network has no gates.
        InvalidInputError: If there is no such layer or direction.
    """
    return _over_entries(gradients, layer, direction, lambda grads: grads.sum(-1, dtype=np.float64))


def render(
    gradients: GradientTrace, *, layer: int = 0, direction: int = 0, height: int = 420, width: int = 700
) -> go.Figure:
    """Slope of the logit or loss for every gate over words.

    Args:
        gradients: From `api.trace_gradients`.
        layer: From 0.
        direction: 0 forward, 1 backward.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure with a panel of bars for each gate, on one scale.

    Raises:
        IncompatibleError: If the network has no gates.
        InvalidInputError: If there is no such layer or direction.
    """
    entries, found = slopes(gradients, layer, direction)
    _, sizes = _over_entries(gradients, layer, direction, lambda grads: np.square(norm_of(grads)))
    largest = axis_limit(max(float(np.abs(values).max()) for values in found.values()) or 1.0)
    colors = _entries.push_colors(gradients.labels, gradients.target)
    if gradients.of == "loss":
        colors = colors[::-1]  # what raises the loss speaks against the label
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"]["t"] = 26
    _entries.entry_axis(spec, entries, width=width)
    bottom = spec["layout"].pop("xaxis")
    n_rows, names = len(found), [_style.escaped(name, 40) for name in entries.names]
    gap = 30 / _style.plot_height(spec)
    share = (1 - gap * (n_rows - 1)) / n_rows
    for row, (gate, values) in enumerate(found.items(), start=1):
        top, number_of = 1 - (row - 1) * (share + gap), row if row > 1 else ""
        is_last = row == n_rows
        _style.value_axis(spec, "", row=row, limits=(-largest, largest))
        _style.axis(spec, "y", row).update(domain=[max(top - share, 0.0), top], anchor=f"x{number_of}", nticks=5)
        _style.axis(spec, "x", row).update(
            bottom | {"showticklabels": is_last, "ticks": "outside" if is_last else "", "anchor": f"y{number_of}"}
            | ({} if is_last else {"matches": f"x{n_rows}"})
        )  # fmt: skip
        _style.reference_line(spec, 0.0, row=row)
        title = f"<b>{gate} gate {LETTERS[gate]}</b>, {gradients.of} per 1 of opening"
        _entries.heading(spec, title, top, yshift=2)
        spec["data"].append(
            {
                "type": "bar", "x": entries.place, "y": values, "name": gate, "text": names, "textposition": "none",
                "customdata": [
                    [number(value, signed=True), number(size)]
                    for value, size in zip(values.tolist(), np.sqrt(sizes[gate]).tolist(), strict=True)
                ],
                "hovertemplate": f"%{{text}}<br>{gate} gate: %{{customdata[0]}} in all<br>L2 norm over units: "
                "%{customdata[1]}<extra></extra>",
                "marker": {"color": _entries.by_sign(values, colors), "line": {"width": 0}}, "width": 0.72,
                "xaxis": f"x{number_of}", "yaxis": f"y{number_of}",
            }
        )  # fmt: skip
    return _style.build(spec)


def alt_text(gradients: GradientTrace, *, layer: int = 0, direction: int = 0) -> str:
    """The figure in words: for each gate the word at which opening it moves the logit or loss most."""
    entries, found = slopes(gradients, layer, direction)
    parts = []
    for gate, values in found.items():
        at = int(np.abs(values).argmax())
        value = number(float(values[at]), signed=True)
        parts.append(f"{gate} gate {value} at {visible(entries.names[at])[:40]}")
    return (
        f"Slope of the {gradients.of} of {visible(gradients.target_label)[:40]} as each gate opens, over "
        f"{len(gradients.words)} words; largest: {'; '.join(parts)}."
    )


def _over_entries(
    gradients: GradientTrace, layer: int, direction: int, over_units: Callable[[np.ndarray], np.ndarray]
) -> tuple[Entries, dict[str, np.ndarray]]:
    """For each gate but the candidate, something over units [pos] summed over the tokens of each entry."""
    if gradients.grad_gates is None or not gradients.gate_names:
        raise IncompatibleError("This network has no gates; choose an LSTM or a GRU.")
    check_index("layer", layer, len(gradients.grad_hidden))
    check_index("direction", direction, len(gradients.directions))
    entries = entries_of(gradients.reading)
    grads = gradients.grad_gates[layer, direction]  # [pos, gate, unit]
    found = {
        name: entries.sums(over_units(grads[:, index]))
        for index, name in enumerate(gradients.gate_names)
        if name != "candidate"
    }
    return entries, found
