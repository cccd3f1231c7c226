"""Gradients: how far back does learning reach?"""

import streamlit as st

from pages._ui import shell

shell.require_shell()

from pages._ui import cache, gradient_strip, long_texts, messages, opening, reading, sections, state  # noqa: E402 - the guard comes first
from pages._ui.look import Look  # noqa: E402

names, text = state.model_names(), state.text()


@st.fragment
def explore(look):
    """Everything a click on a word changes."""
    with messages.guard():
        section = sections.choose(look, "gradients")
        if not (section.alone or section.own_strip):
            gradient_strip.draw(look, of_loss=section.of_loss)
        sections.draw(look, "gradients", section)


if opening.may_look(names, text, "how the verdict hangs on each of its words, and how far back training would reach."):
    info = cache.model_info(reading.choose_model(names))
    if not long_texts.may_read(info, text):
        long_texts.offer(info, text)
    else:
        with st.spinner("Reading the text. The first time after a start takes a few seconds."):
            trace = cache.trace(info.name, info.fingerprint, text, not info.rereads)
        others = [cache.model_info(name) for name in names if name != info.name]
        explore(Look(info, text, trace, reading.verdict_target(trace), others))
