"""What is missing at the end when a word is swapped: state and verdict, word by word."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import GREY, NEGATIVE, POSITIVE, class_colors
from explorer_core.results import MemoryTrace
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "What a swapped word leaves at the end",
    "sentence": "How far the final state and the verdict move when each word is swapped.",
    "how": "A high bar is a word whose swap still shows in the top layer's final state (1 is a change as long as the "
    "state itself); the lowest bars are the change of the logit, downward where the word had spoken for the class.",
    "does_not_show": "Whether a changed state reaches the verdict, and what words do only together; and the unknown "
    "token is not nothing, the network has its own habits with it.",
    "formula": "‖c_T with swap − c_T‖ / ‖c_T‖, the same for h_T, and logit with swap − logit",
    "source": "Li, Monroe and Jurafsky 2016, Understanding neural networks through representation erasure",
    "needs": "recurrent",
    "order": 61,
}


def render(memory: MemoryTrace, *, target: int = 0, height: int = 400, width: int = 270) -> go.Figure:
    """Bars of relative change of c and h at the end, and of the change of one logit, over the words.

    Args:
        memory: From `api.trace_memory`.
        target: Class whose logit is drawn.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure of three panels (two without a cell) with word positions from 0 on x.
    """
    rows = _rows(memory)
    spec = _style.describe(height)
    n_rows = len(rows) + 1
    _style.word_axis(spec, memory.words, width=width, rows=n_rows)
    words = [_style.escaped(word, 40) for word in memory.words]
    for row, (name, values) in enumerate(rows, start=1):
        _style.value_axis(spec, f"change of {name}", row=row, limits=(0.0, axis_limit(float(values.max()) or 1.0)))
        spec["data"].append(_bars(words, values, GREY, f"relative change of {name}", row, ".3~g"))
    logit = memory.logit_change[:, target]
    end = axis_limit(float(np.abs(logit).max()) or 1.0)
    _style.value_axis(spec, "change of logit", row=n_rows, limits=(-end, end))
    _style.reference_line(spec, 0.0, row=n_rows)
    up, down = _sides(memory.labels, target)
    label = _style.escaped(memory.labels[target], 24)
    spec["data"].append(_bars(words, logit, np.where(logit < 0, down, up), f"logit of {label}", n_rows, "+.3~g"))
    _place_rows(spec, n_rows)
    return _style.build(spec)


def alt_text(memory: MemoryTrace, *, target: int = 0) -> str:
    """The figure in words: the word whose swap moves the final state most, and the one that moves the logit most."""
    hidden, logit = memory.top_hidden_change, memory.logit_change[:, target]
    most, moved = int(hidden.argmax()), int(np.abs(logit).argmax())
    return (
        f"Swapping word {most + 1} ({visible(memory.words[most])[:40]}) changes the final hidden state most, by "
        f"{number(float(hidden[most]))} of its length; word {moved + 1} ({visible(memory.words[moved])[:40]}) moves "
        f"the logit of {visible(memory.labels[target])[:40]} most, by {number(float(logit[moved]), signed=True)}."
    )


def _rows(memory: MemoryTrace) -> list[tuple[str, np.ndarray]]:
    """Name and values [word] of each panel of relative changes."""
    rows = [("h", memory.top_hidden_change)]
    if memory.top_cell_change is not None:
        rows.insert(0, ("c", memory.top_cell_change))
    return rows


def _sides(labels: tuple[str, ...], target: int) -> tuple[str, str]:
    """Colours of a logit that rises and of one that falls: of two classes, the one it moves towards."""
    colors = class_colors(labels)
    return (colors[target], colors[1 - target]) if len(labels) == 2 else (POSITIVE, NEGATIVE)


def _bars(words: list[str], values: np.ndarray, color: object, name: str, row: int, digits: str) -> _style.Spec:
    number_of = row if row > 1 else ""
    return {
        "type": "bar",
        "x": np.arange(len(values)),
        "y": values,
        "name": name,
        "text": words,
        "textposition": "none",
        "hovertemplate": f"{name} %{{y:{digits}}}<extra></extra>",
        "marker": {"color": color, "line": {"width": 0}},
        "width": 0.72,
        "xaxis": f"x{number_of}",
        "yaxis": f"y{number_of}",
    }


def _place_rows(spec: _style.Spec, n_rows: int) -> None:
    """Panels of equal height, one above the other, over one axis of words."""
    gap = 0.07
    share = (1 - gap * (n_rows - 1)) / n_rows
    for row in range(1, n_rows + 1):
        low = (n_rows - row) * (share + gap)
        _style.axis(spec, "y", row).update(domain=[low, low + share], anchor=f"x{row if row > 1 else ''}", nticks=4)
        _style.axis(spec, "x", row).update(anchor=f"y{row if row > 1 else ''}")
        if row < n_rows:
            _style.axis(spec, "x", row).update(matches=f"x{n_rows}")
