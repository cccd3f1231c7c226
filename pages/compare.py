"""Compare: how do the architectures differ on this text, and on many?"""

import streamlit as st

from pages._ui import shell

shell.require_shell()

from pages._ui import compared, messages, opening, sections, state  # noqa: E402 - the guard comes first

WILL_SEE = "how the chosen networks read it, side by side."


@st.fragment
def explore(desk):
    """Everything a choice on this page changes."""
    if state.text() != desk.text:
        st.rerun()  # a text was opened from within the fragment: the whole page is of another text
    with messages.guard():
        section = sections.choose_of(sections.describe("compare"))
        if section.alone or opening.may_look(desk.names, desk.text, WILL_SEE):
            sections.draw(desk, "compare", section)


desk = compared.desk(state.model_names(), state.text())
for sentence in desk.left_out:
    st.caption(messages.plain(sentence))
explore(desk)
