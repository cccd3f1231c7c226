"""The text on the page States: the strip with the verdict after every word, and the running verdict as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace, softmax
from explorer_core.text import visible
from pages._ui import figures, linked, messages, rereading, state, strip, verdicts
from pages._ui.look import AnyTrace, Look

GROUP = "states"  # elements that choose a word together
STRIP, VERDICT, NORMS, UNIT_LINES = "states_strip", "states_verdict", "states_norms", "states_unit"
ROLLOUT, TURNS = "states_rollout", "states_turns"
MEMORY_WORDS, MEMORY_UNIT = "states_memory_words", "states_memory_unit"
LEDGER, HALVES = "states_ledger", "states_halves"
PATTERN = "states_pattern"
# keys of charts over words, which show a line at the chosen word
CHARTS = (VERDICT, NORMS, UNIT_LINES, ROLLOUT, TURNS, MEMORY_WORDS, MEMORY_UNIT, LEDGER, HALVES, PATTERN)
MODEL = state.LOOK  # key, and name in the address
QUANTITY, CLASSES = "verdict", "classes"  # likewise
_QUANTITIES = {"prob": "Probability", "logit": "Logit"}
_CLASSES = {"target": "Target class", "all": "Every class"}
reads_verdict, ask_to_reread = rereading.may_read, rereading.offer


def choose_model(names: Sequence[str]) -> str:
    """The model looked into: the only one, or the one picked on the page."""
    if len(names) == 1:
        return names[0]
    return st.selectbox(
        "Look into", list(names), key=MODEL, bind="query-params", width=320,
        help="The running verdict draws all chosen models; everything else on this page is about this one.",
    )  # fmt: skip


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
        charts=CHARTS,
        spans=True,
    )


def chosen_span(trace: AnyTrace) -> tuple[int, int] | None:
    """First and last word of the run chosen in this text, if there is one."""
    return linked.chosen_span(GROUP, trace.words)


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


def pick_quantity(n_classes: int) -> tuple[str, str]:
    """What the running verdict draws: `prob` or `logit`, and the `target` class or `all`.

    Of two classes every class is asked for only as logits: the probability of one is the mirror of the other's.
    """
    with st.container(horizontal=True, gap="medium"):
        quantity = _pick("Quantity", _QUANTITIES, QUANTITY)
        asks = n_classes > 2 or quantity == "logit"
        classes = _pick("Classes", _CLASSES, CLASSES) if asks else "target"
    return quantity, classes


def _pick(label: str, options: Mapping[str, str], key: str) -> str:
    first = next(iter(options))
    if st.session_state.get(key) not in (None, *options):
        st.session_state[key] = first
    chosen = st.segmented_control(
        label, list(options), default=first, required=True, key=key, bind="query-params",
        format_func=lambda name: options[name], label_visibility="collapsed",
    )  # fmt: skip
    return chosen or first


def draw_verdict(look: Look) -> None:
    """The running verdict of the model looked into and of the other chosen ones, on one axis."""
    trace = look.trace
    first = verdicts.Reader(trace.model, trace.architecture, trace.labels, trace.words)
    found = list(verdicts.read_each(look.others, look.text, first))
    drawn = [one for one in found if not isinstance(one, str)]
    if trace.running_logits_by_word is not None:
        drawn.insert(0, verdicts.Verdict(first, trace.running_logits_by_word))
    if drawn:
        quantity, classes = pick_quantity(len(trace.labels))
        verdicts.draw_lines(drawn, look.target, VERDICT, quantity=quantity, classes=classes)
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
