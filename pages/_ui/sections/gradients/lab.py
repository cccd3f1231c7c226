"""The vanishing lab: tiny networks learn a task with a lag side by side, and their gradients are measured."""

from __future__ import annotations

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.results import LabResult, finding_of
from pages._ui import figures, lab_form, messages, take_away, work
from pages._ui.look import Look

SECTION = {
    "label": "Vanishing lab",
    "question": "Who can learn to remember, and over which lag?",
    "kinds": ("recurrent", "transformer"),
    "order": 60,
    "alone": True,
}
RUN, LAG = "lab_run", "lab_lag"  # keys
MOST_BOARDS = 16
_SHOWN = "lab_shown"  # key of the work whose results are on the screen
_TICK_S = 1.0
_ARRAYS = "Every array of the lab by setting, lag, seed and step, for NumPy; the settings are in it as JSON."
_TABLE = "One row for each network and each time it was measured."
_SETTINGS = "Settings and seed as JSON: `python -m explorer_core lab --spec FILE` computes the same numbers again."


def draw(look: Look) -> None:
    """The task, the settings, what they cost, and what came out."""
    st.markdown(
        "Tiny networks learn a task that a person can check by eye, side by side and from the same sequences. Whether "
        "they learn it at all hangs on how much of the gradient reaches the first step. Nothing here depends on the "
        "text or on the model chosen."
    )
    try:
        spec = lab_form.draw()
    except ExplorerError as error:
        messages.show(error)
        return
    lab_form.draw_example(spec)
    key = key_of(spec)
    offer(spec, key)
    shown = key if key in _boards() else st.session_state.get(_SHOWN, "")
    if work.is_idle(shown):
        draw_board(shown, key)
    else:
        st.fragment(draw_board, run_every=_TICK_S)(shown, key)


def key_of(spec: api.LabSpec) -> str:
    """All of what a lab does, as the key of its work."""
    return f"lab {spec.to_json()}"


@st.cache_resource(show_spinner=False)
def _boards() -> dict[str, LabResult]:
    """Labs of this process as they stand, by the key of their work; those begun last."""
    return {}


# Running ------------------------------------------------------------------------------------------------------------


def offer(spec: api.LabSpec, key: str) -> None:
    """How far the lab is; what it would cost, and the button that begins it."""
    found = work.task(key)
    if found is not None and found.state == "cancelled":
        is_there = key in _boards()
        st.caption(f"Cancelled. {'What had been measured is below.' if is_there else 'Nothing had been measured yet.'}")
    else:
        work.draw(key)
    if not work.is_idle(key):
        st.session_state[_SHOWN] = key
        return
    if found is not None and found.state == "done":
        return
    try:
        price = api.price_lab(spec)
    except ExplorerError as error:
        messages.show(error)
        return
    st.markdown(price.sentence)
    if st.button("Train them side by side", key=RUN, type="primary"):
        with messages.guard():
            start(spec, key)
            st.session_state[_SHOWN] = key
        st.rerun()


def start(spec: api.LabSpec, key: str) -> None:
    """Begin a lab in the background."""
    boards = _boards()
    boards.pop(key, None)
    for old in list(boards)[: max(len(boards) - MOST_BOARDS + 1, 0)]:
        boards.pop(old, None)

    def watch(result: LabResult) -> None:
        boards[key] = result

    work.start(
        key,
        f"Training {spec.n_networks:,} networks",
        lambda progress: api.run_lab(spec, progress=progress, watch=watch),
    )


# What came out ------------------------------------------------------------------------------------------------------


def draw_board(shown: str, key: str) -> None:
    """Everything measured so far."""
    result = _boards().get(shown)
    if result is None:
        if not work.is_idle(shown):
            st.caption("The first measurement, before any learning, is on its way.")
        return
    if shown != key:
        lags = ", ".join(map(str, result.spec.lags))
        st.caption(
            f"These are the results of an earlier lab: {lab_form.TASKS[result.spec.task]}, lags {lags}, "
            f"{result.spec.steps:,} steps. The settings above have changed since."
        )
    first, *rest = map(messages.plain, finding_of(result))
    st.markdown("\n".join([f"**{first}**", "", *(f"- {sentence}" for sentence in rest)]))
    draw_pictures(result)
    if result.is_finished:
        take(result)


def draw_pictures(result: LabResult) -> None:
    """Accuracy and gradient against the lag, every start, and how they came to learn."""
    from explorer_core.views import lab_accuracy, lab_gradient, lab_learning, lab_starts

    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Right answers")
        figures.chart(lab_accuracy.render(result), "lab_accuracy", lab_accuracy.alt_text(result))
        figures.how_to_read("lab_accuracy")
    with right:
        st.markdown("#### Gradient at the start")
        figures.chart(lab_gradient.render(result), "lab_gradient", lab_gradient.alt_text(result))
        figures.how_to_read("lab_gradient")
    st.markdown("#### What the start decides")
    figures.chart(lab_starts.render(result), "lab_starts", lab_starts.alt_text(result))
    figures.how_to_read("lab_starts")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.markdown("#### Learning, step by step")
        lags = list(result.spec.lags)
        lag = st.selectbox("At a lag of", lags, key=LAG, index=len(lags) // 2, width=140)
    place = lags.index(lag) if lag in lags else len(lags) // 2
    figures.chart(lab_learning.render(result, lag=place), "lab_learning", lab_learning.alt_text(result, lag=place))
    figures.how_to_read("lab_learning")


def take(result: LabResult) -> None:
    """Arrays, table and settings to be taken away; a reproduce bundle needs a model and a text, here is neither."""
    stem = f"lab-{result.spec.task}"
    with st.container(horizontal=True):
        st.download_button("Arrays (npz)", lambda: take_away.npz(result), f"{stem}.npz", "application/octet-stream",
                           on_click="ignore", key="lab_npz", help=_ARRAYS)  # fmt: skip
        st.download_button("Table (CSV)", lambda: take_away.csv(result), f"{stem}.csv", "text/csv",
                           on_click="ignore", key="lab_csv", help=_TABLE)  # fmt: skip
        st.download_button("Settings (JSON)", result.spec.to_json(), f"{stem}.json", "application/json",
                           on_click="ignore", key="lab_json", help=_SETTINGS)  # fmt: skip
