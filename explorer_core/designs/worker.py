"""The process of a design: `python -m explorer_core.designs.worker NAME`. It trains one run after the other.

Each run waits for a slot as any training does. A run that is cancelled while it waits is let go at once, not when its
turn comes.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator, Sequence

from explorer_core.designs import store
from explorer_core.training import _status, process, worker
from explorer_core.training import store as runs
from explorer_core.training._status import JobStatus

LOOK_EVERY_S = 0.5

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Train the design that is named; 0 when its runs are done or were cancelled, 1 when one failed."""
    process.begin()
    if len(arguments) != 1:
        logger.error("usage: python -m explorer_core.designs.worker NAME")
        return 2
    names = [run.name for run in store.read_spec(arguments[0]).runs() if _state(run.name) == "queued"]
    for name in names:
        worker.report_queued(name)
    codes = [0]
    with _letting_go(names) as waiting:
        for name in names:
            waiting.discard(name)
            if _state(name) == "queued":
                codes.append(worker.train_when_possible(name))
    return max(codes)


@contextlib.contextmanager
def _letting_go(names: Sequence[str]) -> Iterator[set[str]]:
    """Runs that wait; one that is cancelled meanwhile is told to be over, and leaves the set."""
    waiting, ended = set(names), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            for name in list(waiting):
                folder = runs.run_folder(name)
                if name in waiting and (folder / "cancel").exists():
                    waiting.discard(name)
                    status = _status.read(folder)
                    if status is not None and status.state == "queued":
                        _status.write(folder, JobStatus("cancelled", "Cancelled while it waited."))

    thread = threading.Thread(target=look, name="designs that wait", daemon=True)
    thread.start()
    try:
        yield waiting
    finally:
        ended.set()
        thread.join()


def _state(name: str) -> str:
    status = _status.read(runs.run_folder(name))
    return "gone" if status is None else status.state


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
