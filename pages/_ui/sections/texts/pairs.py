"""Minimal pairs: texts that differ by an edit, and whether the models judge both sides rightly."""

from __future__ import annotations

import html
import json
from typing import Any

import pandas as pd
import streamlit as st

from explorer_core import api
from explorer_core.results import OUTCOMES, JudgedPairs, Judgement, TextPairs, TextTable
from explorer_core.text import visible
from pages._ui import edits, judged_texts, messages, score_table, take_away, text_rows, way_back, work
from pages._ui.cache_texts import Desk
from pages._ui.digest import short

SECTION = {
    "label": "Minimal pairs",
    "question": "Do the models follow a small edit?",
    "kinds": ("recurrent", "transformer"),
    "order": 60,
}
HOW, IDS, SECOND, SECOND_LABEL, EDITS, MODEL, SHOWN, PAGE, ROW, _ = KEYS = (
    "pairs_how", "pairs_ids", "pairs_second", "pairs_second_label", "pairs_edits", "pairs_model", "pairs_shown",
    "pairs_page", "pairs_row", text_rows.OPENS,
)  # fmt: skip
_WAYS = {
    "found": "Texts of different labels that differ by few words",
    "ids": "A column of pair ids",
    "columns": "Two columns of texts",
}
_TURNS, _STAYS, _ALL = "verdict turns", "verdict stays", "all pairs"
_AT_ONCE = 100
_CELL_CHARS = 200
_SAID = "There is no bundle of it: the rows are the numbers, and the file and the models make them again."


def draw(desk: Desk) -> None:
    """How pairs are made, then how they are judged."""
    if desk.table is None:
        st.info("Give a file or paste texts under **Texts** first. Here you will see pairs of texts and both verdicts.")
        return
    way_back.bring_back("pairs", KEYS)
    options = pick_way(desk.table)
    way_back.keep("pairs", KEYS)
    if options is None:
        return
    with messages.guard():
        pairs = find(desk.table, options)
        if pairs is None:
            return
        for note in pairs.notes:
            st.caption(messages.plain(note))
        if not len(pairs):
            st.info("There is no such pair. More words may differ, or pairs come from a column.")
            return
        st.markdown(f"**{len(pairs):,} pairs.**")
        found = judged_texts.finished(
            Desk(desk.choice, pairs.table, desk.models), "for every model, how often both sides are right"
        )
        if found is not None:
            st.fragment(explore)(_judged(*found, _tag(desk.table, options), pairs))


def pick_way(table: TextTable) -> dict[str, Any] | None:
    """Options of `api.find_pairs`; `None` while something is missing."""
    columns = list(table.columns)
    words = [name for name in columns if not hasattr(table.columns[name], "dtype")]  # no text is a number
    ways = [way for way in _WAYS if way == "found" or (columns if way == "ids" else words)]
    if not table.label_values:
        ways.remove("found")
    if not ways:
        st.info("Pairs need labels, or another column with pair ids or with a second text. This file has neither.")
        return None
    if st.session_state.get(HOW) not in (None, *ways):
        del st.session_state[HOW]
    for key in (IDS, SECOND, SECOND_LABEL):
        if st.session_state.get(key) not in (None, *columns):
            del st.session_state[key]
    first = next((way for way in ("ids", *ways) if way in ways and (way != "ids" or _guess_ids(columns))), ways[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        how = st.selectbox("Pairs are", ways, index=ways.index(first), key=HOW, bind="query-params", width=400,
                           format_func=_WAYS.__getitem__)  # fmt: skip
        if how == "found":
            most = st.number_input("Words that may differ", 1, 12, 3, 1, key=EDITS, bind="query-params", width=180)
            return {"most_edits": int(most)}
        if how == "ids":
            guess = _guess_ids(columns)
            name = st.selectbox("Column of ids", columns, index=columns.index(guess) if guess else None, key=IDS,
                                bind="query-params", width=220)  # fmt: skip
            return {"ids": name} if name else None
        text = st.selectbox("Column of second texts", words, index=None, key=SECOND, bind="query-params", width=220)
        label = st.selectbox("Its labels", columns, index=None, key=SECOND_LABEL, bind="query-params", width=220,
                             placeholder="none")  # fmt: skip
    return {"second_text": text, "second_label": label} if text else None


def find(table: TextTable, options: dict[str, Any]) -> TextPairs | None:
    """The pairs, once they are there; a search goes on in the background."""
    key = f"pairs {table.digest} {_tag(table, options)}"
    task = work.task(key)
    if work.is_idle(key) and task is None:
        work.start(key, "Finding pairs", lambda progress: api.find_pairs(table, progress=progress, **options))
    elif task is not None and task.state == "cancelled" and st.button("Find pairs", key="pairs_again"):
        work.forget(key)
        st.rerun()
    found: TextPairs | None = work.draw(key, patience_s=1.0)
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _judged(key: str, _judgement: Judgement, tag: str, _pairs: TextPairs) -> JudgedPairs:
    return api.judge_pairs(_judgement, _pairs)


def explore(judged: JudgedPairs) -> None:
    """Counts of every model, the pairs of one outcome, and the edit of one pair."""
    way_back.follow()
    with messages.guard():
        st.html(counts_of(judged))
        st.caption(
            "In brackets 95 % intervals (Wilson). A verdict turns when the model decides differently for both texts: "
            "in a pair of different labels it must, to be right on both sides."
        )
        models = list(judged.judged.models)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            shown = st.selectbox(
                "Show", [_ALL, *OUTCOMES[:-1], _TURNS, _STAYS], key=SHOWN, bind="query-params", width=220
            )
            if st.session_state.get(MODEL) not in (None, *models):
                del st.session_state[MODEL]
            model = st.selectbox("By the verdicts of", models, key=MODEL, bind="query-params", width=220)
        draw_pairs(judged, models.index(model), shown)
        way_back.keep("pairs", KEYS)
        lines = {"Counts (CSV)": (lambda: _counts_csv(judged), "pairs-counts.csv")}
        take_away.offer_alone("pairs", "pairs", judged, _SAID, lines)


def counts_of(judged: JudgedPairs) -> str:
    """One row a model: pairs right on both sides, on one, on none, and verdicts that turn."""
    rows = []
    for number, model in enumerate(judged.judged.models):
        cells = [score_table.name(model)]
        for index in range(len(OUTCOMES) - 1):
            ends = (judged.shares[number, index], judged.low[number, index], judged.high[number, index])
            cells.append(f"{int(judged.n_outcomes[number, index]):,} &nbsp; {score_table.ranged(*map(float, ends))}")
        ends = (judged.turn_shares[number], judged.turn_low[number], judged.turn_high[number])
        cells.append(f"{int(judged.turns[number].sum()):,} &nbsp; {score_table.ranged(*map(float, ends))}")
        rows.append(cells)
    return score_table.table(("model", *OUTCOMES[:-1], _TURNS), rows)


def draw_pairs(judged: JudgedPairs, model: int, shown: str) -> None:
    """The pairs of one outcome, a hundred at a time, and the edit of the chosen one."""
    places = [place for place in range(len(judged)) if _is_shown(judged, model, place, shown)]
    if not places:
        st.info("No pair is like that.")
        return
    n_pages = -(-len(places) // _AT_ONCE)
    if not 1 <= (st.session_state.get(PAGE) or 1) <= n_pages:
        del st.session_state[PAGE]
    page = st.pagination(n_pages, key=PAGE, bind="query-params") if n_pages > 1 else 1
    here = places[(page - 1) * _AT_ONCE : page * _AT_ONCE]
    tag = short(f"{judged.judged.table.digest} {judged.judged.fingerprints} {model} {shown} {page} {len(judged)}")
    texts = judged.judged.table.texts
    chosen = text_rows.draw(
        text_rows.Place("pairs", ROW, judged.judged.models[model]), tag, table_of(judged, here), here,
        [texts[judged.first[place]] for place in here], height=320,
        column_config={
            "first": st.column_config.TextColumn(width=300), "second": st.column_config.TextColumn(width=300)
        },
        alt="Pairs of texts with what each model says of both.",
    )  # fmt: skip
    if chosen is None:
        st.caption("The button opens the first text. A row shows its edit here, and opens either text.")
        return
    draw_pair(judged, here[chosen], judged.judged.models[model])


def table_of(judged: JudgedPairs, places: list[int]) -> pd.DataFrame:
    """Pairs as they are shown: cut, with hidden characters as escapes."""
    texts = judged.judged.table.texts
    found: dict[str, Any] = {"pair": [visible(judged.pairs.names[place])[:60] for place in places]}
    for name, ends in (("first", judged.first), ("second", judged.second)):
        found[name] = [visible(texts[ends[place]][:_CELL_CHARS]) for place in places]
    if (judged.pairs.distance >= 0).any():
        found["words differ"] = judged.pairs.distance[places]
    for number, model in enumerate(judged.judged.models):
        outcomes = [
            OUTCOMES[judged.outcome[number, place]] + (", turns" if judged.turns[number, place] else "")
            for place in places
        ]
        found[model if model not in found else f"{model} says"] = outcomes
    return pd.DataFrame(found)


def draw_pair(judged: JudgedPairs, place: int, model: str) -> None:
    """The edit inline, both verdicts, and ways to open either text."""
    table = judged.judged.table
    one, two = int(judged.first[place]), int(judged.second[place])
    with st.container(border=True):
        st.html(edits.inline(table.texts[one], table.texts[two]))
        st.html(verdicts_of(judged.judged, one, two))
        for name, row in (("first", one), ("second", two)):
            way_back.buttons("pairs", table.texts[row], f"pairs_{name}", model, f"Open the {name} text on")


def verdicts_of(judged: Judgement, one: int, two: int) -> str:
    """Labels and every model's verdict of both texts, as HTML."""
    names = [*judged.labels, "none"]
    rows = [["label", *(_cell(names[judged.true[row]]) for row in (one, two))]]
    for number, model in enumerate(judged.models):
        cells = [
            f"{_cell(judged.labels[judged.predicted[number, row]])} {judged.confidence[number, row]:.3f}"
            for row in (one, two)
        ]
        rows.append([score_table.name(model), *cells])
    return score_table.table(("", "first text", "second text"), rows)


def _is_shown(judged: JudgedPairs, model: int, place: int, shown: str) -> bool:
    if shown in (_TURNS, _STAYS):
        return bool(judged.turns[model, place]) == (shown == _TURNS)
    return shown == _ALL or OUTCOMES[judged.outcome[model, place]] == shown


def _counts_csv(judged: JudgedPairs) -> bytes:
    from explorer_core.results import safe_csv

    return safe_csv(judged.counts_frame())


def _guess_ids(columns: list[str]) -> str | None:
    return next((name for name in columns if name.casefold() in ("pair", "pair_id", "pairid", "pair id")), None)


def _tag(table: TextTable, options: dict[str, Any]) -> str:
    return f"{len(table)} {json.dumps(options, sort_keys=True)}"


def _cell(text: str) -> str:
    return html.escape(visible(text)[:40])
