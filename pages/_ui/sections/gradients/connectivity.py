"""Connectivity: on which past words the verdict rests after every word."""

from __future__ import annotations

import functools
import time

import numpy as np
import streamlit as st

from explorer_core import api, registry
from explorer_core.numerals import number
from explorer_core.results import Connectivity
from explorer_core.text import split_words, visible
from pages._ui import cache, cache_jacobians, figures, gradient_strip, heads, linked, messages, take_away, widgets, work
from pages._ui.look import Look

SECTION = {
    "label": "Connectivity",
    "question": "On which past words does the verdict rest, word after word?",
    "kinds": ("recurrent", "transformer"),
    "order": 30,
    "own_strip": True,
}
MAP = "gradients_connectivity"
SCALE, BLOCK = "scale", "block"  # keys, and names in the address
_SCALES = {"linear": "Linear", "log": "Logarithmic"}
MAX_SHOWN = 500  # words along the map; of a longer text one block is drawn
_AT_ONCE = {"walks": 100_000, "rereads": 7_000, "transformer": 500}  # words x tokens read in about half a second
_SAMPLE_WORDS = {"walks": 120, "rereads": 30, "transformer": 15}  # read to say what all would cost
_CHOOSE = " Click a row, or use the arrow keys on the map, and the strip above shows it."


def draw(look: Look) -> None:
    """The strip with the chosen row, the map of all rows, and what the row says."""
    found = find(look)
    if found is None:
        return
    from explorer_core.views import connectivity as view

    row = linked.chosen_word(gradient_strip.GROUP, found.words, len(found.words) - 1)
    row = len(found.words) - 1 if row is None else row
    gradient_strip.draw_row(look, found, row, view.limits(found, "linear")[1])
    st.markdown(f"{sentence_of(found, row)} {view.newest_first(found)}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        scale, start = pick_scale(), pick_block(found, row)
    draw_map(found, scale, start)
    take_away.offer(
        "connectivity",
        look,
        {"trace_connectivity": (found, {"target": look.target})},
        figures={"connectivity": functools.partial(view.render, found, scale=scale)},
    )


def pick_scale() -> str:
    """Whether colours follow the strength or its exponent."""
    if st.session_state.get(SCALE) not in (None, *_SCALES):
        st.session_state[SCALE] = "linear"
    picked = st.segmented_control(
        "Colours", list(_SCALES), default="linear", required=True, key=SCALE, bind="query-params",
        format_func=_SCALES.__getitem__,
        help="Linear: from 0. Logarithmic: equal steps of colour for equal factors, over at most six powers of ten.",
    )  # fmt: skip
    return picked or "linear"


def pick_block(found: Connectivity, row: int) -> int:
    """First word of the block that is drawn; asked only where a text has more words than fit."""
    n_words = len(found.words)
    if n_words <= MAX_SHOWN:
        return 0
    starts = list(range(0, n_words, MAX_SHOWN))
    if st.session_state.get(BLOCK) not in (None, *starts):
        del st.session_state[BLOCK]  # of a longer text
    picked = st.selectbox(
        "Words on the map", starts, key=BLOCK, bind="query-params", width=200, index=row // MAX_SHOWN,
        format_func=lambda start: f"{start + 1:,} to {min(start + MAX_SHOWN, n_words):,}",
        help=f"The map holds {MAX_SHOWN} words along each side; the strip shows a row over the whole text.",
    )  # fmt: skip
    return picked if picked in starts else 0


def draw_map(found: Connectivity, scale: str, start: int) -> None:
    """The map, on its printed scale; a click on a row chooses its word."""
    from explorer_core.views import connectivity as view

    low, top = view.limits(found, scale)
    block = slice(start, start + MAX_SHOWN)
    values = found.strength[block, block]
    heads.word_matrix(
        MAP,
        heads.Matrix(
            f"Gradient of the logit of {visible(found.target_label)[:40]} after every word",
            np.where(np.tri(len(values), dtype=bool), values, np.nan),
            "size" if scale == "linear" else "log", "the text up to this word", "word that is nudged",
            "After “{}” it depends on", top, low, "logit per unit of word vector",
        ),
        heads.Entries(found.words[block], np.arange(start, start + len(values))),
        found.words,
        group=gradient_strip.GROUP,
        selected_word=len(found.words) - 1,
    )  # fmt: skip
    extra = registry.describe("views")["connectivity"].extra
    figures.small(extra["how"] + _CHOOSE, extra["does_not_show"], extra["formula"], extra["source"])


def sentence_of(found: Connectivity, row: int) -> str:
    """On which word the verdict after one word depends most, as Markdown."""
    strength = found.strength[row, : row + 1]
    word, label = messages.quoted(found.words[row]), messages.quoted(found.target_label)
    after = f"After word {row + 1}, {word}, the logit of {label} depends"
    if not strength.any():
        return f"{after} on no word at all: every gradient is zero."
    order = np.argsort(-strength, kind="stable")
    named = [f"{messages.quoted(found.words[at])} (word {at + 1}, {number(float(strength[at]))})" for at in order[:3]]
    first = f"{after} most on **{messages.quoted(found.words[order[0]])}** (word {order[0] + 1}): "
    first += f"{number(float(strength[order[0]]))} logit per unit of its vector"
    return first + (f"; then on {' and '.join(named[1:])}." if len(named) > 1 else ".")


# Measuring ----------------------------------------------------------------------------------------------------------


def find(look: Look) -> Connectivity | None:
    """The connectivity: where it is quick at once, else in the background when it was asked for, and `None` until then,
    with the strip of the whole text.
    """
    way, n_all = way_of(look), len(look.trace.words) * len(look.trace.tokens)
    if n_all <= _AT_ONCE[way]:
        return cache_jacobians.connectivity(*look.key, look.target)
    key = "\0".join(("connectivity", *look.key, str(look.target)))
    task = work.task(key)
    if task is not None and task.state == "done":
        return task.result
    gradient_strip.draw(look)
    found: Connectivity | None = work.draw(key)
    if found is None and work.is_idle(key):
        ask(look, way, n_all, key)
    return found


def way_of(look: Look) -> str:
    """How the map is made: in one walk back, or by reading every beginning anew, as a BiLSTM or a BERT has to."""
    if look.info.kind == "transformer":
        return "transformer"
    return "rereads" if look.info.rereads or look.trace.reading.is_special.any() else "walks"


def ask(look: Look, way: str, n_all: int, key: str) -> None:
    """Say what the map costs, and offer it."""
    n_words = len(look.trace.words)
    sample_s, n_sample = _sample_s(look.info.name, look.info.fingerprint, _beginning(look.text, _SAMPLE_WORDS[way]))
    family = messages.plain(look.info.family)
    how = "is walked back once for all" if way == "walks" else f"has to read and walk back each of the {n_words:,}"
    with st.container(border=True):
        st.markdown(
            f"For the verdict after every word, {family} {how} beginnings of this text: about "
            f"{widgets.duration(sample_s * n_all / n_sample)} on this machine. Here you will see, word by word, on "
            "which past words each of these verdicts rests."
        )
        if st.button("Draw the map", key="gradients_connectivity_ask"):
            with messages.guard():
                cache.load(look.info.name, look.info.fingerprint)
                call = functools.partial(cache_jacobians.connectivity, *look.key, look.target)
                work.start(key, f"{look.info.name} walks back from every word", lambda progress: call(progress))
            st.rerun()


def _beginning(text: str, n_words: int) -> str:
    """The first words of a text."""
    return text[: split_words(text)[:n_words][-1][1]]


@st.cache_data(max_entries=128, show_spinner=False)
def _sample_s(name: str, fingerprint: str, sample: str) -> tuple[float, int]:
    """Seconds a short text takes on this machine, measured, and its words times its tokens."""
    model = cache.load(name, fingerprint)
    found_s = []
    for _ in range(2):  # the first call pays for more than its work
        began = time.perf_counter()
        found = api.trace_connectivity(model, sample)
        found_s.append(time.perf_counter() - began)
    return min(found_s), len(found.words) * len(found.reading.tokens)
