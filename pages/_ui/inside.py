"""The network's inside on the page States: maps of states and gates, one unit, sizes of states, and the way out."""

from __future__ import annotations

import html
import io

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace, TransformerTrace
from explorer_core.text import visible
from pages._ui import figures, linked, maps
from pages._ui.reading import GROUP, NORMS, UNIT_LINES, AnyTrace, first_word

MAPS = "states_maps"
LAYER, DIRECTION, UNIT, COLUMNS = "layer", "direction", "unit", "columns"  # keys, and names in the address

TITLES = {
    "hidden": "Hidden state h",
    "cell": "Cell state c",
    "input": "Input gate i",
    "forget": "Forget gate f",
    "candidate": "Candidate g",
    "output": "Output gate o",
    "reset": "Reset gate r",
    "update": "Update gate z",
}
_SIGNED = frozenset({"hidden", "cell", "candidate"})
_HOW_MAPS = (
    "Each column is a word, each row one unit. Gates lie between 0 (closed) and 1 (open), hidden states and candidates "
    "between −1 and 1; the cell has no bound. A signed scale ends at a round number that holds 99.5 % of the values in "
    "this text, over all layers; the few beyond it are drawn as its end. Point to read a value, click to choose; the "
    "table below is exact."
)
_NOT_MAPS = (
    "The order of the units means nothing, and a bright unit need not matter to the verdict. Cell and hidden state "
    "are not the same: the hidden state is what the output gate lets out of the cell, h = o × tanh(c)."
)
_TABLE_STYLE = (
    "<style>table.exact{border-collapse:collapse;font-variant-numeric:tabular-nums}table.exact td,table.exact th"
    "{padding:.2rem .9rem .2rem 0;border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "table.exact th{font-size:.9rem;opacity:.85;vertical-align:bottom}table.exact .n{text-align:right}</style>"
)


def draw_pickers(trace: AnyTrace) -> tuple[int, int, bool]:
    """Layer, direction and whether columns are tokens; only what the model has is asked."""
    n_layers = trace.hidden.shape[0]
    n_directions = trace.hidden.shape[1] if isinstance(trace, RecurrentTrace) else 1
    layer, direction = 0, 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if n_layers > 1:
            first = 1 if isinstance(trace, RecurrentTrace) else 0  # entry 0 of a BERT is its embedding
            options = [str(index + first) for index in range(n_layers)]
            picked = st.selectbox("Layer", options, key=LAYER, bind="query-params", width=140, index=n_layers - 1,
                                  help="Counted from the words up."
                                  + ("" if first else " 0 is the embedding, before any layer."))  # fmt: skip
            layer = options.index(picked)
        if n_directions > 1 and isinstance(trace, RecurrentTrace):
            picked = st.selectbox("Direction", list(trace.directions), key=DIRECTION, bind="query-params", width=160,
                                  help="The backward half reads from the last word to the first; its states are "
                                  "drawn under the word just read.")  # fmt: skip
            direction = trace.directions.index(picked)
        _clamp_unit(trace)
        unit = st.number_input("Unit", 0, int(trace.hidden.shape[-1]) - 1, key=UNIT, bind="query-params", width=140,
                               help="The unit followed below; a click in a map chooses it too.")  # fmt: skip
        columns = st.selectbox("Columns", ["words", "tokens"], key=COLUMNS, bind="query-params", width=140,
                               help="A word of several tokens shows the state after its last one.")  # fmt: skip
        linked.tell("states_unit_chosen", GROUP, trace.words, unit=int(unit))
    return layer, direction, columns == "tokens"


def draw_maps(trace: AnyTrace, layer: int, direction: int, tokens: bool) -> maps.Place:
    """Word x unit maps of every quantity of one layer and direction."""
    pos = np.arange(len(trace.tokens)) if tokens else _pos_of_words(trace, direction)
    return maps.state_maps(
        MAPS,
        panels_of(trace, layer, direction, pos),
        trace.words,
        group=GROUP,
        columns=trace.tokens if tokens else None,
        word_of_column=trace.word_of_token if tokens else None,
        selected_word=first_word(trace),
        unit_key=UNIT,
    )


def panels_of(trace: AnyTrace, layer: int, direction: int, pos: np.ndarray) -> list[maps.Panel]:
    """One panel for each quantity of a layer and direction, at the given positions."""
    if isinstance(trace, TransformerTrace):
        values = trace.hidden[layer, pos]
        limit = maps.panel_limit(values)
        return [maps.Panel("hidden", "Embedding" if layer == 0 else f"Hidden state after layer {layer}", values,
                           "signed", limit)]  # fmt: skip
    assert isinstance(trace, RecurrentTrace)
    panels = []
    for name, values in trace.quantities().items():
        kind = "signed" if name in _SIGNED else "share"
        limit = maps.panel_limit(values) if kind == "signed" else 1.0  # over all layers: one scale while they switch
        title = "Candidate n" if (name, trace.architecture) == ("candidate", "gru") else TITLES.get(name, name)
        panels.append(maps.Panel(name, title, values[layer, direction, pos], kind, limit))
    return panels


def draw_maps_text(trace: AnyTrace) -> None:
    """How to read the maps."""
    if isinstance(trace, RecurrentTrace):
        figures.small(_HOW_MAPS, _NOT_MAPS if trace.cell is not None else _NOT_MAPS.split(" Cell and")[0])
    else:
        figures.small(
            "Each column is a word, at its last token; each row one of the layer's units. The scale holds 99.5 % of "
            "the values; the few beyond it are drawn as its end. Point to read a value, click to choose.",
            "A BERT keeps no memory from word to word: every column has seen the whole text, in both directions.",
        )


def draw_norms(trace: AnyTrace) -> None:
    """Size of the state over the words."""
    from explorer_core.views import state_norms

    st.markdown("### Size of the state")
    figures.chart(state_norms.render(trace), NORMS, state_norms.alt_text(trace))
    figures.how_to_read("state_norms")


def draw_unit(trace: AnyTrace, layer: int, direction: int, unit: int, word: int | None) -> None:
    """One unit's lines, and its exact values at the chosen word."""
    from explorer_core.views import unit_lines

    st.markdown(f"### Unit {unit} over the words" if isinstance(trace, RecurrentTrace) else f"### Unit {unit}")
    if isinstance(trace, RecurrentTrace):
        figures.chart(
            unit_lines.render(trace, layer=layer, direction=direction, unit=unit),
            UNIT_LINES,
            unit_lines.alt_text(trace, layer=layer, direction=direction, unit=unit),
        )
        figures.how_to_read("unit_lines")
    draw_values(trace, layer, direction, unit, word)


def draw_values(trace: AnyTrace, layer: int, direction: int, unit: int, word: int | None) -> None:
    """Exact values of one unit at the chosen word and at the word read before it."""
    if word is None:
        st.caption("Choose a word above to see the exact values of this unit there.")
        return
    pos = _pos_of_words(trace, direction)
    before = word - 1 if direction == 0 else word + 1
    if isinstance(trace, RecurrentTrace):
        quantities = {name: values[layer, direction, pos, unit] for name, values in trace.quantities().items()}
    else:
        assert isinstance(trace, TransformerTrace)
        quantities = {"hidden": trace.hidden[layer, pos, unit]}
        before = -1
    has_before = 0 <= before < len(trace.words)
    rows = "".join(
        f"<tr><td>{html.escape(TITLES.get(name, name))}</td>"
        + (f"<td class='n'>{_exact(name, values[before])}</td>" if has_before else "")
        + f"<td class='n'>{_exact(name, values[word])}</td></tr>"
        for name, values in quantities.items()
    )
    heads = [trace.words[before], trace.words[word]] if has_before else [trace.words[word]]
    numbers = [before, word] if has_before else [word]
    names = "".join(
        f"<th class='n'>after word {at + 1}<br><bdi>{html.escape(visible(name)[:24])}</bdi></th>"
        for at, name in zip(numbers, heads, strict=True)
    )
    st.html(f"{_TABLE_STYLE}<table class='exact'><tr><th>unit {unit}</th>{names}</tr>{rows}</table>")


def draw_exports(trace: AnyTrace) -> None:
    """Take the trace away as a table or as arrays; made only when asked for."""
    stem = f"{trace.model.replace('/', '-')}-states"
    with st.container(horizontal=True):
        st.download_button("Arrays (npz)", lambda: _npz(trace), f"{stem}.npz", on_click="ignore", key="states_npz",
                           help="Every array of this trace with its words and tokens, in float32.")  # fmt: skip
        st.download_button("Table (CSV)", lambda: _csv(trace), f"{stem}.csv", "text/csv", on_click="ignore",
                           key="states_csv", help="One row for each layer, direction, token and unit.")  # fmt: skip


def _clamp_unit(trace: AnyTrace) -> None:
    """A unit this model has; at first the one whose hidden state moves most over the words."""
    values = trace.hidden
    n_units = values.shape[-1]
    if UNIT not in st.session_state and UNIT not in st.query_params:
        top = values[-1, 0] if isinstance(trace, RecurrentTrace) else values[-1]  # [pos, unit]
        moves = np.ptp(np.vstack([np.zeros(n_units), top]), axis=0)  # from the zero it starts from
        st.session_state[UNIT] = int(moves.argmax())
    elif st.session_state.get(UNIT, 0) is not None and st.session_state.get(UNIT, 0) >= n_units:
        st.session_state[UNIT] = n_units - 1


def _pos_of_words(trace: AnyTrace, direction: int) -> np.ndarray:
    if isinstance(trace, RecurrentTrace):
        return trace.pos_of_words(direction)
    return trace.reading.last_token_of_word


def _exact(name: str, value: float) -> str:
    return number(float(value), signed=name in _SIGNED, digits=6)


def _npz(trace: AnyTrace) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **trace.arrays())  # type: ignore[arg-type]
    return buffer.getvalue()


def _csv(trace: AnyTrace) -> bytes:
    return trace.to_frame().to_csv(index=False).encode("utf-8", "replace")
