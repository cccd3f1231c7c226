"""The text on the page States: the strip with the verdict after every word, and the running verdict as a chart."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core import api, palette, settings
from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace, softmax
from explorer_core.text import split_words, visible
from pages._ui import cache, figures, linked, messages, state, strip, verdicts, widgets
from pages._ui.look import AnyTrace, Look

GROUP = "states"  # elements that choose a word together
STRIP, VERDICT, NORMS, UNIT_LINES = "states_strip", "states_verdict", "states_norms", "states_unit"
MODEL = "look"  # key, and name in the address
_ASKED = "states_reread"


def choose_model(names: Sequence[str]) -> str:
    """The model looked into: the only one, or the one picked on the page."""
    if len(names) == 1:
        return names[0]
    return st.selectbox(
        "Look into", list(names), key=MODEL, bind="query-params", width=320,
        help="The running verdict draws all chosen models; everything else on this page is about this one.",
    )  # fmt: skip


def reads_verdict(info: cache.ModelInfo, text: str) -> bool:
    """Whether the verdict after every word may be read now: it is cheap, short, or was asked for."""
    n_words = len(split_words(text))
    return not info.rereads or n_words <= settings.ASK_BEFORE_REREADING_WORDS or st.session_state.get(_ASKED) == text


def ask_to_reread(waiting: Sequence[cache.ModelInfo], text: str) -> None:
    """Say what the running verdict of these models costs, and offer it."""
    n_words = max(len(cache.reading(info.name, info.fingerprint, text).words) for info in waiting)
    seconds = sum(_reading_s(info.name, info.fingerprint, text) for info in waiting) * n_words / 2  # half as long each
    families = " and ".join(dict.fromkeys(info.family for info in waiting))
    with st.container(border=True):
        st.markdown(
            f"For a verdict after every word, {messages.plain(families)} must read all {n_words:,} beginnings of this "
            f"text anew: about {widgets.duration(seconds)} on this machine."
        )
        if st.button("Read every beginning", key="states_ask"):
            st.session_state[_ASKED] = text
            st.rerun()


@st.cache_data(max_entries=128, show_spinner=False)
def _reading_s(name: str, fingerprint: str, text: str) -> float:
    """Seconds this machine takes to read the text once, measured."""
    model = cache.load(name, fingerprint)
    api.predict(model, [text])  # the first call of a process pays for more than reading
    began = time.perf_counter()
    api.predict(model, [text])
    return time.perf_counter() - began


def verdict_target(trace: AnyTrace) -> int:
    """The class whose probability this page draws."""
    return verdicts.target_class(trace.labels, state.target(), trace.probs[None])


def draw_strip(look: Look) -> int | None:
    """The text with the verdict after each word; returns the chosen word."""
    trace, target = look.trace, look.target
    logits = trace.running_logits_by_word
    by_word = None if logits is None else softmax(logits)
    token_values = None
    if isinstance(trace, RecurrentTrace) and trace.running_logits is not None:
        token_values = softmax(trace.running_logits)[:, target]
    return strip.word_strip(
        STRIP,
        trace.words,
        None if by_word is None else by_word[:, target],
        scale=strip.verdict_scale(trace.labels, target),
        group=GROUP,
        reading=trace.reading,
        token_values=token_values,
        headline=_headline(trace, by_word),
        notes=trace.reading.notes,
        selected=first_word(trace),
        charts=(VERDICT, NORMS, UNIT_LINES),
    )


def first_choice(by_word: np.ndarray | None, target: int, n_words: int) -> int:
    """The word chosen before anyone clicks: where the verdict moves most, or the last one."""
    if by_word is None or n_words < 2:
        return n_words - 1
    return int(np.abs(np.diff(by_word[:, target])).argmax()) + 1


def first_word(trace: AnyTrace) -> int:
    """The word chosen in this text before anyone clicks."""
    logits = trace.running_logits_by_word
    target = verdict_target(trace)
    return first_choice(None if logits is None else softmax(logits), target, len(trace.words))


def chosen_word(trace: AnyTrace) -> int | None:
    """The word chosen last in this text, by any element of the page."""
    return linked.chosen_word(GROUP, trace.words, first_word(trace))


def draw_verdict(look: Look) -> None:
    """The running verdict of the model looked into and of the other chosen ones, on one axis."""
    trace = look.trace
    first = verdicts.Reader(trace.model, trace.architecture, trace.labels, trace.words)
    found = list(verdicts.read_each(look.others, look.text, first))
    drawn = [one for one in found if not isinstance(one, str)]
    if trace.running_logits_by_word is not None:
        drawn.insert(0, verdicts.Verdict(first, softmax(trace.running_logits_by_word)))
    if drawn:
        verdicts.draw_lines(drawn, look.target, VERDICT)
        if strip.direction_of(trace.words) == "rtl":
            st.caption("In the charts time runs from left to right, also for a text written from right to left.")
        figures.how_to_read("running_verdict")
    for sentence in found:
        if isinstance(sentence, str):
            st.caption(messages.plain(sentence))


def _headline(trace: AnyTrace, by_word: np.ndarray | None) -> strip.Headline:
    predicted = int(trace.logits.argmax())
    more = ""
    if by_word is not None and len(trace.words) > 1:
        from explorer_core.views.running_verdict import decision_point

        decided = decision_point(by_word)
        word = visible(trace.words[decided])[:40]
        more = "leading from the first word on" if decided == 0 else f"leading since word {decided + 1}, “{word}”"
    return strip.Headline(
        label=trace.labels[predicted],
        value=number(float(trace.probs[predicted])),
        color=palette.class_colors(trace.labels)[predicted],
        more=more,
    )
