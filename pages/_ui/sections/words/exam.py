"""Shortcut exam: a word that surely decides is planted, and every method is asked which word did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api, palette
from explorer_core.errors import ExplorerError, NotFoundError
from explorer_core.results import ShortcutExam
from pages._ui import exam_form, exam_results, messages
from pages._ui.look import Look
from pages._ui.widgets import duration

if TYPE_CHECKING:
    from explorer_core.exam.jobs import ExamJob

SECTION = {
    "label": "Shortcut exam",
    "question": "Which method finds the word that surely decides?",
    "kinds": ("recurrent", "transformer"),
    "order": 60,
    "alone": True,
}
RUN, CHOSEN, DELETE, CANCEL, GO_ON = "exam_run", "exam_chosen", "exam_delete", "exam_cancel", "exam_go_on"  # keys
TICK_S = 1.0
_STOPPING = "exam_stopping"


def draw(look: Look) -> None:
    """The settings, what they cost, how far the exam is, and what came out of those that are kept."""
    st.markdown(
        "No one knows which words a network really used, unless they are planted. Here half of the training texts get "
        "a planted word that decides the label, whatever else they say. Networks of each family learn it, then every "
        "method is asked which word decided in new texts. Nothing here depends on the text or on the model chosen; "
        "what comes out stands on the trust card of that family."
    )
    live = _live()
    if live is None:
        try:
            offer(exam_form.draw())
        except ExplorerError as error:
            messages.show(error)
        _draw_broken_off()
        draw_kept(None)
    else:
        st.fragment(_draw_live, run_every=TICK_S)(live.name)


# Running ------------------------------------------------------------------------------------------------------------


def offer(spec: api.ExamSpec) -> None:
    """What an exam would cost, and the button that begins it."""
    st.markdown(messages.plain(api.price_exam(spec).sentence))
    if st.button("Sit the exam", key=RUN, type="primary"):
        with messages.guard():
            job = api.start_exam(spec)
            st.session_state[CHOSEN] = job.name
            st.rerun()


def _live() -> ExamJob | None:
    """The exam that waits or is being sat, if any."""
    return next((job for job in api.list_exam_jobs() if not _is_over(job)), None)


def _is_over(job: ExamJob) -> bool:
    try:
        return job.status.is_over
    except NotFoundError:  # it is gone since it was listed
        return True


def _draw_live(name: str) -> None:
    with messages.guard():
        live = _live()
        if live is None or live.name != name:
            st.session_state.pop(_STOPPING, None)
            st.rerun()  # once: without the timer
        status = live.status
        told = "waiting for its turn" if status.state == "queued" else f"{status.progress:.0%}"
        if status.eta_s is not None:
            told += f", about {duration(status.eta_s)} to go"
        families = ", ".join(map(palette.family_label, live.spec.families))
        bar, button = st.columns([3, 1], vertical_alignment="bottom")
        bar.progress(status.progress, text=f"Shortcut exam of {messages.plain(families)}: {told}")
        is_stopping = st.session_state.get(_STOPPING) == name
        button.button(
            "Stopping" if is_stopping else "Cancel", key=CANCEL, on_click=_cancel, args=(name,), disabled=is_stopping,
            width="stretch",
        )  # fmt: skip
        draw_kept(name)


def _cancel(name: str) -> None:
    with messages.guard_callback():
        st.session_state[_STOPPING] = name
        next(job for job in api.list_exam_jobs() if job.name == name).cancel()


def _draw_broken_off() -> None:
    """The newest exam, if it was broken off, with what can be done about it."""
    job = next(iter(api.list_exam_jobs()), None)
    if job is None:
        return
    status = job.status
    if status.state == "done":
        return
    words = {"cancelled": "was cancelled", "failed": "failed"}.get(status.state, "was interrupted")
    with st.container(border=True):
        st.markdown(f"The last exam {words} at {status.progress:.0%}. {messages.plain(status.reason)}")
        with st.container(horizontal=True):
            st.button("Go on with it", key=GO_ON, on_click=_go_on, args=(job.name,))
            st.button("Delete it", key=f"{DELETE}_broken", on_click=_delete, args=(job.name,))


def _go_on(name: str) -> None:
    with messages.guard_callback():
        api.resume_exam(name)
        st.session_state[CHOSEN] = name


# What came out ------------------------------------------------------------------------------------------------------


def draw_kept(live: str | None) -> None:
    """The chosen kept exam; while one is being sat, that one."""
    exams = {exam.name: exam for exam in api.list_exams()}
    if live is not None:
        if live in exams:
            exam_results.draw(exams[live])
        else:
            st.caption("The first family's results stand here as soon as it has sat the exam.")
        return
    if not exams:
        st.caption("No exam is kept yet. What comes out of one stands here, and stays after a restart.")
        return
    if st.session_state.get(CHOSEN) not in (None, *exams):
        del st.session_state[CHOSEN]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.selectbox(
            "Kept exams", list(exams), key=CHOSEN, width=560, format_func=lambda name: label_of(exams[name])
        )
        st.button("Delete", key=DELETE, on_click=_delete, args=(name,))
    exam_results.draw(exams.get(name) or next(iter(exams.values())))


def label_of(exam: ShortcutExam) -> str:
    """What a person tells an exam by."""
    families = ", ".join(palette.family_label(network.family) for network in exam.networks)
    return f"{exam.made[:10]} {exam.made[11:16]} UTC · {exam_form.NAMES[exam.spec.shortcut].lower()} · {families}"


def _delete(name: str) -> None:
    with messages.guard_callback():
        api.delete_exam(name)
        messages.say("The exam is deleted.")
