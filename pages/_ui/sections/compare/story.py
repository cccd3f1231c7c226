"""Story: what sets RNN, LSTM, BiLSTM and BERT apart, in four short chapters measured on the ready models."""

from __future__ import annotations

import streamlit as st

from explorer_core import api
from explorer_core.palette import family_label
from pages._ui import cache, cache_words, chapters, figures, inside, messages, sections, sidebar, state, verdicts
from pages._ui.chapters import Chapter, Models
from pages._ui.compared import Desk

SECTION = {
    "label": "Story",
    "question": "What sets the architectures apart?",
    "kinds": ("recurrent", "transformer"),
    "order": 15,
    "alone": True,
}
CHAPTER = "chapter"  # key, and name in the address
VERDICT, PICTURE = "story_verdict", "story_picture"


def draw(desk: Desk) -> None:
    """One chapter: its claim, its text, the verdicts, the numbers, and a second picture."""
    inside.take_by_name(CHAPTER, chapters.CHAPTERS)
    if st.session_state.get(CHAPTER) not in (None, *chapters.CHAPTERS):
        del st.session_state[CHAPTER]
    names = list(chapters.CHAPTERS)
    chosen = st.segmented_control(
        "Chapter", names, default=names[0], required=True, key=CHAPTER, bind="query-params",
        format_func=lambda name: chapters.CHAPTERS[name].label, label_visibility="collapsed",
    )  # fmt: skip
    name = chosen or names[0]
    chapter = chapters.CHAPTERS[name]
    st.markdown(chapter.claim)
    models, missing = chapters.models_for(chapter, desk.models)
    if missing:
        st.info(
            f"This chapter needs a network that tells negative from positive of each kind: {' and '.join(missing)} "
            "is not ready. The starter models train by themselves after the first start; the page **Models** shows how "
            "far they are."
        )
        return
    with st.spinner("Reading. The first time after a start takes a few seconds."):
        draw_chapter(chapter, models)
    place = names.index(name)
    with st.container(horizontal=True):
        st.button("Take this text", on_click=_take, args=(chapter.text,), help="Every page reads it then.")
        if place + 1 < len(names):
            following = chapters.CHAPTERS[names[place + 1]].label
            st.button(f"Next: {following}", type="primary", on_click=_go, args=(names[place + 1],))


def draw_chapter(chapter: Chapter, models: Models) -> None:
    """Verdicts, what they show in numbers, and the second picture."""
    target = next(iter(models.values())).labels.index("positive")
    drawn = []
    for info in models.values():
        one = chapters.running(info, chapter.text)
        reader = verdicts.Reader(info.name, info.architecture, info.labels, one.words)
        drawn.append(verdicts.Verdict(reader, one.running_logits))
    st.markdown(f"#### “{chapter.text}”")
    verdicts.draw_lines(drawn, target, VERDICT)
    told = chapter.tell(models, chapter.text, target)
    st.markdown(f"**{messages.plain(told.sentence)}**")
    if not told.holds:
        st.caption("These networks do not show it on this text: another training, another outcome. Try the starters.")
    {"reach": _reach, "move": _move, "halves": _halves, "scores": _scores}[chapter.picture](chapter, models, target)


def _reach(chapter: Chapter, models: Models, target: int) -> None:
    from explorer_core.views import gradient_reach

    gradients = [
        api.trace_gradients(cache.load(info.name, info.fingerprint), chapter.text, target) for info in models.values()
    ]
    found = api.compare_reach(gradients)
    figures.chart(gradient_reach.render(found), PICTURE, gradient_reach.alt_text(found))
    figures.how_to_read("gradient_reach")


def _move(chapter: Chapter, models: Models, target: int) -> None:
    from explorer_core.views import state_lines

    found = chapters.moves(models, chapter.text)
    figures.chart(state_lines.render(found), PICTURE, state_lines.alt_text(found))
    figures.how_to_read("state_lines")


def _halves(chapter: Chapter, models: Models, target: int) -> None:
    from explorer_core.views import halves

    info = models["bilstm"]
    found = cache.halves(info.name, info.fingerprint, chapter.text, target)
    figures.chart(halves.render(found), PICTURE, halves.alt_text(found))
    figures.how_to_read("halves")


def _scores(chapter: Chapter, models: Models, target: int) -> None:
    from explorer_core.views import word_scores

    found = [
        cache_words.attribution(info.name, info.fingerprint, chapter.text, target, "integrated_gradients", "{}")
        for info in models.values()
    ]
    st.markdown(f"Scores of the words for {' and '.join(family_label(name) for name in models)}, in this order:")
    figures.chart(word_scores.render(found, width=1000), PICTURE, word_scores.alt_text(found))
    figures.how_to_read("word_scores")


def _take(text: str) -> None:
    st.session_state[state.TEXT] = text
    sidebar.forget_example()
    st.session_state.pop(sections.VIEW, None)


def _go(name: str) -> None:
    st.session_state[CHAPTER] = name
