"""The settings of the shortcut exam, drawn from its knobs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer_core import api, palette
from explorer_core.exam.spec import DEFAULT_FAMILIES, KNOBS, SHORTCUTS, WORDS
from pages._ui import widgets
from pages._ui.kept_form import KeptForm

SHORTCUT, FAMILIES, METHODS = "exam_shortcut", "exam_families", "exam_methods"  # keys
NAMES = {"token": "A nonsense word", "word": "A chosen word", "position": "A word among the first"}
_FORM = KeptForm("exam")
_OPEN = ("shortcut", "n_texts")  # knobs that stand in the open


def draw() -> api.ExamSpec:
    """Every setting of the exam.

    Raises:
        InvalidInputError: If nothing is chosen where something has to be, or the words cannot be planted.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = list(SHORTCUTS)
        shortcut = st.selectbox(
            "Shortcut", kinds, index=kinds.index(_FORM.begin(SHORTCUT, kinds[0])), key=SHORTCUT, width=210,
            format_func=NAMES.__getitem__, help=" ".join(f"{NAMES[name]}: {said}" for name, said in SHORTCUTS.items()),
        )  # fmt: skip
        names = [about.name for about in api.list_families()]
        families = st.multiselect(
            "Families", names, _FORM.begin(FAMILIES, list(DEFAULT_FAMILIES)), key=FAMILIES, width=430,
            format_func=palette.family_label, help="A network of each is trained. BERT takes longer than all others.",
        )  # fmt: skip
        with st.container(width=150):
            n_texts = _knob("n_texts")
        with st.popover("More settings"):
            rest = _draw_rest(shortcut)
    given: dict[str, Any] = {"shortcut": shortcut, "families": families, "n_texts": n_texts} | rest
    words = {_word_key(shortcut, index): word for index, word in enumerate(rest["words"])}
    _FORM.replace({_key(name): value for name, value in given.items()} | words)
    # a list is what the widgets give; the spec checks what is in it
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return api.ExamSpec(**values)


def _draw_rest(shortcut: str) -> dict[str, Any]:
    """What is changed less often."""
    methods = {about.name: about.label for about in api.list_methods()}
    found: dict[str, Any] = {
        "methods": st.multiselect(
            "Methods", list(methods), _FORM.begin(METHODS, []), key=METHODS, format_func=methods.__getitem__,
            placeholder="all that fit", help="Asked with their default settings; none chosen: all that fit a family.",
        )
    }  # fmt: skip
    left, right = st.columns(2)
    with left:
        first = _word(shortcut, 0, "Word of the first class")
    with right:
        second = _word(shortcut, 1, "Word of the second class")
    found["words"] = (first, second)
    for index, name in enumerate(name for name in KNOBS if name not in _OPEN):
        if name != "first_words" or shortcut == "position":
            with (left, right)[index % 2]:
                found[name] = _knob(name)
    return found


def _word(shortcut: str, index: int, label: str) -> str:
    key = _word_key(shortcut, index)
    return st.text_input(label, _FORM.begin(key, WORDS[shortcut][index]), key=key, max_chars=40).strip()


def _knob(name: str) -> Any:
    key = _key(name)
    return widgets.knob(KNOBS[name], key=key, default=_FORM.begin(key, KNOBS[name].default))


def _key(name: str) -> str:
    return f"exam_{name}"


def _word_key(shortcut: str, index: int) -> str:
    return f"exam_word_{shortcut}_{index}"
