"""The process of an exam: `python -m explorer_core.exam.worker NAME`. It waits for a slot as a training does."""

from __future__ import annotations

import logging
import sys

from explorer_core.errors import CancelledError, ExplorerError
from explorer_core.exam import store
from explorer_core.training import _status, process
from explorer_core.training._status import JobStatus

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Sit the exam that is named; 0 when it is done or was cancelled, 1 when it failed."""
    process.begin()
    if len(arguments) != 1:
        logger.error("usage: python -m explorer_core.exam.worker NAME")
        return 2
    name = arguments[0]
    folder = store.folder_of(name)
    _status.write(folder, JobStatus("queued"), durable=False)
    try:
        with process.slot(folder / store.CANCEL, "The exam"):
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
