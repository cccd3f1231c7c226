"""What a BERT's own head would say of the hidden states of every layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import axis_limit, number
from explorer_core.palette import DASHES, FAMILY_WIDTH, class_colors
from explorer_core.results import LayerVerdicts
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Verdict by layer",
    "sentence": "What the network's own head would answer if it were given the hidden states of each layer.",
    "how": "Each point is the head's answer to one layer's vector of the first token ([CLS]), the last one the "
    "model's verdict; at layer 0, the embedding, [CLS] has seen no word, so its point is the same for every text.",
    "does_not_show": "What the network believed at an early layer: the head was trained on the last layer only, and "
    "earlier layers speak another language.",
    "formula": "logits of layer l = head(h_l of [CLS])",
    "source": "nostalgebraist 2020, Interpreting GPT: the logit lens; Belrose et al. 2023, Eliciting latent "
    "predictions from transformers with the tuned lens",
    "needs": "transformer",
    "order": 60,
}
QUANTITIES = ("probability", "logit")


def render(
    verdicts: LayerVerdicts,
    *,
    target: int,
    quantity: str = "probability",
    height: int = 320,
    width: int = 270,
) -> go.Figure:
    """Probability or logit by layer.

    Args:
        verdicts: From `api.trace_layer_verdicts`.
        target: Class that is drawn; with more than two classes, and for logits, all are.
        quantity: `probability` (0 to 1) or `logit`.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such class or quantity.
    """
    n_layers, n_classes = verdicts.logits.shape
    if not 0 <= target < n_classes:
        raise InvalidInputError(f"There is no class {target}; classes of this model run from 0 to {n_classes - 1}.")
    if quantity not in QUANTITIES:
        raise InvalidInputError(f"The quantity is {quantity[:40]!r}; allowed: {', '.join(QUANTITIES)}.")
    spec = _style.describe(height)
    _layer_axis(spec, n_layers, width)
    is_prob = quantity == "probability"
    values = verdicts.probs if is_prob else verdicts.logits
    classes = [target] if is_prob and n_classes == 2 else list(range(n_classes))
    limit = 1.0 if is_prob else axis_limit(float(np.abs(values).max()))
    limits = (0.0 if is_prob else -limit, limit)
    title = f"probability of {_style.escaped(verdicts.labels[target], 24)}" if len(classes) == 1 else quantity
    _style.value_axis(spec, title, limits=limits)
    if n_classes == 2 or not is_prob:
        _style.reference_line(spec, 0.5 if is_prob else 0.0)
    colors, ends = class_colors(verdicts.labels), []
    for index in classes:
        name, color = verdicts.labels[index], colors[index]
        drawn = _style.line(
            np.arange(n_layers),
            values[:, index],
            _style.escaped(name, 28),
            color,
            DASHES[classes.index(index) % len(DASHES)],
            hovertemplate="%{y:.3f}" if is_prob else "%{y:+.3f}",
        )
        drawn["line"]["width"] = FAMILY_WIDTH
        spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 7, "color": color}})
        ends.append((n_layers - 1, float(values[-1, index]), name, color))
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(verdicts: LayerVerdicts, *, target: int) -> str:
    """The figure in words: the probability at every layer."""
    shown = ", ".join(number(float(value)) for value in verdicts.probs[:, target])
    return f"Probability of {visible(verdicts.labels[target])} by the model's head, embedding to last layer: {shown}."


def _layer_axis(spec: _style.Spec, n_layers: int, width: int) -> None:
    """Layers under the x axis, from the embedding; thinned so that none overlap."""
    step = max(1, -(-n_layers * 26 // max(width - 90, 1)))
    shown = [0, *range(step, n_layers, step)]
    _style.axis(spec, "x").update(
        tickmode="array",
        tickvals=shown,
        ticktext=["embedding" if layer == 0 else str(layer) for layer in shown],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        title={"text": "layer", "standoff": 6, "font": {"color": _style.INK}},
        range=[-0.4, n_layers - 1 + 0.3],
        showgrid=False,
        zeroline=False,
        unifiedhovertitle={"text": "layer %{x}"},
    )
    spec["layout"]["margin"]["b"] = 52
