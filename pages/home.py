"""What this is, whether the starter models are ready, and what every ready model makes of a sentence."""

import streamlit as st

from pages._ui import cache, figures, jobs, messages, shell, state, tour, verdicts

shell.require_shell()

TICK_S = 1.0  # a tick ends the one before at its next drawing, so no tick may come too soon


def draw_verdicts(waiting: bool) -> None:
    """The product in one glance; waits for the modules that compute, never makes the page wait."""
    with messages.guard():
        names = state.model_names()
        if not names:
            st.info("The verdicts appear here, one line for each network, as soon as a first model is ready.")
            return
        if not state.text().strip():
            st.info("Type a sentence above: the verdict of each network after every word appears here.")
            return
        if not cache.is_warm():
            st.skeleton(height=330)
            st.caption("Waking the networks. The first time takes a few seconds.")
            cache.warm(wait_s=0.8 * TICK_S)
            if not cache.is_warm():
                return
        if waiting:
            st.rerun()  # once, to draw without a timer
        verdicts.draw(state.text(), names)
        figures.how_to_read("running_verdict")
        st.page_link("pages/compare.py", label="Put these networks side by side", icon=":material/arrow_forward:")


st.subheader("The verdict, word by word", anchor=False)
picture = st.container()

tour.offer()
st.subheader("Starter models", anchor=False)
jobs.draw_starters()

with picture:  # last, so that the page stands while networks are read
    not_warm = bool(state.model_names()) and not cache.is_warm()
    st.fragment(draw_verdicts, run_every=TICK_S if not_warm else None)(not_warm)
