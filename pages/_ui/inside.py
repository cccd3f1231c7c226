"""Pickers that sections share: layer, direction, unit and columns, all in the address."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import streamlit as st

from explorer_core.results import RecurrentTrace
from explorer_core.unit_order import possible_orders
from pages._ui import linked
from pages._ui.look import AnyTrace
from pages._ui.reading import GROUP

LAYER, DIRECTION, UNIT, COLUMNS = "layer", "direction", "unit", "columns"  # keys, and names in the address
ORDER = "order"
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
SIGNED = frozenset({"hidden", "cell", "candidate"})


def title_of(name: str, architecture: str) -> str:
    """What a person reads over a quantity."""
    return "Candidate n" if (name, architecture) == ("candidate", "gru") else TITLES.get(name, name)


def pick_layer(trace: AnyTrace, *, with_embedding: bool = True, below_top: int = 0) -> int:
    """Index into the layer axis of `trace.hidden`, at first the top one or so many below; asked only where there is a
    choice.
    """
    n_layers = trace.hidden.shape[0]
    if n_layers < 2:
        return 0
    first = 1 if isinstance(trace, RecurrentTrace) else 0  # entry 0 of a BERT is its embedding
    options = [str(index + first) for index in range(n_layers)]
    if not first and not with_embedding:
        options = options[1:]
    picked = st.selectbox(
        "Layer", options, key=LAYER, bind="query-params", width=140,
        index=max(len(options) - 1 - below_top, 0),
        help="Counted from the words up." + ("" if first else " 0 is the embedding, before any layer."),
    )  # fmt: skip
    return int(picked) - first


def pick_direction(trace: AnyTrace) -> int:
    """0 forward, 1 backward; asked only where there is a choice."""
    if not isinstance(trace, RecurrentTrace) or trace.hidden.shape[1] < 2:
        return 0
    picked = st.selectbox(
        "Direction", list(trace.directions), key=DIRECTION, bind="query-params", width=160,
        help="The backward half reads from the last word to the first; its states are drawn under the word just read.",
    )  # fmt: skip
    return trace.directions.index(picked)


def pick_unit(trace: AnyTrace, group: str = GROUP) -> int:
    """The unit followed; other elements of the group choose it too."""
    clamp_unit(trace)
    unit = st.number_input(
        "Unit", 0, int(trace.hidden.shape[-1]) - 1, key=UNIT, bind="query-params", width=140,
        help="The unit followed below; a click in a map chooses it too.",
    )  # fmt: skip
    linked.tell(f"{group}_unit_chosen", group, trace.words, unit=int(unit))
    return int(unit)


def take_by_name(key: str, options: Collection[str]) -> None:
    """Follow a link written by hand, which names an option as the code does; the app's own links hold its label."""
    if st.session_state.get(key) is None and st.query_params.get(key) in options:
        st.session_state[key] = st.query_params[key]


def pick_order(trace: RecurrentTrace) -> str:
    """How the units are ordered; only what means something for this network and this reading is offered."""
    options = list(possible_orders(trace))
    if st.session_state.get(ORDER) not in (None, *options):
        st.session_state[ORDER] = options[0]  # an order of another network
    picked = st.selectbox(
        "Order units by", options, key=ORDER, bind="query-params", width=150,
        help="Stored: the numbers of the units, which mean nothing. Similarity: alike units side by side. Verdict: "
        "correlation of the hidden state with the running verdict. Memory: half-life from the gate that keeps the "
        "state; a vanilla RNN has none.",
    )  # fmt: skip
    return picked if picked in options else options[0]


def pick_columns() -> bool:
    """Whether columns are tokens instead of words."""
    columns = st.selectbox(
        "Columns", ["words", "tokens"], key=COLUMNS, bind="query-params", width=140,
        help="A word of several tokens shows the state after its last one.",
    )  # fmt: skip
    return columns == "tokens"


def clamp_unit(trace: AnyTrace) -> None:
    """A unit this model has; at first the one whose hidden state moves most over the words."""
    values = trace.hidden
    n_units = values.shape[-1]
    if UNIT not in st.session_state and UNIT not in st.query_params:
        top = values[-1, 0] if isinstance(trace, RecurrentTrace) else values[-1]  # [pos, unit]
        moves = np.ptp(np.vstack([np.zeros(n_units), top]), axis=0)  # from the zero it starts from
        st.session_state[UNIT] = int(moves.argmax())
    elif st.session_state.get(UNIT, 0) is not None and st.session_state.get(UNIT, 0) >= n_units:
        st.session_state[UNIT] = n_units - 1


def pos_of_words(trace: AnyTrace, direction: int) -> np.ndarray:
    """Position at which each word has just been read, int array [word]."""
    if isinstance(trace, RecurrentTrace):
        return trace.pos_of_words(direction)
    return trace.reading.last_token_of_word
