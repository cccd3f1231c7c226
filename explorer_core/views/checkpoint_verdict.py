"""The running verdict of one text at every checkpoint of a run, and how strongly the logit hangs on each word."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import nice_limit, number
from explorer_core.palette import PURPLE, class_colors
from explorer_core.results import CheckpointTrace
from explorer_core.text import visible
from explorer_core.views import _entries, _epochs, _style

ABOUT = {
    "label": "Verdict by epoch",
    "sentence": "The running verdict of one text and the size of its gradient, at every checkpoint of a run.",
    "how": "Each grey line is one saved epoch, later ones stronger; the chosen epoch is in colour. Above, the "
    "probability had the text stopped at each word; below, how far a nudge to a word's vector would move the logit of "
    "the whole text at that epoch.",
    "does_not_show": "What happened between two epochs, and other texts: one text can be judged right by chance in an "
    "early epoch. Word vectors that are trained change their scale too, so sizes of gradients compare roughly.",
    "formula": "above: p(t) = softmax(z(t)), z(t) the logits after word t; below: ‖∂z/∂x_s‖ over all vectors x_s of "
    "word s, z the logit of the whole text; both on one printed scale for all epochs",
    "source": "Maheswaranathan, Williams, Golub, Ganguli and Sussillo 2019, Reverse engineering recurrent networks for "
    "sentiment classification reveals line attractor dynamics",
    "order": 86,
}


def render(trace: CheckpointTrace, *, index: int = -1, height: int = 460, width: int = 860) -> go.Figure:
    """Probabilities above and norms of gradients below, over words.

    Args:
        trace: From `api.trace_checkpoints`.
        index: Which checkpoint is chosen, from 0, or -1 for the last.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such checkpoint.
    """
    index = _epochs.check(trace, len(trace.step) - 1 if index == -1 else index)
    probs, norms = trace.running_probs[..., trace.target], trace.grad_norm  # [checkpoint, word]
    limits = (0.0, nice_limit(float(norms.max(initial=0.0))))
    spec = _style.describe(height)
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, trace.words, width=width, rows=2)
    _style.value_axis(spec, "probability", limits=(0.0, 1.0))
    _style.axis(spec, "y").update(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "0.25", "0.5", "0.75", "1"])
    _style.value_axis(spec, "gradient", row=2, limits=limits)
    share = _epochs.stack(spec, 2, 40) * _style.plot_height(spec)
    if len(trace.labels) == 2:
        _style.reference_line(spec, 0.5)
    color = class_colors(trace.labels)[trace.target]
    for row, (values, ends, shade) in enumerate(((probs, (0.0, 1.0), color), (norms, limits, PURPLE)), start=1):
        _epochs.draw_panel(spec, trace, values, index, shade, row=row)
        _epochs.label_chosen(spec, trace, values, index, shade, ends, share, row=row)
    label = _style.escaped(trace.target_label, 40)
    _entries.heading(spec, f"probability of {label} after each word", 1, yshift=4)
    low = float(spec["layout"]["yaxis2"]["domain"][1])
    _entries.heading(spec, f"size of the gradient of the logit of {label} by each word's vector", low, yshift=4)
    return _style.build(spec)


def alt_text(trace: CheckpointTrace, *, index: int = -1) -> str:
    """The figure in words: the verdict on the whole text at the first, the chosen and the last checkpoint."""
    index = _epochs.check(trace, len(trace.step) - 1 if index == -1 else index)
    parts = [
        f"{number(float(trace.running_probs[one, -1, trace.target]))} at {_epochs.name_of(trace, one)}"
        for one in dict.fromkeys((0, index, len(trace.step) - 1))
    ]
    most = int(np.argmax(trace.grad_norm[index]))
    return visible(
        f"Probability of {trace.target_label[:40]} after all {len(trace.words)} words: {', '.join(parts)}. At "
        f"{_epochs.name_of(trace, index)} the logit hangs most on word {most + 1}, {trace.words[most][:40]}."
    )
