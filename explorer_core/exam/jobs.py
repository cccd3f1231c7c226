"""An exam in a process of its own, seen from any other: start, watch, cancel, resume. No torch here."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

from explorer_core.errors import JobError, NotFoundError
from explorer_core.exam import store
from explorer_core.exam.spec import ExamSpec
from explorer_core.training import _status, jobs
from explorer_core.training._status import JobStatus

_WORKER = "explorer_core.exam.worker"


@dataclass(frozen=True)
class ExamJob:
    """The sitting of one exam, in whichever process it is; a handle that holds nothing but the name."""

    name: str

    @property
    def status(self) -> JobStatus:
        """Where it is now, read from disk.

        Raises:
            NotFoundError: If the exam is gone, as one is that was cancelled before any family had sat it.
        """
        status = _status.read(store.folder_of(self.name))
        if status is None:
            raise NotFoundError(f"There is no exam called {self.name} here.")
        return status

    @property
    def spec(self) -> ExamSpec:
        """What was asked for."""
        return store.read_spec(self.name)

    def cancel(self) -> None:
        """Ask it to stop; it does within about a second. Nothing happens if it is over."""
        if not self.status.is_over:
            with contextlib.suppress(FileNotFoundError):
                (store.folder_of(self.name) / store.CANCEL).touch()


def start(spec: ExamSpec) -> ExamJob:
    """Sit an exam in a process of its own; see `api.start_exam`."""
    name = store.claim(spec)
    _launch(name)
    return ExamJob(name)


def resume(name: str) -> ExamJob:
    """Go on with an exam that was broken off; see `api.resume_exam`."""
    job = ExamJob(name)
    status = job.status
    if status.state not in _status.RESUMABLE:
        what = "is done; there is nothing to resume" if status.state == "done" else f"is {status.state} already"
        raise JobError(f"The exam {name} {what}.")
    folder = store.folder_of(name)
    (folder / store.CANCEL).unlink(missing_ok=True)
    _status.write(folder, dataclasses.replace(status, state="queued", reason="", eta_s=None), mine=False)
    _launch(name)
    return job


def list_all() -> tuple[ExamJob, ...]:
    """Every exam in any state, the newest first."""
    return tuple(ExamJob(name) for name in store.list_names())


def _launch(name: str) -> None:
    folder = store.folder_of(name)
    try:
        jobs.launch([name], folder / store.LOG, _WORKER)
    except JobError as error:
        _status.write(folder, JobStatus("failed", str(error)))
        raise
