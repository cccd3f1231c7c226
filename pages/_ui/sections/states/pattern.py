"""Find a pattern: units that are on over a span of the text, and where in a corpus the same ones are."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.results import PatternMatches
from explorer_core.text import visible
from explorer_core.unit_pattern import states_after_words, units_on
from pages._ui import cache, corpus, figures, inside, linked, messages, reading, take_away
from pages._ui.digest import short
from pages._ui.look import Look

if TYPE_CHECKING:
    from explorer_core.corpus._index import StateIndex

SECTION = {
    "label": "Find a pattern",
    "question": "Where else does the network do this?",
    "kinds": ("recurrent", "transformer"),
    "order": 70,
}
LABELS, MATCHES = "states_pattern_labels", "states_pattern_matches"
SPAN, THRESHOLD, BEFORE, AFTER = "pattern_words", "threshold", "off_before", "off_after"  # keys of the controls
_SCORE = "Score"
_FIRST_THRESHOLD = {"state": 0.3, "gate": 0.9}


def draw(look: Look) -> None:
    """The span, the threshold, the pattern they make, and where it returns."""
    choice = corpus.pick(look, with_unit=False)
    corpus.draw_way_back(look)
    if choice is None:
        return
    values = states_after_words(look.trace, choice.layer, choice.direction, choice.quantity)  # [word, unit]
    span = pick_span(look)
    limits = limits_of(values, choice.quantity)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        threshold = pick_threshold(choice.quantity, limits)
        off_before = st.toggle("Off before", key=BEFORE, help="Only units below the threshold at the word before.")
        off_after = st.toggle("Off after", key=AFTER, help="Only units below the threshold at the word after.")
    units = np.flatnonzero(units_on(values, span, threshold, off_before=off_before, off_after=off_after))
    draw_units(look, values, span, threshold, units, choice, limits)
    index = corpus.find(look, choice)
    found, refused = None, None
    if index is not None:
        try:
            found = cache.pattern(index.about.key, look.text, span, threshold, off_before, off_after, index, look.trace)
        except InvalidInputError as error:
            refused = error
    if refused is not None:
        st.info(messages.plain(str(refused)))
        _offer_lower(values, span, limits)
    if index is None or found is None:
        return
    corpus.draw_notes(index)
    draw_found(look, index, found)
    arguments = {"span": list(span), "threshold": threshold, "off_before": off_before, "off_after": off_after}
    take_away.offer("pattern", look, {"find_pattern": (found, arguments, choice.made_from)}, figures=_figures(found))


# The pattern --------------------------------------------------------------------------------------------------------


def limits_of(values: np.ndarray, quantity: str) -> tuple[float, float]:
    """Range of a quantity: fixed where it has one, else a round number that holds this text."""
    if quantity not in inside.SIGNED:
        return 0.0, 1.0
    largest = float(np.abs(values).max())
    limit = 1.0 if largest <= 1 else nice_limit(largest)
    return -limit, limit


def pick_span(look: Look) -> tuple[int, int]:
    """First and last word of the span: dragged over in the strip, or set here; at first the chosen word."""
    words = look.trace.words
    chosen = reading.chosen_word(look.trace)
    span = linked.chosen_span(reading.GROUP, words) or ((chosen, chosen) if chosen is not None else (0, 0))
    if len(words) == 1:
        return 0, 0
    st.session_state[SPAN] = span  # the strip may have moved it
    picked: Any = st.select_slider(
        "Words of the pattern", list(range(len(words))), span, key=SPAN, on_change=_move_span, args=(words,),
        format_func=lambda at: f"{at + 1} {visible(words[at])[:24]}",
        help="The first and the last word. Dragging over words in the text above sets them too.",
    )  # fmt: skip
    return picked[0], picked[1]


def _move_span(words: tuple[str, ...]) -> None:
    linked.choose_span(reading.GROUP, words, st.session_state[SPAN])


def pick_threshold(quantity: str, limits: tuple[float, float]) -> float:
    """From where on a unit is on."""
    low, high = limits
    kind = "state" if quantity in inside.SIGNED else "gate"
    key = f"{THRESHOLD}_{kind}"
    before = st.session_state.get(key, _FIRST_THRESHOLD[kind])
    st.session_state[key] = float(min(max(before, low), high))  # of another text, whose range was wider
    return st.slider(
        "A unit is on from", low, high, step=0.01 if high <= 3 else 0.1, key=key, width=340,
        help="Words at which its value is this or more. The line in the picture below.",
    )  # fmt: skip


def _offer_lower(values: np.ndarray, span: tuple[int, int], limits: tuple[float, float]) -> None:
    """A threshold at which some units are on throughout the span."""
    lowest = np.sort(values[span[0] : span[1] + 1].min(0))[::-1]
    wanted = np.floor(float(lowest[min(5, len(lowest) - 1)]) * 100) / 100
    if limits[0] <= wanted:
        key = f"{THRESHOLD}_{'gate' if limits[0] == 0 else 'state'}"
        st.button(
            f"Set it to {number(wanted, signed=True)}", key="pattern_lower", on_click=_set_threshold,
            args=(key, float(wanted)), help="There at least six units are on throughout these words.",
        )  # fmt: skip


def _set_threshold(key: str, value: float) -> None:
    st.session_state[key] = value


def draw_units(
    look: Look, values: np.ndarray, span: tuple[int, int], threshold: float, units: np.ndarray,
    choice: corpus.Choice, limits: tuple[float, float],
) -> None:  # fmt: skip
    """The main picture: every unit over the words, the pattern's own in colour."""
    from explorer_core.views import pattern_span

    words = look.trace.words
    said = visible(" ".join(words[span[0] : span[1] + 1]))
    said = said if len(said) <= 80 else said[:79] + "…"
    n_units = values.shape[1]
    st.markdown(
        f"#### {len(units)} of {n_units} units are on throughout “{messages.plain(said)}”" if len(units)
        else f"#### No unit is on throughout “{messages.plain(said)}”"
    )  # fmt: skip
    title = inside.title_of(choice.quantity, look.info.architecture)
    figures.chart(
        pattern_span.render(values, words, span, threshold, units, title=title, limits=limits),
        reading.PATTERN,
        pattern_span.alt_text(values, words, span, threshold, units),
    )
    start, end = pattern_span.drawn_words(len(words), span)
    if end - start < len(words):
        st.caption(f"Words {start + 1:,} to {end:,} of {len(words):,} are drawn, those around the chosen ones.")
    if len(units):
        named = ", ".join(str(unit) for unit in units[:60]) + (", …" if len(units) > 60 else "")
        st.caption(f"The pattern: {'unit' if len(units) == 1 else 'units'} {named}.")
    figures.how_to_read("pattern_span")


# Where it returns ---------------------------------------------------------------------------------------------------


def draw_found(look: Look, index: StateIndex, found: PatternMatches) -> None:
    """The best place of each text, and the labels of the texts listed."""
    from explorer_core.views import pattern_labels

    n_found, length = len(found.matches), found.span[1] - found.span[0] + 1
    words = "1 word" if length == 1 else f"{length} words"
    st.markdown(f"#### Best {n_found} of {found.n_texts:,} texts" if n_found else "#### It returns nowhere")
    st.caption(
        f"Searched: {found.n_places:,} places of {words} in {found.n_texts:,} texts, one place a text. Score: units "
        "that are on in both places over units that are on in either (Jaccard index, 0 to 1). Choose a row to open "
        "its text here, with the place marked."
    )
    if not n_found:
        return
    draw_matches(look, index, found)
    if found.matches.label_names:
        st.markdown("#### Labels of these texts")
        left, right = st.columns(2, gap="large")
        with left:
            figures.chart(pattern_labels.render(found), LABELS, pattern_labels.alt_text(found))
        with right:
            figures.how_to_read("pattern_labels")


def draw_matches(look: Look, index: StateIndex, found: PatternMatches) -> None:
    """The places, the best first; a new search has a new table, in which no row is chosen."""
    asked = repr((index.about.key, look.text, found.span, found.threshold, found.off_before, found.off_after))
    key = f"{MATCHES}-{short(asked)}"
    st.dataframe(
        corpus.table(found.matches, _SCORE),
        hide_index=True,
        height=420,
        key=key,
        column_config=corpus.column_config(_SCORE, "Jaccard index, 0 to 1.", signed=False),
        selection_mode="single-row",
        on_select=functools.partial(corpus.open_place, key, look, index, found.matches),
        alt="The places of the corpus where most of the pattern's units are on, the best first.",
    )


def _figures(found: PatternMatches) -> take_away.Figures:
    """What draws the labels, for the bundle."""
    from explorer_core.views import pattern_labels

    if not found.matches.label_names:
        return {}
    return {"pattern_labels": functools.partial(pattern_labels.render, found)}
