"""From a file of the page Texts to the form of the page Models, with its columns filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from explorer_core import api
from pages._ui import cache_texts, messages, way_back
from pages._ui.cache_texts import Desk

SOURCE = "local_file"
_GIVEN, _ASKED = "train_given", "train_asked"
_PAGE = "pages/models.py"


@dataclass(frozen=True)
class Given:
    """A file to train on.

    Attributes:
        path: Where it is kept on this machine.
        name: What the person calls it.
        columns: Names of the columns by option of the source.
        class_names: Class of each label, if the person said what labels mean; else they stay as they are.
    """

    path: str
    name: str
    columns: Mapping[str, str]
    class_names: Mapping[str, str | None] = field(default_factory=dict)


def given() -> Given | None:
    """The file that was sent from the page Texts, if any."""
    found: Given | None = st.session_state.get(_GIVEN)
    return found


def is_asked_for() -> bool:
    """Whether a person has come from the page Texts to train, and has not begun yet: the form then stands first."""
    return given() is not None and bool(st.session_state.get(_ASKED))


def begun() -> None:
    """A training has begun: what it does is of more interest now than the form."""
    st.session_state.pop(_ASKED, None)


def offer(desk: Desk) -> None:
    """On the page Texts: a button that opens the form with this file."""
    table = desk.table
    if table is None or len(table.label_values) < 2:
        return
    names, first = desk.choice.names, 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(names) > 1:
            first = st.selectbox("File to train on", range(len(names)), key="train_file", width=260,
                                 format_func=lambda index: names[index])  # fmt: skip
        if st.button("Train a model on it", key="train_on_it", on_click=_take, args=(desk, first)):
            way_back.go(_PAGE)
    st.caption(
        "Opens the form of the page Models with this file and its columns. Of its rows 80 % train, 10 % validate and "
        "10 % test; rows that share all letters, or a column of pair ids, stay on one side."
    )


def draw_given() -> Given | None:
    """On the page Models: which file is in use, and a way to take another."""
    found = given()
    if found is None:
        return None
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"File from the page Texts: **{messages.plain(found.name)}**")
        st.button("Take another file", key="train_other", on_click=_drop)
    return found


def _take(desk: Desk, index: int) -> None:
    """A callback: keep what the form is filled with."""
    with messages.guard_callback():
        table, choice = desk.table, desk.choice
        assert table is not None
        columns = {} if choice.pasted else {"text_column": table.text_column}
        if table.label_column and not choice.pasted:
            columns["label_column"] = table.label_column
        path = choice.paths[index] if choice.paths else str(api.save_upload(choice.pasted.encode(), "txt"))
        names = cache_texts.mapping_of(desk) if choice.mapping else {}
        st.session_state[_GIVEN] = Given(path, choice.names[index] if choice.names else "pasted text", columns, names)
        st.session_state[_ASKED] = True


def _drop() -> None:
    st.session_state.pop(_GIVEN, None)
