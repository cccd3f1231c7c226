"""The word ledger of an LSTM: what each word wrote, how much was kept, and what it added to the verdict."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import LstmLedger, RecurrentTrace
from pages._ui import cache, figures, inside, messages, reading, sums, take_away, widgets, work
from pages._ui.look import Look

SECTION = {
    "label": "Word ledger",
    "question": "What did each word write, keep and add?",
    "kinds": ("recurrent",),
    "needs_cell": True,
    "order": 20,
}
SHARE, UNITS, SORT = "tanh_share", "ledger_units", "ledger_sort"
SHARES = {"proportional": "in proportion", "order": "in reading order"}
_PAIR_S = 5e-9  # seconds for one pair of positions and one unit, measured: mean pooling in reading order
_AT_ONCE_S = 1.0


def draw(look: Look) -> None:
    """Bars under the words, the waterfall to the logit, and the sums."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        unit = pick_unit(trace)
        tanh_share = st.selectbox(
            "Divide tanh(c)", list(SHARES), key=SHARE, bind="query-params", width=190, format_func=SHARES.__getitem__,
            help="The hidden state is o × tanh(c), and tanh is no sum: it has to be divided among the words of c. In "
            "proportion: every word gets the same factor tanh(c) / c. In reading order: each word gets the step that "
            "tanh makes when it is added. Both sum exactly.",
        )  # fmt: skip
    books = ledger_of(look, tanh_share)
    if books is None:
        return
    draw_bars(books, layer, direction, unit)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        sort = draw_waterfall(books)
    with right:
        st.markdown("#### The sums")
        sums.draw(sums_of(books))
        for note in notes_of(books):
            st.caption(note)
    take_away.offer("ledger", look, {"lstm_ledger": (books, {"target": look.target, "tanh_share": tanh_share})},
                    figures=_figures(books, layer, direction, unit, sort))  # fmt: skip


def pick_unit(trace: RecurrentTrace) -> int | None:
    """One unit of the cell, or all of them."""
    units = st.selectbox(
        "Units", ["all together", "one unit"], key=UNITS, width=150,
        help="All together: the sizes of what is written, summed over the units. One unit: its own signed numbers.",
    )  # fmt: skip
    return inside.pick_unit(trace) if units == "one unit" else None


def ledger_of(look: Look, tanh_share: str) -> LstmLedger | None:
    """The ledger; where it takes long, only when it is asked for, and `None` until then."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    n_pos, n_units = trace.hidden.shape[2], trace.hidden.shape[1] * trace.hidden.shape[3]
    seconds = n_pos**2 / 2 * n_units * _PAIR_S if (tanh_share, trace.pooling) == ("order", "mean") else 0.0
    if seconds <= _AT_ONCE_S:
        return cache.ledger(*look.key, look.target, tanh_share)
    key = f"ledger {look.info.fingerprint} {look.target} {look.text}"
    found = work.draw(key)
    if found is None and work.is_idle(key):
        with st.container(border=True):
            st.markdown(
                f"With mean pooling, a division in reading order looks at all pairs of the {n_pos:,} tokens: about "
                f"{widgets.duration(seconds)} on this machine."
            )
            if st.button("Divide in reading order", key="ledger_ask"):
                model = cache.load(look.info.name, look.info.fingerprint)
                call = functools.partial(api.lstm_ledger, model, look.text, look.target, tanh_share=tanh_share)
                work.start(key, "Dividing tanh(c) in reading order", lambda progress: call(progress=progress))
                st.rerun()
    return found


def draw_bars(books: LstmLedger, layer: int, direction: int, unit: int | None) -> None:
    """The main picture, and what it says in a sentence."""
    from explorer_core.views import word_ledger

    place: dict[str, Any] = {"layer": layer, "direction": direction, "unit": unit}
    st.markdown(plain_reading(books))
    figures.chart(word_ledger.render(books, **place), reading.LEDGER, word_ledger.alt_text(books, **place))
    figures.how_to_read("word_ledger")


def draw_waterfall(books: LstmLedger) -> str:
    """The way from the bias to the logit; returns the order of the bars."""
    from explorer_core.views import ledger_waterfall

    st.markdown("#### From the bias to the logit")
    sort = st.segmented_control(
        "Words in order of", ledger_waterfall.SORTS, key=SORT, default=ledger_waterfall.SORTS[0], required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    sort = sort or ledger_waterfall.SORTS[0]
    figures.chart(ledger_waterfall.render(books, sort=sort), "states_waterfall",
                  ledger_waterfall.alt_text(books, sort=sort))  # fmt: skip
    figures.how_to_read("ledger_waterfall")
    return sort


def plain_reading(books: LstmLedger) -> str:
    """One or two sentences from the numbers, as Markdown: what added most, what took most, what was forgotten."""
    words, scores, kept = books.words, books.word_scores, books.top_kept_share
    logit = f"the logit of {_quoted(books.labels[books.target])}"
    high, low = int(scores.argmax()), int(scores.argmin())
    parts = []
    if scores[high] > 0:
        parts.append(f"{_quoted(words[high])} added the most to {logit} ({number(scores[high], signed=True)})")
    if scores[low] < 0:
        parts.append(
            f"{_quoted(words[low])} took the most from {'it' if parts else logit} "
            f"({number(scores[low], signed=True)}), and {_percent(kept[low])} of what it wrote was kept to the end"
        )
    if not parts:
        return f"No word moved {logit}."
    said = "; ".join(parts) + "."
    wrote = books.written_by_word[-1].sum(0)  # [word]
    most = int(wrote.argmax())
    if most not in (high, low) and len(wrote) > 2:
        said += f" {_quoted(words[most])} wrote more than any other word, and {_percent(kept[most])} of that was kept."
    return said


def sums_of(books: LstmLedger) -> list[sums.Sum]:
    """The three sums of the ledger."""
    target = books.target
    n_layers, n_directions, _, n_units = books.written.shape
    left = float(books.entry_scores.sum() + books.bias[target])
    right = float(books.logits[target])
    label = books.labels[target][:24]
    special = "" if books.entries.is_word.all() else " and special tokens"
    of_cells = f"{n_layers * n_directions * n_units:,} units" + (f", {n_layers} layers" if n_layers > 1 else "")
    return [
        sums.Sum(f"all words{special} + bias = logit of {label}", left, right, abs(left - right)),
        sums.Sum(f"written × kept, summed = cell at the end (largest of {of_cells})", None, None, books.cell_residual),
        sums.Sum(f"shares of the hidden state, summed = pooled hidden state (largest of {n_directions * n_units:,})",
                 None, None, books.hidden_residual),
    ]  # fmt: skip


def notes_of(books: LstmLedger) -> list[str]:
    """What has to be known of this network, one sentence each, as Markdown."""
    notes = []
    entries = books.entries
    if not entries.is_word.all():
        special = books.entry_scores.sum(0)[~entries.is_word].sum()
        notes.append(f"Special tokens, in italics, keep their own entries; together {number(special, signed=True)}.")
    if len(books.written) > 1:
        notes.append(
            f"This network has {len(books.written)} layers, each with a cell of its own. What layer 2 and above read "
            "at a word is the state of the layer below, which has already mixed the words. Only the top layer reaches "
            "the logit, and its entry at a word is what the network did at that place, not what the word did alone."
        )
    if books.pooling != "last":
        how = "the mean over all places" if books.pooling == "mean" else "each unit where it is largest"
        notes.append(
            f"The verdict is read from {how}, not from the end: a word whose part of the cell was forgotten later can "
            "still have added to the logit."
        )
    return notes


def _figures(
    books: LstmLedger, layer: int, direction: int, unit: int | None, sort: str
) -> dict[str, functools.partial[Any]]:
    from explorer_core.views import ledger_waterfall, word_ledger

    place: dict[str, Any] = {"layer": layer, "direction": direction, "unit": unit}
    return {
        "word_ledger": functools.partial(word_ledger.render, books, **place),
        "ledger_waterfall": functools.partial(ledger_waterfall.render, books, sort=sort),
    }


def _quoted(word: str) -> str:
    return f"“{messages.plain(word[:40])}”"


def _percent(share: np.floating) -> str:
    return "less than 1\u00a0%" if share < 0.01 else f"{share * 100:.0f}\u00a0%"
