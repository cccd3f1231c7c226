"""Texts that models decide alike and rank the words of in other orders: the press, the picture and the list."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import Judgement, ReasonComparison
from explorer_core.text import visible
from pages._ui import (
    cache_compare_many,
    edits,
    figures,
    inside,
    messages,
    priced_work,
    take_away,
    text_rows,
    way_back,
)
from pages._ui.cache_texts import Desk as TextsDesk
from pages._ui.digest import short

METHOD, N_TEXTS, PAIR, ROW = KEYS = ("many_method", "many_n", "many_pair", "many_row")  # names in the address too
CHART = "many_reasons"  # key
_AT_MOST, _CELL_CHARS = 200, 240
_LISTED_WORDS = 6
_SAID = "There is no bundle of it: a row a text is the numbers, and the texts and the models make them again."


def draw(texts: TextsDesk, key: str, judged: Judgement, page: str | None = None) -> ReasonComparison | None:
    """The choice of a method and a number, then what came out; `page` as in `text_rows.draw`."""
    infos = [next(info for info in texts.models if info.name == name) for name in judged.models]
    keys = cache_compare_many.keys_of(infos)
    labels = {about.name: about.label for about in api.list_methods()}
    names = list(cache_compare_many.shared_methods(keys))
    inside.take_by_name(METHOD, names)
    if st.session_state.get(METHOD) not in (None, *names):
        del st.session_state[METHOD]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = str(
            st.selectbox("Method, the same for all", names, key=METHOD, bind="query-params", width=280,
                         format_func=lambda name: labels.get(name, name))
        )  # fmt: skip
        n_texts = int(
            st.number_input("Texts at most", 2, 2_000, 200, 50, key=N_TEXTS, bind="query-params", width=150,
                            help="Drawn at random where there are more, the same every time.")
        )  # fmt: skip
    n_used = min(n_texts, len(judged))
    prices = cache_compare_many.price_reasons(keys, key, method, n_used, judged.table.texts)
    total = sum(one.seconds for one in prices.values())
    dearest = max(prices, key=lambda name: prices[name].seconds)
    found: ReasonComparison | None = priced_work.measured(
        f"reasons {keys!r} {key} {method} {n_texts}", "Compare the reasons",
        f"Scores the words of {n_used:,} texts by {messages.plain(labels.get(method, method))}, for every model.",
        total,
        lambda progress: cache_compare_many.reasons(keys, key, method, n_texts, judged, _progress=progress),
        messages.plain(dearest) if prices[dearest].seconds > 0.6 * total else "",
    )  # fmt: skip
    if found is not None:
        explore(found, page)
    return found


def explore(found: ReasonComparison, page: str | None) -> None:
    """The picture, and the texts of a pair, those with the lowest correlation first."""
    from explorer_core.views import reason_ranks

    for why, count in found.left_out.items():
        st.caption(messages.plain(f"Left out: {count:,} text{'s' * (count != 1)} with {why}."))
    if not found.n_alike.any():
        st.info("No two models decide alike on any of these texts.")
        return
    st.markdown(told(found))
    figures.chart(reason_ranks.render(found), CHART, reason_ranks.alt_text(found))
    figures.how_to_read("reason_ranks")
    pairs = {reason_ranks.pair_label(found, pair): pair for pair in range(len(found.pairs)) if found.n_alike[pair]}
    if st.session_state.get(PAIR) not in (None, *pairs):
        del st.session_state[PAIR]
    chosen = st.selectbox(
        "Texts that two models decide alike, for other reasons", list(pairs), key=PAIR,
        bind="query-params", width=480, format_func=lambda name: visible(name)[:80],
    )  # fmt: skip
    draw_texts(found, pairs[str(chosen)], page)
    take_away.offer_alone("many_reasons", "reasons", found, _SAID)


def told(found: ReasonComparison) -> str:
    """Which two models agree most and least about reasons, as Markdown."""
    from explorer_core.views import reason_ranks

    there = np.flatnonzero(found.n_alike)
    best, worst = (int(there[at]) for at in (found.median[there].argmax(), found.median[there].argmin()))

    def said(pair: int) -> str:
        ends = (number(float(one[pair]), signed=True, digits=2) for one in (found.low, found.high))
        middle = number(float(found.median[pair]), signed=True, digits=2)
        return f"**{messages.plain(reason_ranks.pair_label(found, pair))}** (median tau {middle}, {' to '.join(ends)})"

    if best == worst:
        return f"Where both decide alike: {said(best)}."
    return f"Where they decide alike, {said(best)} rank the words most alike, {said(worst)} least."


def draw_texts(found: ReasonComparison, pair: int, page: str | None) -> None:
    """The texts of a pair in a table that opens them."""
    every = [int(row) for row in np.argsort(found.tau[pair], kind="stable") if not np.isnan(found.tau[pair, row])]
    long = [row for row in every if found.n_words[row] >= _LISTED_WORDS]
    rows = (long or every)[:_AT_MOST]
    if long and len(long) < len(every):
        st.caption(f"Texts of {_LISTED_WORDS} words or more: in shorter ones two words can turn the order round.")
    tag = short(repr((found.fingerprints, found.methods, pair, len(found), found.texts[:3])))
    chosen = text_rows.draw(
        text_rows.Place("many", ROW, found.models[found.pairs[pair][1]]), tag, frame_of(found, pair, rows), rows,
        [found.texts[row] for row in rows], height=320, page=page,
        column_config={"text": st.column_config.TextColumn(width=480),
                       "tau": st.column_config.NumberColumn(format="%+.2f", width=70),
                       "row": st.column_config.NumberColumn("Row", width=65, help="As counted in the file.")},
        alt="Texts that both models decide alike, those with the lowest rank correlation of their words first.",
    )  # fmt: skip
    if chosen is None:
        st.caption("The button opens the text. A row shows it whole.")
        return
    text = found.texts[rows[chosen]]
    with st.container(border=True):
        st.html(edits.whole(text))
        way_back.buttons("many", text, "many_open", found.models[found.pairs[pair][1]])


def frame_of(found: ReasonComparison, pair: int, rows: list[int]) -> Any:
    """The table: tau, the text, its label and what both decide."""
    import pandas as pd

    names = {-1: "–"} | {index: visible(label)[:40] for index, label in enumerate(found.labels)}
    one, _ = found.pairs[pair]
    return pd.DataFrame(
        {
            "text": [visible(found.texts[row])[:_CELL_CHARS] for row in rows],
            "tau": found.tau[pair, rows],
            "both decide": [names[int(found.predicted[one, row])] for row in rows],
            "label": [names[int(found.true[row])] for row in rows],
            "words": found.n_words[rows],
            "row": found.row_numbers[rows],
        }
    )
