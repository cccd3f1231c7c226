"""From a list of texts to one of them on another page, and back to the same place of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages._ui import sections, sidebar, state

PAGES = {
    "States": "pages/states.py", "Gradients": "pages/gradients.py", "Words": "pages/words.py",
    "Compare": "pages/compare.py",
}  # fmt: skip
_LISTS = ("texts", "compare")  # pages with sections that list texts
_PLACES, _OPENED, _NEXT = "texts_places", "texts_opened", "texts_next_page"


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


def buttons(section: str, text: str, key: str, model: str | None = None, said: str = "Open it on") -> None:
    """Buttons that open a text on the pages over one text, which look into `model`."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(said, width="content")
        for label in PAGES:
            st.button(label, key=f"{key}_{label}", on_click=take, args=(section, text, label, model))


def go(page: str, address: Mapping[str, str] | None = None) -> None:
    """Go to another page; the address keeps what every page shares, and gets what only that page knows."""
    try:
        st.switch_page(page, query_params=address or {})  # with `None` it would refuse those that widgets hold
    except StreamlitAPIException:  # this page too has a widget of that name, and its value has been set
        st.switch_page(page, query_params={})


def take(section: str, text: str, page: str, model: str | None = None) -> None:
    """A callback: a text is opened on a page, a key of `PAGES`, which looks into `model`; `follow` goes there."""
    st.session_state[state.TEXT] = text
    sidebar.forget_example()
    st.session_state[state.MODELS] = list(state.model_names())  # set anew, so that the next address names them too
    if model is not None:
        st.session_state[state.LOOK] = model
    st.session_state[_OPENED] = (section, text)
    st.session_state.pop(sections.VIEW, None)
    st.session_state[_NEXT] = (PAGES[page], model if len(state.model_names()) > 1 else None)


def send(page: str, view: str, model: str | None = None) -> None:
    """A callback's work: the next run goes to a page, opens a section there and looks into `model`."""
    st.session_state[state.MODELS] = list(state.model_names())
    if model is not None:
        st.session_state[state.LOOK] = model
    st.session_state.pop(_OPENED, None)
    st.session_state[sections.VIEW] = view
    st.session_state[_NEXT] = (page, model if len(state.model_names()) > 1 else None)


def follow() -> None:
    """Go where a press before this run sent; called before anything is drawn, for none of it would be seen."""
    page, model = st.session_state.pop(_NEXT, None) or (None, None)
    if page is not None:
        go(page, {} if model is None else {state.LOOK: model})


def draw(title: str) -> None:
    """On a page over one text, while it shows what a list opened: the way back."""
    follow()
    section, text = st.session_state.get(_OPENED) or ("", "")
    if not section or title not in PAGES or text != state.text() or st.session_state.get(sections.VIEW) == section:
        return
    st.button(
        "Back to the list", key="way_back", type="tertiary", icon=":material/arrow_back:", on_click=_return,
        args=(section,),
    )  # fmt: skip


def _list_of(section: str) -> str:
    """The page that a section is of."""
    return next((page for page in _LISTS if any(one.name == section for one in sections.describe(page))), _LISTS[0])


def _return(section: str) -> None:
    """A callback: the list is shown again, on its own page; `draw` goes there."""
    st.session_state[sections.VIEW] = section
    st.session_state[_NEXT] = (f"pages/{_list_of(section)}.py", None)
