"""Scores of words on a page: which method by which settings, its price, and leave to pay it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer_core import api, registry
from explorer_core.registry import About
from explorer_core.results import WordAttribution
from pages._ui import cache, cache_words, inside, messages, widgets, work
from pages._ui.look import Look

METHOD = "method"  # key, and name in the address
AT_ONCE_S, UNASKED_S = 1.5, 8.0  # what costs more is done with a bar that cancels it, or asked for first
_PATIENCE_S = 0.4


@dataclass(frozen=True)
class Wish:
    """A method with its settings, as JSON with sorted keys."""

    method: str
    knobs: str = "{}"

    @property
    def about(self) -> About:
        """What the method says of itself."""
        return registry.describe("attribution")[self.method]


def methods(look: Look) -> dict[str, About]:
    """The methods that fit the model looked into, by name."""
    model = cache.load(look.info.name, look.info.fingerprint)
    return {about.name: about for about in api.list_methods(model)}


def pick(look: Look) -> Wish:
    """The choice of a method and its settings."""
    fitting = methods(look)
    inside.take_by_name(METHOD, fitting)
    if st.session_state.get(METHOD) not in (None, *fitting):
        del st.session_state[METHOD]  # a method of another network
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = st.selectbox(
            "Method", list(fitting), key=METHOD, bind="query-params", width=280,
            format_func=lambda name: fitting[name].label,
        )  # fmt: skip
        knobs = settings_of(method)
    about = fitting[method]
    sign = "for and against the class" if about.extra["signed"] else "without a sign"
    whole = "adds up to the logit's move" if about.extra["complete"] else "does not promise to add up"
    st.caption(f"{messages.plain(about.sentence)} Scores {sign}; {whole}; {messages.plain(about.extra['price'])}.")
    return Wish(method, json.dumps(knobs, sort_keys=True))


def settings_of(method: str) -> dict[str, Any]:
    """Every setting of a method, folded away behind one button."""
    knobs = registry.load("attribution", method).KNOBS
    if not knobs:
        return {}
    with st.popover("Settings"):
        return {knob.name: widgets.knob(knob, key=f"words_{method}_{knob.name}") for knob in knobs}


def scores(look: Look, wish: Wish, *, place: str = "") -> WordAttribution | None:
    """Scores of the text, at once where that is cheap, else when asked for; `None` until they are there.

    Args:
        look: What is looked at.
        wish: The method.
        place: Tells buttons of the same wish apart.
    """
    key = key_of(look, wish)
    asked = (*look.key, look.target, wish.method, wish.knobs)
    if work.task(key) is None:
        price = cache_words.price(*look.key, wish.method, wish.knobs)
        if price.seconds <= AT_ONCE_S:
            return cache_words.attribution(*asked)
        if price.seconds <= UNASKED_S:
            _start(key, look, wish)
        elif key not in st.session_state:
            with st.container(border=True):
                st.markdown(
                    f"{messages.plain(wish.about.label)} reads this text about {price.n_passes:,} times: "
                    f"{widgets.duration(price.seconds)} on this machine, {price.memory_mib:,.0f} MiB of memory. "
                    "Fewer samples or a method with fewer passes cost less."
                )
                if st.button("Score the words", key=f"words_ask_{place}{short(key)}"):
                    with messages.guard():
                        _start(key, look, wish)
                    st.rerun()
            return None
    if work.draw(key, patience_s=_PATIENCE_S):
        st.session_state[key] = True
    found = work.task(key)
    return cache_words.attribution(*asked) if key in st.session_state or (found and found.state == "done") else None


def _start(key: str, look: Look, wish: Wish) -> None:
    cache.load(look.info.name, look.info.fingerprint)

    def score(progress: work.Progress) -> bool:
        cache_words.attribution(*look.key, look.target, wish.method, wish.knobs, _progress=progress)
        return True

    work.start(key, f"{wish.about.label} of {look.info.name}", score)


def key_of(look: Look, wish: Wish) -> str:
    """Plain text that says all of what is scored, for work in the background."""
    return f"words {look.info.fingerprint} {look.target} {wish.method} {wish.knobs} {short(look.text)}"


def short(text: str) -> str:
    """Short digest of a text, for keys."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
