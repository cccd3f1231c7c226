"""From a list of texts to one of them on another page, and back to the same place of the list."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages._ui import sections, sidebar, state

PAGES = {"States": "pages/states.py", "Gradients": "pages/gradients.py", "Words": "pages/words.py"}
_LIST = "pages/texts.py"
_PLACES, _OPENED = "texts_places", "texts_opened"


def keep(section: str, keys: Sequence[str]) -> None:
    """Remember what a list shows: the values of its widgets."""
    found = {key: st.session_state[key] for key in keys if key in st.session_state}
    st.session_state.setdefault(_PLACES, {})[section] = found


def bring_back(section: str, keys: Sequence[str]) -> None:
    """Before its widgets are drawn: what a list showed when it was left, unless the address asks for something else."""
    kept = st.session_state.get(_PLACES, {}).get(section, {})
    if any(key in st.session_state or key in st.query_params for key in keys):
        return
    st.session_state.update(kept)


def buttons(section: str, text: str, key: str, said: str = "Open it on") -> None:
    """Buttons that open a text on the pages over one text."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(said, width="content")
        for label, page in PAGES.items():
            if st.button(label, key=f"{key}_{label}", on_click=_take, args=(section, text)):
                go(page)


def go(page: str) -> None:
    """Go to another page; the address keeps what every page shares."""
    st.switch_page(page, query_params={})  # without any it would refuse those that widgets hold; they write them anew


def _take(section: str, text: str) -> None:
    st.session_state[state.TEXT] = text
    sidebar.forget_example()
    st.session_state[_OPENED] = (section, text)
    st.session_state.pop(sections.VIEW, None)


def draw(title: str) -> None:
    """On a page over one text, while it shows what a list opened: the way back."""
    section, text = st.session_state.get(_OPENED) or ("", "")
    if title not in PAGES or text != state.text():
        return
    if st.button("Back to the list", key="way_back", type="tertiary", icon=":material/arrow_back:",
                 on_click=_return, args=(section,)):  # fmt: skip
        go(_LIST)


def _return(section: str) -> None:
    st.session_state[sections.VIEW] = section
