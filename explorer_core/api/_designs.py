"""Networks designed side by side: trained on the same rows in the same order for as many steps, and kept together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer_core.designs.spec import DesignSpec
from explorer_core.progress import Progress
from explorer_core.results import DesignPrice, DesignResult

if TYPE_CHECKING:
    from explorer_core.designs.jobs import DesignJob


def run_design(spec: DesignSpec, *, progress: Progress | None = None) -> DesignResult:
    """Train every network of a design in this process, one after the other, and keep them as runs.

    Args:
        spec: What to train.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        JobError: If the name of the design or of one of its runs is taken, or a training broke.
        CancelledError: If it was cancelled; `resume_design` goes on.
    """
    from explorer_core.designs import run

    return run.run(spec, progress)


def start_design(spec: DesignSpec) -> DesignJob:
    """Train a design in a process of its own; the job can be watched, cancelled and resumed from any process.

    Raises:
        JobError: If a name is taken, nothing can be written, or no process can be started.
    """
    from explorer_core.designs import jobs

    return jobs.start(spec)


def resume_design(name: str) -> DesignJob:
    """Go on with the runs of a design that were cancelled, failed or lost, each from its last checkpoint.

    Raises:
        NotFoundError: If there is no such design.
        JobError: If it is being trained, or all of it is done.
    """
    from explorer_core.designs import jobs

    return jobs.resume(name)


def continue_design(name: str, *, progress: Progress | None = None) -> DesignResult:
    """As `resume_design`, in this process.

    Raises:
        NotFoundError: If there is no such design.
        JobError: If it is being trained, or all of it is done.
        CancelledError: If it was cancelled again.
    """
    from explorer_core.designs import jobs, run

    jobs.requeue(name)
    return run.carry_out(name, progress)


def find_design(name: str) -> DesignJob:
    """The job of a design, over or not.

    Raises:
        NotFoundError: If there is no such design.
    """
    from explorer_core.designs import jobs, store

    store.read_spec(name)
    return jobs.DesignJob(name)


def list_designs() -> tuple[DesignJob, ...]:
    """Every kept design, the newest first; what cannot be read is passed over."""
    from explorer_core.designs import jobs

    return jobs.list_all()


def design_result(name: str) -> DesignResult:
    """What has come out of a design so far.

    Raises:
        NotFoundError: If there is no such design, or none of its models is left.
    """
    from explorer_core.designs import run

    return run.outcome(name)


def price_design(spec: DesignSpec) -> DesignPrice:
    """Estimated seconds and disk of a design, before the press. The data are read the first time they are asked for."""
    from explorer_core.designs import price

    return price.estimate(spec)


def free_design_name(base: str) -> str:
    """A name no design has yet, nor any run that begins with it: the wish itself, or with -2, -3, ... after it."""
    from explorer_core.designs import store

    return store.free_name(base)


def reproduce_design(path: str | Path, name: str) -> Path:
    """Write one zip that trains a design again: its spec, a spec of each run, what came out, and the data if they are a
    file of one's own.

    Raises:
        NotFoundError: If there is no such design, or none of its models is left.
        InvalidInputError: If the path does not end in `.zip`, or its folder is not there.
    """
    from explorer_core.designs import bundle

    return bundle.write(Path(path), name)


def delete_design(name: str) -> None:
    """Forget a design; the models it trained stay.

    Raises:
        NotFoundError: If there is no such design.
    """
    from explorer_core.designs import store

    store.delete(name)
