"""How the last state depends on every earlier one: three norms, the promise, the untrained self, another network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.numerals import number
from explorer_core.palette import GREY, family_label, family_line
from explorer_core.results import JacobianTrace
from explorer_core.text import visible
from explorer_core.views import _log, _style
from explorer_core.views._log import LogScale
from explorer_core.views._style import Spec

ABOUT = {
    "label": "Vanishing gradients",
    "sentence": "How strongly the last state and the logit depend on the state at every word, beside what the gates "
    "promise, the same network untrained and another network.",
    "how": "T is the last word read; each line says how much of a nudge at a word arrives there, and a diamond marks "
    "the first word back at which it lies below half of its value at T. Jacobians (h_T by h_t and by c_t) take the "
    "paths of one layer's own recurrence and are exact at any size; the gradient of the logit z takes every path, and "
    "loses its digits below the floor.",
    "does_not_show": "What the network remembers: a word can be held in the state although a nudge to it changes "
    "little here (Zucchet and Orvieto 2024). States of different networks are not on one scale: compare how fast their "
    "lines fall, not how high they lie.",
    "formula": "∂h_T/∂h_t = ∏ J_s over the steps s = T … t+1, J_s = ∂h_s/∂h_(s−1); ∂h_T/∂c_t likewise, with "
    "∂c_s/∂c_(s−1) = f_s + paths through h; promise = mean over units of ∏ f_s (GRU: z_s); spectral norm = largest "
    "singular value, Frobenius norm = √Σ of squares; of the gradient both are its length",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Bengio, Simard and Frasconi 1994, Learning "
    "long-term dependencies with gradient descent is difficult; Pascanu, Mikolov and Bengio 2013, On the difficulty of "
    "training recurrent neural networks",
    "needs": "recurrent",
    "order": 70,
}

PROMISE = {"lstm": "forget gates", "bilstm": "forget gates", "gru": "update gates"}
_DASHES = {"cell_norm": "solid", "hidden_norm": "dash", "grad_norm": "dot", "kept_mean": "dashdot"}
_LABEL_GAP = 17  # px between the names of two lines


@dataclass(frozen=True)
class Line:
    """One line over the words.

    Attributes:
        network: Whose it is, as a person reads it: a family, a model's name or `untrained`.
        quantity: Name of the line in `JacobianTrace`.
        symbol: What it is, in a few characters, with subscripts as Plotly writes them.
        values: Shape [word], zero or larger.
        half: Word at which it first lies below half of its value at the end, counting back; `None` where it never does.
        color, dash, width: How it is drawn.
    """

    network: str
    quantity: str
    symbol: str
    values: np.ndarray
    half: int | None
    color: str
    dash: str
    width: float


def symbol_of(trace: JacobianTrace, quantity: str) -> str:
    """What a line is, such as `∂h_T/∂c_t`, with subscripts as Plotly writes them."""
    state = "h" if trace.cell_norm is None else "c"
    by = {"hidden_norm": "h", "cell_norm": "c", "grad_norm": state}
    if quantity == "kept_mean":
        return PROMISE.get(trace.architecture, "gates that keep")
    return f"∂{'z' if quantity == 'grad_norm' else 'h<sub>T</sub>'}/∂{by[quantity]}<sub>t</sub>"


def check_fits(trace: JacobianTrace, other: JacobianTrace) -> None:
    """Refuse to put two traces on one axis of words.

    Raises:
        IncompatibleError: If they read other words, in another direction, or tell other classes apart.
    """
    if other.words != trace.words:
        raise IncompatibleError(f"{other.model[:60]} reads this text as other words than {trace.model[:60]}.")
    if other.direction != trace.direction:
        raise IncompatibleError(f"{other.model[:60]} does not read in this direction.")
    if other.labels[other.target] != trace.labels[trace.target]:
        raise IncompatibleError(f"{other.model[:60]} tells other classes apart than {trace.model[:60]}.")


def lines(
    trace: JacobianTrace, untrained: JacobianTrace | None = None, other: JacobianTrace | None = None
) -> tuple[Line, ...]:
    """Every line of the figure, those of the network itself first.

    Raises:
        IncompatibleError: If the traces do not share their words, direction and target.
    """
    found: list[Line] = []
    for network, one in zip(network_names(trace, untrained, other), (trace, untrained, other), strict=True):
        if one is None:
            continue
        check_fits(trace, one)
        color, width = (GREY, 1.8) if one is untrained else (family_line(one.architecture)[0], 2.5)
        quantities = one.quantities()
        for quantity, dash in _DASHES.items():
            is_promise = quantity == "kept_mean"
            if quantity not in quantities or (is_promise and one is not trace):
                continue
            back = one.half_distance[quantity]
            half = None if back is None else back if one.direction else len(one.words) - 1 - back
            values = quantities[quantity][one.pos_of_words]
            symbol, size = symbol_of(one, quantity), 1.6 if is_promise else width
            found.append(Line(network, quantity, symbol, values, half, color, dash, size))
    return tuple(found)


def network_names(
    trace: JacobianTrace, untrained: JacobianTrace | None, other: JacobianTrace | None
) -> tuple[str, str, str]:
    """What the three networks are called: by their families, or by their names where these are the same."""
    is_same = other is not None and other.architecture == trace.architecture
    names = [
        "" if one is None else one.model.removeprefix("starter-")[:20] if is_same else family_label(one.architecture)
        for one in (trace, other)
    ]
    return names[0], "untrained", names[1]


def render(
    trace: JacobianTrace,
    *,
    untrained: JacobianTrace | None = None,
    other: JacobianTrace | None = None,
    height: int = 430,
    width: int = 700,
) -> go.Figure:
    """Norms over words on one logarithmic axis.

    Args:
        trace: From `api.trace_jacobians`.
        untrained: From `api.trace_untrained_jacobians` of the same network; drawn in grey.
        other: From `api.trace_jacobians` of another network over the same text.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        IncompatibleError: If the traces do not share their words, direction and target.
    """
    found = lines(trace, untrained, other)
    scale = _log.scale_of([line.values for line in found], trace.floor, "float32")
    n_words, is_forward = len(trace.words), trace.direction == 0
    spec = _style.describe(height)
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, trace.words, width=width)
    _log.log_axis(spec, scale, f"{trace.norm} norm, log scale")
    if is_forward:  # the numbers stand at T, the names where the lines lie farthest apart
        _style.axis(spec, "y")["side"] = "right"
        spec["layout"]["margin"]["r"] = 76
        spec["layout"]["annotations"][-1] |= {"x": 0, "xanchor": "left"}
    end, far = (n_words - 1, 0) if is_forward else (0, n_words - 1)
    spec["layout"]["annotations"].append(
        {"x": end, "y": 1, "yref": "paper", "yanchor": "bottom", "text": "<b>T</b>", "showarrow": False,
         "font": {"size": 14, "color": _style.INK}}
    )  # fmt: skip
    for line in found:
        _draw_line(spec, scale, line)
    _name_lines(spec, scale, found, far, is_left=is_forward)
    return _style.build(spec)


def alt_text(
    trace: JacobianTrace, *, untrained: JacobianTrace | None = None, other: JacobianTrace | None = None
) -> str:
    """The figure in words: how far each line falls."""
    far = -1 if trace.direction else 0
    parts = [
        f"{line.network} {plain_symbol(line.symbol)} from {number(float(line.values[-1 - far]))} at T to "
        f"{number(float(line.values[far]))}"
        for line in lines(trace, untrained, other)
    ]
    return visible(f"Norms over {len(trace.words)} words, from T to the word farthest back: {'; '.join(parts)}.")


def plain_symbol(symbol: str) -> str:
    """A symbol without Plotly's subscripts."""
    return symbol.replace("<sub>", "_").replace("</sub>", "")


def _draw_line(spec: Spec, scale: LogScale, line: Line) -> None:
    name = f"{line.network} {line.symbol}"
    drawn = _log.log_line(scale, np.arange(len(line.values)), line.values, name, line.color, line.dash)
    drawn["line"]["width"] = line.width
    spec["data"].append(drawn)
    if line.half is not None:
        mark = {"symbol": "diamond", "size": 11, "color": line.color}
        spec["data"].append(
            {"type": "scatter", "x": [line.half], "y": scale.place(line.values[[line.half]]), "mode": "markers",
             "hoverinfo": "skip", "name": f"{name} halves", "marker": mark}
        )  # fmt: skip


def _name_lines(spec: Spec, scale: LogScale, found: Sequence[Line], at: int, *, is_left: bool) -> None:
    """Write each line's name beside its point at one word, moved apart where two would overlap."""
    heights = [float(scale.place(line.values[[at]])[0]) for line in found]
    gap = _LABEL_GAP / _style.plot_height(spec) * (scale.high - scale.low)
    order = sorted(range(len(found)), key=heights.__getitem__)
    places = _style.spread([heights[index] for index in order], gap, scale.low + gap / 3, scale.high - gap / 3)
    turn = -1 if is_left else 1
    names = [f"{_style.escaped(line.network, 20)} {line.symbol}" for line in found]
    for place, index in zip(places, order, strict=True):
        color = found[index].color
        spec["layout"]["annotations"].append(
            {"x": at, "y": place, "text": f"<b>{names[index]}</b>", "showarrow": False,
             "xanchor": "right" if is_left else "left", "xshift": 14 * turn, "font": {"size": 13, "color": color}}
        )  # fmt: skip
        if abs(place - heights[index]) > gap * 0.6:
            spec["layout"]["shapes"].append(
                {"type": "line", "xsizemode": "pixel", "xanchor": at, "x0": 3 * turn, "x1": 12 * turn,
                 "y0": heights[index], "y1": place, "line": {"color": color, "width": 1}, "xref": "x", "yref": "y"}
            )  # fmt: skip
    widest = max(_style.text_width(plain_symbol(name)) for name in names)
    spec["layout"]["margin"]["l" if is_left else "r"] = 24 + int(widest)
