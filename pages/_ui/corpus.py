"""A corpus on the page States: which texts, which states of them, reading them once, and opening a place of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer_core import api, settings
from explorer_core.errors import NotFoundError
from explorer_core.results import Places, RecurrentTrace
from explorer_core.text import visible
from explorer_core.training.spec import DataSpec
from pages._ui import cache, data_form, inside, linked, messages, reading, sidebar, state, work
from pages._ui.look import Look
from pages._ui.widgets import duration

if TYPE_CHECKING:
    from explorer_core.corpus._index import StateIndex

SOURCE, SPLIT, QUANTITY = "corpus", "part", "quantity"  # keys, and names in the address
STARTER, FILE = "starter", "local_file"
_SOURCES = {STARTER: "Starter corpus", FILE: "A file of yours"}
_SPLITS = {"all": "all texts", "train": "training rows", "validation": "validation rows", "test": "test rows"}
_FILE = "corpus_file"  # the options of the file given last
_BACK = "corpus_back"  # the text before a place was opened


@dataclass(frozen=True)
class Choice:
    """Which states of which texts."""

    spec: DataSpec
    split: str
    layer: int
    direction: int
    quantity: str

    @property
    def options(self) -> str:
        """Options of the source as JSON."""
        return json.dumps(dict(self.spec.options), sort_keys=True)

    @property
    def plain(self) -> tuple[str, str, str, int, int, str]:
        """All of it as plain values, as `cache.state_index` takes them."""
        return self.spec.source, self.options, self.split, self.layer, self.direction, self.quantity

    @property
    def made_from(self) -> Mapping[str, Any]:
        """What a reproduce bundle must know of the index."""
        place = {"layer": self.layer, "direction": self.direction, "quantity": self.quantity}
        data = {"source": self.spec.source, "options": dict(self.spec.options)}
        return {"data": data, "index": {"split": self.split, **place}}


# Choosing -----------------------------------------------------------------------------------------------------------


def pick(look: Look, *, with_unit: bool) -> Choice | None:
    """Draw the choice of corpus and states; `None` while there is no file that can be read."""
    if state.text() != look.text:
        st.rerun()  # a place was opened from within a fragment: the whole page is of another text
    trace = look.trace
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        source = st.selectbox("Corpus", list(_SOURCES), key=SOURCE, width=165, format_func=_SOURCES.__getitem__)
        split = st.selectbox(
            "Part", list(_SPLITS), key=SPLIT, width=145, format_func=_SPLITS.__getitem__,
            help="A tenth of a corpus is kept for validation and a tenth for testing, as in training.",
        )  # fmt: skip
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        quantity = _pick_quantity(look)
        if with_unit:
            inside.pick_unit(trace)
    spec: DataSpec | None = DataSpec(STARTER)
    if source == FILE:
        spec = _pick_file()
    return None if spec is None else Choice(spec, split, layer, direction, quantity)


def _pick_quantity(look: Look) -> str:
    trace = look.trace
    if not isinstance(trace, RecurrentTrace) or not trace.gate_names:
        return "hidden"
    names = list(trace.quantities())
    if st.session_state.get(QUANTITY) not in (None, *names):
        st.session_state[QUANTITY] = "hidden"  # a gate of another family
    return st.selectbox(
        "States", names, key=QUANTITY, bind="query-params", width=165,
        format_func=lambda name: inside.title_of(name, trace.architecture),
        help="What of the layer is looked at, after every word of the corpus.",
    )  # fmt: skip


def _pick_file() -> DataSpec | None:
    """A file of the person's, or the one given before in this session."""
    with st.container(border=True):
        spec = data_form.draw_options(FILE, key=SOURCE, is_brief=True)
        if spec is not None:
            st.session_state[_FILE] = dict(spec.options)
        elif _FILE in st.session_state:
            st.caption("The file given before in this session is still open.")
            spec = DataSpec(FILE, st.session_state[_FILE])
        else:
            st.caption("Give a file of texts with labels; here you will see where in it each unit is high and low.")
    return spec


# Reading it once ----------------------------------------------------------------------------------------------------


def find(look: Look, choice: Choice) -> StateIndex | None:
    """The states of the corpus: opened if they are kept, else offered to be read in the background."""
    name, fingerprint = look.info.name, look.info.fingerprint
    try:
        return cache.state_index(name, fingerprint, *choice.plain)
    except NotFoundError:
        key = "\0".join(("index", fingerprint, *map(str, choice.plain)))
        found = work.draw(key)
        if found is None and work.is_idle(key):
            _offer(look, choice, key)
        return found


def _offer(look: Look, choice: Choice, key: str) -> None:
    """Say what reading the corpus costs, and offer it."""
    name, fingerprint = look.info.name, look.info.fingerprint
    source, options = choice.spec.source, choice.options
    price = cache.index_price(name, fingerprint, source, options, choice.split)
    cut = f" Only the first {settings.MAX_INDEX_WORDS:,} words of it are kept." if price.is_cut else ""
    with st.container(border=True):
        st.markdown(
            f"**This corpus has not been read yet.** {price.n_texts:,} texts, about {price.n_words:,} words: reading "
            f"them takes about {duration(price.seconds)} on this machine, and what this layer holds after every word "
            f"{_mib(price.size_mib)} on disk. It is kept, and opens at once from then on.{cut}"
        )
        if st.button("Read the corpus", key="corpus_read", type="primary"):
            model, texts = cache.load(name, fingerprint), cache.corpus_texts(source, options)
            work.start(
                key,
                f"Reading {price.n_texts:,} texts",
                lambda progress: api.index_states(
                    model, texts, split=choice.split, layer=choice.layer, direction=choice.direction,
                    quantity=choice.quantity, progress=progress,
                ),
            )  # fmt: skip
            st.rerun()


def _mib(size: float) -> str:
    return f"{size:,.0f} MiB" if size >= 1 else "less than 1 MiB"


def draw_notes(index: StateIndex) -> None:
    """What of the corpus is not in the index."""
    for note in index.about.notes:
        st.caption(messages.plain(note))


# Opening a place ----------------------------------------------------------------------------------------------------


def table(places: Places, value: str) -> Any:
    """Places as a concordance: the words before, the place, the words after; characters that hide are spelt out."""
    import pandas as pd

    columns = {
        value: places.value,
        "Before": [visible(text) for text in places.before],
        "Here": [visible(text) for text in places.inside],
        "After": [visible(text) for text in places.after],
        "Label": [visible(label) for label in places.labels],
        "Words": places.n_words,
        "Text": places.document + 1,
    }
    return pd.DataFrame(columns)


def column_config(value: str, value_help: str, *, signed: bool) -> dict[str, Any]:
    """How the columns of `table` are drawn."""
    return {
        value: st.column_config.NumberColumn(format="%+.3f" if signed else "%.3f", width=70, help=value_help),
        "Before": st.column_config.TextColumn(alignment="right", width=190),
        "Here": st.column_config.TextColumn(alignment="center", width=115, help="Choose a row to open its text."),
        "After": st.column_config.TextColumn(width=190),
        "Label": st.column_config.TextColumn(width=90),
        "Words": st.column_config.NumberColumn(width=60, help="Words of the text."),
        "Text": st.column_config.NumberColumn(width=60, help="Number of the text in the corpus, from 1."),
    }


def open_place(key: str, look: Look, index: StateIndex, places: Places) -> None:
    """A callback: put the text of the chosen row into the shared text box, and choose the place in it.

    Args:
        key: Key of the table.
        look: What was looked at.
        index: The corpus.
        places: What the table shows.
    """
    said = st.session_state.get(key)
    for row in said["selection"]["rows"] if said else ():
        at = linked.as_index(row, len(places))
        if at is not None:
            words = look.trace.words
            st.session_state[_BACK] = {
                "text": look.text,
                "word": linked.chosen_word(reading.GROUP, words),
                "span": linked.chosen_span(reading.GROUP, words),
            }
            text = index.text(int(places.document[at]))
            _show(look, text, int(places.first[at]), (int(places.first[at]), int(places.last[at])))


def draw_way_back(look: Look) -> None:
    """A button back to the text a place was opened from; the strip follows what was opened."""
    words = look.trace.words
    linked.tell(
        "states_place_chosen", reading.GROUP, words,
        word=linked.chosen_word(reading.GROUP, words), span=linked.chosen_span(reading.GROUP, words),
    )  # fmt: skip
    back = st.session_state.get(_BACK)
    if back and back["text"] != look.text:
        shown = back["text"] if len(back["text"]) <= 60 else back["text"][:59] + "…"
        st.button(
            f"Back to “{messages.plain(shown)}”", key="corpus_back_button", type="tertiary", on_click=_go_back,
            args=(look,), icon=":material/arrow_back:",
        )  # fmt: skip


def _go_back(look: Look) -> None:
    back = st.session_state.pop(_BACK, None)
    if back:
        _show(look, back["text"], back["word"], back["span"])


def _show(look: Look, text: str, word: int | None, span: tuple[int, int] | None) -> None:
    words = cache.reading(look.info.name, look.info.fingerprint, text).words
    st.session_state[state.TEXT] = text
    sidebar.forget_example()
    if word is not None:
        linked.choose_word(reading.GROUP, words, word)
    linked.choose_span(reading.GROUP, words, span)
