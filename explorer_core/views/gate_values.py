"""How the values of each gate are spread over a text: a panel for each gate, a line for each layer and direction."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, percent
from explorer_core.palette import BLUE, GREEN, GREY, ORANGE, SKY
from explorer_core.results import RecurrentTrace
from explorer_core.saturation import HIGH, LOW, switches
from explorer_core.views import _style

ABOUT = {
    "label": "Values of the gates",
    "sentence": "How the values of each gate are spread over the words and units of this text.",
    "how": "Each panel is a gate (of a vanilla RNN its hidden state), each line a layer and direction: the share of "
    "its values in each of 25 equal bands, over all words and units, with the saturated ends shaded.",
    "does_not_show": "Which unit and which word a value belongs to, or whether anything passes through a gate that is "
    "open.",
    "formula": "share of a band = values in it ÷ (words × units)",
    "source": "Karpathy, Johnson and Li 2015, Visualizing and understanding recurrent networks",
    "needs": "recurrent",
    "order": 32,
}

N_BINS = 25
_COLORS = {"input": GREEN, "forget": ORANGE, "output": SKY, "reset": GREEN, "update": ORANGE}


def histograms(trace: RecurrentTrace) -> dict[str, np.ndarray]:
    """Share of values in each of 25 equal bands from 0 (or −1) to 1; shape [layer, direction, band] for each name."""
    low = 0.0 if trace.gate_names else -1.0
    found = {}
    for name in switches(trace):
        values = trace.quantities()[name]
        shape = values.shape[:2]
        counts = np.zeros((*shape, N_BINS))
        for layer, direction in np.ndindex(shape):
            at_words = values[layer, direction, trace.pos_of_words(direction)]
            counts[layer, direction] = np.histogram(at_words, bins=N_BINS, range=(low, 1.0))[0] / at_words.size
        found[name] = counts
    return found


def shares(trace: RecurrentTrace, layer: int, direction: int) -> dict[str, tuple[float, float]]:
    """Share of all values of one layer and direction in the lower and in the upper saturated end, by name."""
    low = LOW if trace.gate_names else -HIGH
    found = {}
    for name in switches(trace):
        values = trace.quantities()[name][layer, direction, trace.pos_of_words(direction)]
        found[name] = float((values < low).mean()), float((values > HIGH).mean())
    return found


def render(
    trace: RecurrentTrace, *, layer: int = 0, direction: int = 0, height: int = 420, width: int = 300
) -> go.Figure:
    """The spread of each gate's values.

    Args:
        trace: From `api.trace_states`.
        layer: Layer whose line is drawn strong and whose shares are printed, from 0.
        direction: 0 forward, 1 backward.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least.
    """
    found, ends = histograms(trace), shares(trace, layer, direction)
    low = 0.0 if trace.gate_names else -1.0
    edges = np.linspace(low, 1.0, N_BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    spec["layout"]["margin"].update(l=66, t=26, b=56, r=16)
    n_rows = len(found)
    gap = 0.0 if n_rows == 1 else 26 / _style.plot_height(spec)
    share = (1 - gap * (n_rows - 1)) / n_rows
    several = len(trace.hidden) * len(trace.directions) > 1
    for row, (name, counts) in enumerate(found.items(), start=1):
        top = 1 - (row - 1) * (share + gap)
        _axes(spec, row, n_rows, low, (top - share, top), float(counts.max()))
        _shade(spec, row, low)
        for index in _chosen_last(counts.shape[:2], (layer, direction)):
            is_chosen = index == (layer, direction)
            color = _COLORS.get(name, BLUE) if is_chosen else GREY
            spec["data"].append(
                _style.line(middles, counts[index], _name(trace, *index), color, row=row, mode="lines",
                            line={"color": color, "width": 2.2 if is_chosen else 1.3, "shape": "hvh",
                                  "dash": "solid" if is_chosen else "dot"},
                            **({"fill": "tozeroy", "fillcolor": _style.faint(color, 0.16)} if is_chosen else {}),
                            hovertemplate=f"{_name(trace, *index)}<br>{name} %{{x:.2f}}: %{{y:.1%}} of values"
                            "<extra></extra>")
            )  # fmt: skip
        below, above = ends[name]
        kind = "" if not several else f" · {_name(trace, layer, direction)}"
        limits = ("below 0.1", "above 0.9") if trace.gate_names else ("below −0.9", "above 0.9")
        _title(spec, top, f"<b>{name}</b>{kind}  {percent(below)} {limits[0]}, {percent(above)} {limits[1]}")
    return _style.build(spec)


def alt_text(trace: RecurrentTrace, *, layer: int = 0, direction: int = 0) -> str:
    """The figure in words: how much of each gate is saturated."""
    low = "0.1" if trace.gate_names else "−0.9"
    parts = [
        f"{name}: {percent(below)} below {low}, {percent(above)} above 0.9"
        for name, (below, above) in shares(trace, layer, direction).items()
    ]
    return f"Values of {_name(trace, layer, direction)} over {len(trace.words)} words. " + "; ".join(parts) + "."


def _name(trace: RecurrentTrace, layer: int, direction: int) -> str:
    return f"layer {layer + 1}" + (f", {trace.directions[direction]}" if len(trace.directions) > 1 else "")


def _chosen_last(shape: tuple[int, ...], chosen: tuple[int, int]) -> list[tuple[int, ...]]:
    return sorted(np.ndindex(*shape), key=lambda index: index == chosen)


def _axes(spec: _style.Spec, row: int, n_rows: int, low: float, domain: tuple[float, float], largest: float) -> None:
    is_last = row == n_rows
    number_of = row if row > 1 else ""
    _style.value_axis(spec, "", row=row, limits=(0.0, axis_limit(largest)))
    _style.axis(spec, "y", row).update(
        domain=[max(domain[0], 0.0), domain[1]], anchor=f"x{number_of}", tickformat=".0%", nticks=3, automargin=False
    )
    _style.axis(spec, "x", row).update(
        range=[low, 1.0], anchor=f"y{number_of}", showgrid=False, zeroline=False, showticklabels=is_last,
        automargin=False, ticklabeloverflow="allow",
        tickvals=[0, 0.1, 0.5, 0.9, 1] if low == 0 else [-0.9, -0.5, 0, 0.5, 0.9],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        **({"matches": f"x{n_rows}"} if not is_last else {}),
    )  # fmt: skip
    if is_last:
        _style.axis(spec, "x", row)["title"] = {
            "text": "value of the gate" if low == 0 else "value of the hidden state",
            "font": {"color": _style.INK}, "standoff": 6,
        }  # fmt: skip


def _shade(spec: _style.Spec, row: int, low: float) -> None:
    number_of = row if row > 1 else ""
    bottom = LOW if low == 0 else -HIGH
    for x0, x1 in ((low, bottom), (HIGH, 1.0)):
        spec["layout"]["shapes"].append(
            {
                "type": "rect", "x0": x0, "x1": x1, "y0": 0, "y1": 1, "xref": f"x{number_of}",
                "yref": f"y{number_of} domain", "layer": "below", "line": {"width": 0},
                "fillcolor": "rgba(128,132,140,0.14)",
            }
        )  # fmt: skip


def _title(spec: _style.Spec, top: float, text: str) -> None:
    spec["layout"]["annotations"].append(
        {
            "x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom", "text": text,
            "showarrow": False, "font": {"size": 13, "color": _style.INK}, "yshift": 2,
        }
    )  # fmt: skip
