"""Words: which words made this prediction, and can I believe it?"""

import streamlit as st

from pages._ui import shell

shell.require_shell()

from pages._ui import cache, messages, opening, reading, sections, state  # noqa: E402 - the guard comes first
from pages._ui.look import Look  # noqa: E402

names, text = state.model_names(), state.text()


@st.fragment
def explore(look):
    """Everything a choice on this page changes."""
    if state.text() != look.text:
        st.rerun()  # a text was opened from within the fragment: the whole page is of another text
    with messages.guard():
        sections.draw(look, "words", sections.choose(look, "words"))


if opening.may_look(names, text, "which of its words made the prediction, and how far that answer can be believed."):
    info = cache.model_info(reading.choose_model(names))
    with st.spinner("Reading the text. The first time after a start takes a few seconds."):
        trace = cache.trace(info.name, info.fingerprint, text, False)
    explore(Look(info, text, trace, reading.verdict_target(trace)))
