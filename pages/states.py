"""States: what does the network remember, word by word?"""

import streamlit as st

from explorer_core.text import split_words
from pages._ui import shell

shell.require_shell()

from pages._ui import cache, inside, reading, state  # noqa: E402 - the guard comes first

names, text = state.model_names(), state.text()


@st.fragment
def explore(trace, others, waiting, text):
    """Everything a click on a word or a unit changes."""
    target = reading.verdict_target(trace)
    reading.draw_strip(trace, target)
    if waiting:
        reading.ask_to_reread(waiting, text)
    reading.draw_verdict(trace, others, text, target)
    st.markdown("### Inside, word by word")
    layer, direction, tokens = inside.draw_pickers(trace)
    place = inside.draw_maps(trace, layer, direction, tokens)
    inside.draw_maps_text(trace)
    unit, word = place.unit or 0, reading.chosen_word(trace)
    left, right = st.columns(2, gap="medium")
    with left:
        inside.draw_unit(trace, layer, direction, unit, word)
    with right:
        inside.draw_norms(trace)
    inside.draw_exports(trace)


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
            "what the network holds after each of its words."
        )
else:
    info = cache.model_info(reading.choose_model(names))
    chosen = [info, *(cache.model_info(name) for name in names if name != info.name)]
    waiting = [one for one in chosen if not reading.reads_verdict(one, text)]
    trace = cache.trace(info.name, info.fingerprint, text, info not in waiting)
    explore(trace, [one for one in chosen[1:] if one not in waiting], waiting, text)
