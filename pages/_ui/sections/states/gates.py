"""Gates and states of a recurrent network: maps of words and units, and one unit with its equations."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace, UnitOrder, UnitStep
from explorer_core.text import visible
from pages._ui import cache, equations, figures, inside, maps, messages, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Gates and states",
    "question": "Inside, word by word",
    "kinds": ("recurrent",),
    "order": 10,
}
MAPS = "states_maps"
_HOW = (
    "Each column is a word, each row one unit: gates run from 0 (closed) to 1 (open), and a signed scale ends at a "
    "round number that holds 99.5 % of this text's values; point to read a value, click to choose it, drag (or press + "
    "and −) to zoom, and Escape shows all."
)
_NOT = (
    "A bright unit need not matter to the verdict, and neighbours mean something only where the units are ordered by "
    "something."
)
_ORDERS = {
    "similarity": "Units are ordered by clustering: those that behave alike over this text stand side by side.",
    "verdict": "Units are ordered by how their hidden state moves with the running verdict (Pearson correlation with "
    "the margin, the logit of {label} minus the mean of the others), from most with it to most against it. Over few "
    "words large correlations come about by chance.",
    "memory": "Units are ordered by their half-life, ln(1/2) ÷ mean ln({gate}) over the tokens of this text, from the "
    "longest memory to the shortest.",
}
_FORMULAS = {
    "lstm": "c = f × c₋₁ + i × g, h = o × tanh(c)",
    "bilstm": "c = f × c₋₁ + i × g, h = o × tanh(c)",
    "gru": "n = tanh(W x + b + r × (U h₋₁ + b′)), h = (1 − z) × n + z × h₋₁",
    "rnn": "h = tanh(W x + b + U h₋₁ + b′)",
}
_SOURCES = {
    "similarity": "order of leaves: Bar-Joseph, Gifford and Jaakkola 2001, Fast optimal leaf ordering for hierarchical "
    "clustering",
}
_TABLE_STYLE = (
    "<style>div.step{display:flex;flex-wrap:wrap;align-items:flex-start;gap:1.2rem 3rem}"
    "table.exact{border-collapse:collapse;font-variant-numeric:tabular-nums}table.exact td,table.exact th"
    "{padding:.2rem .9rem .2rem 0;border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "table.exact th{font-size:.9rem;opacity:.85;vertical-align:bottom}table.exact .n{text-align:right}</style>"
)


@st.fragment
def draw(look: Look) -> None:
    """Maps of every quantity of one layer and direction, and the chosen unit's lines and equations.

    A fragment inside that of the page: a unit changes nothing above it.
    """
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        inside.pick_unit(trace)
        how = inside.pick_order(trace)
        tokens = inside.pick_columns()
    place = draw_maps(look, layer, direction, how, tokens)
    unit, word = place.unit or 0, reading.chosen_word(trace)
    draw_unit(look, layer, direction, unit, word)
    offer(look, layer, direction, unit, word, how)


def offer(look: Look, layer: int, direction: int, unit: int, word: int | None, how: str) -> None:
    """What is shown, to be taken away."""
    trace, place = look.trace, {"layer": layer, "direction": direction}
    assert isinstance(trace, RecurrentTrace)
    key = (*look.key, figures.has_verdict(trace))
    made: dict[str, take_away.Result] = {"trace_states": trace}
    if how != "stored":
        order = cache.unit_order(*key, how, layer, direction, look.target)
        made["order_units"] = order, {**place, "how": how, "target": look.target}
    if word is not None:
        step = cache.unit_step(*key, layer, direction, unit, word)
        made["trace_unit_step"] = step, {**place, "unit": unit, "word": word}
    take_away.offer(
        "states",
        look,
        made,
        figures={"unit_lines": lambda: figures.kept("unit_lines", look, trace, **place, unit=unit, width=700)},
    )


# Maps ---------------------------------------------------------------------------------------------------------------


def draw_maps(look: Look, layer: int, direction: int, how: str, tokens: bool) -> maps.Place:
    """Word x unit maps of every quantity of one layer and direction."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    order = None
    if how != "stored":
        order = cache.unit_order(*look.key, figures.has_verdict(trace), how, layer, direction, look.target)
    packed = _packed(*look.key, figures.has_verdict(trace), layer, direction, how, tokens, look.target, trace, order)
    selected = reading.first_word(trace)
    place = maps.show(MAPS, packed, trace.words, group=reading.GROUP, selected_word=selected, unit_key=inside.UNIT)
    said = _ORDERS.get(how, "").format(label=visible(trace.labels[look.target])[:40], gate=_keeper(trace))
    figures.small(f"{_HOW} {said}".strip(), _NOT, _FORMULAS.get(trace.architecture, ""), _SOURCES.get(how, ""))
    return place


@st.cache_data(max_entries=48, max_size="128MB", show_spinner=False)
def _packed(
    name: str, fingerprint: str, text: str, running: bool, layer: int, direction: int, how: str, tokens: bool,
    target: int, _trace: RecurrentTrace, _order: UnitOrder | None,
) -> maps.Packed:  # fmt: skip
    pos = np.arange(len(_trace.tokens)) if tokens else _trace.pos_of_words(direction)
    return maps.prepare(
        panels_of(_trace, layer, direction, pos),
        _trace.words,
        group=reading.GROUP,
        columns=_trace.tokens if tokens else None,
        word_of_column=_trace.word_of_token if tokens else None,
        selected_word=reading.first_word(_trace),
        order=_order,
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


def _keeper(trace: RecurrentTrace) -> str:
    return "update gate" if "update" in trace.gate_names else "forget gate"


# One unit -----------------------------------------------------------------------------------------------------------


def draw_unit(look: Look, layer: int, direction: int, unit: int, word: int | None) -> None:
    """One unit's lines, and its equations at the chosen word."""
    from explorer_core.views import unit_lines

    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    place = {"layer": layer, "direction": direction, "unit": unit}
    st.markdown(f"#### Unit {unit} over the words")
    figures.chart(
        figures.kept("unit_lines", look, trace, **place, width=700),
        reading.UNIT_LINES,
        unit_lines.alt_text(trace, **place),
    )
    figures.how_to_read("unit_lines")
    if word is None:
        st.caption("Choose a word above to see this unit's equations filled with its numbers there.")
        return
    st.markdown(f"#### Unit {unit} at word {word + 1}")
    step = cache.unit_step(*look.key, figures.has_verdict(trace), layer, direction, unit, word)
    st.html(f"<div class='step'>{_values_table(trace, step)}{equations.draw(step)}</div>")
    st.caption(messages.plain(f"{equations.sentence(step)} {equations.before(step, trace)}"))


def _values_table(trace: RecurrentTrace, step: UnitStep) -> str:
    """Exact values of one unit at the chosen word and at the position read before it."""
    shown = [step.pos] if step.pos_before is None else [step.pos_before, step.pos]
    rows = "".join(
        f"<tr><td>{html.escape(inside.title_of(name, trace.architecture))}</td>"
        + "".join(
            f"<td class='n'>{_exact(name, values[step.layer, step.direction, at, step.unit])}</td>" for at in shown
        )
        + "</tr>"
        for name, values in trace.quantities().items()
    )
    names = "".join(f"<th class='n'>{_column(trace, step, at)}</th>" for at in shown)
    return f"{_TABLE_STYLE}<table class='exact'><tr><th>unit {step.unit}</th>{names}</tr>{rows}</table>"


def _column(trace: RecurrentTrace, step: UnitStep, pos: int) -> str:
    """Heading of the values at one position: the word that has just been read there, or a token inside it."""
    word = int(trace.word_of_token[pos])
    is_whole = word >= 0 and (pos == step.pos or word != step.word)
    what = f"after word {word + 1}" if is_whole else "after the token"
    name = trace.words[word] if is_whole else trace.tokens[pos]
    return f"{what}<br><bdi>{html.escape(visible(name)[:24])}</bdi>"


def _exact(name: str, value: float) -> str:
    return number(float(value), signed=name in inside.SIGNED, digits=6)
