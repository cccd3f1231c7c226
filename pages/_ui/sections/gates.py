"""Gates and states of a recurrent network: maps, one unit, sizes of states."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace
from explorer_core.text import visible
from pages._ui import figures, inside, maps, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Gates and states",
    "question": "Inside, word by word",
    "kinds": ("recurrent",),
    "order": 10,
}
MAPS = "states_maps"
_HOW = (
    "Each column is a word, each row one unit. Gates lie between 0 (closed) and 1 (open), hidden states and candidates "
    "between −1 and 1; the cell has no bound. A signed scale ends at a round number that holds 99.5 % of the values in "
    "this text, over all layers; the few beyond it are drawn as its end. Point to read a value, click to choose; the "
    "table below is exact."
)
_NOT = (
    "The order of the units means nothing, and a bright unit need not matter to the verdict. Cell and hidden state "
    "are not the same: the hidden state is what the output gate lets out of the cell, h = o × tanh(c)."
)
_TABLE_STYLE = (
    "<style>table.exact{border-collapse:collapse;font-variant-numeric:tabular-nums}table.exact td,table.exact th"
    "{padding:.2rem .9rem .2rem 0;border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "table.exact th{font-size:.9rem;opacity:.85;vertical-align:bottom}table.exact .n{text-align:right}</style>"
)


def draw(look: Look) -> None:
    """Maps of every quantity of one layer and direction, the chosen unit's lines, and the sizes of the states."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        inside.pick_unit(trace)
        tokens = inside.pick_columns()
    place = draw_maps(trace, layer, direction, tokens)
    figures.small(_HOW, _NOT if trace.cell is not None else _NOT.split(" Cell and")[0])
    unit, word = place.unit or 0, reading.chosen_word(trace)
    left, right = st.columns(2, gap="medium")
    with left:
        draw_unit(trace, layer, direction, unit, word)
    with right:
        draw_norms(trace)
    take_away.offer("states", look, {"trace_states": trace})


def draw_maps(trace: RecurrentTrace, layer: int, direction: int, tokens: bool) -> maps.Place:
    """Word x unit maps of every quantity of one layer and direction."""
    pos = np.arange(len(trace.tokens)) if tokens else trace.pos_of_words(direction)
    return maps.state_maps(
        MAPS,
        panels_of(trace, layer, direction, pos),
        trace.words,
        group=reading.GROUP,
        columns=trace.tokens if tokens else None,
        word_of_column=trace.word_of_token if tokens else None,
        selected_word=reading.first_word(trace),
        unit_key=inside.UNIT,
    )


def panels_of(trace: RecurrentTrace, layer: int, direction: int, pos: np.ndarray) -> list[maps.Panel]:
    """One panel for each quantity of a layer and direction, at the given positions."""
    panels = []
    for name, values in trace.quantities().items():
        kind = "signed" if name in inside.SIGNED else "share"
        limit = maps.panel_limit(values) if kind == "signed" else 1.0  # over all layers: one scale while they switch
        title = inside.title_of(name, trace.architecture)
        panels.append(maps.Panel(name, title, values[layer, direction, pos], kind, limit))
    return panels


def draw_norms(trace: RecurrentTrace) -> None:
    """Size of the state over the words."""
    from explorer_core.views import state_norms

    st.markdown("#### Size of the state")
    figures.chart(state_norms.render(trace), reading.NORMS, state_norms.alt_text(trace))
    figures.how_to_read("state_norms")


def draw_unit(trace: RecurrentTrace, layer: int, direction: int, unit: int, word: int | None) -> None:
    """One unit's lines, and its exact values at the chosen word."""
    from explorer_core.views import unit_lines

    place = {"layer": layer, "direction": direction, "unit": unit}
    st.markdown(f"#### Unit {unit} over the words")
    figures.chart(unit_lines.render(trace, **place), reading.UNIT_LINES, unit_lines.alt_text(trace, **place))
    figures.how_to_read("unit_lines")
    draw_values(trace, layer, direction, unit, word)


def draw_values(trace: RecurrentTrace, layer: int, direction: int, unit: int, word: int | None) -> None:
    """Exact values of one unit at the chosen word and at the word read before it."""
    if word is None:
        st.caption("Choose a word above to see the exact values of this unit there.")
        return
    pos = trace.pos_of_words(direction)
    before = word - 1 if direction == 0 else word + 1
    has_before = 0 <= before < len(trace.words)
    shown = [before, word] if has_before else [word]
    rows = "".join(
        f"<tr><td>{html.escape(inside.title_of(name, trace.architecture))}</td>"
        + "".join(f"<td class='n'>{_exact(name, values[layer, direction, pos[at], unit])}</td>" for at in shown)
        + "</tr>"
        for name, values in trace.quantities().items()
    )
    names = "".join(
        f"<th class='n'>after word {at + 1}<br><bdi>{html.escape(visible(trace.words[at])[:24])}</bdi></th>"
        for at in shown
    )
    st.html(f"{_TABLE_STYLE}<table class='exact'><tr><th>unit {unit}</th>{names}</tr>{rows}</table>")


def _exact(name: str, value: float) -> str:
    return number(float(value), signed=name in inside.SIGNED, digits=6)
