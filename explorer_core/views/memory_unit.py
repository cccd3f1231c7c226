"""How much one unit keeps of every word to the end, promised and measured."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import BLUE, ORANGE
from explorer_core.results import MemoryTrace
from explorer_core.text import visible
from explorer_core.views import _memory, _style

ABOUT = {
    "label": "What one unit keeps of each word",
    "sentence": "The share of each word's mark on one unit that is promised and measured to be there at the end.",
    "how": "The line is the product of the keep gates from the word to the end; a dot is a measurement, the change at "
    "the end over the change right at the swapped word, larger where that change was large; the axis counts by powers "
    "of ten.",
    "does_not_show": "Words whose swap hardly changed the unit (less than a tenth of its largest change), which have "
    "no dot; a vanilla RNN, which promises nothing, has no line.",
    "formula": "promised = Π keep_t over the tokens t read after the word; measured = |Δ_end| / |Δ_word|",
    "source": "Ohno and Kumagai 2021, Recurrent neural networks for learning long-term temporal dependencies with "
    "reanalysis of time scale representation (arXiv 2111.03282)",
    "needs": "recurrent",
    "order": 62,
}


def render(
    memory: MemoryTrace, *, layer: int = 0, direction: int = 0, unit: int = 0, height: int = 400, width: int = 270
) -> go.Figure:
    """Promised shares as a line and measured ones as dots, over the words.

    Args:
        memory: From `api.trace_memory`.
        layer: Layer of the unit, from 0.
        direction: 0 forward, 1 backward.
        unit: The unit, from 0.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure with word positions from 0 on x; shares below 0.1 % are drawn at 0.1 %.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    _memory.check_place(memory, layer=layer, direction=direction, unit=unit)
    kept = memory.measured_kept[layer, direction, :, unit]  # [word]
    there = np.flatnonzero(np.isfinite(kept))
    spec = _style.describe(height)
    _style.word_axis(spec, memory.words, width=width)
    _memory.share_axis(spec, "y", f"kept by unit {unit} to the end", _memory.top_of(kept[there]))
    spec["layout"]["margin"]["l"] = 82
    words = np.array([_style.escaped(word, 40) for word in memory.words])
    if memory.promised_kept is not None:
        promised = memory.promised_kept[layer, direction, :, unit]
        line = _style.line(np.arange(len(words)), _memory.drawn(promised), "promised", ORANGE)
        line |= {"text": [_memory.percent(float(each)) for each in promised], "hovertemplate": "%{text}"}
        spec["data"].append(line)
    size = np.abs(memory.step_change[layer, direction, there, unit])
    spec["data"].append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": there,
            "y": _memory.drawn(kept[there]),
            "name": "measured",
            "text": [_memory.percent(float(each)) for each in kept[there]],
            "hovertemplate": "%{text}",
            "marker": {"size": 5 + 9 * np.sqrt(size / size.max(initial=1e-30)), "color": BLUE, "opacity": 0.85},
        }
    )
    _legend(spec)
    return _style.build(spec)


def alt_text(memory: MemoryTrace, *, layer: int = 0, direction: int = 0, unit: int = 0) -> str:
    """The figure in words: half-life, horizon and how many words were measured."""
    kept = memory.measured_kept[layer, direction, :, unit]
    n_there = int(np.isfinite(kept).sum())
    said = f"Unit {unit} over {len(memory.words)} words, {n_there} of them measured"
    horizon = memory.horizon()
    if memory.half_life is not None and horizon is not None:
        said += f"; half-life {number(float(memory.half_life[layer, direction, unit]))} tokens"
        words = int(horizon[layer, direction, unit])
        far = "longer than this text" if words == len(memory.words) else f"{words} words back"
        said += f", less than half is promised {far}" if words < len(memory.words) else f", horizon {far}"
    if n_there:
        most = int(np.nanargmax(kept))
        said += f"; most is kept of {visible(memory.words[most])[:40]}, {_memory.percent(float(kept[most]))}"
    return said + "."


def _legend(spec: _style.Spec) -> None:
    """The two names above the plot, where no dot can hide them."""
    spec["layout"]["margin"]["t"] = 34
    spec["layout"] |= {
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom",
                   "font": {"size": 13, "color": _style.INK}, "itemsizing": "constant"},
    }  # fmt: skip
