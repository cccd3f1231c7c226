"""The one list of pages, and the guard that keeps every page inside the app's shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import messages, tour, way_back

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

ICON = "pages/_ui/icon.png"


@dataclass(frozen=True)
class Entry:
    """One page: the file, what its link says, its heading and what it is for.

    `text_in_page` puts the shared text box into the page itself instead of the sidebar.
    """

    path: str
    title: str
    heading: str
    about: str
    text_in_page: bool = False


PAGES = (
    Entry(
        "pages/home.py",
        "Home",
        "Unrolled",
        "Unrolled shows small recurrent networks and BERT reading a text, one word at a time. "
        "Type a sentence and see how sure each network is of its verdict after every word.",
        text_in_page=True,
    ),
    Entry(
        "pages/models.py",
        "Models",
        "Models",
        "The networks on this machine. Train one on the starter reviews, on a file of yours or on a data set of the "
        "Hugging Face Hub, or load one that exists.",
    ),
    Entry("pages/states.py", "States", "States", "What the network remembers, word by word."),
    Entry(
        "pages/gradients.py",
        "Gradients",
        "Gradients",
        "How far back learning reaches: on what the verdict hangs, word by word.",
    ),
    Entry(
        "pages/words.py",
        "Words",
        "Words",
        "Which words made this prediction, and how far that answer can be believed.",
    ),
    Entry(
        "pages/compare.py",
        "Compare",
        "Compare",
        "How the architectures differ: on this text, on many, and at what price.",
    ),
    Entry(
        "pages/texts.py",
        "Texts",
        "Texts",
        "Your own texts: give a file, see how well the models judge it, and where they fail.",
    ),
)


def navigation(position: str = "sidebar") -> StreamlitPage:
    """The router over `PAGES`; `app.py` and the guard both call this, so that there is one list."""
    routed = [st.Page(entry.path, title=entry.title, default=entry is PAGES[0], help=entry.about) for entry in PAGES]
    return st.navigation(routed, position=position)  # type: ignore[arg-type]


def draw_style() -> None:
    """What the theme cannot say: all chosen models stand in the sidebar, what only speaks takes no room, and no table
    offers a CSV of its own, in which a text that begins as a formula does would be one in a spreadsheet.
    """
    st.html(
        "<style>"
        '[data-testid="stMultiSelect"] div:has(> [data-testid="stMultiSelectTagsContainer"]) {max-height: none}'
        '[data-testid="stMainBlockContainer"] {padding-top: 3.5rem; max-width: 90rem}'
        ".st-key-states_unit_chosen, .st-key-states_place_chosen, .st-key-states_memory_word,"
        ".st-key-gradients_unit_chosen {position: absolute}"
        '[data-testid="stElementToolbarButton"]:has(button[aria-label^="Download as CSV"]) {display: none}'
        "</style>"
    )


def entry_of(page: StreamlitPage) -> Entry:
    """The entry of the page that the address asks for."""
    return next(entry for entry in PAGES if entry.title == page.title)


def run(page: StreamlitPage) -> None:
    """Run the page inside the shell; what it cannot do is said in a sentence."""
    st.session_state["_shell_ran"] = True
    with messages.guard():
        way_back.follow()
        tour.draw(page.title)
        way_back.draw(page.title)
        page.run()


def require_shell() -> None:
    """Send a page that was started by itself back through `app.py`; the first line of every page.

    A folder named `pages` makes Streamlit run a page alone when a deep link is the first request after a start.
    """
    if not st.session_state.pop("_shell_ran", False):
        navigation("hidden")
        st.rerun()
