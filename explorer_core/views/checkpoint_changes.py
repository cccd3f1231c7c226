"""How the weight of each word in the verdict changed from one saved epoch to the next."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.results import CheckpointTrace
from explorer_core.text import visible
from explorer_core.views import _entries, _epochs, _style

ABOUT = {
    "label": "Change since the epoch before",
    "sentence": "By how much more or less each word moves the logit than it did one saved epoch earlier.",
    "how": "A bar upwards: reading this word now raises the logit by so much more (or lowers it by so much less) than "
    "one epoch earlier; the grey dots are what reading it does at the chosen epoch. One scale for all epochs.",
    "does_not_show": "Why: a word's step depends on all words before it, so a change at a word can come from what was "
    "learned about an earlier one.",
    "formula": "Δ_e(t) = s_e(t) − s_(e−1)(t), s_e(t) = z_e(t) − z_e(t−1): z_e(t) the logit of the class after word t "
    "at epoch e, 0 before the first word",
    "source": "Maheswaranathan and Sussillo 2020, How recurrent networks implement contextual processing in sentiment "
    "analysis",
    "order": 87,
}


def render(trace: CheckpointTrace, *, index: int = -1, height: int = 280, width: int = 860) -> go.Figure:
    """Signed bars over words, with the step of each word as a dot.

    Args:
        trace: From `api.trace_checkpoints`.
        index: Which checkpoint is chosen, from 0, or -1 for the last; the first has none before it, and no bars.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Raises:
        InvalidInputError: If there is no such checkpoint.
    """
    index = _epochs.check(trace, len(trace.step) - 1 if index == -1 else index)
    changes, steps = trace.changes(index), trace.word_steps
    largest = axis_limit(float(np.abs(np.concatenate([steps, np.diff(steps, axis=0)])).max()) or 1.0)
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"]["t"] = 30
    _style.word_axis(spec, trace.words, width=width)
    _style.value_axis(spec, "logit", limits=(-largest, largest))
    _style.reference_line(spec, 0.0)
    colors = _entries.by_sign(changes, _entries.push_colors(trace.labels, trace.target))
    words = [_style.escaped(word, 40) for word in trace.words]
    told = [
        [number(change, signed=True), number(step, signed=True)]
        for change, step in zip(changes.tolist(), steps[index].tolist(), strict=True)
    ]
    hover = "%{text}: %{customdata[0]} since the epoch before<br>reading it: %{customdata[1]}<extra></extra>"
    shared = {"x": np.arange(len(words)), "text": words, "customdata": told, "hovertemplate": hover}
    bars = {"type": "bar", "y": changes, "marker": {"color": colors, "line": {"width": 0}}, "textposition": "none"}
    dots = {"type": "scatter", "mode": "markers", "y": steps[index],
            "marker": {"size": 8, "symbol": "circle-open", "color": _style.FAINT, "line": {"width": 2}}}  # fmt: skip
    spec["data"] = [bars | shared | {"width": 0.7}, dots | shared]
    label = _style.escaped(trace.target_label, 30)
    since = f"since {_epochs.name_of(trace, index - 1)}" if index else "nothing was saved before"
    _entries.heading(
        spec, f"{_epochs.name_of(trace, index)}: step of the logit of {label} at each word (○), and its change {since}",
        1, yshift=4,
    )  # fmt: skip
    return _style.build(spec)


def alt_text(trace: CheckpointTrace, *, index: int = -1) -> str:
    """The figure in words: the words that gained and lost most."""
    index = _epochs.check(trace, len(trace.step) - 1 if index == -1 else index)
    if not index:
        return f"{_epochs.name_of(trace, index).capitalize()} is the first that was saved; there is no change to draw."
    changes = trace.changes(index)
    parts = [
        f"{number(float(changes[word]), signed=True)} at {trace.words[word][:40]}"
        for word in dict.fromkeys((int(changes.argmax()), int(changes.argmin())))
    ]
    return visible(
        f"Change of each word's step of the logit of {trace.target_label[:40]} from "
        f"{_epochs.name_of(trace, index - 1)} to {_epochs.name_of(trace, index)}: {', '.join(parts)}."
    )
