"""Vanishing gradients, measured: how the last state depends on every earlier one, and what the gates promise."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.numerals import number
from explorer_core.results import JacobianTrace, RecurrentTrace
from explorer_core.text import split_words
from pages._ui import (
    cache,
    cache_jacobians,
    figures,
    gradient_strip,
    half_distances,
    inside,
    messages,
    take_away,
    widgets,
    work,
)
from pages._ui.look import Look

SECTION = {
    "label": "Vanishing",
    "question": "How far back would training reach?",
    "kinds": ("recurrent",),
    "order": 20,
}
NORM, BESIDE = "norm", "beside"  # keys, and names in the address
NORMS = ("spectral", "frobenius")
NOTHING = "nothing"
_AT_ONCE_TOKENS = 1_000  # up to here three networks are walked back in about a second
_SAMPLE_WORDS = 40  # walked back to say what a long text would cost
_LINES = ("cell_norm", "hidden_norm", "grad_norm", "kept_mean")
_PROMISES = {
    "gru": "A GRU has no cell: its hidden state is what is carried on, and its update gates are the promise.",
    "rnn": "A vanilla RNN has neither a cell nor a gate that keeps: it promises nothing.",
}


def draw(look: Look) -> None:
    """The trio of norms with the promise, the untrained twin and another network; then one step at a time."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        norm, beside = pick_norm(), pick_beside(look)
    found = measure(look, layer, direction, norm, beside)
    if found is None:
        return
    own, untrained, other = found
    drawn = other if isinstance(other, JacobianTrace) else None
    draw_lines(own, untrained, drawn)
    for note in notes_of(look, own, other):
        st.caption(messages.plain(note))
    draw_table(own, untrained, drawn)
    with_spectrum = draw_spectrum(look, layer, direction, norm)
    offer(look, with_spectrum or own, untrained, drawn)


def offer(look: Look, own: JacobianTrace, untrained: JacobianTrace, other: JacobianTrace | None) -> None:
    """What is shown, to be taken away; another network's numbers are taken away where it is looked into itself."""
    from explorer_core.views import step_spectrum, vanishing

    has_spectrum = own.spectral_radius is not None
    place = {"layer": own.layer, "direction": own.direction, "norm": own.norm, "target": own.target}
    pictures = {"vanishing": functools.partial(vanishing.render, own, untrained=untrained, other=other)}
    if has_spectrum:
        pictures["step_spectrum"] = functools.partial(step_spectrum.render, own)
    take_away.offer(
        "vanishing",
        look,
        {
            "trace_jacobians": (own, place | {"spectrum": has_spectrum}),
            "trace_untrained_jacobians": (untrained, place | {"seed": cache_jacobians.SEED}),
        },
        figures=pictures,
    )


# Choices ------------------------------------------------------------------------------------------------------------


def pick_norm() -> str:
    """The norm of a Jacobian."""
    if st.session_state.get(NORM) not in (None, *NORMS):
        st.session_state[NORM] = NORMS[0]
    picked = st.selectbox(
        "Norm", NORMS, key=NORM, bind="query-params", width=150, format_func=str.capitalize,
        help="Of a Jacobian. Spectral: the most any nudge of length 1 becomes (largest singular value). Frobenius: all "
        "nudges together (root of the sum of squares). Of a gradient, which is a vector, both are its length.",
    )  # fmt: skip
    return picked if picked in NORMS else NORMS[0]


def pick_beside(look: Look) -> cache.ModelInfo | None:
    """The network drawn beside this one: at first a vanilla RNN, and an LSTM beside an RNN."""
    names = others_of(look)
    options = [NOTHING, *names]
    if st.session_state.get(BESIDE) not in (None, *options):
        del st.session_state[BESIDE]  # a model of another page, or one that is gone
    picked = st.selectbox(
        "Beside it", options, key=BESIDE, bind="query-params", width=220, index=min(len(names), 1),
        help="Another recurrent network that tells the same classes apart, over the same text on the same axis: its "
        "top layer.",
    )  # fmt: skip
    return cache.model_info(picked) if picked in names else None


def others_of(look: Look) -> list[str]:
    """Ready recurrent networks with the same classes, the one to be drawn at first in front."""
    chosen = [info.name for info in look.others]
    kinds = {about.name: about.extra["kind"] for about in api.list_families()}
    cards = [
        card
        for card in cache.ready_cards()
        if card.name != look.info.name and card.labels == look.info.labels and kinds[card.architecture] == "recurrent"
    ]
    wanted = "lstm" if look.info.architecture == "rnn" else "rnn"
    cards.sort(key=lambda card: (card.architecture != wanted, card.name not in chosen, not card.is_starter))
    return [card.name for card in cards]


# Measuring ----------------------------------------------------------------------------------------------------------


def measure(
    look: Look, layer: int, direction: int, norm: str, beside: cache.ModelInfo | None
) -> tuple[JacobianTrace, JacobianTrace, JacobianTrace | str | None] | None:
    """The network, its untrained twin and the one beside it, or why that is not drawn: of a short text at once, of a
    long one in the background when it was asked for, and `None` until then.
    """
    place: tuple[Any, ...] = (look.target, layer, direction, norm)
    calls: list[Callable[[], Any]] = [
        functools.partial(cache_jacobians.jacobians, *look.key, *place),
        functools.partial(cache_jacobians.untrained, *look.key, *place),
        functools.partial(_beside, look, beside, direction, norm),
    ]
    n_tokens = len(look.trace.tokens)
    if n_tokens <= _AT_ONCE_TOKENS:
        own, untrained, other = (call() for call in calls)
        return own, untrained, other
    key = "\0".join(("vanishing", *look.key, *map(str, place), "" if beside is None else beside.fingerprint))
    found = work.draw(key)
    if found is None and work.is_idle(key):
        seconds = _token_s(look.info.name, look.info.fingerprint, _beginning(look.text)) * n_tokens * len(calls)
        with st.container(border=True):
            st.markdown(
                f"To multiply the Jacobians of {n_tokens:,} steps, for each network, takes about "
                f"{widgets.duration(seconds)} on this machine. Here you will see how far back training would reach."
            )
            if st.button("Walk all the way back", key="gradients_vanishing_ask"):
                work.start(key, f"Walking back over {n_tokens:,} steps", functools.partial(_one_by_one, calls))
                st.rerun()
    return found


def _one_by_one(calls: Sequence[Callable[[], Any]], progress: work.Progress) -> list[Any]:
    found = []
    for index, call in enumerate(calls):
        progress(index / len(calls))
        found.append(call())
    return found


def _beside(look: Look, beside: cache.ModelInfo | None, direction: int, norm: str) -> JacobianTrace | str | None:
    """The top layer of another network over the same text, or a sentence why it is not drawn."""
    if beside is None:
        return None
    if direction and not _reads_back(beside):
        return f"{beside.name} is not drawn: it reads forward only."
    words = cache.reading(beside.name, beside.fingerprint, look.text).words
    if words != look.trace.words:
        return f"{beside.name} is not drawn: it reads this text as other words than {look.info.name}."
    try:
        key = (beside.name, beside.fingerprint, look.text)
        return cache_jacobians.jacobians(*key, look.target, -1, direction, norm)
    except ExplorerError as error:
        return f"{beside.name} is not drawn. {error}"


def _reads_back(info: cache.ModelInfo) -> bool:
    return any(about.name == info.architecture and about.extra.get("bidirectional") for about in api.list_families())


def _beginning(text: str) -> str:
    """The first words of a text."""
    return text[: split_words(text)[:_SAMPLE_WORDS][-1][1]]


@st.cache_data(max_entries=128, show_spinner=False)
def _token_s(name: str, fingerprint: str, sample: str) -> float:
    """Seconds one step takes on this machine, measured on the beginning of a text."""
    model = cache.load(name, fingerprint)
    api.trace_jacobians(model, _beginning(sample)[:20], spectrum=False)  # the first call pays for more than its work
    began = time.perf_counter()
    found = api.trace_jacobians(model, sample, spectrum=False)
    return (time.perf_counter() - began) / len(found.tokens)


def notes_of(look: Look, own: JacobianTrace, other: JacobianTrace | str | None) -> list[str]:
    """What has to be known of what is drawn, one sentence each."""
    notes = []
    if look.info.architecture in _PROMISES:
        notes.append(_PROMISES[look.info.architecture])
    notes.append(
        "Untrained: the same network with fresh weights, made as training makes them before its first step "
        f"(seed {cache_jacobians.SEED}), and with the same word vectors where these are frozen."
    )
    if isinstance(other, str):
        notes.append(other)
    if look.trace.hidden.shape[0] > 1:
        notes.append(
            f"The Jacobians are those of layer {own.layer + 1} alone; only the gradient of the logit passes all layers."
        )
    return notes


# Pictures -----------------------------------------------------------------------------------------------------------


def draw_lines(own: JacobianTrace, untrained: JacobianTrace, other: JacobianTrace | None) -> None:
    """The main picture, and what it says in a sentence."""
    from explorer_core.views import vanishing

    st.markdown(half_distances.sentence_of(own, untrained, other))
    figures.chart(
        vanishing.render(own, untrained=untrained, other=other),
        gradient_strip.VANISHING,
        vanishing.alt_text(own, untrained=untrained, other=other),
    )
    figures.how_to_read("vanishing")


def draw_table(own: JacobianTrace, untrained: JacobianTrace, other: JacobianTrace | None) -> None:
    """Every line of the chart in numbers: at the end, where it halves, and what is left of it."""
    import pandas as pd  # a quarter of a second that the first page does not need

    from explorer_core.views import vanishing

    st.markdown("#### Every line in numbers")
    names = vanishing.network_names(own, untrained, other)
    rows = [
        {
            "Network": name,
            "Line": vanishing.plain_symbol(vanishing.symbol_of(trace, line)),
            "At T": number(float(trace.quantities()[line][trace.end])),
            "Going back, it": half_distances.fall_of(trace, line),
            "Left at the far end": half_distances.left_of(trace, line),
        }
        for name, trace in zip(names, (own, untrained, other), strict=True)
        if trace is not None
        for line in _LINES
        if line in trace.quantities()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Every line at the end, where it halves and what is left.")


def draw_spectrum(look: Look, layer: int, direction: int, norm: str) -> JacobianTrace | None:
    """One step at a time, when it was asked for: it takes far longer than all the rest. Returns the trace with it."""
    from explorer_core.views import step_spectrum

    st.markdown("#### One step at a time")
    key = "\0".join(("spectrum", *look.key, str(look.target), str(layer), str(direction), norm))
    found: JacobianTrace | None = work.draw(key)
    if found is None:
        if work.is_idle(key):
            ask_for_spectrum(look, layer, direction, norm, key)
        return None
    st.markdown(step_sentence(found))
    figures.chart(step_spectrum.render(found), gradient_strip.SPECTRUM, step_spectrum.alt_text(found))
    figures.how_to_read("step_spectrum")
    return found


def ask_for_spectrum(look: Look, layer: int, direction: int, norm: str, key: str) -> None:
    """Say what the spectrum of every step costs, and offer it."""
    n_steps = len(look.trace.tokens)
    with st.container(border=True):
        st.markdown(
            f"Spectral radius and singular values of each of the {n_steps:,} steps take about "
            f"{widgets.duration(_spectrum_s(*look.key))} on this machine. Here you will see which words make a nudge "
            "grow, and how many directions of the state pass each of them."
        )
        if st.button("Take every step apart", key="gradients_spectrum_ask"):
            with messages.guard():
                model, text = cache.load(look.info.name, look.info.fingerprint), look.text
                place: dict[str, Any] = {"layer": layer, "direction": direction, "norm": norm, "target": look.target}
                work.start(
                    key,
                    f"Taking {n_steps:,} steps apart",
                    lambda progress: api.trace_jacobians(model, text, **place, progress=progress),
                )
            st.rerun()


def step_sentence(trace: JacobianTrace) -> str:
    """Which words stretch a nudge most, and how many directions grow, as Markdown."""
    from explorer_core.views import step_spectrum

    assert trace.singular_values is not None and trace.spectral_radius is not None
    pos = trace.pos_of_words
    largest, radius = trace.singular_values[pos, 0], trace.spectral_radius[pos]
    most, n_all = int(largest.argmax()), trace.singular_values.shape[1]
    n_growing = float(np.median(step_spectrum.growing(trace)))
    return (
        f"The step at {messages.quoted(trace.words[most])} can stretch a nudge the most, by "
        f"**{number(float(largest[most]))}**; in the median step {n_growing:g} of {n_all} directions grow. The "
        f"spectral radius lies between {number(float(radius.min()))} and {number(float(radius.max()))}."
    )


@st.cache_data(max_entries=128, show_spinner=False)
def _spectrum_s(name: str, fingerprint: str, text: str) -> float:
    """What `api.price_spectrum` says."""
    return api.price_spectrum(cache.load(name, fingerprint), text)
