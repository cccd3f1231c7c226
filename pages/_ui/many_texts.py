"""Measuring over many texts: which ones, the price, the work in the background, and opening one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.results import AttributionPrice
from explorer_core.training.spec import DataSpec
from pages._ui import cache, cache_agreement, data_form, messages, scored, sections, sidebar, state, work
from pages._ui.digest import short
from pages._ui.look import Look
from pages._ui.widgets import duration

STARTER, FILE = "starter", "local_file"
SOURCES = {STARTER: "Starter corpus, test rows", FILE: "A file of yours"}
KINDS = {
    "auto": "found by itself",
    "characters": "spans of characters",
    "words": "spans of words",
    "mask": "0 or 1 for each word",
}
N_TEXTS = {"recurrent": 100, "transformer": 30}  # before anyone chooses
MOST = 2_000
_BACK = "many_texts_back"  # the text before one was opened

Rationales = tuple[str, str, str | None, str, str]  # what `cache_agreement.rationales` takes


# Choosing -----------------------------------------------------------------------------------------------------------


def pick_source(key: str) -> str:
    """The starter corpus or a file."""
    return st.selectbox("Texts", list(SOURCES), key=f"{key}_source", width=240, format_func=SOURCES.__getitem__)


def pick_n_texts(look: Look, key: str, most: int | None = None) -> int:
    """How many texts are drawn."""
    first = N_TEXTS[look.info.kind] if most is None else min(N_TEXTS[look.info.kind], most)
    found = st.number_input(
        "How many", 2, MOST, first, 10, key=f"{key}_n", width=130,
        help=f"Drawn at random, the same every time; 2 to {MOST:,}. Few texts give wide intervals.",
    )  # fmt: skip
    return int(found)


def pick_methods(look: Look, key: str, first: Sequence[str], *, most: int | None = None) -> tuple[str, ...]:
    """The methods that are measured."""
    fitting = scored.methods(look)
    kept = st.session_state.get(key)
    if kept is not None and not set(kept) <= set(fitting):
        del st.session_state[key]  # methods of another network
    found = st.multiselect(
        "Methods", list(fitting), default=list(first), max_selections=most, key=key, bind="query-params",
        format_func=lambda name: fitting[name].label,
    )  # fmt: skip
    return tuple(found)


def pick_marked_file(key: str) -> Rationales | None:
    """A file of texts with a column of rationales; `None` while there is none that can be read."""
    with st.container(border=True):
        wanted = next(about for about in api.list_sources() if about.name == FILE).extra["options"]
        endings = next(option["endings"] for option in wanted if option["name"] == "path")
        path = data_form.draw_upload("File with texts and the words a person marked in them", endings, f"{key}_path")
        kept = f"{key}_kept"
        if path is not None:
            st.session_state[kept] = path
        elif kept in st.session_state:
            st.caption("The file given before in this session is still open.")
        else:
            st.caption(
                "A column of texts and one of rationales: spans of characters such as 0:4;10:15 or [[0,4],[10,15]], or "
                "0 and 1 for each word between blanks such as 0 1 1 0. JSONL may hold lists of tokens and masks of "
                "several annotators."
            )
            return None
        try:
            return _pick_columns({"path": st.session_state[kept]}, key)
        except ExplorerError as error:
            messages.show(error)
            return None


def _pick_columns(options: dict[str, Any], key: str) -> Rationales:
    """Columns of the file, guessed and changeable.

    Raises:
        ExplorerError: If no row can be read so.
    """
    guess = cache_agreement.columns(json.dumps(options), None)
    chosen = {}
    labels = {"text": "Column of texts", "label": "Column of labels", "rationale": "Column of rationales"}
    for (name, label), place in zip(labels.items(), (columns := st.columns(4)), strict=False):
        first = getattr(guess, name)
        kept = f"{key}_{name}"
        if st.session_state.get(kept) not in (None, *guess.names):
            del st.session_state[kept]  # a column of another file
        chosen[name] = place.selectbox(
            label, guess.names, index=guess.names.index(first) if first in guess.names else None, key=kept,
            placeholder="none" if name == "label" else "choose one",
        )  # fmt: skip
    kind = columns[3].selectbox("Rationales are", list(KINDS), key=f"{key}_kind", format_func=KINDS.__getitem__)
    named = {"text_column": chosen["text"], "label_column": chosen["label"]}
    options |= {name: value for name, value in named.items() if value is not None}
    found = (FILE, json.dumps(options, sort_keys=True), chosen["rationale"], kind, "")
    data = cache_agreement.rationales(*found)
    st.markdown(f"{len(data):,} texts with rationales.")
    for note in data.notes[:6]:
        st.caption(messages.plain(note))
    return found


def pick_labelled_file(key: str) -> DataSpec | None:
    """A file of labelled texts; `None` while there is none that can be read."""
    kept = f"{key}_kept"
    with st.container(border=True):
        spec = data_form.draw_options(FILE, key=key, is_brief=True)
        if spec is not None:
            st.session_state[kept] = dict(spec.options)
        elif kept in st.session_state:
            st.caption("The file given before in this session is still open.")
            spec = DataSpec(FILE, st.session_state[kept])
    return spec


def as_json(spec: DataSpec) -> str:
    """Options of a source, as the caches take them."""
    return json.dumps(dict(spec.options), sort_keys=True)


# Measuring ----------------------------------------------------------------------------------------------------------


def measure(
    look: Look,
    key: str,
    label: str,
    prices: Mapping[str, AttributionPrice],
    n_texts: int,
    call: Callable[[work.Progress], Any],
) -> Any:
    """The answer of work over many texts, once it is there; its price is told before it is begun.

    Args:
        look: What is looked at.
        key: Plain text that says all of what is measured.
        label: What a person reads over the bar and on the button.
        prices: Of each method over all texts.
        n_texts: Texts that will be read.
        call: The work.
    """
    task = work.task(key)
    if task is None and key in st.session_state:
        work.start(key, label, call)  # done before in this session, and kept by the cache
    elif work.is_idle(key) and (task is None or task.state != "done"):
        if _ask(key, label, prices, n_texts):
            cache.load(look.info.name, look.info.fingerprint)
            work.start(key, label, call)
            st.rerun()
        if task is None:
            return None
    found = work.draw(key)
    if found is not None:
        st.session_state[key] = True
    return found


def _ask(key: str, label: str, prices: Mapping[str, AttributionPrice], n_texts: int) -> bool:
    """What it costs, and leave to pay it."""
    about = {name: scored.Wish(name).about.label for name in prices}
    dearest = sorted(prices, key=lambda name: -prices[name].seconds)[:2]
    parts = ", ".join(f"{messages.plain(about[name])} {duration(prices[name].seconds)}" for name in dearest)
    total = sum(one.seconds for one in prices.values())
    with st.container(border=True):
        st.markdown(
            f"To score the words of {n_texts:,} texts by {len(prices)} method{'s' * (len(prices) > 1)}, the network "
            f"reads {sum(one.n_passes for one in prices.values()):,} times: about **{duration(total)}** on this "
            f"machine, most of it for {parts}. Fewer texts or fewer methods cost less."
        )
        return st.button(label, key=f"ask_{short(key)}", type="primary")


# Opening one --------------------------------------------------------------------------------------------------------


def open_text(look: Look, text: str, section: str, **kept: Any) -> None:
    """A callback: put a text into the shared text box and look at it in a section.

    Args:
        look: What is looked at now.
        text: The text to open.
        section: Name of the section.
        kept: What the widgets with these keys shall hold.
    """
    st.session_state[_BACK] = look.text
    _show(text)
    st.session_state[sections.VIEW] = section
    st.session_state.update(kept)


def draw_way_back(look: Look) -> None:
    """A button back to the text before one was opened."""
    back = st.session_state.get(_BACK)
    if back and back != look.text:
        shown = back if len(back) <= 60 else back[:59] + "…"
        st.button(
            f"Back to “{messages.plain(shown)}”", key="many_texts_back_button", type="tertiary", on_click=_go_back,
            icon=":material/arrow_back:",
        )  # fmt: skip


def _go_back() -> None:
    back = st.session_state.pop(_BACK, None)
    if back:
        _show(back)


def _show(text: str) -> None:
    st.session_state[state.TEXT] = text
    sidebar.forget_example()
