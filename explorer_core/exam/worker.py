"""The process of an exam: `python -m explorer_core.exam.worker NAME`. It waits for a slot as a training does."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import filelock

from explorer_core import settings
from explorer_core.errors import CancelledError, ExplorerError
from explorer_core.exam import store
from explorer_core.training import _status
from explorer_core.training import store as runs
from explorer_core.training._status import JobStatus

LOOK_EVERY_S = 0.2
_NICENESS = 5  # the page that shows the exam stays quick

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Sit the exam that is named; 0 when it is done or was cancelled, 1 when it failed."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    if len(arguments) != 1:
        logger.error("usage: python -m explorer_core.exam.worker NAME")
        return 2
    name = arguments[0]
    folder = store.folder_of(name)
    _status.write(folder, JobStatus("queued"), durable=False)
    try:
        with _slot(name):
            from explorer_core.exam import run

            run.carry_out(name)
    except CancelledError as error:
        logger.warning("%s", error)
        store.leave(name, error)
        return 0
    except ExplorerError as error:
        logger.error("%s", error)
        return 1
    except Exception:
        logger.exception("exam %s failed", name)
        return 1
    return 0


@contextlib.contextmanager
def _slot(name: str) -> Iterator[None]:
    """One of the places for work that trains; waits until one is free.

    Raises:
        CancelledError: If the exam is cancelled while it waits.
    """
    locks = [runs.lock_file(f"slot-{index}") for index in range(settings.MAX_JOBS_AT_ONCE)]
    while True:
        if (store.folder_of(name) / store.CANCEL).exists():
            raise CancelledError("The exam was cancelled while it waited.")
        for lock in locks:
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                continue
            try:
                yield
            finally:
                lock.release()
            return
        time.sleep(LOOK_EVERY_S)


def _end(number: int, frame: Any) -> None:
    raise _status.Terminated(f"signal {number}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
