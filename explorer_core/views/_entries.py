"""What the views of a ledger share: an axis of words and special tokens, colours for and against a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer_core.palette import BLUE, VERMILLION, class_colors
from explorer_core.results._entries import Entries
from explorer_core.views import _style
from explorer_core.views._style import Spec

HATCH = {"shape": "/", "size": 5, "solidity": 0.42, "fillmode": "replace"}
"""Pattern of a bar of the backward half."""


def entry_axis(spec: Spec, entries: Entries, *, width: int) -> None:
    """Put words under the x axis, each at its index, with special tokens in italics before and behind them."""
    _style.word_axis(spec, entries.names, width=width)
    axis = _style.axis(spec, "x")
    shown = axis["tickvals"]
    axis["tickvals"] = [float(entries.place[index]) for index in shown]
    axis["ticktext"] = [
        text if entries.is_word[index] else f"<i>{text}</i>"
        for index, text in zip(shown, axis["ticktext"], strict=True)
    ]
    pad = 0.5 if len(shown) > 1 else 1.0
    axis["range"] = [float(entries.place.min()) - pad, float(entries.place.max()) + pad]


def push_colors(labels: Sequence[str], target: int) -> tuple[str, str]:
    """Colours of what speaks for a class and against it: of two classes their own, of more those of plus and minus."""
    if len(labels) == 2:
        colors = class_colors(labels)
        return colors[target], colors[1 - target]
    return BLUE, VERMILLION


def by_sign(values: np.ndarray, colors: tuple[str, str]) -> list[str]:
    """The first colour where a value is positive or zero, else the second."""
    return [colors[0] if value >= 0 else colors[1] for value in values]


def heading(spec: Spec, text: str, y: float, **more: Any) -> None:
    """A line of text above a panel, at its left; `y` is the share of the plot's height it stands on."""
    spec["layout"]["annotations"].append(
        {
            "x": 0,
            "y": y,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "align": "left",
            "text": text,
            "font": {"size": 13, "color": _style.INK},
            **more,
        }
    )
