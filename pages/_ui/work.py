"""Work in the background: threads of the server that all sessions share, found again by key after a page reload.

A key is a plain string that says all of what is done; with a model in it, it holds the model's fingerprint.

    result = work.draw(key)
    if result is None and work.is_idle(key) and st.button("Count them"):
        work.start(key, "Counting", lambda progress: api.count(..., progress=progress))
        st.rerun()
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer_core.errors import CancelledError, JobError
from pages._ui import messages
from pages._ui.digest import short
from pages._ui.widgets import duration

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 2  # tasks that compute at the same time; others wait for their turn
MAX_WAITING = 8
MAX_FINISHED = 16  # tasks kept after their end, with their results; the oldest go first
TICK_S = 0.7
_SHARE_TRUSTED = 0.02  # of the work, before it says how long the rest takes

Progress = Callable[[float], None]
"""Called with the share done, in [0, 1]; raises `CancelledError` once the task is cancelled."""


@dataclass(frozen=True)
class Task:
    """How far one piece of work is, at one moment.

    `state` is `queued`, `running`, `done`, `failed` or `cancelled`; `share` lies in [0, 1] and never falls; `eta_s` is
    `None` while there is nothing to judge by; `sentence` says to a person why it failed.
    """

    key: str
    label: str
    state: str
    share: float
    elapsed_s: float
    eta_s: float | None
    is_stopping: bool = False
    result: Any = None
    error: BaseException | None = None
    sentence: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")


class _Job:
    """One piece of work; changed under the desk's lock only."""

    def __init__(self, key: str, label: str, call: Callable[[Progress], Any]) -> None:
        self.key, self.label, self.call = key, label, call
        self.state, self.share, self.is_stopping = "queued", 0.0, False
        self.began_s: float | None = None
        self.ended_s: float | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.sentence = ""

    def look(self) -> Task:
        """How far it is now."""
        elapsed_s = 0.0 if self.began_s is None else (self.ended_s or time.monotonic()) - self.began_s
        eta_s = None
        if self.state == "running" and self.share >= _SHARE_TRUSTED:
            eta_s = elapsed_s / self.share * (1 - self.share)
        return Task(
            self.key, self.label, self.state, self.share, elapsed_s, eta_s, self.is_stopping,
            self.result, self.error, self.sentence,
        )  # fmt: skip


class _Desk:
    """Every task of this process, in the order they were asked for."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.jobs: dict[str, _Job] = {}
        self.line: list[_Job] = []  # those that wait
        self.n_running = 0

    def start(self, key: str, label: str, call: Callable[[Progress], Any]) -> Task:
        with self.changed:
            job = self.jobs.get(key)
            if job is not None and not job.look().is_over:
                return job.look()
            if len(self.line) >= MAX_WAITING:
                raise JobError(
                    f"{MAX_WAITING} pieces of work are waiting for their turn already. Try again when one has ended."
                )
            job = _Job(key, label, call)
            self.jobs.pop(key, None)
            self.jobs[key] = job
            self.line.append(job)
        threading.Thread(target=self._run, args=(job,), name=f"work {label[:40]}", daemon=True).start()
        return job.look()

    def _run(self, job: _Job) -> None:
        with self.changed:
            self.changed.wait_for(lambda: job.is_stopping or (self.line[0] is job and self.n_running < MAX_AT_ONCE))
            self.line.remove(job)
            self.changed.notify_all()
            if job.is_stopping:
                self._end(job, "cancelled")
                return
            self.n_running += 1
            job.state, job.began_s = "running", time.monotonic()
        state, result, sentence = "failed", None, ""
        error: BaseException | None = None
        try:
            result = job.call(lambda share: self._report(job, share))
            state = "done"
        except CancelledError as cancelled:
            state, error = "cancelled", cancelled
        except BaseException as failure:  # whatever ends a thread must free its place and be said
            error, sentence = failure, messages.sentence_of(failure)
        finally:
            with self.changed:
                self.n_running -= 1
                job.result, job.error, job.sentence = result, error, sentence
                self._end(job, state)

    def _report(self, job: _Job, share: float) -> None:
        with self.changed:
            if job.is_stopping:
                raise CancelledError(f"{job.label}: cancelled.")
            job.share = max(job.share, min(float(share), 1.0))

    def _end(self, job: _Job, state: str) -> None:
        job.state, job.ended_s = state, time.monotonic()
        if state == "done":
            job.share = 1.0
        job.call = _nothing  # what it holds on to may be large
        over = [each for each in self.jobs.values() if each.ended_s is not None]
        over.sort(key=lambda each: each.ended_s or 0.0)
        for each in over[: max(len(over) - MAX_FINISHED, 0)]:
            del self.jobs[each.key]
        self.changed.notify_all()

    def cancel(self, key: str) -> None:
        with self.changed:
            job = self.jobs.get(key)
            if job is not None and job.ended_s is None:
                job.is_stopping = True
                self.changed.notify_all()


def _nothing(progress: Progress) -> None:
    """What a task that has ended would do."""


@st.cache_resource(show_spinner=False)
def _desk() -> _Desk:
    """The one desk of this process; kept by Streamlit, so that it survives a reload of this module."""
    return _Desk()


def start(key: str, label: str, call: Callable[[Progress], Any]) -> Task:
    """Begin a piece of work in a thread of the server; one of the same key that has not ended is left alone.

    Args:
        key: Plain text that says all of what is done.
        label: What a person reads over the bar, such as `Reading the corpus`.
        call: The work; it is given a `Progress` and its answer is kept.

    Raises:
        JobError: If too many wait already.
    """
    return _desk().start(key, label, call)


def task(key: str) -> Task | None:
    """How far the work of a key is, or `None` if there is none."""
    desk = _desk()
    with desk.changed:
        job = desk.jobs.get(key)
        return None if job is None else job.look()


def is_idle(key: str) -> bool:
    """Whether nothing of a key waits or runs, so that it may be offered."""
    found = task(key)
    return found is None or found.is_over


def wait(key: str, timeout_s: float) -> Task | None:
    """As `task`, after waiting for its end, at most so long."""
    desk = _desk()
    with desk.changed:
        job = desk.jobs.get(key)
        if job is None:
            return None
        desk.changed.wait_for(lambda: job.ended_s is not None, timeout_s)
        return job.look()


def cancel(key: str) -> None:
    """Ask the work of a key to stop; it does where it next reports how far it is."""
    _desk().cancel(key)


def forget(key: str) -> None:
    """Drop what is known of a key; work that has not ended is cancelled."""
    desk = _desk()
    desk.cancel(key)
    with desk.changed:
        desk.jobs.pop(key, None)


def draw(key: str, *, patience_s: float = 0.0) -> Any:
    """Draw how far the work of a key is, with a button that cancels it, until it ends.

    Args:
        key: As given to `start`; without such work nothing is drawn.
        patience_s: How long to wait for work that is nearly done, instead of drawing a bar for a moment.

    Returns:
        The answer of the work once it is done, else `None`.
    """
    found = task(key) if not patience_s else wait(key, patience_s)
    if found is None:
        return None
    if not found.is_over:
        st.fragment(_panel, run_every=TICK_S)(key)
    elif found.state == "cancelled":
        st.caption(f"{messages.plain(found.label)}: cancelled. Nothing of it was kept.")
    elif found.state == "failed":
        st.error(messages.plain(found.sentence))
    return found.result


def draw_again(key: str, label: str, button: str) -> None:
    """A button that begins work anew which was cancelled or has failed; without such work nothing is drawn.

    Args:
        key: As given to `start`.
        label: What the button says.
        button: Its key.
    """
    found = task(key)
    if found is not None and found.state in ("cancelled", "failed"):
        st.button(label, key=button, on_click=forget, args=(key,))


def _panel(key: str) -> None:
    found = task(key)
    if found is None or found.is_over:
        st.rerun()  # once: without the timer, and with what the work was for
    bar, button = st.columns([3, 1], vertical_alignment="bottom")
    bar.progress(found.share, text=words(found))
    button.button(
        "Stopping" if found.is_stopping else "Cancel",
        key=f"work-cancel-{short(key)}",
        on_click=cancel,
        args=(key,),
        disabled=found.is_stopping,
        width="stretch",
    )


def words(found: Task) -> str:
    """A task's label with how far it is, as Markdown."""
    label = messages.plain(found.label)
    if found.state == "queued":
        return f"{label}: waiting for its turn; {MAX_AT_ONCE} others are being worked on"
    if found.eta_s is None:
        return f"{label}: {found.elapsed_s:.0f} s so far"
    return f"{label}: {found.share:.0%}, about {duration(found.eta_s)} to go"
