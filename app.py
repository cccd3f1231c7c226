"""Unrolled: the router and what every page shares."""

import streamlit as st

from pages._ui import jobs, messages, shell, sidebar

st.set_page_config(page_title="Unrolled", page_icon=shell.ICON, layout="wide")
page = shell.navigation()
entry = shell.entry_of(page)

shell.draw_style()
st.title(entry.heading, anchor=False)
st.markdown(entry.about)
with messages.guard():
    jobs.begin_starters()
    sidebar.draw(text_in_page=entry.text_in_page)
messages.draw_notices()
shell.run(page)
