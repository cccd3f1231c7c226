"""The five models everybody finds on first start, trained on the starter corpus one after the other. No torch here."""

from __future__ import annotations

import logging
from typing import Any

from explorer_core import settings
from explorer_core.errors import CancelledError, ExplorerError, JobError
from explorer_core.progress import Progress
from explorer_core.training import _status, jobs, store
from explorer_core.training._status import JobStatus
from explorer_core.training.jobs import Job
from explorer_core.training.spec import TrainingSpec

logger = logging.getLogger(__name__)

_RECURRENT: dict[str, Any] = {"epochs": 6, "batch_size": 64, "learning_rate": 4e-3, "phrases": True}
SPECS = (
    TrainingSpec(name="starter-lstm", family="lstm", **_RECURRENT | {"epochs": 8}),
    TrainingSpec(name="starter-rnn", family="rnn", **_RECURRENT | {"learning_rate": 1e-3}),
    TrainingSpec(name="starter-gru", family="gru", **_RECURRENT),
    TrainingSpec(name="starter-bilstm", family="bilstm", **_RECURRENT),
    TrainingSpec(name="starter-bert", family="bert", epochs=3, phrases=True, learning_rate=1e-4, warmup=0.1,
                 record_gradients=0),
)  # fmt: skip
assert tuple(spec.name for spec in SPECS) == store.STARTER_NAMES


def start() -> tuple[Job, ...]:
    """Have the starters that are not there yet trained by one background process; returns the jobs of all five.

    Starters a person cancelled or deleted, or that failed, are left alone. Callers that come at once, from any number
    of pages and processes, start one process between them.

    Raises:
        JobError: If the system starts no process.
    """
    with store.lock_file("starters-start"):
        wanted = [spec for spec in SPECS if _is_to_do(spec)]
        for spec in wanted:
            _queue(spec)
        if wanted:
            log = settings.home() / ".slots" / "starters-log.txt"
            try:
                jobs.launch(["--starters"], log)
            except JobError as error:
                for spec in wanted:
                    _status.write(store.run_folder(spec.name), JobStatus("failed", str(error)))
                raise
    return tuple(Job(spec.name) for spec in SPECS)


def train_all(progress: Progress | None = None) -> tuple[str, ...]:
    """Train the starters that are not ready in this process, one after the other, LSTM first.

    Those that are done are passed over, others go on from their last checkpoint; one that fails does not keep the
    next from being trained. If another process trains starters, its end is awaited first.

    Args:
        progress: Called with the share done of all that is to do, in [0, 1]; may raise `CancelledError`.

    Returns:
        Names of the starters trained now; empty when all were ready.

    Raises:
        CancelledError: If `progress` asked to stop.
        JobError: If some failed; the message says which and why.
    """
    from explorer_core.training import run

    trained, failed = [], []
    with store.lock_file("starters"):
        wanted = [spec for spec in SPECS if (status := _state(spec.name)) != "done" and status != "running"]
        for number, spec in enumerate(wanted):
            report = None if progress is None else _shifted(progress, number, len(wanted))
            try:
                _queue(spec)
                run.carry_out(store.read_spec(spec.name), progress=report)
                trained.append(spec.name)
            except CancelledError:
                if progress is not None and not (store.run_folder(spec.name) / "cancel").exists():
                    raise
            except Exception as error:
                logger.warning("starter %s failed: %s", spec.name, error)
                failed.append(f"{spec.name}: {error}")
                if not isinstance(error, ExplorerError):
                    logger.exception("starter %s", spec.name)
    if failed:
        raise JobError(f"Of the starters, {len(failed)} could not be trained. " + " ".join(failed))
    return tuple(trained)


def work() -> int:
    """What the background process does: train every starter that is queued. 1 if one failed."""
    from explorer_core.training import worker

    for name in _queued():
        worker.report_queued(name)
    with store.lock_file("starters"):  # someone at a command line may be training them, then this waits
        codes = [worker.train_when_possible(name) for name in _queued()]
    return max(codes, default=0)


def _queued() -> list[str]:
    return [spec.name for spec in SPECS if _state(spec.name) == "queued"]


def _is_to_do(spec: TrainingSpec) -> bool:
    state = _state(spec.name)
    return state == "lost" or (state is None and not store.is_binned(spec.name))


def _state(name: str) -> str | None:
    status = _status.read(store.run_folder(name))
    return None if status is None else status.state


def _queue(spec: TrainingSpec) -> None:
    """Give a starter its folder, or put one that was broken off back into the queue."""
    folder = store.run_folder(spec.name)
    if not folder.exists():
        store.claim(spec)
        return
    status = _status.read(folder)
    if status is None or not (folder / "spec.json").is_file():
        raise JobError(f"The folder {spec.name} is there already and holds something else. Move it away.")
    (folder / "cancel").unlink(missing_ok=True)
    _status.write(folder, JobStatus("queued", elapsed_s=status.elapsed_s), mine=False)


def _shifted(progress: Progress, number: int, count: int) -> Progress:
    return lambda share: progress((number + share) / count)
