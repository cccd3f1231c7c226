"""Training runs on the page: how far they are, what can be done with them, and their curves while they learn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import NotFoundError
from explorer_core.training.spec import TrainingSpec
from pages._ui import figures, messages
from pages._ui.widgets import duration

if TYPE_CHECKING:
    from explorer_core.training.jobs import JobStatus

TICK_S = 1.5
NO_STARTERS = "UNROLLED_NO_STARTERS"
_STOPPING = "_stopping"
_WORDS = {
    "queued": "waiting for its turn",
    "running": "training",
    "cancelled": "cancelled",
    "failed": "failed",
    "lost": "interrupted",
    "done": "ready",
}


@st.cache_resource(show_spinner=False)
def _start_once() -> bool:
    """Start the starters once in this process; what goes wrong is raised, and tried again by the next visit."""
    api.start_starters()
    return True


def begin_starters() -> None:
    """On the first visit after a start, train the starters that are not ready, in the background."""
    if os.environ.get(NO_STARTERS) != "1":
        with messages.guard():
            _start_once()


def status_of(name: str) -> JobStatus | None:
    """Where a run is; `None` if there is no run of that name."""
    try:
        return api.find_job(name).status
    except NotFoundError:
        return None


def is_live(name: str) -> bool:
    """Whether a run waits or trains."""
    status = status_of(name)
    return status is not None and not status.is_over


def draw_starters() -> None:
    """Readiness of the starters, with live progress while they train."""
    specs = api.starter_specs()
    states = _states(specs)
    if all(state == "done" for state in states.values()):
        st.markdown(f"All {len(specs)} are ready.")
        return
    live = any(state in ("queued", "running") for state in states.values())
    st.fragment(_starters_panel, run_every=TICK_S if live else None)(specs, states)


def _states(specs: tuple[TrainingSpec, ...]) -> dict[str, str]:
    found = {spec.name: status_of(spec.name) for spec in specs}
    return {name: "missing" if status is None else status.state for name, status in found.items()}


def _starters_panel(specs: tuple[TrainingSpec, ...], before: Mapping[str, str]) -> None:
    with messages.guard():
        if _states(specs) != before:
            st.rerun()  # a model that got ready belongs into the sidebar and the chart
        families = {about.name: about.label for about in api.list_families()}
        for spec in specs:
            label, bar, button = st.columns([1, 5, 1], vertical_alignment="top")
            label.markdown(f"**{families[spec.family]}**")
            with bar:
                draw_progress(spec.name)
            if before[spec.name] in ("failed", "cancelled", "lost", "missing"):
                is_first = before[spec.name] == "missing"
                button.button(
                    "Train" if is_first else "Retry",
                    key=f"retry-{spec.name}",
                    on_click=retry_starter,
                    args=(spec, is_first),
                    width="stretch",
                )


def retry_starter(spec: TrainingSpec, is_first: bool) -> None:
    """Train a starter that is missing; go on with one that stopped."""
    with messages.guard_callback():
        if is_first:
            api.start_training(spec)
        else:
            api.resume_training(spec.name)


def draw_progress(name: str) -> None:
    """Bar, words and time to go of one run; why, if it stopped."""
    status = status_of(name)
    if status is None:
        st.progress(0.0, text="not trained yet")
        return
    words = _WORDS[status.state]
    if status.state == "running":
        if status.n_steps:
            words += f", step {status.step:,} of {status.n_steps:,}"
        if status.eta_s is not None:
            words += f", about {duration(status.eta_s)} to go"
    accuracy = status.metrics.get("validation_accuracy")
    if accuracy is not None:
        words += f", {accuracy:.3f} right on the validation rows"
    st.progress(1.0 if status.state == "done" else status.progress, text=words)
    if status.reason and status.state in ("failed", "lost", "queued"):
        st.caption(messages.plain(status.reason))


def draw_run(name: str) -> None:
    """One run with its curves, live while it trains, and what can be done with it."""
    live = is_live(name)
    st.fragment(_run_panel, run_every=TICK_S if live else None)(name, live)


def _run_panel(name: str, live: bool) -> None:
    with messages.guard():
        status = status_of(name)
        is_live_now = status is not None and not status.is_over
        if is_live_now != live:
            st.rerun()  # with or without the timer, and what is ready goes into the table and the sidebar
        if status is not None and status.state != "done":
            draw_progress(name)
        if is_live_now:
            stopping = st.session_state.get(_STOPPING) == name
            label = "Stopping after this step" if stopping else "Cancel"
            st.button(label, key=f"cancel-{name}", on_click=cancel, args=(name,), disabled=stopping)
        elif status is not None and status.state != "done":
            st.button("Resume", key=f"resume-{name}", on_click=resume, args=(name,), type="primary")
        draw_curves(name)


def draw_curves(name: str) -> None:
    """Loss and accuracy of a run, as far as it got."""
    from explorer_core.views import training_curves

    curves = api.training_curves(name)
    if not len(curves.step):
        status = status_of(name)
        if status is not None and not status.is_over:
            st.caption("The curves appear here with the first step.")
        return
    figures.chart(training_curves.render(curves), None, training_curves.alt_text(curves))
    figures.how_to_read("training_curves")


def cancel(name: str) -> None:
    """Ask a run to stop; its last checkpoint stays."""
    with messages.guard_callback():
        api.find_job(name).cancel()
        st.session_state[_STOPPING] = name


def resume(name: str) -> None:
    """Go on with a run that stopped."""
    with messages.guard_callback():
        st.session_state.pop(_STOPPING, None)
        api.resume_training(name)
        messages.say(f"{name} goes on.")
