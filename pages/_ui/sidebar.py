"""The sidebar every page shares: models, text and target class, all bound to the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer_core import api, settings
from explorer_core.results import ModelCard
from pages._ui import cache, messages, state
from pages._ui.examples import DEFAULT_TEXT, EXAMPLES

_SEEN = "_ready_before"  # starters that were ready in the run before
_ADDRESS_READ = "_address_read"
_EXAMPLE = "example"


def draw(*, text_in_page: bool) -> None:
    """Draw the shared widgets; on a page whose subject is the text, the text box goes into the page."""
    cards = cache.ready_cards()
    _choose_models(cards)
    if text_in_page:
        _text_box(height=84)
    with st.sidebar:
        st.multiselect(
            "Models",
            [card.name for card in cards],
            key=state.MODELS,
            bind="query-params",
            placeholder="Choose models" if cards else "None is ready yet",
            help="Those that are ready to read. The first one decides the classes below.",
        )
        if not text_in_page:
            _text_box(height=150)
        _target_box(cards)


def _text_box(height: int) -> None:
    st.text_area(
        "Text",
        value=DEFAULT_TEXT,
        key=state.TEXT,
        bind="query-params",
        height=height,
        on_change=forget_example,
        placeholder="Type or paste a text",
        help=f"At most {settings.MAX_TEXT_CHARS:,} characters. Ctrl+Enter, or a click elsewhere, reads it.",
    )
    st.selectbox(
        "Examples",
        list(EXAMPLES),
        index=None,
        key=_EXAMPLE,
        on_change=_take_example,
        placeholder="Or take an example",
        label_visibility="collapsed",
    )


def _target_box(cards: Sequence[ModelCard]) -> None:
    chosen = state.model_names()
    labels = next((card.labels for card in cards if chosen and card.name == chosen[0]), ())
    st.selectbox(
        "Target class",
        [state.PREDICTED, *labels],
        key=state.TARGET,
        bind="query-params",
        help="The class whose evidence is shown. Left at predicted, each model explains its own verdict.",
    )


def _take_example() -> None:
    if st.session_state[_EXAMPLE] is not None:
        st.session_state[state.TEXT] = EXAMPLES[st.session_state[_EXAMPLE]]


def forget_example() -> None:
    """The text is no longer an example's."""
    st.session_state[_EXAMPLE] = None


def _choose_models(cards: Sequence[ModelCard]) -> None:
    """Choose the ready starters on a first visit; later add each starter that gets ready, if all are chosen."""
    names = [card.name for card in cards]
    starters = [card.name for card in cards if card.is_starter]
    default = starters or names[:1]
    if not st.session_state.get(_ADDRESS_READ):
        st.session_state[_ADDRESS_READ] = True
        asked = st.query_params.get_all(state.MODELS)
        _say_what_is_missing([name for name in asked if name not in names], default)
        if not any(name in names for name in asked) and default:
            st.session_state[state.MODELS] = default
            st.query_params[state.MODELS] = default  # so that the address names what is on the screen
    else:
        chosen = list(state.model_names())
        before = st.session_state.get(_SEEN, [])
        if default and set(chosen) == set(before) and set(default) != set(before):
            st.session_state[state.MODELS] = default
    wanted = state.take_next_model()
    if wanted in names:
        st.session_state[state.MODELS] = [*dict.fromkeys([*state.model_names(), wanted])]
    if these := [name for name in state.take_next_models() if name in names]:
        st.session_state[state.MODELS] = these
    st.session_state[_SEEN] = default


def _say_what_is_missing(missing: Sequence[str], default: Sequence[str]) -> None:
    """One sentence for each model in the address that cannot be shown."""
    states = {card.name: card.status for card in api.list_models()}
    instead = f"Shown instead: {', '.join(default)}." if default else "None is ready yet."
    for name in missing[:3]:
        if name in states:
            text = f"The model {name[:60]} in the address is not ready: its training is {states[name]}. {instead}"
        else:
            text = (
                f"The address names a model that is not here: {name[:60]}. {instead} "
                "A folder or a Hub model is opened on the page Models first."
            )
        messages.say(text, kind="warning")
