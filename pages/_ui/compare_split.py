"""Pairs of models by McNemar's test, and the texts on which just one of a pair is right, each to be opened."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import AccuracyComparison, Judgement
from explorer_core.text import visible
from pages._ui import edits, inside, messages, text_rows, way_back
from pages._ui.digest import short

PAIR, SIDE, ROW = KEYS = ("many_split", "many_split_right", "many_split_row")  # names in the address too
_CELL = "many_split_cell"  # of this session: table, pair and column of the cell that was followed last
FIRST_ONLY, SECOND_ONLY = "only first right", "only second right"  # columns
_AT_MOST, _CELL_CHARS = 200, 240
_LEAST_P = 1e-4


def draw(found: AccuracyComparison, judged: Judgement, names: list[str]) -> str | None:
    """The table of pairs, and the texts of the pair that is pressed.

    Returns:
        The page that the rows of the list open, `None` while there is no list.
    """
    pair = pick(found, names)
    if pair is None:
        st.caption("A row lists the texts on which just one of its two models is right. A count lists its own.")
        return None
    side = pick_side(found, names, pair)
    return draw_texts(judged, names, found.pairs[pair], side)


def pick(found: AccuracyComparison, names: list[str]) -> int | None:
    """The pairs, the surest first; a press follows one, and a press on a count its side too."""
    order = sorted(range(len(found.pairs)), key=lambda at: (found.p[at], -abs(found.difference[at])))
    tag = short(repr((found.fingerprints, found.n_texts, found.p.tolist())))
    kept = text_rows.kept(PAIR, order)
    before = st.session_state.get(_CELL)
    column = "pair" if kept is None or before is None or before[:2] != (tag, order[kept]) else before[2]
    cell = [] if kept is None else [(kept, column)]
    frame = frame_of(found, names, order)
    said = st.dataframe(
        frame, hide_index=True, key=f"many_pairs_{tag}", on_select="rerun", selection_mode="single-cell",
        selection_default={"selection": {"rows": [], "columns": [], "cells": cell}},
        column_config={
            "pair": st.column_config.TextColumn(width=150, pinned=True),
            FIRST_ONLY: st.column_config.NumberColumn(width=120), SECOND_ONLY: st.column_config.NumberColumn(width=135),
            "difference": st.column_config.TextColumn(width=90, help="Accuracy of the first less that of the second."),
            "95 % interval": st.column_config.TextColumn(width=145),
            "p": st.column_config.TextColumn(width=75), "p of all": st.column_config.TextColumn(width=75),
        },
        alt="For every two models how often just one is right, and whether that is more than chance.",
    )  # fmt: skip
    cells = said["selection"]["cells"]
    if not cells or not 0 <= cells[0][0] < len(order):
        text_rows.keep(PAIR, None)
        return None
    at, column = order[int(cells[0][0])], str(cells[0][1])
    text_rows.keep(PAIR, at)
    if st.session_state.get(_CELL) != (tag, at, column):
        is_new = _CELL in st.session_state or not st.query_params.get(SIDE)
        st.session_state[_CELL] = (tag, at, column)
        if is_new:  # not the cell that a link brought with its side
            counts = int(found.only_first[at]), int(found.only_second[at])
            sides = {FIRST_ONLY: 0, SECOND_ONLY: 1}
            side = sides.get(column, int(counts[1] > counts[0]))
            st.session_state[SIDE] = found.models[found.pairs[at][side]]
    return at


def frame_of(found: AccuracyComparison, names: list[str], order: list[int]) -> pd.DataFrame:
    """One row for each pair, in an order."""
    return pd.DataFrame(
        {
            "pair": [" and ".join(visible(names[one])[:40] for one in found.pairs[pair]) for pair in order],
            FIRST_ONLY: found.only_first[order],
            SECOND_ONLY: found.only_second[order],
            "difference": [_points(float(found.difference[pair])) for pair in order],
            "95 % interval": [f"{_points(float(found.low[at]))} to {_points(float(found.high[at]))}" for at in order],
            "p": [_p(float(found.p[pair])) for pair in order],
            "p of all": [_p(float(found.p_holm[pair])) for pair in order],
        }
    )


def pick_side(found: AccuracyComparison, names: list[str], pair: int) -> int:
    """Which of the two is the one that is right: 0 or 1."""
    one, other = found.pairs[pair]
    called = {found.models[at]: f"only {messages.plain(names[at])}" for at in (one, other)}
    inside.take_by_name(SIDE, called)
    if st.session_state.get(SIDE) not in (None, *called):
        del st.session_state[SIDE]
    chosen = st.segmented_control(
        "Texts on which just one of the two is right", list(called), default=found.models[one], required=True,
        key=SIDE, bind="query-params", format_func=called.__getitem__,
    )  # fmt: skip
    return int(chosen == found.models[other])


def draw_texts(judged: Judgement, names: list[str], pair: tuple[int, int], side: int) -> str:
    """The texts that one judges right and the other wrong, those they see most differently first."""
    right, wrong = pair[side], pair[1 - side]
    rows = rows_of(judged, right, wrong)
    said_right, said_wrong = (messages.plain(names[one]) for one in (right, wrong))
    if not rows:
        st.info(f"On every text that {said_right} judges right, {said_wrong} is right too.")
        return text_rows.pick_page()
    page = text_rows.pick_page()
    more = f" The first {_AT_MOST} of {len(rows):,} are shown." if len(rows) > _AT_MOST else ""
    st.caption(f"Those first whose label they find most differently probable; a row opens in {said_wrong}.{more}")
    rows = rows[:_AT_MOST]
    tag = short(repr((judged.fingerprints, judged.table.digest, right, wrong)))
    chosen = text_rows.draw(
        text_rows.Place("many", ROW, judged.models[wrong]), tag, frame_of_texts(judged, names, rows, right, wrong),
        rows, [judged.table.texts[row] for row in rows], height=320, page=page,
        column_config={"text": st.column_config.TextColumn(width=345),
                       "label": st.column_config.TextColumn(width=75),
                       "row": st.column_config.NumberColumn("Row", width=65, help="As counted in the file.")},
        alt=f"Texts that {visible(names[right])[:40]} judges right and {visible(names[wrong])[:40]} wrong.",
    )  # fmt: skip
    if chosen is None:
        st.caption("The button opens the text. A row shows it whole.")
        return page
    text = judged.table.texts[rows[chosen]]
    with st.container(border=True):
        st.html(edits.whole(text))
        way_back.buttons("many", text, "split_open", judged.models[wrong])
    return page


def rows_of(judged: Judgement, right: int, wrong: int) -> list[int]:
    """The texts that one model judges right and the other wrong, those first whose label they find most differently
    probable.
    """
    rows = np.flatnonzero(judged.is_right[right] & ~judged.is_right[wrong])
    true = judged.true[rows]
    gap = judged.probs[right, rows, true] - judged.probs[wrong, rows, true]
    return [int(row) for row in rows[np.argsort(-gap, kind="stable")]]


def frame_of_texts(judged: Judgement, names: list[str], rows: list[int], right: int, wrong: int) -> pd.DataFrame:
    """The table: the text, its label, and what both decide."""
    labels = [visible(label)[:24] for label in judged.labels]
    found = {
        "text": [visible(judged.table.texts[row])[:_CELL_CHARS] for row in rows],
        "label": [labels[int(judged.true[row])] for row in rows],
    }
    for model in (right, wrong):
        found[visible(names[model])[:40]] = [
            f"{labels[int(judged.predicted[model, row])]} {judged.confidence[model, row]:.3f}" for row in rows
        ]
    return pd.DataFrame(found).assign(row=judged.table.row_numbers[rows])


def _points(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _p(value: float) -> str:
    return "< 0.0001" if value < _LEAST_P else number(value, digits=2)
