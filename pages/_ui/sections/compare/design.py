"""Design your own: two to six networks, trained on the same rows, and set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError, NotFoundError
from pages._ui import design_form, design_results, jobs, messages, state
from pages._ui.compared import Desk
from pages._ui.widgets import duration

if TYPE_CHECKING:
    from explorer_core.designs.jobs import DesignJob
    from explorer_core.designs.spec import DesignSpec

SECTION = {
    "label": "Design your own",
    "question": "Which network is better, if all of them learn the same?",
    "kinds": ("recurrent", "transformer"),
    "order": 100,
    "alone": True,
}
CHOSEN, NEW = "design", "A new design"  # key and name in the address; the first choice
TRAIN, CANCEL, GO_ON, LOOK, DELETE, COPY = (
    "design_train", "design_cancel", "design_go_on", "design_look", "design_delete", "design_copy"
)  # fmt: skip
_WATCHED, _STOPPING = "design_watched", "design_stopping"


def draw(desk: Desk) -> None:
    """The choice of a design, then its form, how far it is, or what came out of it."""
    kept = [job.name for job in api.list_designs()]
    _follow_address(kept)
    name = NEW
    if kept:
        name = st.selectbox("Design", [NEW, *kept], key=CHOSEN, width=360) or NEW
    _name_in_address(name)
    if name == NEW:
        _draw_form()
        return
    try:
        job = api.find_design(name)
        status = job.status
    except NotFoundError:  # it was deleted since it was listed
        st.rerun()
    if not status.is_over:
        st.fragment(_draw_live, run_every=jobs.TICK_S)(name)
        return
    st.session_state.pop(_STOPPING, None)
    if st.session_state.get(_WATCHED) == name:
        del st.session_state[_WATCHED]
        if status.state == "done":
            state.choose_these(api.design_result(name).models)
            st.rerun()  # this session began it: what it trained becomes the models of the page, once
    _draw_over(desk, job)


def _follow_address(kept: Sequence[str]) -> None:
    """Open the design that the address names, at the first look; say so where there is none."""
    if st.session_state.get(CHOSEN) not in (None, NEW, *kept):
        del st.session_state[CHOSEN]
    asked = st.query_params.get(CHOSEN)
    if asked and CHOSEN not in st.session_state:
        if asked in kept:
            st.session_state[CHOSEN] = asked
        else:
            st.warning(f"There is no design called {messages.plain(asked[:60])} on this machine.")


def _name_in_address(name: str) -> None:
    """A callback may choose a design before its widget is there, which a bound widget would not tell the address."""
    if name == NEW:
        st.query_params.pop(CHOSEN, None)
    elif st.query_params.get(CHOSEN) != name:
        st.query_params[CHOSEN] = name


# A new one ----------------------------------------------------------------------------------------------------------


def _draw_form() -> None:
    st.markdown(
        "Put networks beside each other that differ in what you choose here and in nothing else: all of them learn "
        "from the same rows, in the same order, for as many steps, with the same seeds. They train one after the other "
        "in the background, and stay as models you can look into on every page."
    )
    try:
        spec = design_form.draw()
        if spec is None:
            return
        st.markdown(design_form.price(spec.to_json()))
    except ExplorerError as error:
        messages.show(error)
        return
    st.button(f"Train {len(spec.runs())} models", key=TRAIN, type="primary", on_click=_begin, args=(spec,))


def _begin(spec: DesignSpec) -> None:
    with messages.guard_callback():
        api.start_design(spec)
        st.session_state[CHOSEN] = st.session_state[_WATCHED] = spec.name


# While it trains ----------------------------------------------------------------------------------------------------


def _draw_live(name: str) -> None:
    with messages.guard():
        job = api.find_design(name)
        statuses, status = job.statuses(), job.status
        if status.is_over:
            st.rerun()  # once: without the timer, and with what came out
        n_done = sum(one is not None and one.state == "done" for one in statuses.values())
        told = "waiting for its turn" if status.state == "queued" else f"{n_done} of {len(statuses)} models are ready"
        if status.eta_s is not None:
            told += f", about {duration(status.eta_s)} to go"
        bar, button = st.columns([4, 1], vertical_alignment="bottom")
        bar.progress(status.progress, text=f"**{messages.plain(name)}**: {told}")
        is_stopping = st.session_state.get(_STOPPING) == name
        button.button(
            "Stopping" if is_stopping else "Cancel", key=CANCEL, on_click=_cancel, args=(name,), disabled=is_stopping,
            width="stretch",
        )  # fmt: skip
        for run in statuses:
            left, right = st.columns([1, 3], vertical_alignment="center")
            left.markdown(messages.plain(run))
            with right:
                jobs.draw_progress(run)
        st.caption("You can leave this page; it goes on. When all are trained, they become the models of this page.")
        design_results.draw_curves(api.design_result(name))


def _cancel(name: str) -> None:
    with messages.guard_callback():
        st.session_state[_STOPPING] = name
        api.find_design(name).cancel()


# Once it is over ----------------------------------------------------------------------------------------------------


def _draw_over(desk: Desk, job: DesignJob) -> None:
    status = job.status
    if status.state != "done":
        with st.container(border=True):
            st.markdown(messages.plain(status.reason or "It was broken off."))
            st.button("Go on with it", key=GO_ON, on_click=_go_on, args=(job.name,), type="primary")
    try:
        result = api.design_result(job.name)
    except NotFoundError as error:
        messages.show(error)
        _draw_forget(job)
        return
    models = result.models
    are_chosen = bool(models) and desk.names == models
    with st.container(horizontal=True, vertical_alignment="center"):
        if models and st.button(
            "Look at them side by side", key=LOOK, type="primary" if status.state == "done" else "secondary",
            help="They become the models of this page, and the page opens on This text.",
        ):  # fmt: skip
            state.choose_these(models, view="together")
            st.rerun()
        st.button("Design another from it", key=COPY, on_click=_copy, args=(job.spec,))
        _draw_forget(job)
        if are_chosen:
            st.caption("These are the models of this page now.")
    if models:
        design_results.draw(result, str(SECTION["label"]))


def _draw_forget(job: DesignJob) -> None:
    st.button(
        "Forget it", key=DELETE, on_click=_delete, args=(job.name,), type="tertiary",
        help="The design leaves this list; its models stay on the page Models.",
    )  # fmt: skip


def _go_on(name: str) -> None:
    with messages.guard_callback():
        api.resume_design(name)
        st.session_state[_WATCHED] = name


def _copy(spec: DesignSpec) -> None:
    design_form.start_from(spec)
    st.session_state[CHOSEN] = NEW


def _delete(name: str) -> None:
    with messages.guard_callback():
        api.delete_design(name)
        st.session_state.pop(CHOSEN, None)
        messages.say(f"The design {name} is forgotten. Its models stay.")
