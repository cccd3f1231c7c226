"""Which texts a section of the page Compare is about: rows of the starter corpus, or the files of the page Texts."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages._ui import cache_compare_many, cache_texts, inside
from pages._ui.cache_texts import Choice, Desk
from pages._ui.compared import Desk as Compared

FILE = "file"
_FILE_LABEL = "Files of the page Texts"


def pick(desk: Compared, key: str, splits: Mapping[str, str]) -> Desk | None:
    """The chosen texts with the models of the page; `None` where there is no file yet, which is said.

    Args:
        desk: What the section is given.
        key: Of the choice, and its name in the address.
        splits: Splits of the starter corpus by what a person reads.
    """
    names = dict(splits) | {FILE: _FILE_LABEL}
    inside.take_by_name(key, names)
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    chosen = st.selectbox("Texts", list(names), key=key, bind="query-params", width=380, format_func=names.__getitem__)
    if chosen != FILE:
        return Desk(Choice(), cache_compare_many.starter(str(chosen)), desk.models)
    given = cache_texts.choice()
    table = cache_texts.read(given)
    if table is None:
        st.info("No file is given yet. Bring one on the page Texts, and come back.")
        st.page_link("pages/texts.py", label="Give a file", icon=":material/upload_file:")
        return None
    return Desk(given, table, desk.models)
