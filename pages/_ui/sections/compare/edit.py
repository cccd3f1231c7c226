"""Change the text: one network over a text and its edited form, and what the edit moved."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer_core import settings
from explorer_core.numerals import number
from explorer_core.results import TextChange, WordAttribution
from explorer_core.text import split_words, visible
from pages._ui import (
    cache,
    cache_compare,
    compared,
    edits,
    figures,
    messages,
    rereading,
    scored,
    take_away,
)
from pages._ui.compared import Desk
from pages._ui.look import Look

if TYPE_CHECKING:
    from explorer_core.comparing.suggestions import Change

SECTION = {
    "label": "Change the text",
    "question": "What does a small edit move?",
    "kinds": ("recurrent", "transformer"),
    "order": 30,
}
TEXT, MODEL, STATES_AS = "compare_text2", "edit_model", "edit_states"  # keys, and names in the address
VERDICTS, STATES, SCORES = "edit_verdict_chart", "edit_state_chart", "edit_score_chart"
MEASURES = {"Distance": "distance", "Turn": "turn"}
_FILLED = "_edit_filled_from"  # the text that the second box was filled with
_MOST = 4  # suggestions of a kind


def draw(desk: Desk) -> None:
    """The edited text with edits worth trying, and what moved."""
    if not compared.needs(desk, 1, "what a small edit of the text moves."):
        return
    info = pick_model(desk)
    other = edit_text(desk.text)
    look = desk.look(info)
    suggested, inline = st.container(), st.container()
    wish = scored.pick(look)
    first = scored.scores(look, wish, place="before", take=scored.choose)
    with suggested:
        draw_suggestions(desk.text, look, first)
    if not split_words(other):
        st.info("The edited text is empty. Type at least one word, or press one of the edits.")
        return
    if other == desk.text:
        st.info("The two texts are the same, and nothing moved. Change a word above, or press one of the edits.")
        return
    inline.html(edits.inline(desk.text, other))
    trace = cache.trace(info.name, info.fingerprint, other, False)
    edited = Look(info, other, trace, desk.target)
    second = scored.scores(edited, wish, place="after", take=scored.choose)
    if first is None or second is None:
        return
    texts = (desk.text, other)
    unread = [text for text in texts if not rereading.may_read(info, text)]
    if unread:
        rereading.offer([info], unread[0])
    with_running = not unread
    found = cache_compare.text_change(
        *look.key, other, desk.target, wish.method, wish.knobs, with_running,
        _reads=(
            cache_compare.text_read(look, first, with_running=with_running),
            cache_compare.text_read(edited, second, with_running=with_running),
        ),
    )  # fmt: skip
    draw_change(found)
    arguments = {"other": other, "target": found.target, "method": found.method, "running": with_running}
    take_away.offer(
        "edit", look, {"compare_texts": (found, {**arguments, **found.knobs})}, figures=_figures(found), as_json=True
    )


def pick_model(desk: Desk) -> cache.ModelInfo:
    """Which model reads both; asked only where there is a choice."""
    if len(desk.models) == 1:
        return desk.models[0]
    if st.session_state.get(MODEL) not in (None, *desk.names):
        del st.session_state[MODEL]
    name = st.selectbox("Model", list(desk.names), key=MODEL, bind="query-params", width=280)
    return next(info for info in desk.models if info.name == name)


def edit_text(text: str) -> str:
    """The box of the edited text, filled with the text until a person changes it."""
    kept = st.session_state.get(TEXT)
    if kept is None and TEXT not in st.query_params:
        st.session_state[TEXT] = text
    elif kept is not None and kept == st.session_state.get(_FILLED) != text:
        st.session_state[TEXT] = text  # nothing was edited, and the text is another
    st.session_state[_FILLED] = text
    typed = st.text_area(
        "Edited text", key=TEXT, bind="query-params", height=100,
        placeholder="Type the text with a change",
        help=f"At most {settings.MAX_TEXT_CHARS:,} characters. Ctrl+Enter, or a click elsewhere, reads it.",
    )  # fmt: skip
    return str(typed or "")


# Edits worth trying -------------------------------------------------------------------------------------------------


def draw_suggestions(text: str, look: Look, first: WordAttribution | None) -> None:
    """Buttons that edit the text, and one that takes the edit back."""
    key = "none" if first is None else f"{look.info.fingerprint} {first.method} {first.target} {dict(first.knobs)}"
    found = cache_compare.edits(text, key, _MOST, first)
    st.caption(
        "Edits worth trying: words that weigh most taken out, a “not” more or less, and words that pairs of the "
        "starter corpus put in each other’s place."
    )
    with st.container(horizontal=True, gap="small"):
        for index, (edited, label) in enumerate({change.apply(text): label_of(change) for change in found}.items()):
            st.button(label, key=f"edit_suggested_{index}", on_click=_take, args=(edited,))
        st.button("Undo the edit", key="edit_undo", on_click=_take, args=(text,), type="tertiary",
                  icon=":material/undo:")  # fmt: skip


def label_of(change: Change) -> str:
    """What a suggested edit does, as Markdown."""
    before, after = messages.quoted(change.before, 24), messages.quoted(change.after, 24)
    if change.is_insertion:
        return f"{before} + {after}"
    return f"{before} → {after}" if change.after else f"Without {before}"


def _take(text: str) -> None:
    st.session_state[TEXT] = text


# What moved ---------------------------------------------------------------------------------------------------------


def draw_change(found: TextChange) -> None:
    """Verdict, states and scores."""
    from explorer_core.views import text_change_scores, text_change_states, text_change_verdict

    st.markdown(told(found))
    width = 1000
    if found.running_probs is not None:
        st.markdown("#### The verdict, word by word")
        figures.chart(text_change_verdict.render(found, width=width), VERDICTS, text_change_verdict.alt_text(found))
        figures.how_to_read("text_change_verdict")
    st.markdown("#### The states, layer by layer")
    shown = st.segmented_control(
        "States by", list(MEASURES), default="Distance", required=True, key=STATES_AS, bind="query-params",
        help="Distance: how far apart two states are, for their size. Turn: by how much their direction differs, "
        "whatever their size.",
    )  # fmt: skip
    quantity = MEASURES[shown or "Distance"]
    figures.chart(
        text_change_states.render(found, quantity=quantity, width=width), STATES,
        text_change_states.alt_text(found, quantity=quantity),
    )  # fmt: skip
    figures.how_to_read("text_change_states")
    st.markdown("#### The scores of the words")
    moved = told_scores(found)
    if moved:
        st.markdown(moved)
    figures.chart(text_change_scores.render(found, width=width), SCORES, text_change_scores.alt_text(found))
    figures.how_to_read("text_change_scores")


def told(found: TextChange) -> str:
    """What the edit does to the verdict, and how long it lasts in the states, as Markdown."""
    before, after = (int(row.argmax()) for row in found.logits)
    names = [messages.plain(visible(found.labels[at])[:60]) for at in (before, after)]
    probs = [number(float(found.probs[side, found.target])) for side in range(2)]
    label = messages.plain(visible(found.target_label)[:60])
    logits = [number(float(row[found.target]), signed=True) for row in found.logits]
    verdict = f"stays **{names[0]}**" if before == after else f"turns from **{names[0]}** to **{names[1]}**"
    said = (
        f"The verdict {verdict}: the probability of {label} goes from {probs[0]} to {probs[1]}, its logit from "
        f"{logits[0]} to {logits[1]}."
    )
    top = found.state_distance[-1].max(0)  # over the directions
    seen = np.flatnonzero(found.in_both)
    if len(seen):
        most = seen[int(top[seen].argmax())]
        last = seen[-1]
        said += (
            f" In the top layer the states differ most at {messages.quoted(found.names[most], 40)} "
            f"({number(float(top[most]))} of at most 2), and by {number(float(top[last]))} at the last word both have."
        )
    return said


def told_scores(found: TextChange) -> str:
    """The words whose score moved most, as Markdown."""
    moved = found.score_difference
    size = np.where(np.isfinite(moved), np.abs(moved), 0.0)
    order = [int(at) for at in np.argsort(-size, kind="stable")[:3] if size[at] > 0]
    if not order:
        return ""
    listed = ", ".join(
        f"{messages.quoted(found.names[at], 40)} ({number(float(moved[at]), signed=True)})" for at in order
    )
    return f"The edit moved the scores of these words most, kept or swapped: {listed}."


def _figures(found: TextChange) -> take_away.Figures:
    from explorer_core.views import text_change_scores, text_change_states, text_change_verdict

    drawn = {
        "text_change_states": functools.partial(text_change_states.render, found),
        "text_change_scores": functools.partial(text_change_scores.render, found),
    }
    if found.running_probs is not None:
        drawn["text_change_verdict"] = functools.partial(text_change_verdict.render, found)
    return drawn
