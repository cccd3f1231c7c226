"""The models on this machine: what they are, how far their training is, and how to get another."""

import streamlit as st

from explorer_core import api
from pages._ui import model_actions, shell, sources, state, train_on_it, training_form, widgets

shell.require_shell()


def draw_models():
    """The table of all, and one of them closer."""
    cards = api.list_models() + sources.opened()
    model_actions.draw_undo()
    if not cards:
        st.info("There is no model yet. Train one below; a small LSTM on the starter reviews takes about a minute.")
        return
    widgets.model_table(cards)
    wanted = state.take_next_run()
    if wanted is not None:
        st.session_state[state.RUN] = wanted
    names = [card.name for card in cards]
    chosen = st.selectbox("Look at", names, key=state.RUN, bind="query-params")
    model_actions.draw_one(cards[names.index(chosen)])


def draw_ways_to_add():
    """How to get another."""
    st.subheader("Add a model", anchor=False)
    train, load, unpack = st.tabs(["Train", "Open a folder or Hub model", "Import a zip"])
    with train:
        training_form.draw()
    with load:
        model_actions.draw_open()
    with unpack:
        model_actions.draw_import()


if train_on_it.is_asked_for():
    draw_ways_to_add()
    st.subheader("The models on this machine", anchor=False)
    draw_models()
else:
    draw_models()
    draw_ways_to_add()
