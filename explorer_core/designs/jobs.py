"""The training of a design in a process of its own, seen from any other: start, watch, cancel, resume. No torch here.

A design has no state of its own: where it is follows from where its runs are, so nothing can say two things at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from explorer_core import registry
from explorer_core.designs import store
from explorer_core.designs.spec import DesignSpec
from explorer_core.errors import JobError, NotFoundError
from explorer_core.training import _status, jobs
from explorer_core.training import store as runs
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import TrainingSpec

_WORKER = "explorer_core.designs.worker"
_START_WORK = 2e6  # beside the products of weights and states, in the same unit
_WORDS = {"failed": "failed", "lost": "was interrupted", "cancelled": "was cancelled"}


@dataclass(frozen=True)
class DesignJob:
    """The training of one design, in whichever process it is; a handle that holds nothing but the name."""

    name: str

    @property
    def spec(self) -> DesignSpec:
        """What was asked for."""
        return store.read_spec(self.name)

    def statuses(self) -> dict[str, JobStatus | None]:
        """Where each run is, in the order they are trained; `None` for one that was deleted since.

        Raises:
            NotFoundError: If the design is gone.
        """
        found: dict[str, JobStatus | None] = {}
        for run in self.spec.runs():
            try:
                found[run.name] = jobs.Job(run.name).status
            except NotFoundError:
                found[run.name] = None
        return found

    @property
    def status(self) -> JobStatus:
        """Where the whole is.

        Raises:
            NotFoundError: If the design is gone.
        """
        return whole(self.spec.runs(), self.statuses())

    def cancel(self) -> None:
        """Ask every run that is not over to stop. Returns at once."""
        for name, status in self.statuses().items():
            if status is not None and not status.is_over:
                jobs.Job(name).cancel()


def start(spec: DesignSpec) -> DesignJob:
    """Train a design in a process of its own; see `api.start_design`."""
    store.claim(spec)
    _launch(spec.name, [run.name for run in spec.runs()])
    return DesignJob(spec.name)


def resume(name: str) -> DesignJob:
    """Go on with the runs of a design that were broken off; see `api.resume_design`."""
    _launch(name, requeue(name))
    return DesignJob(name)


def requeue(name: str) -> list[str]:
    """Put the runs of a design that were broken off back into the queue; returns their names.

    Raises:
        JobError: If it is being trained, or there is none.
    """
    statuses = DesignJob(name).statuses()
    if any(status is not None and not status.is_over for status in statuses.values()):
        raise JobError(f"The design {name} is being trained already.")
    wanted = [run for run, status in statuses.items() if status is not None and status.state in _status.RESUMABLE]
    if not wanted:
        raise JobError(f"Every model of the design {name} is done; there is nothing to resume.")
    for run in wanted:
        folder = runs.run_folder(run)
        (folder / "cancel").unlink(missing_ok=True)
        queued = dataclasses.replace(runs.read_status(run), state="queued", reason="", eta_s=None)
        _status.write(folder, queued, mine=False)
    return wanted


def list_all() -> tuple[DesignJob, ...]:
    """Every design, the newest first."""
    return tuple(DesignJob(name) for name in store.list_names())


def whole(specs: Sequence[TrainingSpec], statuses: dict[str, JobStatus | None]) -> JobStatus:
    """Where a design is, from where its runs are: shares are weighted by what each run has to compute."""
    there = [(spec, status) for spec in specs if (status := statuses[spec.name]) is not None]
    if not there:
        return JobStatus("failed", "All its models were deleted.")
    works = [work_of(spec) for spec, _ in there]
    shares = [1.0 if status.state == "done" else status.progress for _, status in there]
    done = sum(work * share for work, share in zip(works, shares, strict=True))
    elapsed_s = sum(status.elapsed_s for _, status in there)
    state, reason = _state(there)
    eta_s = None
    if state == "running" and done > 0.02 * sum(works):
        eta_s = elapsed_s * (sum(works) - done) / done
    return JobStatus(
        state, reason, progress=1.0 if state == "done" else min(done / sum(works), 1.0), elapsed_s=elapsed_s,
        step=sum(status.step for _, status in there), n_steps=max(status.n_steps for _, status in there), eta_s=eta_s,
    )  # fmt: skip


def work_of(spec: TrainingSpec) -> float:
    """How much a run computes for each token, against another of the same design; no unit."""
    about = registry.describe("architectures")[spec.family].extra
    if about["kind"] == "transformer":
        return _START_WORK + (1.1e7 if spec.start == "pretrained" else 8e5) * 3
    width = 384 if spec.vocabulary == "wordpiece" and spec.embeddings != "scratch" else spec.embedding_size
    n_directions = 2 if about["bidirectional"] else 1
    total = 0.0
    for _ in range(spec.num_layers):
        total += n_directions * max(len(about["gates"]), 1) * spec.hidden_size * (width + spec.hidden_size)
        width = n_directions * spec.hidden_size
    return _START_WORK + total


def _state(there: Sequence[tuple[TrainingSpec, JobStatus]]) -> tuple[str, str]:
    states = [status.state for _, status in there]
    if any(not status.is_over for _, status in there):
        has_begun = "running" in states or any(status.is_over or status.progress for _, status in there)
        return ("running" if has_begun else "queued"), ""
    for state, words in _WORDS.items():
        if state in states:
            spec, status = there[states.index(state)]
            return state, f"{spec.name} {words}. {status.reason}".strip()
    return "done", ""


def _launch(name: str, wanted: Sequence[str]) -> None:
    try:
        jobs.launch([name], store.folder_of(name) / store.LOG, _WORKER)
    except JobError as error:
        for run in wanted:
            with contextlib.suppress(OSError):
                _status.write(runs.run_folder(run), JobStatus("failed", str(error)))
        raise
