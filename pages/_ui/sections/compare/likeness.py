"""Likeness: how alike the states of two models are, layer by layer, beside untrained ones."""

from __future__ import annotations

import functools

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import StateLikeness
from pages._ui import (
    cache,
    cache_compare_many,
    compare_texts,
    compared,
    figures,
    inside,
    messages,
    priced_work,
    take_away,
)
from pages._ui.compared import Desk

SECTION = {
    "label": "Likeness",
    "question": "Do two networks come to the same states?",
    "kinds": ("recurrent", "transformer"),
    "order": 70,
    "alone": True,
}
SOURCE, ONE, OTHER, WHAT, N_STATES = (
    "likeness_texts", "likeness_a", "likeness_b", "likeness_states", "likeness_n",
)  # fmt: skip
CHART = "likeness_map"  # key
SPLITS = {"test": "Starter corpus, test rows", "held out": "Starter corpus, validation and test rows"}
STATES = {"words": "after every word", "final": "at the end of each text", "mean": "mean over each text"}
_SAID = "There is no bundle of it: a row a pair of layers is the numbers; the texts and the models make them again."


def draw(desk: Desk) -> None:
    """The choice of two models and their states, the press, and the map."""
    if not compared.needs(desk, 1, "how alike the states of two models are."):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        one = pick_model(desk, "One model", ONE, 0)
        other = pick_model(desk, "Another", OTHER, min(1, len(desk.models) - 1))
    inside.take_by_name(WHAT, STATES)
    what = st.segmented_control("States", list(STATES), default="words", required=True, key=WHAT, bind="query-params",
                                format_func=STATES.__getitem__) or "words"  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        texts = compare_texts.pick(desk, SOURCE, SPLITS)
        n_states = int(
            st.number_input("States at most", 4, 5_000, 2_000, 100, key=N_STATES, bind="query-params", width=150,
                            help="Drawn at random where there are more. Few states give a rough number.")
        )  # fmt: skip
    if len(desk.models) == 1:
        st.caption(
            "One model is chosen, so its layers are compared with each other. Choose another in the sidebar too."
        )
    if texts is None or texts.table is None:
        return
    table, keys = texts.table, cache_compare_many.keys_of((one,) if one == other else (one, other))
    n_texts = min(len(table), n_states)
    seconds = cache_compare_many.price_likeness(keys, table.digest, n_texts, table)
    found = priced_work.measured(
        f"likeness {keys!r} {table.digest} {what} {n_states}", "Compare the states",
        f"Both read up to {n_texts:,} texts, once as they are and once with fresh weights.", seconds,
        functools.partial(_measure, keys, table.digest, what, n_states, table),
    )  # fmt: skip
    if found is not None:
        explore(found)


def pick_model(desk: Desk, label: str, key: str, first: int) -> cache.ModelInfo:
    """The choice of one of the models of the page."""
    infos = {info.name: info for info in desk.models}
    if st.session_state.get(key) not in (None, *infos):
        del st.session_state[key]
    name = st.selectbox(label, list(infos), index=first, key=key, bind="query-params", width=220)
    return infos[str(name)]


def _measure(keys, digest, what, n_states, table, progress):  # type: ignore[no-untyped-def]
    return cache_compare_many.likeness(keys, digest, what, n_states, table, _progress=progress)


def explore(found: StateLikeness) -> None:
    """The maps, and what they come to."""
    from explorer_core.views import state_likeness

    for why, count in found.left_out.items():
        st.caption(messages.plain(f"Left out: {count:,} text{'s' * (count != 1)} with {why}."))
    st.markdown(told(found))
    figures.chart(state_likeness.render(found), CHART, state_likeness.alt_text(found))
    if "bert" in found.architectures:
        st.caption("Fresh weights of a BERT are fresh all through: what it learned before fine-tuning is gone too.")
    figures.how_to_read("state_likeness")
    stem = "likeness-" + "-".join(model.replace("/", "-") for model in found.models)
    take_away.offer_alone("likeness", stem, found, _SAID)


def told(found: StateLikeness) -> str:
    """Which two layers are most alike beyond what untrained ones are, as Markdown."""
    over = f"{found.n_states:,} {'words' if found.what == 'words' else 'texts'}"
    if np.isnan(found.cka).all():
        return f"Over {over} no two layers have states that vary."
    beyond = found.cka - (0.0 if found.untrained is None else np.nan_to_num(found.untrained))
    is_same = found.models[0] == found.models[1] and found.fingerprints[0] == found.fingerprints[1]
    if is_same:
        beyond = beyond.copy()
        np.fill_diagonal(beyond, np.nan)  # a layer is like itself
        if np.isnan(beyond).all():
            return f"Over {over}: a layer is wholly like itself (CKA 1), and there is no other one."
    row, column = np.unravel_index(int(np.nanargmax(beyond)), beyond.shape)
    layers = f"{messages.plain(found.layers[0][row])} of {messages.plain(found.models[0])} and "
    layers += f"{messages.plain(found.layers[1][column])} of {messages.plain(found.models[1])}"
    value = number(float(found.cka[row, column]))
    if found.untrained is None or np.isnan(found.untrained[row, column]):
        return f"Over {over}, {layers} are most alike: CKA **{value}**."
    fresh = number(float(found.untrained[row, column]))
    if not float(beyond[row, column]) > 0:
        return f"Over {over}, no two layers are more alike than with fresh weights."
    return f"Over {over}, training has made {layers} most alike: CKA **{value}**, with fresh weights {fresh}."
