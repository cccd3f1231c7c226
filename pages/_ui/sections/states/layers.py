"""Hidden states of a BERT, layer by layer: their sizes, how alike they are, and what the head says of each layer."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import LayerSimilarity, TransformerTrace
from pages._ui import cache, figures, heads, inside, maps, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Layers",
    "question": "Every word's vector, layer by layer",
    "kinds": ("transformer",),
    "order": 10,
}
MAPS, VERDICTS, WORDS = "states_maps", "states_layer_verdicts", "states_similarity"
CENTRED, SAYS = "centred", "says"  # keys, and names in the address
_HOW = (
    "Each column is a word, at its last token, each row one of the layer's units; the scale holds 99.5 % of the "
    "values. Point to read one, click to choose it."
)
_NOT = "A BERT keeps no memory from word to word: every column has seen the whole text, in both directions."
_HOW_ALIKE = (
    "Each cell is the cosine of the vectors of two words: 1 is the same direction, 0 a right angle, −1 opposite; the "
    "list shows the words most like the chosen one."
)
_FORMULA = "cos(a, b) = a · b / (‖a‖ ‖b‖), 0 for a vector of length zero; centred: a and b minus the text's mean vector"
_SOURCE = "Ethayarajh 2019, How contextual are contextualized word representations?"
_NOT_ALIKE = (
    "Like vectors need not mean like words: those of a BERT all point into a narrow cone, so high cosines are the "
    "rule; centring leaves only the differences inside this text."
)


def draw(look: Look) -> None:
    """A map of one layer's hidden states; then the head on every layer, sizes, and two kinds of likeness."""
    trace = look.trace
    assert isinstance(trace, TransformerTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer = inside.pick_layer(trace)
        inside.pick_unit(trace)
        tokens = inside.pick_columns()
    draw_map(trace, layer, tokens)
    left, right = st.columns(2, gap="large")
    with left:
        draw_verdicts(look)
    with right:
        draw_norms(trace)
    _compare(look, layer)


def draw_map(trace: TransformerTrace, layer: int, tokens: bool) -> None:
    """Word x unit map of the hidden states of one layer."""
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


def draw_verdicts(look: Look) -> None:
    """The model's own head over every layer."""
    from explorer_core.views import layer_verdict

    st.markdown("#### The head on every layer")
    says = st.segmented_control(
        "Shown", layer_verdict.QUANTITIES, default=layer_verdict.QUANTITIES[0], required=True, key=SAYS,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    says = says or layer_verdict.QUANTITIES[0]  # an empty one in the address chooses nothing
    verdicts = cache.layer_verdicts(*look.key)
    figure = layer_verdict.render(verdicts, target=look.target, quantity=says)
    figures.chart(figure, VERDICTS, layer_verdict.alt_text(verdicts, target=look.target))
    figures.how_to_read("layer_verdict")


def draw_norms(trace: TransformerTrace) -> None:
    """Size of the state over the words."""
    from explorer_core.views import state_norms

    st.markdown("#### Size of the state")
    figures.chart(state_norms.render(trace, height=372), reading.NORMS, state_norms.alt_text(trace))
    figures.how_to_read("state_norms")


@st.fragment
def _compare(look: Look, layer: int) -> None:
    """How alike the words are in one layer, and how far each turns from layer to layer."""
    from explorer_core.views import layer_similarity, layer_verdict, state_norms

    st.markdown("#### How alike the words are")
    centred = st.toggle(
        "Centred: subtract the mean vector of the text's words, layer by layer", key=CENTRED, bind="query-params"
    )
    trace = look.trace
    assert isinstance(trace, TransformerTrace)
    similarity = cache.layer_similarity(*look.key, centred, trace)
    draw_words(trace, similarity, layer)
    st.markdown("#### How far each word turns from layer to layer")
    figure = layer_similarity.render(similarity, width=760)
    figures.chart(figure, reading.TURNS, layer_similarity.alt_text(similarity))
    figures.how_to_read("layer_similarity")
    verdicts = cache.layer_verdicts(*look.key)
    take_away.offer(
        "layers",
        look,
        {
            "trace_states": trace,
            "trace_layer_verdicts": verdicts,
            "compare_layers": (similarity, {"centred": similarity.is_centred}),
        },
        figures={
            "layer_verdict": lambda: layer_verdict.render(verdicts, target=look.target),
            "layer_similarity": lambda: figure,
            "state_norms": lambda: state_norms.render(trace),
        },
    )


def draw_words(trace: TransformerTrace, similarity: LayerSimilarity, layer: int) -> None:
    """Word x word map of one layer."""
    where = "in the embedding" if layer == 0 else f"after layer {layer}"
    heads.word_matrix(
        WORDS,
        heads.Matrix(
            f"Cosine of the words {where}" + (", centred" if similarity.is_centred else ""),
            similarity.between_words[layer], "signed", "word", "word", "Most like “{}”",
        ),
        heads.Entries(trace.words, np.arange(len(trace.words))),
        trace.words,
        group=reading.GROUP,
        selected_word=reading.first_word(trace),
    )  # fmt: skip
    mean = number(float(similarity.mean_between_words[layer]), signed=True)
    how = f"{_HOW_ALIKE} The mean over all pairs of different words here is {mean}."
    figures.small(how, _NOT_ALIKE, _FORMULA, _SOURCE)
