"""One step at a time: spectral radius and singular values of the Jacobian of every step along the text."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE, SKY, VERMILLION
from explorer_core.results import JacobianTrace
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "One step's Jacobian",
    "sentence": "Spectral radius and singular values of the Jacobian of the step at each word.",
    "how": "The largest singular value σ is the most this step stretches any nudge, the band holds the middle 80 % of "
    "all directions, and the spectral radius is the factor of the same step taken again and again; above 1 is growth. "
    "Of a word of several tokens the last step is drawn.",
    "does_not_show": "What many steps do together: they differ and turn the directions, so a radius below 1 at every "
    "word does not promise that the product shrinks, nor one above 1 that it grows.",
    "formula": "J_t = ∂s_t/∂s_(t−1), s = (h, c) for an LSTM and h otherwise; radius = max |λ(J_t)|; singular values σ "
    "from J_t = U Σ Vᵀ",
    "source": "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks; Saxe, "
    "McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    "needs": "recurrent",
    "order": 72,
}
_BAND = "rgba(86,180,233,0.28)"


def render(trace: JacobianTrace, *, height: int = 320, width: int = 760) -> go.Figure:
    """Radius, largest and middle singular value over words, and a band that holds 80 % of all.

    Args:
        trace: From `api.trace_jacobians` with its spectrum.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        IncompatibleError: If the trace was made without its spectrum.
    """
    radius, singular = _by_word(trace)
    spec = _style.describe(height)
    _style.word_axis(spec, trace.words, width=width)
    top = axis_limit(max(float(singular.max()), float(radius.max()), 1.0))
    _style.value_axis(spec, "factor of one step", limits=(0.0, top))
    _style.reference_line(spec, 1.0)
    x = np.arange(len(trace.words))
    low, middle, high = np.quantile(singular, (0.1, 0.5, 0.9), axis=1)
    edge = {"mode": "lines", "line": {"width": 0}}
    spec["data"] = [
        _style.line(x, low, "10 % of directions below", SKY, hovertemplate="%{y:.3~g}") | edge,
        _style.line(x, high, "90 % of directions below", SKY, hovertemplate="%{y:.3~g}", fill="tonexty",
                    fillcolor=_BAND) | edge,
    ]  # fmt: skip
    if len(x) == 1:
        spec["data"].append({"type": "scatter", "x": [0, 0], "y": [low[0], high[0]], "mode": "lines", "name": "",
                             "hoverinfo": "skip", "line": {"color": _BAND, "width": 30}})  # fmt: skip
    ends = []
    for values, name, color, dash in (
        (singular[:, 0], "largest σ", BLUE, "solid"),
        (radius, "spectral radius", VERMILLION, "dash"),
        (middle, "middle σ", SKY, "dot"),
    ):
        spec["data"].append(_style.line(x, values, name, color, dash, hovertemplate="%{y:.3~g}"))
        ends.append((len(x) - 1, float(values[-1]), name, color))
    _style.label_ends(spec, ends, limits=(0.0, top), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(trace: JacobianTrace) -> str:
    """The figure in words: where a step grows most and least."""
    radius, singular = _by_word(trace)
    most, least = int(singular[:, 0].argmax()), int(singular[:, 0].argmin())
    return (
        f"Largest singular value of one step over {len(trace.words)} words: {number(singular[most, 0])} at "
        f"{visible(trace.words[most])[:40]}, {number(singular[least, 0])} at {visible(trace.words[least])[:40]}; "
        f"spectral radius from {number(float(radius.min()))} to {number(float(radius.max()))}."
    )


def growing(trace: JacobianTrace) -> np.ndarray:
    """How many directions the step at each word makes larger: singular values above 1, int array [word].

    Raises:
        IncompatibleError: If the trace was made without its spectrum.
    """
    return (_by_word(trace)[1] > 1).sum(1)


def _by_word(trace: JacobianTrace) -> tuple[np.ndarray, np.ndarray]:
    """Spectral radius [word] and singular values [word, n] of the step that ends each word."""
    if trace.spectral_radius is None or trace.singular_values is None:
        raise IncompatibleError("These Jacobians were traced without their spectrum. Trace them with spectrum=True.")
    pos = trace.pos_of_words
    return trace.spectral_radius[pos], trace.singular_values[pos]
