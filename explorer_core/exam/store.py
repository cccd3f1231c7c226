"""Where exams are kept: a folder each under the home, with the spec, how far it is, and what has come out so far.

What has come out is one JSON file that is replaced as a whole each time a family has sat the exam, and checked when it
is read. The networks are deleted as soon as they are judged: the spec trains them again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from explorer_core import settings
from explorer_core.errors import CancelledError, ExplorerError, InvalidInputError, JobError, NotFoundError
from explorer_core.exam.spec import ExamSpec
from explorer_core.results import ShortcutExam
from explorer_core.training import _status

RESULT, SPEC, CANCEL, LOG, NETWORK = "result.json", "spec.json", "cancel", "log.txt", "network"
MAX_FILE_BYTES = 8 * 2**20  # no exam is larger; junk may be
_NAME = re.compile(r"exam-\d{8}-\d{6}(-\d{1,3})?")

logger = logging.getLogger(__name__)


def folder_of(name: str) -> Path:
    """Where an exam lies, whether or not there is one.

    Raises:
        NotFoundError: If the name can name none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise NotFoundError(f"There is no exam {str(name)[:60]!r}; exams are called such as exam-20260102-030405.")
    return settings.home() / ".exams" / name


def claim(spec: ExamSpec) -> str:
    """A fresh folder with its spec, queued and without a process; returns the exam's name.

    Raises:
        JobError: If nothing can be written.
    """
    base = datetime.now(UTC).strftime("exam-%Y%m%d-%H%M%S")
    try:
        (settings.home() / ".exams").mkdir(parents=True, exist_ok=True)
        for number in range(1, 1_000):
            name = base if number == 1 else f"{base}-{number}"
            try:
                folder_of(name).mkdir()
            except FileExistsError:
                continue
            _status.replace_text(folder_of(name) / SPEC, spec.to_json())
            _status.write(folder_of(name), _status.JobStatus("queued"), mine=False)
            return name
    except OSError as error:
        raise JobError(f"Nothing can be written to {settings.home()} ({error.strerror}).") from error
    raise JobError("Too many exams begin in this second. Try again.")


def read_spec(name: str) -> ExamSpec:
    """What an exam was asked for.

    Raises:
        NotFoundError: If there is no such exam.
    """
    path = folder_of(name) / SPEC
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        raise NotFoundError(f"There is no exam called {name} here.")
    return ExamSpec.from_json(path.read_text(encoding="utf-8", errors="replace"))


def keep(result: ShortcutExam) -> None:
    """Put what has come out so far in the place of what was there, at once."""
    text = json.dumps(result.to_plain())
    _status.replace_text(folder_of(result.name) / RESULT, text)


def read(name: str) -> ShortcutExam:
    """What has come out of an exam, finished or not.

    Raises:
        NotFoundError: If there is no such exam, or no family has sat it yet.
        InvalidInputError: If the file is damaged.
    """
    path = folder_of(name) / RESULT
    try:
        stat = path.stat()
    except OSError as error:
        raise NotFoundError(f"There is no exam called {name} here, or nobody has sat it yet.") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


def list_names() -> tuple[str, ...]:
    """Every exam in any state, the newest first."""
    try:
        found = [path.name for path in (settings.home() / ".exams").iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return ()
    return tuple(sorted(found, reverse=True))


def list_kept() -> tuple[ShortcutExam, ...]:
    """Every exam that at least one family has sat, the newest first; what cannot be read is passed over, and logged."""
    found = []
    for name in list_names():
        try:
            found.append(read(name))
        except NotFoundError:
            continue
        except InvalidInputError as error:
            logger.warning("exam %s is passed over: %s", name, error)
    return tuple(found)


def find_newest(family: str, method: str) -> ShortcutExam | None:
    """The newest exam that judges a method in a family; `None` if there is none."""
    return next((exam for exam in list_kept() if exam.judges(family, method)), None)


def leave(name: str, error: BaseException, share: float = 0.0) -> None:
    """What stays of an exam that was broken off: the families that have sat it, and why it ended. Nothing stays of one
    that was cancelled before any family had.
    """
    folder = folder_of(name)
    shutil.rmtree(folder / NETWORK, ignore_errors=True)
    state, reason = _explain(error)
    if state == "cancelled" and not (folder / RESULT).exists():
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):  # a full disk has no room for the reason either
        _status.write(folder, _status.JobStatus(state, reason, share))


def _explain(error: BaseException) -> tuple[str, str]:
    """The state an exam is in after an error, and why, as a sentence."""
    if isinstance(error, CancelledError | KeyboardInterrupt):
        return "cancelled", "Stopped on request; go on with it, and the families that are missing sit it."
    if isinstance(error, _status.Terminated | SystemExit):
        return "lost", "Its process was told to end from outside; go on with it."
    if isinstance(error, ExplorerError):
        return "failed", str(error)
    return "failed", f"An error in the program: {type(error).__name__}: {str(error)[:300]}"


def delete(name: str) -> None:
    """Delete an exam with all that is kept of it.

    Raises:
        NotFoundError: If there is no such exam.
        JobError: If it is being sat, or waits for it.
    """
    folder = folder_of(name)
    status = _status.read(folder)
    if status is None and not folder.is_dir():
        raise NotFoundError(f"There is no exam called {name} here.")
    if status is not None and not status.is_over:
        raise JobError(f"The exam {name} is {status.state}. Cancel it first, then delete it.")
    shutil.rmtree(folder)


@functools.lru_cache(maxsize=64)
def _read(path: Path, changed_ns: int, n_bytes: int) -> ShortcutExam:
    """An exam's file, kept by its time and size."""
    if n_bytes > MAX_FILE_BYTES:
        raise InvalidInputError("The file of this exam is far larger than an exam; it is not read.")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError(f"There is no exam called {path.parent.name} any more.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"The file of this exam is no JSON: {str(error)[:60]}.") from error
    found = ShortcutExam.from_plain(plain)
    if found.name != path.parent.name:
        raise InvalidInputError("The file of this exam belongs to another one.")
    return found
