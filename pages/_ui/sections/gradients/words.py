"""Gradient over the words: how the logit would move if a state, a gate or a word vector were nudged."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import GradientTrace, RecurrentTrace, UnitOrder
from explorer_core.text import visible
from pages._ui import (
    cache,
    cache_gradients,
    chain_rule,
    figures,
    gradient_strip,
    inside,
    maps,
    messages,
    strip,
    take_away,
)
from pages._ui.look import AnyTrace, Look

SECTION = {
    "label": "Over the words",
    "question": "What does the verdict hang on?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
    "of_loss": True,
}
MAPS = "gradients_maps"
SCALE = "scale"  # key, and name in the address
_SCALES = {"all": "one for all words", "word": "each word's own"}
_HOW = (
    "Each column is a word, each row one unit: blue where more of it would raise the number, orange where it would "
    "lower it. {scale} Point to read a value, click to choose it, drag (or press + and −) to zoom, and Escape shows "
    "all."
)
_ALL = "Each map has one scale, which holds 99.5 % of its values."
_EACH = (
    "Every column is divided by the largest size in it, so that faded words show too: 1 is the word's strongest unit."
)
_NOT = (
    "What the unit holds: a strong colour says how much a nudge would do, not that anything is there. Where colours "
    "fade towards one side, less of a nudge arrives; the lines above show by how much."
)
_FORMULA = (
    "∂y/∂h_t, ∂y/∂c_t and ∂y/∂a_t of each gate a after its non-linearity: total derivatives, through all later steps"
)
_SOURCE = "Werbos 1990, Backpropagation through time"


@st.fragment
def draw(look: Look) -> None:
    """Sizes of the gradients over the words, maps of every unit, the gates, and the chain rule at the chosen word.

    A fragment inside that of the page: a unit changes nothing above it.
    """
    wish = gradient_strip.asked(look)
    found = gradient_strip.gradients(look, wish)
    word = gradient_strip.chosen_word(look, wish)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        # in the last layer of a BERT only [CLS] has a gradient
        layer = inside.pick_layer(look.trace, below_top=0 if found.is_recurrent else 1)
        direction = inside.pick_direction(look.trace)
        _choose_first_unit(found, layer, direction, word)
        inside.pick_unit(look.trace, gradient_strip.GROUP)
    draw_lines(look, wish, found, layer, direction)
    unit = draw_maps(look, wish, found, layer, direction)
    if look.info.kind == "recurrent":
        draw_gates(look, wish, found, layer, direction, word)
    made: dict[str, take_away.Result] = {"trace_gradients": (found, wish.arguments)}
    st.markdown("#### How to read this")
    if isinstance(look.trace, RecurrentTrace):
        made |= draw_chain(look, wish, look.trace, layer, direction, unit, word)
    chain_rule.draw_meaning(is_recurrent=found.is_recurrent)
    offer(look, wish, found, layer, direction, made)


def offer(
    look: Look,
    wish: gradient_strip.Asked,
    found: GradientTrace,
    layer: int,
    direction: int,
    made: dict[str, take_away.Result],
) -> None:
    """What is shown, to be taken away."""
    views = ["gradient_lines", *(["gradient_gates"] if found.gate_names else [])]
    take_away.offer(
        "gradients",
        look,
        made,
        figures={
            view: lambda view=view: _figure(view, look, wish, found, layer, direction)  # type: ignore[misc]
            for view in views
        },
    )


def _figure(
    view: str, look: Look, wish: gradient_strip.Asked, found: GradientTrace, layer: int, direction: int
) -> object:
    return cache_gradients.figure(view, *look.key, wish.target, wish.of, layer, direction, found)


def _choose_first_unit(found: GradientTrace, layer: int, direction: int, word: int | None) -> None:
    """At first, the unit on which the number hangs most at the chosen word."""
    if inside.UNIT in st.session_state or inside.UNIT in st.query_params or word is None:
        return
    values = found.grad_hidden if found.grad_cell is None else found.grad_cell
    if found.is_recurrent:
        at_word = values[layer, direction, found.pos_of_words(direction)[word]]
    else:
        at_word = values[layer, found.reading.last_token_of_word[word]]
    st.session_state[inside.UNIT] = int(np.abs(at_word).argmax())


# Pictures -----------------------------------------------------------------------------------------------------------


def draw_lines(look: Look, wish: gradient_strip.Asked, found: GradientTrace, layer: int, direction: int) -> None:
    """The main picture: how far back the number reaches."""
    from explorer_core.views import gradient_lines

    figures.chart(
        _figure("gradient_lines", look, wish, found, layer, direction),
        gradient_strip.LINES,
        gradient_lines.alt_text(found, layer=layer, direction=direction),
    )
    if strip.direction_of(found.words) == "rtl":
        st.caption("In the charts time runs from left to right, also for a text written from right to left.")
    figures.how_to_read("gradient_lines")


def pick_scale() -> bool:
    """Whether every word's column has a scale of its own."""
    inside.take_by_name(SCALE, _SCALES)
    picked = st.selectbox(
        "Colours", list(_SCALES), key=SCALE, bind="query-params", width=180, format_func=_SCALES.__getitem__,
        help="One scale shows where less arrives. A scale for each word shows which units count there, however little.",
    )  # fmt: skip
    return picked == "word"


def draw_maps(look: Look, wish: gradient_strip.Asked, found: GradientTrace, layer: int, direction: int) -> int:
    """Word x unit maps of the gradient by every state and gate; returns the chosen unit."""
    st.markdown("#### The gradient, unit by unit")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        how = inside.pick_order(look.trace) if isinstance(look.trace, RecurrentTrace) else "stored"
        tokens = inside.pick_columns()
        each = pick_scale()
    running = figures.has_verdict(look.trace)
    order = None if how == "stored" else cache.unit_order(*look.key, running, how, layer, direction, look.target)
    packed = _packed(
        *look.key, running, wish.target, wish.of, layer, direction, how, tokens, each, look.target, found, order
    )
    selected = int(np.argmax(found.embedding_norm_by_word))
    place = maps.show(
        MAPS, packed, found.words, group=gradient_strip.GROUP, selected_word=selected, unit_key=inside.UNIT
    )
    if not found.is_recurrent and layer == len(found.grad_hidden) - 1 and not tokens:
        st.caption("In the last layer the head reads [CLS] alone. Choose tokens as columns to see its gradient.")
    figures.small(_HOW.format(scale=_EACH if each else _ALL), _NOT, _FORMULA, _SOURCE)
    return place.unit or 0


@st.cache_data(max_entries=32, max_size="128MB", show_spinner=False)
def _packed(
    name: str, fingerprint: str, text: str, running: bool, target: int, of: str, layer: int, direction: int, how: str,
    tokens: bool, each: bool, order_target: int, _found: GradientTrace, _order: UnitOrder | None,
) -> maps.Packed:  # fmt: skip
    pos = _found.pos_of_words(direction) if _found.is_recurrent else _found.reading.last_token_of_word
    if tokens:
        pos = np.arange(len(_found.tokens))
    return maps.prepare(
        panels_of(_found, layer, direction, pos, each=each),
        _found.words,
        group=gradient_strip.GROUP,
        columns=_found.tokens if tokens else None,
        word_of_column=_found.word_of_token if tokens else None,
        selected_word=int(np.argmax(_found.embedding_norm_by_word)),
        order=_order,
    )


def panels_of(
    found: GradientTrace, layer: int, direction: int, pos: np.ndarray, *, each: bool = False
) -> list[maps.Panel]:
    """One panel for the gradient by each state and gate of a layer and direction, at the given positions.

    With `each`, every column is divided by the largest size in it.
    """
    panels = []
    for name, values in found.quantities().items():
        shown = values[layer, direction, pos] if found.is_recurrent else values[layer, pos]
        if each:
            largest = np.abs(shown).max(1, keepdims=True)
            shown = shown / np.where(largest == 0, 1, largest)
        limit = 1.0 if each else maps.panel_limit(shown)
        panels.append(maps.Panel(name, f"By {_by(found, name, layer)}", shown, "signed", limit))
    return panels


def _by(found: GradientTrace, name: str, layer: int) -> str:
    """What a map's gradient is by."""
    if found.is_recurrent:
        title = inside.title_of(name, found.architecture)
        return title[0].lower() + title[1:]
    return "embedding" if layer == 0 else f"hidden state after layer {layer}"


def draw_gates(
    look: Look, wish: gradient_strip.Asked, found: GradientTrace, layer: int, direction: int, word: int | None
) -> None:
    """Which gate would change the verdict."""
    st.markdown("#### Which gate would change the verdict")
    if not found.gate_names:
        st.caption("A vanilla RNN has no gates: there is nothing to open or to close.")
        return
    from explorer_core.views import gradient_gates

    st.markdown(gate_sentence(found, layer, direction, word))
    figures.chart(
        _figure("gradient_gates", look, wish, found, layer, direction),
        gradient_strip.GATES,
        gradient_gates.alt_text(found, layer=layer, direction=direction),
    )
    figures.how_to_read("gradient_gates")


def gate_sentence(found: GradientTrace, layer: int, direction: int, word: int | None) -> str:
    """What opening each gate at the chosen word would do, as Markdown."""
    from explorer_core.views import gradient_gates

    entries, slopes = gradient_gates.slopes(found, layer, direction)
    if word is None:
        return "Choose a word above to read what opening each of its gates would do."
    at = int(np.flatnonzero(entries.word == word)[0])
    parts = [f"the {gate} gate {_moves(float(values[at]))}" for gate, values in slopes.items()]
    name = messages.plain(visible(found.words[word])[:40])
    return (
        f"At word {word + 1}, “{name}”, opening a gate by 0.01 in every unit would move "
        f"{messages.plain(gradient_strip.name_of(found))}: {', '.join(parts)}."
    )


def _moves(slope: float) -> str:
    if slope == 0:
        return "not at all"
    return f"{'up' if slope > 0 else 'down'} by **{number(abs(slope) / 100)}**"


def draw_chain(
    look: Look, wish: gradient_strip.Asked, trace: AnyTrace, layer: int, direction: int, unit: int, word: int | None
) -> dict[str, take_away.Result]:
    """The chain rule at the chosen word; returns the step, to be taken away."""
    assert isinstance(trace, RecurrentTrace)
    if word is None:
        st.caption("Choose a word above to see the chain rule filled with its numbers there.")
        return {}
    running = figures.has_verdict(trace)
    step = cache_gradients.gradient_step(*look.key, running, wish.target, wish.of, layer, direction, unit, word)
    name = messages.plain(visible(trace.words[word])[:40])
    st.markdown(f"The chain rule for unit {unit} at word {word + 1}, “{name}”, with this text's numbers:")
    chain_rule.draw(step, trace)
    place = {"layer": layer, "direction": direction, "unit": unit, "word": word}
    return {"trace_gradient_step": (step, {**place, **wish.arguments})}
