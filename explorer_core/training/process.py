"""What a process that works by itself does first, and how it waits for its turn."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from explorer_core import settings
from explorer_core.errors import CancelledError
from explorer_core.training import _status, store

LOOK_EVERY_S = 0.2
_NICENESS = 5  # the page that shows the work stays quick


def begin() -> None:
    """Write warnings to the log, end at a polite request as at an error, and leave the page the processor first."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


@contextlib.contextmanager
def slot(cancel: Path, what: str) -> Iterator[None]:
    """One of the places for work that trains; waits until one is free.

    Args:
        cancel: The file that asks for the end.
        what: What waits, as a sentence begins: "The exam".

    Raises:
        CancelledError: If it is cancelled while it waits.
    """
    locks = [store.lock_file(f"slot-{index}") for index in range(settings.MAX_JOBS_AT_ONCE)]
    while True:
        if cancel.exists():
            raise CancelledError(f"{what} was cancelled while it waited.")
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
