"""A person's texts on a page: which files, how they are read, what their labels mean, and what was judged."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.results import Judgement, TextTable
from pages._ui import cache, text_choice
from pages._ui.text_choice import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

CHOICE = "texts_choice"  # kept for the session
ADDRESS = "given"  # name of the token in the address, which is no place for somebody's files themselves
_TOKEN, _KEPT = "texts_token", "texts_kept"  # of the session's choice, and the choice as it was kept last
MOST_JUDGED = 3  # judgements kept in memory, those begun last


@dataclass(frozen=True)
class Desk:
    """What a section of the page Texts is given.

    Attributes:
        choice: What was given.
        table: The texts, `None` while there are none.
        models: The chosen models that are ready.
    """

    choice: Choice
    table: TextTable | None
    models: Sequence[cache.ModelInfo]


def choice() -> Choice:
    """What was given in this session."""
    found: Choice = st.session_state.get(CHOICE) or Choice()
    return found


def remember() -> None:
    """Bring back what the address asks for, and keep what was given, so that a reload of the page finds it again."""
    asked = st.query_params.get(ADDRESS)
    if asked is not None and asked != st.session_state.get(_TOKEN):
        found = text_choice.find(asked)
        if found is not None:
            st.session_state.update({CHOICE: found, _KEPT: found, _TOKEN: asked})
        elif choice().is_empty:
            st.info("The address names texts that are not kept here any more. Give them again.")
    given = choice()
    if not given.is_empty and given != st.session_state.get(_KEPT):
        token = text_choice.keep(given, st.session_state.get(_TOKEN))
        st.session_state.update({_TOKEN: token, _KEPT: given})
    token = None if given.is_empty else st.session_state.get(_TOKEN)
    if token is None:
        st.query_params.pop(ADDRESS, None)
    elif asked != token:
        st.query_params[ADDRESS] = token


def change(**fields: object) -> None:
    """Change what was given; a callback's work."""
    st.session_state[CHOICE] = dataclasses.replace(choice(), **fields)  # type: ignore[arg-type]


def read(given: Choice) -> TextTable | None:
    """The texts of what was given, `None` if nothing was.

    Raises:
        ExplorerError: As `api.read_texts`.
    """
    if given.is_empty:
        return None
    return _table(given.paths, given.names, given.pasted, json.dumps(dataclasses.asdict(given.spec), sort_keys=True))


@st.cache_resource(max_entries=3, show_spinner="Reading the texts")
def _table(paths: tuple[str, ...], names: tuple[str, ...], pasted: str, spec: str) -> TextTable:
    """`api.read_texts`; shared by all sessions and never changed."""
    wanted = api.TextsSpec(**json.loads(spec))
    if paths:
        return api.read_texts(paths, wanted, names=names)
    return api.read_texts(spec=wanted, pasted=pasted)


@st.cache_data(max_entries=16, show_spinner=False)
def column_names(path: str, encoding: str | None) -> tuple[str, ...]:
    """Columns of a file whose texts could not be read, to choose from; none if it cannot be read at all."""
    options = {"path": path} | ({"encoding": encoding} if encoding else {})
    try:
        return api.preview_data(api.DataSpec("local_file", options)).columns
    except ExplorerError:
        return ()


def forget() -> None:
    """Delete the files from this machine, and everything that was read of them from memory."""
    for path in choice().paths:
        api.delete_upload(path)
    if st.session_state.get(_TOKEN):
        text_choice.forget(st.session_state[_TOKEN])
    for key in (CHOICE, _TOKEN, _KEPT):
        st.session_state.pop(key, None)
    _table.clear()
    boards().clear()


@st.cache_resource(show_spinner=False)
def boards() -> dict[str, Judgement]:
    """Judgements of this process as they stand, by the key of their work."""
    return {}


def mapping_of(desk: Desk) -> dict[str, str | None]:
    """Class of each label value: as the person said, else guessed."""
    if desk.table is None or not desk.models:
        return {}
    labels = desk.models[0].labels
    guess = api.guess_labels(desk.table.label_values, labels)
    said = {value: name for value, name in desk.choice.mapping.items() if name is None or name in labels}
    return guess | {value: said[value] for value in guess if value in said}
