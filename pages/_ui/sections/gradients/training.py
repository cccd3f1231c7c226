"""Over training: how far back the loss reached, step by step, in a run that recorded it; live while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.errors import NotFoundError
from explorer_core.numerals import number
from explorer_core.results import GradientHistory
from pages._ui import figures, jobs, messages, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Over training",
    "question": "How far back did learning reach, while it learned?",
    "kinds": ("recurrent", "transformer"),
    "order": 40,
    "alone": True,
}
RUN, LAYER, DIRECTION, BY = "recorded", "recorded_layer", "recorded_direction", "lines_by"
MAP, LINES = "gradients_history", "gradients_history_lines"
_BY = {"distance": "By distance", "layer": "By layer", "group": "By group of weights"}


def draw(look: Look) -> None:
    """The choice of a run, and what it recorded."""
    names = api.list_recorded()
    if not names:
        draw_empty()
        return
    name = pick_run(names, look.info.name)
    if look.info.name not in names:
        st.caption(
            f"{messages.plain(look.info.name)} has recorded nothing: recordings are made while a model trains, and "
            "cannot be made up for afterwards."
        )
    live = jobs.is_live(name)
    st.fragment(_panel, run_every=jobs.TICK_S if live else None)(name, live)


def draw_empty() -> None:
    """What will be here, and how to get it."""
    with st.container(border=True):
        st.markdown(
            "**No run has recorded its gradients yet.** Train a model with gradient recordings switched on (More "
            "settings; they are on unless you set them to 0). You will see here, while it trains and afterwards, how "
            "strongly the loss pulls at words near to the end and far from it."
        )
        st.page_link("pages/models.py", label="Train a model")


def pick_run(names: Sequence[str], looked_at: str) -> str:
    """The run that is shown: at first the one looked into, else one that trains now, else the first."""
    if _is_unset(RUN, names):
        live = next((name for name in names if jobs.is_live(name)), names[0])
        st.session_state[RUN] = looked_at if looked_at in names else live
    return st.selectbox(
        "Run", list(names), key=RUN, bind="query-params", width=320,
        help="Every run that recorded its gradients, also those that still train.",
    )  # fmt: skip


def _panel(name: str, live: bool) -> None:
    with messages.guard():
        if jobs.is_live(name) != live:
            st.rerun()  # with or without the timer
        if live:
            jobs.draw_progress(name)
        try:
            history = api.gradient_history(name)
        except NotFoundError as error:
            st.caption(messages.plain(str(error)))  # deleted meanwhile
            return
        if not len(history.step):
            st.caption("The first recording appears here in a moment, before the first step of training.")
            return
        draw_history(history)


def draw_history(history: GradientHistory) -> None:
    """The map, the lines, what they say, and the way to take them away."""
    from explorer_core.views import gradient_history, gradient_history_lines

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer = _pick(LAYER, "Layer", history.layer_names, len(history.layer_names) - 1 if history.is_recurrent else 1)
        direction = _pick(DIRECTION, "Direction", history.directions or ("forward",), 0)
    place = {"layer": layer, "direction": direction}
    st.markdown(plain_reading(history, layer, direction))
    figures.chart(gradient_history.render(history, **place), MAP, gradient_history.alt_text(history, **place))
    figures.how_to_read("gradient_history")
    by = st.segmented_control(
        "Lines", list(_BY), key=BY, default="distance", required=True, format_func=_BY.__getitem__,
        label_visibility="collapsed",
    )  # fmt: skip
    by = by or "distance"
    figures.chart(
        gradient_history_lines.render(history, by=by, **place), LINES,
        gradient_history_lines.alt_text(history, by=by, **place),
    )  # fmt: skip
    figures.how_to_read("gradient_history_lines")
    st.caption(messages.plain(of_what(history)))
    take_away.offer_alone(
        "training", f"{history.name}-gradients", history,
        "A training cannot be run again from a text, so there is no reproduce bundle; the run's own folder holds its "
        "spec and gradients.jsonl.",
    )  # fmt: skip


def plain_reading(history: GradientHistory, layer: int, direction: int) -> str:
    """One or two sentences from the numbers, as Markdown: near against far at both ends, and what was clipped."""
    from explorer_core.views.gradient_history import told_marks

    norms = history.hidden_norm[:, layer, direction]  # [record, distance]
    far = history.n_distances - 1
    if not far:
        return messages.plain(told_marks(history))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = norms[:, -1] / norms[:, 0]
    said = f"At step {history.step[-1]:,} {_told(ratios[-1], far)}"
    if len(history.step) > 1:
        when = "before the first step" if history.step[0] == 0 else f"at step {history.step[0]:,}"
        said += f"; {when} it was {_times(ratios[0])}"
    return messages.plain(f"{said}. {told_marks(history)}")


def of_what(history: GradientHistory) -> str:
    """Which texts the recordings are about."""
    return (
        f"Recorded on {history.n_texts} long {history.split} texts that stay the same, each read from its last "
        f"{history.n_distances} tokens on, with dropout off: {len(history.step)} recordings in "
        f"{history.step[-1]:,} of {history.n_steps:,} steps."
    )


def _told(ratio: float, far: int) -> str:
    return f"a nudge to the state {far} tokens back moves the loss {_times(ratio)} as one at the last token"


def _times(ratio: float) -> str:
    return f"{number(float(ratio))} times as much" if np.isfinite(ratio) else "by no number"


def _pick(key: str, label: str, options: Sequence[str], first: int) -> int:
    """Index of one of several names; asked only where there is a choice."""
    if len(options) < 2:
        return 0
    if _is_unset(key, options):
        st.session_state[key] = options[first]
    return list(options).index(st.selectbox(label, list(options), key=key, bind="query-params", width=160))


def _is_unset(key: str, options: Sequence[str]) -> bool:
    """Whether nothing that can be chosen here was: neither by a person, nor in the address."""
    return (st.session_state[key] if key in st.session_state else st.query_params.get(key)) not in options
