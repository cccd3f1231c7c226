"""States: what does the network remember, word by word?"""

import streamlit as st

from pages._ui import shell

shell.require_shell()

from pages._ui import cache, opening, reading, sections, state  # noqa: E402 - the guard comes first
from pages._ui.look import Look  # noqa: E402

names, text = state.model_names(), state.text()


@st.fragment
def explore(look, waiting):
    """Everything a click on a word or a unit changes."""
    reading.draw_strip(look)
    if waiting:
        reading.ask_to_reread(waiting, look.text)
    reading.draw_verdict(look)
    sections.draw(look, "states", sections.choose(look, "states"))


if opening.may_look(names, text, "what the network holds after each of its words."):
    info = cache.model_info(reading.choose_model(names))
    chosen = [info, *(cache.model_info(name) for name in names if name != info.name)]
    waiting = [one for one in chosen if not reading.reads_verdict(one, text)]
    with st.spinner("Reading the text. The first time after a start takes a few seconds."):
        trace = cache.trace(info.name, info.fingerprint, text, info not in waiting)
    readable = [one for one in chosen[1:] if one not in waiting]
    explore(Look(info, text, trace, reading.verdict_target(trace), readable), waiting)
