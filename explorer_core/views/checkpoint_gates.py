"""The gates of a network over one text at every checkpoint of a run, in the mean over its units."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.numerals import number
from explorer_core.palette import family_line
from explorer_core.params import check_index
from explorer_core.results import CheckpointTrace
from explorer_core.text import visible
from explorer_core.views import _entries, _epochs, _style

ABOUT = {
    "label": "Gates by epoch",
    "sentence": "Each gate of a network after every word, in the mean over units, at every checkpoint of a run.",
    "how": "One panel a gate, one grey line a saved epoch, later ones stronger; the chosen epoch is in colour. A "
    "forget or update gate that rises over the epochs means that the network learned to keep more; a dip at a "
    "word, that it learned to let go there.",
    "does_not_show": "Single units: a mean near one half can be half of the units open and half of them shut. The page "
    "States shows every unit of one epoch.",
    "formula": "mean over units of the gate after its sigmoid; of a candidate and of a hidden state, the mean of its "
    "size |·|",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Cho et al. 2014, Learning phrase "
    "representations using RNN encoder-decoder; Karpathy, Johnson and Fei-Fei 2015, Visualizing and understanding "
    "recurrent networks",
    "needs": "recurrent",
    "order": 88,
}
_TITLES = {
    "input": "input gate i", "forget": "forget gate f", "candidate": "size of the candidate", "output": "output gate o",
    "reset": "reset gate r", "update": "update gate z", "hidden": "size of the hidden state h",
}  # fmt: skip
_ROW_PX = 108


def render(
    trace: CheckpointTrace, *, index: int = -1, layer: int = 0, direction: int = 0, width: int = 860
) -> go.Figure:
    """A panel for each gate over words.

    Args:
        trace: From `api.trace_checkpoints`.
        index: Which checkpoint is chosen, from 0, or -1 for the last.
        layer: From 0.
        direction: 0 forward, 1 backward.
        width: Pixels the plot will have at least.

    Raises:
        IncompatibleError: If the network is not recurrent.
        InvalidInputError: If there is no such checkpoint, layer or direction.
    """
    values, index = _values(trace, index, layer, direction)  # [checkpoint, word, state]
    names = trace.state_names
    spec = _style.describe(70 + _ROW_PX * len(names))
    spec["layout"]["margin"]["t"] = 30
    _style.word_axis(spec, trace.words, width=width, rows=len(names))
    color, _ = family_line(trace.architecture)
    for row in range(1, len(names) + 1):
        _style.value_axis(spec, "", row=row, limits=(0.0, 1.0))
        _style.axis(spec, "y", row).update(tickvals=[0, 0.5, 1], ticktext=["0", "0.5", "1"])
    share = _epochs.stack(spec, len(names), 28) * _style.plot_height(spec)
    for row, name in enumerate(names, start=1):
        one = values[..., row - 1]
        _epochs.draw_panel(spec, trace, one, index, color, row=row)
        end = (len(trace.words) - 1, float(one[index, -1]), _epochs.name_of(trace, index), color)
        _style.label_ends(spec, [end], limits=(0.0, 1.0), height=share, row=row)
        top = float(_style.axis(spec, "y", row)["domain"][1])
        _entries.heading(spec, f"{_TITLES.get(name, name)}, mean over units", top, yshift=2)
    return _style.build(spec)


def alt_text(trace: CheckpointTrace, *, index: int = -1, layer: int = 0, direction: int = 0) -> str:
    """The figure in words: the mean of each gate over the words at the first and at the chosen checkpoint."""
    values, index = _values(trace, index, layer, direction)
    means = values.mean(1)  # [checkpoint, state]
    parts = [
        f"{_TITLES.get(name, name)} {number(float(means[0, state]))} at {_epochs.name_of(trace, 0)}, "
        f"{number(float(means[index, state]))} at {_epochs.name_of(trace, index)}"
        for state, name in enumerate(trace.state_names)
    ]
    return visible(f"Means over units and {len(trace.words)} words: {'; '.join(parts)}.")


def _values(trace: CheckpointTrace, index: int, layer: int, direction: int) -> tuple[np.ndarray, int]:
    if not trace.state_names:
        raise IncompatibleError("This network has no gates; choose a recurrent one.")
    check_index("layer", layer, trace.state_mean.shape[1])
    check_index("direction", direction, trace.state_mean.shape[2])
    index = _epochs.check(trace, len(trace.step) - 1 if index == -1 else index)
    return trace.state_mean[:, layer, direction], index
