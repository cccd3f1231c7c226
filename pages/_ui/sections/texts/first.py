"""Which texts to read first: a reason, a slice, a table of a hundred at a time, and the text of a row."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core import api
from explorer_core.registry import About
from explorer_core.results import Judgement, ReadingOrder, TextSlice
from explorer_core.text import visible
from pages._ui import cache, edits, judged_texts, messages, slice_form, take_away, text_rows, way_back, work
from pages._ui.cache_texts import Desk
from pages._ui.digest import short
from pages._ui.widgets import duration

SECTION = {
    "label": "Read first",
    "question": "Which texts are worth reading first?",
    "kinds": ("recurrent", "transformer"),
    "order": 30,
}
REASON, MODEL, PAGE, ROW = "first_reason", "first_model", "first_page", "first_row"  # keys
KEYS = (REASON, MODEL, PAGE, ROW, text_rows.OPENS, *slice_form.KEYS)
_AT_ONCE = 100  # rows sent to the browser
_CELL_CHARS = 240
_FEW = 20_000  # texts a search goes through without being asked
_PATIENCE_S = 0.6
_SAID = "There is no bundle of it: the rows are the numbers, and the file and the models make them again."


def draw(desk: Desk) -> None:
    """The list, once there is a judgement."""
    found = judged_texts.finished(desk, "the texts worth reading: mistakes, close calls, likely label errors")
    if found is not None:
        way_back.bring_back("first", KEYS)
        st.fragment(explore)(*found)


def explore(key: str, judged: Judgement) -> None:
    """Everything a choice here changes."""
    way_back.follow()
    with messages.guard():
        model, about = pick(judged)
        spec = slice_form.draw(key, judged.table, judged.labels, has_labels=judged.has_labels)
        wanted = slice_form.as_json(spec)
        among = slice_form.select(key, model, wanted, judged)
        if among.said != "all texts":
            st.markdown(f"**{len(among):,} of {among.n_all:,} texts**: {messages.plain(among.said)}.")
            if among.n_labelled:
                st.html(slice_form.fares(among))
        if not len(among):
            st.info("No text is like that. Leave something out above.")
        else:
            order = find(key, judged, model, about, among, wanted)
            if order is not None:
                draw_order(key, order, wanted)
        way_back.keep("first", KEYS)


def pick(judged: Judgement) -> tuple[str, About]:
    """The reason, with its definition, and whose verdicts are meant."""
    reasons = {about.name: about for about in api.list_reasons(judged)}
    for name, allowed in ((REASON, reasons), (MODEL, judged.models)):
        if st.session_state.get(name) not in (None, *allowed):
            del st.session_state[name]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        reason = st.selectbox(
            "Reason", list(reasons), key=REASON, bind="query-params", width=330,
            format_func=lambda name: reasons[name].label,
        )  # fmt: skip
        model = judged.models[0]
        if len(judged.models) > 1:
            model = st.selectbox("By the verdicts of", list(judged.models), key=MODEL, bind="query-params", width=220)
    source = reasons[reason].extra.get("source")
    st.caption(messages.plain(reasons[reason].sentence + (f" {source}." if source else "")))
    return model, reasons[reason]


# Ordering -----------------------------------------------------------------------------------------------------------


def find(key: str, judged: Judgement, model: str, about: About, among: TextSlice, wanted: str) -> ReadingOrder | None:
    """The order: at once where it costs nothing, else in the background, asked for first where it is dear."""
    if about.extra["cost"] == "none":
        return _ordered(key, about.name, model, wanted, judged, among)
    is_dear = about.extra["cost"] == "network"
    n_texts = pick_n_texts(judged, model, about, len(among)) if is_dear else 0
    task_key = f"first {key} {about.name} {model} {wanted} {n_texts}"
    task = work.task(task_key)
    if work.is_idle(task_key) and (task is None or task.state != "done"):
        ask = ask_to_read if is_dear else ask_to_search
        if not ask(task_key, judged, model, about, among, n_texts, is_first=task is None):
            if task is not None:
                work.draw(task_key)
            return None
        start(task_key, judged, model, about, among, n_texts)
    found: ReadingOrder | None = work.draw(task_key, patience_s=_PATIENCE_S)
    return found


def pick_n_texts(judged: Judgement, model: str, about: About, most: int) -> int:
    """How many texts the model reads again."""
    info = cache.model_info(model)
    first = 30 if info.rereads or about.name == "short_deletions" else 500
    found = st.number_input(
        "Texts read again, closest calls first", 1, max(most, 1), min(first, most), key=f"first_n_{about.name}_{most}",
        width=280,
    )  # fmt: skip
    return int(found)


def ask_to_search(
    key: str, judged: Judgement, model: str, about: About, among: TextSlice, n_texts: int, *, is_first: bool
) -> bool:
    """Leave to search: few texts need none."""
    if is_first and len(among) <= _FEW:
        return True
    return st.button(f"Search {len(among):,} texts", key=f"first_ask_{short(key)}", type="primary")


def ask_to_read(
    key: str, judged: Judgement, model: str, about: About, among: TextSlice, n_texts: int, *, is_first: bool
) -> bool:
    """What reading again costs, and leave to pay it."""
    seconds = _price(key, _network(judged, model), judged, model, about.name, n_texts, among)
    most = "at most " if about.name == "short_deletions" else ""
    with st.container(border=True):
        st.markdown(
            f"{messages.plain(model)} reads {n_texts:,} of these texts again, many times each: {most}about "
            f"**{duration(seconds)}** on this machine. Fewer texts cost less."
        )
        return st.button("Read them", key=f"first_ask_{short(key)}", type="primary")


def start(key: str, judged: Judgement, model: str, about: About, among: TextSlice, n_texts: int) -> None:
    """Begin in the background.

    Raises:
        JobError: If too much waits already.
    """
    network = _network(judged, model) if about.extra["cost"] == "network" else None

    def order(progress: work.Progress) -> ReadingOrder:
        return api.order_texts(
            judged, about.name, model=model, among=among, network=network, n_texts=max(n_texts, 1), progress=progress
        )

    work.start(key, about.label, order)


@st.cache_resource(max_entries=16, show_spinner="Putting the texts in order")
def _ordered(key: str, reason: str, model: str, wanted: str, _judged: Judgement, _among: TextSlice) -> ReadingOrder:
    return api.order_texts(_judged, reason, model=model, among=_among)


@st.cache_data(max_entries=32, show_spinner="Estimating the time")
def _price(
    key: str, _network: Any, _judged: Judgement, model: str, reason: str, n_texts: int, _among: TextSlice
) -> float:
    return api.price_order(_judged, reason, network=_network, model=model, among=_among, n_texts=n_texts)


def _network(judged: Judgement, model: str) -> Any:
    return cache.load(model, judged.fingerprints[judged.models.index(model)])


# The list -----------------------------------------------------------------------------------------------------------


def draw_order(key: str, order: ReadingOrder, wanted: str) -> None:
    """The table, a hundred rows at a time, the chosen text, and what can be taken away."""
    for note in order.notes:
        st.caption(messages.plain(note))
    if not len(order):
        st.info(f"None of these {order.n_slice:,} texts is on this list.")
        return
    n_pages = -(-len(order) // _AT_ONCE)
    if not 1 <= (st.session_state.get(PAGE) or 1) <= n_pages:
        del st.session_state[PAGE]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"**{len(order):,} texts**" + (f", {_AT_ONCE} a page" if n_pages > 1 else ""))
        page = st.pagination(n_pages, key=PAGE, bind="query-params") if n_pages > 1 else 1
    start = (page - 1) * _AT_ONCE
    rows = order.rows[start : start + _AT_ONCE]
    tag = short(f"{key} {order.reason} {order.model} {wanted} {page}")
    chosen = text_rows.draw(
        text_rows.Place("first", ROW, order.model), tag, table_of(order, start, start + _AT_ONCE),
        rows.tolist(), [order.judged.table.texts[row] for row in rows], height=392,
        column_config=columns_of(order), alt=f"Texts in reading order by {order.value_name}.",
    )  # fmt: skip
    if chosen is not None:
        draw_text(order, start + chosen)
    else:
        st.caption("A cell of a row shows its whole text here; arrow keys go on to the next.")
    lines = {"Rows (JSON lines)": (lambda: "\n".join(order.to_jsonl()).encode(), f"{order.reason}.jsonl")}
    take_away.offer_alone("first", order.reason, order, _SAID, lines)


def table_of(order: ReadingOrder, start: int, stop: int) -> pd.DataFrame:
    """Rows of the order as they are shown: cut, with hidden characters as escapes."""
    judged = order.judged
    rows = order.rows[start:stop]
    names = np.array([*judged.labels, ""], dtype=object)
    found: dict[str, Any] = {
        order.value_name: order.values[start:stop],
        "text": [visible(judged.table.texts[row][:_CELL_CHARS]) for row in rows],
    }
    if len(order.details):
        found["why"] = [visible(one) for one in order.details[start:stop]]
    if judged.has_labels:
        found["label"] = [visible(str(name)) for name in names[judged.true[rows]]]
    for number, model in enumerate(judged.models):
        said = names[judged.predicted[number, rows]]
        sure = judged.confidence[number, rows]
        found[model if model not in found else f"{model} says"] = [
            f"{visible(str(name))[:24]} {share:.3f}" for name, share in zip(said, sure, strict=True)
        ]
    found["words"] = judged.table.n_words[rows]
    found["row"] = judged.table.row_numbers[rows]
    return pd.DataFrame(found)


def columns_of(order: ReadingOrder) -> dict[str, Any]:
    """How the columns are drawn."""
    whole = order.reason == "short_deletions"
    return {
        order.value_name: st.column_config.NumberColumn(format="%d" if whole else "%.3f", width=90),
        "text": st.column_config.TextColumn(width=360),
        "why": st.column_config.TextColumn(width=240),
        "words": st.column_config.NumberColumn("Words", width=65),
        "row": st.column_config.NumberColumn("Row", width=65, help="As counted in the file."),
    }


def draw_text(order: ReadingOrder, place: int) -> None:
    """One text whole, what is said of it, and ways to open it."""
    judged, row = order.judged, int(order.rows[place])
    text = judged.table.texts[row]
    with st.container(border=True):
        partner = int(order.partner[place]) if len(order.partner) else -1
        if partner >= 0:
            st.html(edits.inline(text, judged.table.texts[partner]))
            st.caption(
                f"Row {judged.table.row_numbers[row]} as it became row {judged.table.row_numbers[partner]}: words "
                "taken out struck through, words put in underlined."
            )
        else:
            st.html(edits.whole(text))
        st.html(verdicts_of(judged, row))
        way_back.buttons("first", text, "first_open", order.model)
        if partner >= 0:
            way_back.buttons("first", judged.table.texts[partner], "first_partner", order.model, "Open the other on")


def verdicts_of(judged: Judgement, row: int) -> str:
    """Label and every model's verdict in one line, as HTML."""
    true = int(judged.true[row])
    parts = [f"labelled <b>{html.escape(visible(judged.labels[true]))}</b>"] if true >= 0 else ["no label"]
    for number, model in enumerate(judged.models):
        said = html.escape(visible(judged.labels[judged.predicted[number, row]]))
        parts.append(f"{html.escape(visible(model))}: <b>{said}</b> {judged.confidence[number, row]:.3f}")
    return "<div style='font-variant-numeric:tabular-nums'>" + " &nbsp;·&nbsp; ".join(parts) + "</div>"
