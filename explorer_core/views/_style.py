"""What every figure shares: template, word axis, labels at the ends of lines, escaped words.

Views write a plain description (`data`, `layout`) and turn it into a figure once, at the end: changing a Plotly figure
piece by piece costs ten times as much. Colours of text and grid follow Streamlit's theme, so one figure reads on a
light and on a dark page.
"""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer_core.text import visible

Spec = dict[str, Any]

GRID = "rgba(128,132,140,0.25)"
FAINT = "rgba(128,132,140,0.75)"
INK = "#000037"  # Streamlit puts its theme's text colour in this one's place; anywhere else it is nearly black
FONT = '"Source Sans", "Source Sans Pro", "Source Sans 3", "Segoe UI", system-ui, sans-serif'
TICK_SIZE = 13  # px
TOP = 20  # px above the plot, and half of its highest tick label: where a margin is too small, Plotly draws twice
CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg", "filename": "unrolled"},
}
"""Keyword `config` of `st.plotly_chart` and `write_html`: no logo, nothing sent to a cloud."""


def escaped(word: str, longest: int = 16) -> str:
    """A word fit for a Plotly label: markup escaped, what cannot be seen spelled out, cut when too long."""
    shown = visible(word)
    if len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    return html.escape(shown)


def describe(height: int) -> Spec:
    """An empty figure's description in the house style: transparent, no legend, one hover box over all lines."""
    return {
        "data": [],
        "layout": {
            "height": height,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 14, "color": INK},
            "margin": {"l": 68, "r": 16, "t": TOP, "b": 40},
            "showlegend": False,
            "hovermode": "x unified",
            "hoverlabel": {"font": {"family": FONT, "size": 13}},
            "dragmode": "zoom",
            "annotations": [],
            "shapes": [],
        },
    }


def build(spec: Spec) -> go.Figure:
    """The figure of a description.

    Plotly's check of every property takes longer than all the rest; the contract suite of the views does it once for
    all instead of before every drawing.
    """
    return go.Figure(data=spec["data"], layout=spec["layout"], _validate=False)


def axis(spec: Spec, letter: str, row: int = 1) -> Spec:
    """The description of one axis, to be changed in place; `row` counts panels from the top."""
    return spec["layout"].setdefault(f"{letter}axis{row if row > 1 else ''}", {})


def plot_height(spec: Spec) -> int:
    """Pixels between top and bottom margin."""
    layout = spec["layout"]
    return layout["height"] - layout["margin"]["b"] - layout["margin"]["t"]


def line(x: Any, y: Any, name: str, color: str, dash: str = "solid", *, row: int = 1, **more: Any) -> Spec:
    """One line; a line of a single point gets a marker, or it would not be seen."""
    number = row if row > 1 else ""
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines+markers" if len(y) == 1 else "lines",
        "line": {"color": color, "dash": dash, "width": 2.2},
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        **more,
    }


def word_axis(spec: Spec, words: Sequence[str], *, width: int = 860, rows: int = 1) -> None:
    """Put words under the lowest x axis, at 0, 1, 2, ..., thinned so that none overlap.

    Args:
        spec: The description; its bottom margin is set to hold the labels.
        words: One for each position; words may repeat, positions do not.
        width: Pixels the plot will have at least.
        rows: Panels one above the other that share the axis.
    """
    n_words = len(words)
    widest = max((text_width(visible(word)[:14]) for word in words), default=8)
    is_level = n_words * max(widest + 10, 24) <= width
    step = 1 if is_level else max(1, math.ceil(n_words * 17 / width))
    shown = [index for index in range(0, n_words, step) if index == n_words - 1 or n_words - 1 - index >= step]
    shown = sorted({*shown, n_words - 1})
    pad = 0.5 if n_words > 1 else 1.0
    for row in range(1, rows + 1):
        axis(spec, "x", row).update(
            tickmode="array",
            tickvals=shown,
            ticktext=[escaped(words[index], 14) for index in shown],
            tickangle=0 if is_level else -55,
            automargin=False,  # the margin below holds the labels; to measure them takes Plotly longer than to draw
            ticklabeloverflow="allow",
            tickfont={"size": TICK_SIZE, "color": INK},
            showticklabels=row == rows,
            range=[-pad, n_words - 1 + pad],
            showgrid=False,
            zeroline=False,
            ticks="outside" if row == rows else "",
            ticklen=4,
            tickcolor=GRID,
            unifiedhovertitle={"text": "%{x}"},
        )
    spec["layout"]["margin"]["b"] = 34 if is_level else 26 + int(widest * 0.9)


def text_width(text: str) -> float:
    """About how wide a tick label is, in pixels; rarely less than it is."""
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 13.5
    return 11.0 if letter in "mwMW@%" else 8.5 if letter.isupper() else 7.0


def value_axis(spec: Spec, title: str, *, row: int = 1, limits: tuple[float, float] | None = None) -> None:
    """Name a y axis with its unit, and fix its range where a fixed one is promised."""
    described: Spec = {
        "title": {"text": title, "standoff": 10, "font": {"color": INK}},
        "tickfont": {"size": TICK_SIZE, "color": INK},
        "ticklabeloverflow": "allow",
        "gridcolor": GRID,
        "zeroline": False,
    }
    if limits is None:
        described["rangemode"] = "tozero"
    else:
        low, high = limits
        room = (high - low) * 0.03  # so that a line along the edge is not cut in half
        described["range"] = [low - room, high + room]
    axis(spec, "y", row).update(described)


def reference_line(spec: Spec, value: float, *, row: int = 1) -> None:
    """A faint dotted line across the whole panel."""
    number = row if row > 1 else ""
    spec["layout"]["shapes"].append(
        {
            "type": "line",
            "x0": 0,
            "x1": 1,
            "y0": value,
            "y1": value,
            "xref": f"x{number} domain",
            "yref": f"y{number}",
            "layer": "below",
            "line": {"color": FAINT, "width": 1, "dash": "dot"},
        }
    )


def label_ends(
    spec: Spec,
    ends: Sequence[tuple[float, float, str, str]],
    *,
    limits: tuple[float, float],
    height: float,
    row: int = 1,
) -> None:
    """Write each line's name at its right end, moved apart where two would overlap; the right margin is widened.

    Args:
        spec: The description.
        ends: Last x, last y, name (plain text) and colour of each line.
        limits: Range of the y axis.
        height: Pixels between the limits.
        row: Which panel.
    """
    if not ends:
        return
    low, high = limits
    gap = 17 / height * (high - low)
    order = sorted(range(len(ends)), key=lambda index: ends[index][1])
    places = spread([ends[index][1] for index in order], gap, low + gap / 3, high - gap / 3)
    refs = {"xref": f"x{row if row > 1 else ''}", "yref": f"y{row if row > 1 else ''}"}
    for place, index in zip(places, order, strict=True):
        x, y, name, color = ends[index]
        spec["layout"]["annotations"].append(
            {
                "x": x,
                "y": place,
                "text": f"<b>{escaped(name, 28)}</b>",
                "showarrow": False,
                "xanchor": "left",
                "xshift": 12,
                "font": {"size": 13, "color": color},
                **refs,
            }
        )
        if abs(place - y) > gap * 0.6:
            spec["layout"]["shapes"].append(
                {
                    "type": "line",
                    "xsizemode": "pixel",
                    "xanchor": x,
                    "x0": 3,
                    "x1": 11,
                    "y0": y,
                    "y1": place,
                    "line": {"color": color, "width": 1},
                    **refs,
                }
            )
    widest = max(min(len(visible(name)), 28) for _, _, name, _ in ends)
    margin = spec["layout"]["margin"]
    margin["r"] = max(margin["r"], 26 + int(widest * 7.6))


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places, given in rising order, moved apart by at least a gap and kept between two limits where they fit."""
    moved = list(places)
    for index in range(len(moved)):
        floor = low if index == 0 else moved[index - 1] + gap
        moved[index] = max(moved[index], floor)
    ceiling = max(high, low + gap * (len(moved) - 1))
    for index in range(len(moved) - 1, -1, -1):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved


def faint(color: str, alpha: float) -> str:
    """A colour such as `#0072b2` so thin that what lies below shows; `alpha` from 0 to 1."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
