"""Scores of words on a page: which method by which settings, its price, and leave to pay it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer_core import api, registry
from explorer_core.registry import About
from explorer_core.results import AttributionPrice, WordAttribution
from pages._ui import cache, cache_words, inside, messages, widgets, work
from pages._ui.digest import short
from pages._ui.look import Look

METHOD = "method"  # key, and name in the address
AT_ONCE_S, UNASKED_S = 1.5, 8.0  # what costs more is done with a bar that cancels it, or asked for first
MANY = 60  # words; more than that need the whole width of the page
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

    def changed(self, **knobs: Any) -> Wish:
        """The same method with other settings."""
        return Wish(self.method, json.dumps(json.loads(self.knobs) | knobs, sort_keys=True))


def methods(look: Look) -> dict[str, About]:
    """The methods that fit the model looked into, by name."""
    model = cache.load(look.info.name, look.info.fingerprint)
    return {about.name: about for about in api.list_methods(model)}


def pick(look: Look, beside: Callable[[], None] | None = None) -> Wish:
    """The choice of a method and its settings; `beside` draws a control in the same row."""
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
        if beside is not None:
            beside()
    about = fitting[method]
    sign = "for and against the class" if about.extra["signed"] else "without a sign"
    whole = "adds up to the logit's move" if about.extra["complete"] else "does not promise to add up"
    st.caption(f"{messages.plain(about.sentence)} Scores {sign}; {whole}; {messages.plain(about.extra['price'])}.")
    return Wish(method, json.dumps(knobs, sort_keys=True))


def pick_common(looks: Sequence[Look]) -> Wish:
    """The choice of a method that fits every model, and its settings, which are the same for all."""
    each = [methods(look) for look in looks]
    fitting = {name: about for name, about in each[0].items() if all(name in others for others in each[1:])}
    inside.take_by_name(METHOD, fitting)
    if st.session_state.get(METHOD) not in (None, *fitting):
        del st.session_state[METHOD]
    names = list(fitting)
    method = st.selectbox(
        "Method", names, index=names.index("integrated_gradients"), key=METHOD, bind="query-params", width=280,
        format_func=lambda name: fitting[name].label,
    )  # fmt: skip
    return Wish(method, json.dumps(settings_of(method), sort_keys=True))


def settings_of(method: str) -> dict[str, Any]:
    """Every setting of a method, folded away behind one button."""
    knobs = registry.load("attribution", method).KNOBS
    if not knobs:
        return {}
    with st.popover("Settings"):
        return {knob.name: widgets.knob(knob, key=knob_key(method, knob.name), bind=True) for knob in knobs}


def knob_key(method: str, knob: str) -> str:
    """Key of the widget of a setting, and its name in the address."""
    return f"words_{method}_{knob}"


def choose(method: str) -> None:
    """Take another method from the next run on; for callbacks."""
    st.session_state[METHOD] = method


def scores(
    look: Look, wish: Wish, *, place: str = "", take: Callable[[str], None] | None = None
) -> WordAttribution | None:
    """Scores of the text, at once where that is cheap, else when asked for; `None` until they are there.

    Args:
        look: What is looked at.
        wish: The method.
        place: Tells buttons of the same wish apart.
        take: Takes the name of another method in place of this one, where a cheaper one can be offered.
    """
    key = key_of(look, wish)
    asked = (*look.key, look.target, wish.method, wish.knobs)
    task = work.task(key)
    is_stopped = task is not None and task.state in ("cancelled", "failed")
    if task is None or is_stopped:
        price = cache_words.price(*look.key, wish.method, wish.knobs)
        if not is_stopped and price.seconds <= AT_ONCE_S:
            return cache_words.attribution(*asked)
        if not is_stopped and price.seconds <= UNASKED_S:
            start(look, wish)
        elif is_stopped or key not in st.session_state:
            work.draw(key)
            _ask(look, wish, price, place, take)
            return None
    if work.draw(key, patience_s=_PATIENCE_S):
        st.session_state[key] = True
    found = work.task(key)
    return cache_words.attribution(*asked) if key in st.session_state or (found and found.state == "done") else None


def cheaper(look: Look, wish: Wish, seconds: float) -> tuple[About, float] | None:
    """The method most like a dear one that needs no leave, and its seconds: signed and complete as that one if it can
    be, else whatever is cheap.
    """
    mine = wish.about.extra

    def unlike(about: About) -> tuple[bool, bool, int]:
        return about.extra["signed"] != mine["signed"], about.extra["complete"] != mine["complete"], about.order

    for about in sorted(methods(look).values(), key=unlike):
        price = cache_words.price(*look.key, about.name, "{}").seconds
        if about.name != wish.method and price <= min(UNASKED_S, seconds / 2):
            return about, price
    return None


def _ask(look: Look, wish: Wish, price: AttributionPrice, place: str, take: Callable[[str], None] | None) -> None:
    """What a method costs, leave to pay it, and a cheaper one."""
    tag = f"{place}{short(key_of(look, wish))}"
    other = cheaper(look, wish, price.seconds)
    with st.container(border=True):
        said = (
            f"{messages.plain(wish.about.label)} reads this text about {price.n_passes:,} times: "
            f"{widgets.duration(price.seconds)} on this machine, {price.memory_mib:,.0f} MiB of memory."
        )
        if other is not None:
            loses = wish.about.extra["complete"] and not other[0].extra["complete"]
            how = ", but its scores do not promise to add up" if loses else ""
            said += f" {messages.plain(other[0].label)} takes about {widgets.duration(other[1])}{how}."
        st.markdown(said)
        with st.container(horizontal=True):
            if st.button("Score the words", key=f"words_ask_{tag}"):
                with messages.guard():
                    start(look, wish)
                st.rerun()
            if other is not None and take is not None:
                st.button(f"Take {other[0].label} instead", key=f"words_cheaper_{tag}", on_click=take,
                          args=(other[0].name,))  # fmt: skip


def start(look: Look, wish: Wish) -> None:
    """Begin to score the words in the background.

    Raises:
        JobError: If too much waits already.
    """
    cache.load(look.info.name, look.info.fingerprint)

    def score(progress: work.Progress) -> bool:
        cache_words.attribution(*look.key, look.target, wish.method, wish.knobs, _progress=progress)
        return True

    work.start(key_of(look, wish), f"{wish.about.label} of {look.info.name}", score)


def key_of(look: Look, wish: Wish) -> str:
    """Plain text that says all of what is scored, for work in the background."""
    return f"words {look.info.fingerprint} {look.target} {wish.method} {wish.knobs} {short(look.text)}"
