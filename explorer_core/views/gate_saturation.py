"""Karpathy's scatter: how often each unit's gate stands open against how often it stands closed."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import percent
from explorer_core.palette import SERIES
from explorer_core.results import GateSaturation
from explorer_core.views import _style

ABOUT = {
    "label": "Saturated gates",
    "sentence": "For every unit, how often each gate is open (above 0.9) against how often it is closed (below 0.1).",
    "how": "Each dot is a unit, larger where several share a place, and a click chooses it: to the right its gate is "
    "open at most words, up it is closed at most, on the dotted line it is never in between (a vanilla RNN counts h "
    "above 0.9 and below −0.9).",
    "does_not_show": "Why a gate is open or closed, or whether the unit matters to the verdict; shares of a short "
    "text are coarse, because they are counts of its words.",
    "formula": "x = words with gate > 0.9 ÷ words, y = words with gate < 0.1 ÷ words, x + y ≤ 1",
    "source": "Karpathy, Johnson and Li 2015, Visualizing and understanding recurrent networks",
    "needs": "recurrent",
    "order": 34,
}

_SYMBOLS = ("circle", "diamond", "square", "triangle-up")
_SMALLEST, _LARGEST = 7.0, 20.0  # px across
_NAMED = 10  # units named in a hover box


def places(saturation: GateSaturation, gate: int, layer: int, direction: int) -> dict[tuple[float, float], list[int]]:
    """Units at each place (share open, share closed) of one gate, layer and direction."""
    found: dict[tuple[float, float], list[int]] = defaultdict(list)
    for unit, place in enumerate(
        zip(
            saturation.right[layer, direction, gate].tolist(),
            saturation.left[layer, direction, gate].tolist(),
            strict=True,
        )
    ):
        found[place].append(unit)
    return dict(found)


def render(
    saturation: GateSaturation,
    *,
    layer: int = 0,
    direction: int = 0,
    unit: int | None = None,
    height: int = 420,
    width: int = 300,
) -> go.Figure:
    """One panel for each gate, one colour for each layer and one symbol for each direction.

    Args:
        saturation: From `api.gate_saturation`.
        layer: Layer of the chosen unit, from 0.
        direction: 0 forward, 1 backward.
        unit: The chosen unit, ringed in every panel; `None` for none.
        height: Height of the figure in pixels.
        width: Pixels the figure will have at least.

    Returns:
        A figure whose points carry layer, direction and the first unit at their place as `customdata`.

    Raises:
        InvalidInputError: If there is no such layer, direction or unit.
    """
    n_layers, n_directions, n_gates, n_units = saturation.left.shape
    for name, value, size in (("layer", layer, n_layers), ("direction", direction, n_directions),
                              ("unit", unit or 0, n_units)):  # fmt: skip
        if not 0 <= value < size:
            raise InvalidInputError(f"There is no {name} {value}; {name}s of this model run from 0 to {size - 1}.")
    spec = _style.describe(height)
    spec["layout"].update(hovermode="closest", dragmode="zoom")
    spec["layout"]["margin"].update(l=60, r=14, t=26, b=54)
    per_row = min(n_gates, 2)
    for gate, name in enumerate(saturation.names):
        _panel(spec, saturation, gate, name, per_row)
        for at_layer, at_direction in np.ndindex(n_layers, n_directions):
            spec["data"].append(_dots(saturation, gate, at_layer, at_direction))
        if unit is not None:
            spec["data"].append(_ring(saturation, gate, layer, direction, unit))
    _legend(spec, saturation, unit, per_row)
    return _style.build(spec)


def told(saturation: GateSaturation, *, layer: int, direction: int, unit: int) -> str:
    """Where one unit stands, gate by gate, in words."""
    high, low = ("open", "closed") if saturation.names != ("hidden",) else ("above 0.9", "below −0.9")
    parts = [
        f"{name} {high} at {percent(saturation.right[layer, direction, gate, unit])} of words, {low} at "
        f"{percent(saturation.left[layer, direction, gate, unit])}"
        for gate, name in enumerate(saturation.names)
    ]
    return "; ".join(parts)


def alt_text(saturation: GateSaturation, *, layer: int = 0, direction: int = 0, unit: int | None = None) -> str:
    """The figure in words: mean shares over the units of one layer and direction."""
    names = ("above 0.9", "below −0.9") if saturation.names == ("hidden",) else ("above 0.9", "below 0.1")
    parts = [
        f"{name}: {percent(saturation.right[layer, direction, gate].mean())} {names[0]}, "
        f"{percent(saturation.left[layer, direction, gate].mean())} {names[1]}"
        for gate, name in enumerate(saturation.names)
    ]
    chosen = ""
    if unit is not None:
        chosen = f" Unit {unit}: {told(saturation, layer=layer, direction=direction, unit=unit)}."
    return (
        f"Share of {len(saturation.reading.words)} words at which each unit's gate is saturated, on average over "
        f"{saturation.left.shape[-1]} units. " + "; ".join(parts) + "." + chosen
    )


def _panel(spec: _style.Spec, saturation: GateSaturation, gate: int, name: str, per_row: int) -> None:
    n_gates = len(saturation.names)
    n_rows = -(-n_gates // per_row)
    row, column = divmod(gate, per_row)
    gap_x, gap_y = 0.13, 0.17
    wide, high = (1 - gap_x * (per_row - 1)) / per_row, (1 - gap_y * (n_rows - 1)) / n_rows
    left, top = column * (wide + gap_x), 1 - row * (high + gap_y)
    of = gate + 1 if gate else ""
    ticks = {"tickvals": [0, 0.5, 1], "tickfont": {"size": _style.TICK_SIZE, "color": _style.INK}}
    drawn_once = {"automargin": False, "ticklabeloverflow": "allow"}  # see _style.word_axis
    shared = {"range": [-0.06, 1.06], "zeroline": False, "gridcolor": _style.GRID, **ticks, **drawn_once}
    is_lowest = gate + per_row >= n_gates
    is_hidden = name == "hidden"
    _style.axis(spec, "x", gate + 1).update(
        domain=[left, min(left + wide, 1.0)], anchor=f"y{of}", **shared,
        **({"title": {"text": "h above 0.9" if is_hidden else "open: above 0.9", "standoff": 4,
                      "font": {"size": 13, "color": _style.INK}}} if is_lowest else {}),
    )  # fmt: skip
    _style.axis(spec, "y", gate + 1).update(
        domain=[max(top - high, 0.0), top], anchor=f"x{of}", **shared,
        **({"title": {"text": "h below −0.9" if is_hidden else "closed: below 0.1", "standoff": 4,
                      "font": {"size": 13, "color": _style.INK}}} if column == 0 else {}),
    )  # fmt: skip
    spec["layout"]["shapes"].append(
        {
            "type": "line", "x0": 0, "y0": 1, "x1": 1, "y1": 0, "xref": f"x{of}", "yref": f"y{of}", "layer": "below",
            "line": {"color": _style.FAINT, "width": 1, "dash": "dot"},
        }
    )  # fmt: skip
    spec["layout"]["annotations"].append(
        {
            "x": left, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom", "yshift": 2,
            "text": f"<b>{name}</b>", "showarrow": False, "font": {"size": 13, "color": _style.INK},
        }
    )  # fmt: skip


def _dots(saturation: GateSaturation, gate: int, layer: int, direction: int) -> _style.Spec:
    found = places(saturation, gate, layer, direction)
    counts = np.array([len(units) for units in found.values()])
    of = gate + 1 if gate else ""
    name = _name(saturation, layer, direction)
    color = SERIES[layer % len(SERIES)]
    shown = {"color": color, "opacity": 0.7}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [place[0] for place in found],
        "y": [place[1] for place in found],
        "xaxis": f"x{of}",
        "yaxis": f"y{of}",
        "customdata": [[layer, direction, units[0]] for units in found.values()],
        "text": [_units(units) for units in found.values()],
        "marker": {
            **shown,
            "size": np.minimum(_SMALLEST * np.sqrt(counts), _LARGEST),
            "symbol": _SYMBOLS[direction % len(_SYMBOLS)],
            "line": {"width": 0},
        },
        "selected": {"marker": shown},
        "unselected": {"marker": shown},
        "hovertemplate": f"<b>%{{text}}</b>, {name}<br>{saturation.names[gate]} above {saturation.high:g} at "
        f"%{{x:.1%}} of words, below {saturation.low:g} at %{{y:.1%}}<extra></extra>",
    }


def _units(units: list[int]) -> str:
    if len(units) == 1:
        return f"unit {units[0]}"
    named = ", ".join(map(str, units[:_NAMED]))
    return f"{len(units)} units: {named}" + (", …" if len(units) > _NAMED else "")


def _ring(saturation: GateSaturation, gate: int, layer: int, direction: int, unit: int) -> _style.Spec:
    of = gate + 1 if gate else ""
    size = len(places(saturation, gate, layer, direction)[_place(saturation, gate, layer, direction, unit)])
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"unit {unit}",
        "x": [saturation.right[layer, direction, gate, unit]],
        "y": [saturation.left[layer, direction, gate, unit]],
        "xaxis": f"x{of}",
        "yaxis": f"y{of}",
        "hoverinfo": "skip",
        "marker": {
            "symbol": "circle-open", "color": _style.INK, "size": min(_SMALLEST * size**0.5, _LARGEST) + 7,
            "line": {"width": 2, "color": _style.INK},
        },
    }  # fmt: skip


def _place(saturation: GateSaturation, gate: int, layer: int, direction: int, unit: int) -> tuple[float, float]:
    return float(saturation.right[layer, direction, gate, unit]), float(saturation.left[layer, direction, gate, unit])


def _name(saturation: GateSaturation, layer: int, direction: int) -> str:
    return f"layer {layer + 1}" + (f", {saturation.directions[direction]}" if len(saturation.directions) > 1 else "")


def _legend(spec: _style.Spec, saturation: GateSaturation, unit: int | None, per_row: int) -> None:
    n_layers, n_directions, n_gates, _ = saturation.left.shape
    lines = [] if unit is None else [f"◯ unit {unit}"]
    if n_layers * n_directions > 1:
        marks = ("●", "◆", "■", "▲")
        for layer, direction in np.ndindex(n_layers, n_directions):
            color = SERIES[layer % len(SERIES)]
            lines.append(
                f'<span style="color:{color}">{marks[direction % 4]}</span> {_name(saturation, layer, direction)}'
            )
    if not lines:
        return
    has_free_cell = n_gates % per_row
    place = (
        {"x": 0.565, "xanchor": "left", "y": 0.36, "yanchor": "top"}
        if has_free_cell and per_row > 1
        else {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}
    )
    spec["layout"]["annotations"].append(
        {
            **place, "xref": "paper", "yref": "paper", "align": "left", "showarrow": False, "text": "<br>".join(lines),
            "font": {"size": 13, "color": _style.INK},
        }
    )  # fmt: skip
