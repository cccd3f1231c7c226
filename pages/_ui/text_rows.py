"""A table of texts: the button of a row opens its text on another page, any other cell shows it whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import way_back

OPENS = "opens_on"  # key, and name in the address
_OPEN = "open"  # name of the column
_ROW_HEIGHT = 35  # pixels


@dataclass(frozen=True)
class Place:
    """Where a list stands.

    Attributes:
        section: Name of the section that shows it.
        row_key: Key of the chosen row, and its name in the address.
        model: The model looked into on the page that is opened, `None` for the one looked into before.
    """

    section: str
    row_key: str
    model: str | None = None


def pick_page() -> str:
    """Which page the buttons of the rows lead to; remembered, and in the address."""
    pages = list(way_back.PAGES)
    if st.session_state.get(OPENS) not in (None, *pages):
        del st.session_state[OPENS]
    chosen = st.segmented_control(
        "The button of a row opens its text on", pages, default=pages[0], required=True, key=OPENS, bind="query-params"
    )
    return chosen or pages[0]


def draw(
    place: Place, tag: str, frame: pd.DataFrame, rows: Sequence[int], texts: Sequence[str], *,
    column_config: Mapping[str, Any], height: int, alt: str, page: str | None = None,
) -> int | None:  # fmt: skip
    """The table with what the buttons lead to above it; returns the place of the chosen row, if one is.

    Args:
        place: Where the list stands.
        tag: What tells this table from others of the list, such as another page of it.
        frame: What is shown, one row a text.
        rows: Number of each row among all, which the address carries.
        texts: The text that each row opens.
        column_config: How its columns are drawn.
        height: At most, in pixels.
        alt: What it shows, in a sentence.
        page: What `pick_page` gave for another list of the section; asked here if left out.
    """
    page = page or pick_page()
    here = kept(place.row_key, rows)
    key = f"{place.section}_press_{tag}"
    button = st.column_config.ButtonColumn(
        "Open on", width=90, pinned=True, key=key, on_click=_press, args=(place, key, tuple(rows), tuple(texts), page)
    )
    first = [] if here is None else [(here, str(frame.columns[-1]))]
    said = st.dataframe(
        frame.assign(**{_OPEN: page})[[_OPEN, *frame.columns]], hide_index=True,
        height=min(height, _ROW_HEIGHT * (len(frame) + 1) + 2), key=f"{place.section}_table_{tag}",
        on_select="rerun", selection_mode="single-cell",
        selection_default={"selection": {"rows": [], "columns": [], "cells": first}},
        column_config={**column_config, _OPEN: button}, alt=alt,
    )  # fmt: skip
    cells = said["selection"]["cells"]
    chosen = int(cells[0][0]) if cells and 0 <= cells[0][0] < len(rows) else None
    keep(place.row_key, None if chosen is None else int(rows[chosen]))
    return chosen


def _press(place: Place, key: str, rows: Sequence[int], texts: Sequence[str], page: str) -> None:
    """A callback: the text of the pressed row is opened; on the way back its row is the chosen one."""
    pressed = st.session_state[key]
    if pressed is not None and 0 <= pressed["row"] < len(rows):
        keep(place.row_key, int(rows[pressed["row"]]))
        way_back.take(place.section, texts[pressed["row"]], page, place.model)


def kept(key: str, rows: Sequence[int]) -> int | None:
    """Place of the row chosen before, or named in the address."""
    asked = st.query_params.get(key, "")
    if key not in st.session_state and asked.isascii() and asked.isdigit() and len(asked) < 10:
        st.session_state[key] = int(asked)
    found = st.session_state.get(key)
    return next((index for index, row in enumerate(rows) if row == found), None)


def keep(key: str, row: int | None) -> None:
    """Remember the chosen row, and name it in the address; `None` forgets it."""
    if row is None:
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)
        return
    st.session_state[key] = row
    if st.query_params.get(key) != str(row):
        st.query_params[key] = str(row)
