"""Words: which words made this prediction, and can I believe it?"""

import streamlit as st

from explorer_core.text import split_words
from pages._ui import shell

shell.require_shell()

from pages._ui import cache, messages, reading, sections, state  # noqa: E402 - the guard comes first
from pages._ui.look import Look  # noqa: E402

names, text = state.model_names(), state.text()


@st.fragment
def explore(look):
    """Everything a choice on this page changes."""
    with messages.guard():
        sections.draw(look, "words", sections.choose(look, "words"))


if not names:
    with st.container(border=True):
        st.markdown(
            "**No model to look into yet.** Choose one in the sidebar. If none is ready, the starter models are still "
            "training: the first takes about a minute."
        )
        st.page_link("pages/models.py", label="See how training goes")
elif not split_words(text):
    with st.container(border=True):
        st.markdown(
            "**Nothing to read yet.** Type a sentence in the sidebar, or take one of the examples there. You will see "
            "which of its words made the prediction, and how far that answer can be believed."
        )
else:
    info = cache.model_info(reading.choose_model(names))
    with st.spinner("Reading the text. The first time after a start takes a few seconds."):
        trace = cache.trace(info.name, info.fingerprint, text, False)
    explore(Look(info, text, trace, reading.verdict_target(trace)))
