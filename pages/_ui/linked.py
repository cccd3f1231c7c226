"""What is chosen on a page, by group: the server's side of the bus in `bus.js`.

Elements of one group follow each other in the browser at once; each also tells Python, which remembers the newest
choice here. A choice of a word or of a run of words belongs to one text and is forgotten with it; that of a unit
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui.digest import short

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

BUS_JS = Path(__file__).with_name("bus.js").read_text(encoding="utf-8")

_BY_BROWSER = "chosen_by_browser"  # set while a callback hands on what an element says

# Says only what is another than it said before: what a person chose since then is newer.
_teller = st.components.v2.component(
    "unrolled_teller",
    html="<span hidden></span>\n<!-- says on the bus what Python chose -->\n",
    js=BUS_JS
    + """
const SETTLED_MS = 2000 // a choice made in the browser so long ago is known to Python
const said = new WeakMap()
export default function ({ data, parentElement }) {
  const last = lastChoice(data.group, data.stamp)
  const turn = `${data.stamp} ${data.word}`, run = `${data.stamp} ${data.span}`
  const before = said.get(parentElement)
  const change = {}
  const isOvertaken = !before && performance.now() - (last?.at ?? -SETTLED_MS) < SETTLED_MS // the answer is on its way
  if (data.unit !== undefined && !isOvertaken && before?.unit !== data.unit && last?.unit !== data.unit) {
    change.unit = data.unit
  }
  if (data.word !== undefined && before?.turn !== turn && last?.word !== data.word) change.word = data.word
  if (data.span !== undefined && before?.run !== run && `${last?.span}` !== `${data.span}`) change.span = data.span
  said.set(parentElement, { turn, run, unit: data.unit })
  if (Object.keys(change).length) publish(data.group, data.stamp, change, -SETTLED_MS)
}
""",
)


def element(name: str, stem: str, *needs: str) -> ComponentRenderer:
    """An element on the bus, made of the files `<stem>.css` and `<stem>.js` beside this one.

    Args:
        name: Name of the element, the only one of its kind.
        stem: Names its files, and the class of the box it fills.
        needs: Stems of further scripts, which come before its own.
    """
    style = Path(__file__).with_name(f"{stem}.css").read_text("utf-8")
    scripts = (Path(__file__).with_name(f"{one}.js").read_text("utf-8") for one in (*needs, stem))
    html = f'<div class="{stem}"></div>\n<!-- filled by {stem}.js -->\n'
    return st.components.v2.component(name, html=html, css=style, js="\n".join((BUS_JS, *scripts)))


def stamp(group: str, words: Sequence[str]) -> str:
    """Short digest that names one text of one group."""
    return short("\0".join((group, *words)))


def chosen_word(group: str, words: Sequence[str], default: int | None = None) -> int | None:
    """Word chosen last in a group, if it was chosen in this text; counted from 0."""
    choice = st.session_state.get(_name(group)) or {}
    word = choice.get("word")
    if choice.get("stamp") != stamp(group, words):
        return default
    return word if isinstance(word, int) and 0 <= word < len(words) else None


def choose_word(group: str, words: Sequence[str], word: int | None) -> None:
    """Remember a chosen word of a text."""
    by_browser = bool(st.session_state.get(_BY_BROWSER))
    st.session_state[_name(group)] = {"stamp": stamp(group, words), "word": word, "by_browser": by_browser}


def chosen_span(group: str, words: Sequence[str]) -> tuple[int, int] | None:
    """First and last word of the run chosen in this text, counted from 0, both in it; `None` when there is none."""
    choice = st.session_state.get(_span_name(group)) or {}
    return as_span(choice.get("span"), len(words)) if choice.get("stamp") == stamp(group, words) else None


def choose_span(group: str, words: Sequence[str], span: tuple[int, int] | None) -> None:
    """Remember a chosen run of words of a text, as its first and last word; `None` lets go of it."""
    by_browser = bool(st.session_state.get(_BY_BROWSER))
    st.session_state[_span_name(group)] = {"stamp": stamp(group, words), "span": span, "by_browser": by_browser}


def tell(
    key: str,
    group: str,
    words: Sequence[str],
    *,
    unit: int | None = None,
    word: int | None = None,
    span: tuple[int, int] | None = None,
) -> None:
    """Tell a group in the browser what a control of the server chose; a few characters, apart from every large payload.

    Args:
        key: Streamlit key of the teller.
        group: Who is told.
        words: Words of the text.
        unit: The unit chosen now.
        word: The word chosen now. One that an element of the browser chose itself is not told again: by the time it
            came back, the person may be further.
        span: First and last word of the run chosen now; as for a word.
    """
    told: dict[str, object] = {"group": group, "stamp": stamp(group, words)}
    if unit is not None:
        told["unit"] = unit
    if word is not None and 0 <= word < len(words):
        choice = st.session_state.get(_name(group)) or {}
        if chosen_word(group, words) != word:
            choose_word(group, words, word)
            told["word"] = word
        elif not choice.get("by_browser"):
            told["word"] = word
    is_ours = not (st.session_state.get(_span_name(group)) or {}).get("by_browser")
    if span is not None and is_ours and chosen_span(group, words) == span:
        told["span"] = list(span)
    _teller(key=key, data=told, width=1)


def on_change(key: str, field: str, then: Callable[[object], None]) -> Callable[[], None]:
    """A callback that hands on what an element says; what the browser sends is not trusted to be of any type."""

    def call() -> None:
        said = st.session_state.get(key)
        st.session_state[_BY_BROWSER] = True
        try:
            then(said.get(field) if said is not None else None)
        finally:
            st.session_state[_BY_BROWSER] = False

    return call


def as_index(value: object, size: int) -> int | None:
    """A number from the browser as an index, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if 0 <= value < size else None


def as_span(value: object, size: int) -> tuple[int, int] | None:
    """Two numbers from the browser as the first and last of a run of words, if they are that."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    first, last = (as_index(one, size) for one in value)
    return None if first is None or last is None else (min(first, last), max(first, last))


def _name(group: str) -> str:
    return f"chosen:{group}"


def _span_name(group: str) -> str:
    return f"chosen_span:{group}"
