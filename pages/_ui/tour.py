"""A tour of five stops through the pages: offered on the page Home, remembered by the browser when it is not wanted."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer_core import api
from pages._ui import cache, cache_texts, linked, sidebar, state, way_back

_STOP = "tour_stop"  # of this session: which one is open, from 0
_CARD = "tour_card"

TRICKY = (
    ("positive", "Not a single dull moment."),
    ("negative", "Hardly a masterpiece."),
    ("negative", "It could have been great."),
    ("negative", "What a waste of a brilliant cast."),
    ("negative", "Nobody would call this film a success."),
    ("positive", "I expected a dull film, and I was wrong."),
    ("negative", "It was a great film until the last ten minutes ruined everything."),
    ("positive", "The battery is dead, the screen is cracked, and I still love this phone."),
    ("positive", "They said it would be boring, but it was not."),
    ("negative", "I would recommend it to nobody."),
    ("positive", "The plot is not without charm."),
    ("negative", "The room was clean and quiet, or so the website claims."),
)
"""Short texts with their labels, each of which trips some of the starter models. Written for this project."""


@dataclass(frozen=True)
class Stop:
    """One stop: a page with a section, the text it reads, the model looked into, and a sentence on what to see.

    `text` is empty where the stop brings texts of its own.
    """

    page: str
    title: str
    view: str
    text: str
    look: str
    sentence: str


STOPS = (
    Stop(
        "pages/states.py",
        "States",
        "gates",
        "It could have been great.",
        "starter-lstm",
        "The LSTM turns against the film at “could have been”, and “great” no longer lifts it: see the bar under each "
        "word. The maps below show the gates that keep the doubt in the cell.",
    ),
    Stop(
        "pages/gradients.py",
        "Gradients",
        "vanishing",
        "A wonderful film. We saw it on a Tuesday in the small hall at the end of the street.",
        "starter-lstm",
        "How the last state hangs on every earlier one: the line of the vanilla RNN, drawn beside the LSTM's, dies out "
        "within a few words. What it has forgotten it cannot learn from.",
    ),
    Stop(
        "pages/words.py",
        "Words",
        "method",
        "Hardly a masterpiece.",
        "starter-bert",
        "“Hardly” outweighs “masterpiece” in BERT. The bars add up to the logit, and the trust card says by "
        "measurements whether to believe them.",
    ),
    Stop(
        "pages/compare.py",
        "Compare",
        "together",
        "What a waste of a brilliant cast.",
        "",
        "One sentence, all networks on one axis: the LSTM falls for “brilliant”, the BiLSTM and BERT do not.",
    ),
    Stop(
        "pages/texts.py",
        "Texts",
        "judge",
        "",
        "",
        f"{len(TRICKY)} sentences that trip some of the networks, pasted as you would paste your own: press the "
        "button, and see who gets how many right, with the interval that so few texts leave.",
    ),
)

_element = linked.element("unrolled_tour", "tour")


def offer() -> None:
    """The card on the page Home; the browser hides it once it was dismissed, and a small button brings it back."""
    _element(
        key=_CARD,
        data={
            "title": f"New here? A tour in {len(STOPS)} stops",
            "text": "About a minute: " + ", ".join(stop.title for stop in STOPS) + ". Each stop opens a page on a "
            "sentence and says what to look for.",
            "start": "Start the tour",
            "later": "Not now",
            "again": "Take the tour",
        },
        on_start_change=_start,
    )


def draw(title: str) -> None:
    """On the page of the stop that is open: what to see there, the next stop, and the end."""
    place = st.session_state.get(_STOP)
    if place is None or STOPS[place].title != title:
        return
    stop = STOPS[place]
    with st.container(border=True):
        st.markdown(f"**Stop {place + 1} of {len(STOPS)}: {stop.title}.** {stop.sentence}")
        with st.container(horizontal=True):
            if place + 1 < len(STOPS):
                st.button(f"Next: {STOPS[place + 1].title}", type="primary", key="tour_next", on_click=open_stop,
                          args=(place + 1,))  # fmt: skip
                st.button("End the tour", key="tour_end", on_click=_end)
            else:
                st.button("Done", type="primary", key="tour_end", on_click=_end)


def open_stop(place: int) -> None:
    """A callback: go to a stop; what it needs is set before the page is drawn."""
    stop = STOPS[place]
    st.session_state[_STOP] = place
    ready = {card.name for card in cache.ready_cards()}
    if stop.text:
        st.session_state[state.TEXT] = stop.text
        sidebar.forget_example()
    else:
        _paste()
    look = stop.look if stop.look in ready else None
    if look is not None and look not in state.model_names():
        st.session_state[state.MODELS] = [*state.model_names(), look]
    way_back.send(stop.page, stop.view, look)


def _paste() -> None:
    pasted = "\n".join(f"{label}\t{text}" for label, text in TRICKY)
    cache_texts.change(paths=(), names=(), pasted=pasted, spec=api.TextsSpec(), mapping={})


def _start() -> None:
    open_stop(0)


def _end() -> None:
    st.session_state.pop(_STOP, None)
