"""How far each word's vector turns from one layer of a BERT to the next."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import layer_color
from explorer_core.results import LayerSimilarity
from explorer_core.views import _style

ABOUT = {
    "label": "From layer to layer",
    "sentence": "Cosine of each word's vector with its own vector one layer up.",
    "how": "Each line, and each row of the map, is one step up; low means that the layer turned this word's vector "
    "far, and the printed scale begins at a round number below the least.",
    "does_not_show": "Importance or length: a large turn may change nothing in the verdict, and the vectors of a BERT "
    "are all alike to begin with, which centring takes out.",
    "formula": "cos(h_l, h_l₊₁) = h_l · h_l₊₁ / (‖h_l‖ ‖h_l₊₁‖), 0 for a vector of length zero",
    "source": "Ethayarajh 2019, How contextual are contextualized word representations?",
    "needs": "transformer",
    "order": 65,
}
_SHARES = (0.56, 0.36)  # of the height: lines, map


def render(similarity: LayerSimilarity, *, height: int = 420, width: int = 270) -> go.Figure:
    """Cosines from layer to layer over words, as lines above and as a map below.

    Args:
        similarity: From `api.compare_layers`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure whose two panels share the axis of words.
    """
    values = similarity.to_next_layer  # [layer, word]
    n_layers = len(values)
    low = lowest(values)
    spec = _style.describe(height)
    _style.word_axis(spec, similarity.words, width=width, rows=2)
    _style.value_axis(spec, "cosine", limits=(low, 1.0))
    _style.axis(spec, "x").update(anchor="y", matches="x2")
    _style.axis(spec, "x", 2).update(anchor="y2")
    _style.axis(spec, "y").update(domain=[1 - _SHARES[0], 1])
    names = [step_name(layer) for layer in range(n_layers)]
    words = [_style.escaped(word, 40) for word in similarity.words]
    every = math.ceil(n_layers * 15 / (_style.plot_height(spec) * _SHARES[1]))
    shown = [layer for layer in range(n_layers) if (n_layers - 1 - layer) % every == 0]
    _style.axis(spec, "y", 2).update(
        domain=[0, _SHARES[1]],
        anchor="x2",
        range=[-0.5, n_layers - 0.5],
        tickvals=shown,
        ticktext=[_short_step(layer) for layer in shown],
        tickfont={"size": 11, "color": _style.INK},
        title={"text": "layers", "standoff": 6, "font": {"color": _style.INK}},
        showgrid=False,
        zeroline=False,
    )
    ends = []
    for layer, row in enumerate(values):
        color = layer_color(layer + 1, n_layers)
        spec["data"].append(
            _style.line(np.arange(len(words)), row, names[layer], color, text=words, hovertemplate="%{y:.3f}")
        )
        ends.append((len(words) - 1, float(row[-1]), _short_step(layer), color))
    share = _style.plot_height(spec) * _SHARES[0]
    _style.label_ends(spec, ends, limits=(low, 1.0), height=share)
    spec["data"].append(_heat(values, names, low))
    return _style.build(spec)


def lowest(values: np.ndarray) -> float:
    """Start of the scale: a multiple of 0.1 that is not above any value."""
    return max(-1.0, math.floor(float(values.min(initial=1.0)) * 10 - 1e-9) / 10)


def step_name(layer: int) -> str:
    """What a person calls the step from a layer to the next; 0 is the embedding."""
    return "embedding to layer 1" if layer == 0 else f"layer {layer} to {layer + 1}"


def alt_text(similarity: LayerSimilarity) -> str:
    """The figure in words: mean cosine of every step."""
    means = similarity.to_next_layer.mean(1)
    parts = [f"{step_name(layer)} {number(float(mean))}" for layer, mean in enumerate(means)]
    return f"Mean cosine of {len(similarity.words)} words with themselves one layer up: " + ", ".join(parts) + "."


def _short_step(layer: int) -> str:
    return f"{layer} → {layer + 1}"


def _heat(values: np.ndarray, names: list[str], low: float) -> _style.Spec:
    return {
        "type": "heatmap",
        "z": values.astype(np.float32),
        "xaxis": "x2",
        "yaxis": "y2",
        "zmin": low,
        "zmax": 1.0,
        "colorscale": "Cividis",
        "showscale": False,
        "hoverinfo": "skip",
        "customdata": names,
    }
