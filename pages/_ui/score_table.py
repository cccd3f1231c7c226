"""Small tables of shares with their intervals, as HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from explorer_core.text import visible

_STYLE = (
    "<style>table.shares{display:block;overflow-x:auto;border-collapse:collapse;margin:.2rem 0 .6rem;"
    "font-variant-numeric:tabular-nums}"
    "table.shares td,table.shares th{padding:.25rem 1.4rem .25rem 0;text-align:left;font-weight:400;"
    "border-bottom:1px solid rgba(128,132,140,.25)}table.shares th{opacity:.75;font-size:.85rem}"
    "table.shares bdi,table.shares .range{white-space:nowrap}table.shares .range{opacity:.7;font-size:.85rem}</style>"
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; `head` is plain text, cells are HTML already."""
    names = "".join(f"<th>{html.escape(visible(name))}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"{_STYLE}<table class='shares'><tr>{names}</tr>{body}</table>"


def name(text: str) -> str:
    """A name as a cell."""
    return f"<bdi>{html.escape(visible(text)[:60])}</bdi>"


def ranged(value: float, low: float, high: float) -> str:
    """A share with the ends of its interval as a cell."""
    if math.isnan(value):
        return "–"
    return f"{value:.3f} <span class='range'>({low:.3f} to {high:.3f})</span>"
