"""Training a design in this process, and what has come out of one so far."""

from __future__ import annotations

from explorer_core.designs import jobs, store
from explorer_core.designs.spec import DesignSpec
from explorer_core.errors import CancelledError, NotFoundError
from explorer_core.progress import Progress
from explorer_core.results import DesignResult, LearningLine
from explorer_core.training import _status, records
from explorer_core.training import store as runs
from explorer_core.training._status import JobStatus


def run(spec: DesignSpec, progress: Progress | None = None) -> DesignResult:
    """Train a design in this process, one run after the other; see `api.run_design`."""
    store.claim(spec)
    return carry_out(spec.name, progress)


def carry_out(name: str, progress: Progress | None = None) -> DesignResult:
    """Train the runs of a kept design that are queued.

    Raises:
        CancelledError: If it was cancelled; what is trained by then stays, and the rest can be resumed.
    """
    from explorer_core.training import run as training

    specs = [spec for spec in store.read_spec(name).runs() if _is_queued(spec.name)]
    works = [jobs.work_of(spec) for spec in specs]
    try:
        for place, spec in enumerate(specs):
            before, own = sum(works[:place]) / sum(works), works[place] / sum(works)
            report = None if progress is None else _part(progress, before, own)
            training.carry_out(spec, progress=report)
    except BaseException as error:
        reason = "Stopped on request; go on with the design." if isinstance(error, CancelledError) else ""
        for spec in specs:
            if _is_queued(spec.name):
                reason = reason or "Not begun, since another model of the design failed."
                _status.write(runs.run_folder(spec.name), JobStatus("cancelled", reason))
        raise
    return outcome(name)


def outcome(name: str) -> DesignResult:
    """What has come out of a design: the record of each run that is still there, and how it learned.

    Raises:
        NotFoundError: If there is no such design, or none of its models is left.
    """
    spec = store.read_spec(name)
    found, lines, network, missing = [], [], [], []
    for place, names in enumerate(spec.run_names()):
        for number, run_name in enumerate(names):
            try:
                found.append(records.read(run_name))
            except NotFoundError:
                missing.append(run_name)
                continue
            network.append(place)
            lines.append(_line(spec, place, number, run_name))
    if not found:
        raise NotFoundError(f"None of the models of the design {name} is left. Train it again.")
    return DesignResult(name, spec, tuple(network), tuple(found), tuple(lines), tuple(missing))


def _line(spec: DesignSpec, place: int, number: int, run_name: str) -> LearningLine:
    curves, network = runs.read_curves(run_name), spec.networks[place]
    seed = spec.seed + number if spec.n_seeds > 1 else None
    return LearningLine(
        spec.labels()[place], network.family, place, seed, curves.epoch_step, curves.epoch_loss_nats,
        curves.epoch_accuracy,
    )  # fmt: skip


def _part(progress: Progress, before: float, own: float) -> Progress:
    return lambda share: progress(min(before + own * share, 1.0))


def _is_queued(name: str) -> bool:
    status = _status.read(runs.run_folder(name))
    return status is not None and status.state == "queued"
