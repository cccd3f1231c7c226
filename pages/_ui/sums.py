"""Sums that must come out, printed: left side, right side and the difference."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer_core.numerals import number
from explorer_core.text import visible

_STYLE = (
    "<style>table.sums{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "table.sums td,table.sums th{padding:.1rem .8rem .35rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;width:33%}table.sums th{font-size:.9rem;opacity:.85}"
    "table.sums .what td{border-bottom:0;padding:.5rem .8rem 0 0}"
    "table.sums .n{text-align:right;white-space:nowrap}</style>"
)


@dataclass(frozen=True)
class Sum:
    """One line: what is summed (plain text), both sides, and how far apart they are.

    A sum of many numbers at once gives `left` and `right` as `None`, and the largest difference.
    """

    what: str
    left: float | None
    right: float | None
    difference: float


def draw(sums: Sequence[Sum]) -> None:
    """A small table, two rows a sum: what it is, and its numbers."""
    rows = "".join(
        f"<tr class='what'><td colspan='3'>{html.escape(visible(one.what))}</td></tr><tr><td class='n'>"
        f"{_side(one.left)}</td><td class='n'>{_side(one.right)}</td>"
        f"<td class='n'>{html.escape(number(one.difference, digits=2))}</td></tr>"
        for one in sums
    )
    head = "<tr><th class='n'>left</th><th class='n'>right</th><th class='n'>difference</th></tr>"
    st.html(f"{_STYLE}<table class='sums'>{head}{rows}</table>")


def _side(value: float | None) -> str:
    return "" if value is None else html.escape(number(value, signed=True, digits=6))
