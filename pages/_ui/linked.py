"""What is chosen on a page, by group: the server's side of the bus in `bus.js`.

Elements of one group follow each other in the browser at once; each also tells Python, which remembers the newest
choice here. A choice of a word belongs to one text and is forgotten with it; a choice of a unit stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

BUS_JS = Path(__file__).with_name("bus.js").read_text(encoding="utf-8")

_teller = st.components.v2.component(
    "unrolled_teller",
    html="<span hidden></span>\n<!-- says on the bus what Python chose -->\n",
    js=BUS_JS
    + """
export default function ({ data }) {
  const last = lastChoice(data.group, data.stamp)
  if (last?.unit !== data.unit) publish(data.group, data.stamp, { unit: data.unit })
}
""",
)


def element(name: str, stem: str) -> ComponentRenderer:
    """An element on the bus, made of the files `<stem>.css` and `<stem>.js` beside this one."""
    style, script = (Path(__file__).with_name(f"{stem}{ending}").read_text("utf-8") for ending in (".css", ".js"))
    html = f'<div class="{stem}"></div>\n<!-- filled by {stem}.js -->\n'
    return st.components.v2.component(name, html=html, css=style, js=BUS_JS + script)


def stamp(group: str, words: Sequence[str]) -> str:
    """Short digest that names one text of one group."""
    return hashlib.sha256("\0".join((group, *words)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def chosen_word(group: str, words: Sequence[str], default: int | None = None) -> int | None:
    """Word chosen last in a group, if it was chosen in this text; counted from 0."""
    choice = st.session_state.get(_name(group)) or {}
    word = choice.get("word")
    if choice.get("stamp") != stamp(group, words):
        return default
    return word if isinstance(word, int) and 0 <= word < len(words) else None


def choose_word(group: str, words: Sequence[str], word: int | None) -> None:
    """Remember a chosen word of a text."""
    st.session_state[_name(group)] = {"stamp": stamp(group, words), "word": word}


def tell(key: str, group: str, words: Sequence[str], *, unit: int) -> None:
    """Tell a group in the browser which unit a widget chose; a few characters, apart from every large payload."""
    _teller(key=key, data={"group": group, "stamp": stamp(group, words), "unit": unit}, width=1)


def on_change(key: str, field: str, then: Callable[[object], None]) -> Callable[[], None]:
    """A callback that hands on what an element says; what the browser sends is not trusted to be of any type."""

    def call() -> None:
        said = st.session_state.get(key)
        then(said.get(field) if said is not None else None)

    return call


def as_index(value: object, size: int) -> int | None:
    """A number from the browser as an index, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if 0 <= value < size else None


def _name(group: str) -> str:
    return f"chosen:{group}"
