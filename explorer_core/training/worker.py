"""The training process: `python -m explorer_core.training.worker NAME`, or `--starters`.

It says at once that it is there, waits for a slot, and trains. Torch comes in only then.
"""

from __future__ import annotations

import logging
import sys

from explorer_core.errors import CancelledError, ExplorerError
from explorer_core.training import _status, process, store
from explorer_core.training._status import JobStatus

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Train what is named; 0 when it is done or was cancelled, 1 when it failed."""
    process.begin()
    if arguments == ["--starters"]:
        from explorer_core.training import starters

        return starters.work()
    if len(arguments) != 1:
        logger.error("usage: python -m explorer_core.training.worker NAME | --starters")
        return 2
    report_queued(arguments[0])
    return train_when_possible(arguments[0])


def report_queued(name: str) -> None:
    """Say that this process will train a run, keeping what it had reached."""
    folder = store.run_folder(name)
    status = _status.read_json(folder / "status.json") or {}
    spent = status.get("elapsed_s")
    elapsed_s = float(spent) if isinstance(spent, int | float) else 0.0
    _status.write(folder, JobStatus("queued", elapsed_s=elapsed_s), durable=False)


def train_when_possible(name: str) -> int:
    """Wait for a slot and train a run; its state on disk says how it ended."""
    folder = store.run_folder(name)
    try:
        with process.slot(folder / "cancel", f"The training of {name}"):
            from explorer_core.training import run

            run.carry_out(store.read_spec(name))
    except CancelledError as error:
        logger.warning("%s", error)
        if not _is_over(name):
            _status.write(folder, JobStatus("cancelled", "Cancelled while it waited."))
        return 0
    except ExplorerError as error:
        logger.error("%s", error)
        if not _is_over(name):
            _status.write(folder, JobStatus("failed", str(error)))
        return 1
    except Exception as error:
        logger.exception("training %s failed", name)
        if not _is_over(name):
            _status.write(
                folder, JobStatus("failed", f"An error in the program: {type(error).__name__}: {error}"[:300])
            )
        return 1
    return 0


def _is_over(name: str) -> bool:
    status = _status.read(store.run_folder(name))
    return status is None or status.is_over


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
