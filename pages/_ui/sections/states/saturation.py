"""Sizes and saturation: how long the states grow, how the gates' values are spread, and which gates are stuck."""

from __future__ import annotations

import streamlit as st

from explorer_core.results import RecurrentTrace
from explorer_core.saturation import switches
from pages._ui import cache, figures, inside, linked, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Sizes and saturation",
    "question": "How large do the states grow, and which gates are stuck?",
    "kinds": ("recurrent",),
    "order": 15,
}
VALUES, SATURATION = "states_values", "states_saturation"


@st.fragment
def draw(look: Look) -> None:
    """The sizes of the states, the values of the gates, and how often each unit's gate is open or closed."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        unit = inside.pick_unit(trace)
    draw_norms(look)
    draw_saturation(look, layer, direction, unit)
    offer(look, layer, direction, unit)


def offer(look: Look, layer: int, direction: int, unit: int) -> None:
    """What is shown, to be taken away."""
    trace, place = look.trace, {"layer": layer, "direction": direction}
    saturation = cache.saturation(*look.key, figures.has_verdict(trace))
    take_away.offer(
        "saturation",
        look,
        {"trace_states": trace, "gate_saturation": saturation},
        figures={
            "state_norms": lambda: figures.kept("state_norms", look, trace, height=280, width=700),
            "gate_values": lambda: figures.kept("gate_values", look, trace, **place),
            "gate_saturation": lambda: figures.kept("gate_saturation", look, saturation, **place, unit=unit),
        },
    )


def draw_norms(look: Look) -> None:
    """Size of the state over the words."""
    from explorer_core.views import state_norms

    st.markdown("#### Size of the state")
    figure = figures.kept("state_norms", look, look.trace, height=280, width=700)
    figures.chart(figure, reading.NORMS, state_norms.alt_text(look.trace))
    figures.how_to_read("state_norms")


def draw_saturation(look: Look, layer: int, direction: int, unit: int) -> None:
    """How the gates' values are spread, and how often each unit's gate is open or closed."""
    from explorer_core.views import gate_saturation, gate_values

    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    place: dict[str, int] = {"layer": layer, "direction": direction}
    height = 420 if len(switches(trace)) > 2 else 300
    saturation = cache.saturation(*look.key, figures.has_verdict(trace))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Values of the gates" if trace.gate_names else "#### Values of the hidden state")
        figure = figures.kept("gate_values", look, trace, **place, height=height)
        figures.chart(figure, VALUES, gate_values.alt_text(trace, **place))
        figures.how_to_read("gate_values")
    with right:
        st.markdown("#### Open or closed, unit by unit" if trace.gate_names else "#### Saturated units")
        st.plotly_chart(  # the same for every unit, or a click on a unit would wait for it
            figures.kept("gate_saturation", look, saturation, **place, height=height),
            key=SATURATION,
            config=_config(),
            alt=gate_saturation.alt_text(saturation, **place),
            on_select=lambda: _choose_dot(trace),
            selection_mode="points",
        )
        st.caption(f"**Unit {unit}** {gate_saturation.told(saturation, **place, unit=unit)}.")
        figures.how_to_read("gate_saturation")


def _config() -> dict[str, object]:
    from explorer_core.views import _style

    return _style.CONFIG


def _choose_dot(trace: RecurrentTrace) -> None:
    """A click on a dot chooses its unit, with its layer and direction; what the browser sends is not trusted."""
    said = st.session_state.get(SATURATION)
    points = (said or {}).get("selection", {}).get("points") or [{}]
    found = points[0].get("customdata")
    if not isinstance(found, list | tuple) or len(found) != 3:
        return
    sizes = (*trace.hidden.shape[:2], trace.hidden.shape[-1])
    layer, direction, unit = (linked.as_index(value, size) for value, size in zip(found, sizes, strict=True))
    if layer is None or direction is None or unit is None:
        return
    if sizes[0] > 1:
        st.session_state[inside.LAYER] = str(layer + 1)
    if sizes[1] > 1:
        st.session_state[inside.DIRECTION] = trace.directions[direction]
    st.session_state[inside.UNIT] = unit
