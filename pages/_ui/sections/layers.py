"""Hidden states of a BERT, layer by layer."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer_core.results import TransformerTrace
from pages._ui import figures, inside, maps, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Layers",
    "question": "Every word's vector, layer by layer",
    "kinds": ("transformer",),
    "order": 10,
}
MAPS = "states_maps"
_HOW = (
    "Each column is a word, at its last token; each row one of the layer's units. The scale holds 99.5 % of the "
    "values; the few beyond it are drawn as its end. Point to read a value, click to choose."
)
_NOT = "A BERT keeps no memory from word to word: every column has seen the whole text, in both directions."


def draw(look: Look) -> None:
    """A map of one layer's hidden states, and their sizes."""
    from explorer_core.views import state_norms

    trace = look.trace
    assert isinstance(trace, TransformerTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer = inside.pick_layer(trace)
        inside.pick_unit(trace)
        tokens = inside.pick_columns()
    pos = np.arange(len(trace.tokens)) if tokens else trace.reading.last_token_of_word
    values = trace.hidden[layer, pos]
    title = "Embedding" if layer == 0 else f"Hidden state after layer {layer}"
    maps.state_maps(
        MAPS,
        [maps.Panel("hidden", title, values, "signed", maps.panel_limit(values))],
        trace.words,
        group=reading.GROUP,
        columns=trace.tokens if tokens else None,
        word_of_column=trace.word_of_token if tokens else None,
        selected_word=reading.first_word(trace),
        unit_key=inside.UNIT,
    )
    figures.small(_HOW, _NOT)
    st.markdown("#### Size of the state")
    figures.chart(state_norms.render(trace), reading.NORMS, state_norms.alt_text(trace))
    figures.how_to_read("state_norms")
    take_away.offer("states", look, {"trace_states": trace})
