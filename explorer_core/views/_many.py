"""What the views of several networks over many texts share: colour, mark and name of each, and intervals beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer_core import palette
from explorer_core.views import _style
from explorer_core.views._style import Spec

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
_GLYPHS = ("●", "■", "◆", "▲", "✚", "★")


def colors_of(architectures: Sequence[str]) -> list[str]:
    """Line colour of each network: its family's, or another one where two are of one family."""
    found = []
    for place, architecture in enumerate(architectures):
        color, _ = palette.family_line(architecture)
        n_before = architectures[:place].count(architecture)  # type: ignore[attr-defined]
        found.append(palette.SERIES[(place + 3) % len(palette.SERIES)] if n_before else color)
    return found


def said(group: str) -> str:
    """What a person calls a group of pairs."""
    return group.replace("_", " ")


def dashes_of(architectures: Sequence[str]) -> list[str]:
    """Dash of each network's line, so that print in grey still reads."""
    return [palette.family_line(architecture)[1] for architecture in architectures]


def names_of(models: Sequence[str], architectures: Sequence[str]) -> list[str]:
    """What each network is called in a picture, plain text: its family where that is enough, else its own name."""
    families = [palette.family_label(architecture) for architecture in architectures]
    return [
        family if families.count(family) == 1 else model.removeprefix("starter-")[:40]
        for model, family in zip(models, families, strict=True)
    ]


def name_marks(
    spec: Spec, models: Sequence[str], architectures: Sequence[str], *, y: float = 1.0, shift: int = 8
) -> None:
    """One line above the plot that says which mark is which network."""
    parts = [
        f"<span style='color:{color}'>{_GLYPHS[place % len(_GLYPHS)]} {_style.escaped(name, 28)}</span>"
        for place, (name, color) in enumerate(
            zip(names_of(models, architectures), colors_of(architectures), strict=True)
        )
    ]
    spec["layout"]["annotations"].append(
        {"x": 0, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": shift,
         "showarrow": False, "align": "left", "text": "   ".join(parts), "font": {"size": 14, "color": _style.INK}}
    )  # fmt: skip


def marks(
    x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray, told: Sequence[str], place: int, color: str, *,
    is_upright: bool = False, size: int = 8, **more: Any,
) -> Spec:  # fmt: skip
    """Marks of one network with their intervals; an interval without ends is not drawn.

    Args:
        x: Of each mark.
        y: Of each mark.
        low: Lower end of each interval, along x, or along y if `is_upright`.
        high: Upper end.
        told: What a mark says when it is pointed at, escaped.
        place: Number of the network.
        color: Of marks and intervals.
        is_upright: Whether intervals stand upright.
        size: Of a mark in pixels.
        more: Further properties of the trace.
    """
    values = y if is_upright else x
    above, below = np.nan_to_num(high - values), np.nan_to_num(values - low)
    error = {"type": "data", "symmetric": False, "array": np.maximum(above, 0), "arrayminus": np.maximum(below, 0),
             "color": color, "thickness": 1.3, "width": 0}  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {"color": color, "size": size, "symbol": SYMBOLS[place % len(SYMBOLS)]},
        ("error_y" if is_upright else "error_x"): error,
        "customdata": list(told),
        "hovertemplate": "%{customdata}<extra></extra>",
        **more,
    }
