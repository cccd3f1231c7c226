"""What every unit's gates promise to keep, against what it is measured to keep."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE, VERMILLION
from explorer_core.results import MemoryTrace
from explorer_core.views import _memory, _style

ABOUT = {
    "label": "Memory, promised and measured",
    "sentence": "The share of a word's mark on each unit that the gates promise to keep to the end, and what is kept.",
    "how": "Each dot is a unit, the ring the chosen one, and a click chooses another: on the dotted line a unit keeps "
    "what its gates promise, above it more is left of a swapped word, below it less; both axes count by powers of "
    "ten.",
    "does_not_show": "Whether the verdict uses what is kept; and the promise assumes that nothing else changes, but a "
    "changed state also changes the later gates and candidates, so that a change may even grow.",
    "formula": "promised = Σ |Δ_w| × Π keep_t / Σ |Δ_w|, measured = Σ |Δ_end| / Σ |Δ_w|; sums over words w, product "
    "over tokens t after w, Δ = state with w swapped − state without; half-life = ln(1/2) / mean(ln keep)",
    "source": "Ohno and Kumagai 2021, Recurrent neural networks for learning long-term temporal dependencies with "
    "reanalysis of time scale representation (arXiv 2111.03282), for the promise and its limits",
    "needs": "recurrent",
    "order": 60,
}


def render(
    memory: MemoryTrace,
    *,
    layer: int = 0,
    direction: int = 0,
    unit: int | None = None,
    height: int = 400,
    width: int = 400,
) -> go.Figure:
    """Promised share on x, measured share on y, a dot for each unit of one layer and direction.

    Args:
        memory: From `api.trace_memory`.
        layer: Layer of the units, from 0.
        direction: 0 forward, 1 backward.
        unit: The unit to mark, from 0.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.

    Returns:
        A figure whose first trace has one point for each unit with something to measure; its `customdata` are the
        units' numbers. Shares below 0.1 % are drawn at 0.1 %.

    Raises:
        InvalidInputError: If there is no such layer, direction or unit.
    """
    _memory.check_place(memory, layer=layer, direction=direction, unit=unit)
    measured = memory.unit_measured[layer, direction]  # [unit]
    there = np.flatnonzero(np.isfinite(measured))
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "closest", "margin": {"l": 82, "r": 16, "t": _style.TOP, "b": 58}}
    top = _memory.top_of(measured[there])
    x, name = _across(memory, layer, direction)
    if memory.unit_promised is None:
        _size_axis(spec, name, x[there])
    else:
        _memory.share_axis(spec, "x", name, 1.0)
        spec["data"].append(_diagonal())
        _say_sides(spec, top)
    _memory.share_axis(spec, "y", "measured: kept to the end", top)
    shown = x if memory.unit_promised is None else _memory.drawn(x)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": shown[there],
        "y": _memory.drawn(measured[there]),
        "customdata": there,
        "text": [_hover(memory, layer, direction, int(each)) for each in there],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 9, "color": BLUE, "opacity": 0.6},
    }
    spec["data"].insert(0, dots)
    if unit is not None and unit in there:
        _ring(spec, shown[unit], _memory.drawn(measured)[unit], unit)
    if not len(there):
        _say_nothing(spec)
    return _style.build(spec)


def alt_text(memory: MemoryTrace, *, layer: int = 0, direction: int = 0, unit: int | None = None) -> str:
    """The figure in words: what the middle unit is promised and measured to keep, and the chosen unit's numbers."""
    measured = memory.unit_measured[layer, direction]
    there = np.isfinite(measured)
    if not there.any():
        return "No word changes any unit when it is swapped, so nothing is measured."
    said = f"Of {len(measured)} units the middle one keeps {_memory.percent(float(np.median(measured[there])))}"
    if memory.unit_promised is not None:
        promised = memory.unit_promised[layer, direction]
        said += f"; the gates promise {_memory.percent(float(np.median(promised[there])))}"
    return said + ("." if unit is None else f". {_hover(memory, layer, direction, unit).replace('<br>', ', ')}.")


def _across(memory: MemoryTrace, layer: int, direction: int) -> tuple[np.ndarray, str]:
    """What lies along the lower axis, [unit], and its name: the promise, or the size of the change."""
    if memory.unit_promised is not None:
        return memory.unit_promised[layer, direction], f"promised by the {memory.keep_gate} gates"
    return np.abs(memory.step_change[layer, direction]).mean(0), "mean change of the state at a swapped word"


def _hover(memory: MemoryTrace, layer: int, direction: int, unit: int) -> str:
    measured = float(memory.unit_measured[layer, direction, unit])
    parts = [f"unit {unit}"]
    if memory.unit_promised is not None and memory.half_life is not None:
        parts.append(f"promised {_memory.percent(float(memory.unit_promised[layer, direction, unit]))}")
        parts.append(f"measured {_memory.percent(measured)}")
        parts.append(f"half-life {number(float(memory.half_life[layer, direction, unit]))} tokens")
    else:
        parts.append(f"measured {_memory.percent(measured)}")
    return "<br>".join(parts)


def _size_axis(spec: _style.Spec, name: str, sizes: np.ndarray) -> None:
    """The lower axis of a network that promises nothing, from zero."""
    end = axis_limit(float(sizes.max(initial=0.0)) or 1.0)
    _style.axis(spec, "x").update(
        title={"text": name, "standoff": 10, "font": {"color": _style.INK}},
        range=[-0.03 * end, end],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        zeroline=False,
    )


def _diagonal() -> _style.Spec:
    """Where what is kept is what was promised."""
    ends = [_memory.FLOOR, 1.0]
    return {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "hoverinfo": "skip",
            "line": {"color": _style.FAINT, "width": 1.5, "dash": "dot"}}  # fmt: skip


def _say_sides(spec: _style.Spec, top: float) -> None:
    line = math.log(1 / _memory.FLOOR) / math.log(max(top, 1.0) / _memory.FLOOR)  # where 100 % lies, from 0 to 1
    for x, y, text, anchor in ((0.02, 0.97 if line == 1 else line - 0.06, "more is left than promised", "left"),
                               (0.98, 0.03, "less is left than promised", "right")):  # fmt: skip
        spec["layout"]["annotations"].append(
            {"xref": "x domain", "yref": "y domain", "x": x, "y": y, "text": text, "showarrow": False,
             "xanchor": anchor, "font": {"size": 13, "color": _style.INK}, "opacity": 0.75}
        )  # fmt: skip
    if top > 1:
        spec["layout"]["shapes"].append(
            {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "layer": "below",
             "line": {"color": _style.FAINT, "width": 1}}
        )  # fmt: skip


def _ring(spec: _style.Spec, x: float, y: float, unit: int) -> None:
    """The chosen unit, ringed and named."""
    ring = {"size": 17, "symbol": "circle-open", "color": VERMILLION, "line": {"width": 2.5}}
    spec["data"].append({"type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "skip", "marker": ring})
    x_axis, y_axis = spec["layout"]["xaxis"], spec["layout"]["yaxis"]
    at = (float(np.log10(x)) if x_axis.get("type") == "log" else float(x), float(np.log10(y)))
    is_right, is_high = (
        (place - axis["range"][0]) / (axis["range"][1] - axis["range"][0]) > limit
        for place, axis, limit in zip(at, (x_axis, y_axis), (0.75, 0.35), strict=True)
    )
    spec["layout"]["annotations"].append(
        {"x": at[0], "y": at[1], "text": f"<b>unit {unit}</b>", "showarrow": True, "arrowhead": 0, "arrowwidth": 1.2,
         "arrowcolor": VERMILLION, "standoff": 9, "ax": -24 if is_right else 58, "ay": 84 if is_high else -46,
         "font": {"size": 13, "color": _style.INK}}
    )  # fmt: skip


def _say_nothing(spec: _style.Spec) -> None:
    spec["layout"]["annotations"].append(
        {"xref": "x domain", "yref": "y domain", "x": 0.5, "y": 0.5, "showarrow": False,
         "text": "Swapping changes nothing here: every word is the unknown token already.",
         "font": {"size": 14, "color": _style.INK}}
    )  # fmt: skip
