"""Where state indices lie: one folder each under the home, made as a whole or not at all, within a limit of disk.

An index is built in a folder beside its place and moved there in one step, so one that was cancelled or whose process
died is never opened. A file lock for each key lets one thread of one process build; whoever else wants the same waits.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from explorer_core import settings
from explorer_core.errors import InvalidInputError
from explorer_core.progress import Progress

ABOUT = "index.json"  # its time says when the index was used last
_BUILDING = ".building-"
_LOOK_EVERY_S = 0.2
_FREE_MIB = 256  # disk that is left to others


def folder_of(key: str) -> Path:
    """Where the index of a key lies, whether or not there is one."""
    return settings.home() / ".index" / key


@contextmanager
def lock(key: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of a key; while another builds, `progress` is called, which may raise."""
    path = _lock_file(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path)
    while True:
        try:
            held.acquire(timeout=_LOOK_EVERY_S)
            break
        except Timeout:
            progress(0.0)
    try:
        yield
    finally:
        held.release()


@contextmanager
def building(key: str) -> Iterator[Path]:
    """A new folder that takes the index's place when the block ends, and is gone if it raises; call it locked."""
    target = folder_of(key)
    draft = target.with_name(f"{key}{_BUILDING}{uuid.uuid4().hex[:8]}")
    draft.mkdir(parents=True)
    try:
        yield draft
        shutil.rmtree(target, ignore_errors=True)  # one that cannot be read any more
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def touch(folder: Path) -> None:
    """Note that an index was used now."""
    try:
        os.utime(folder / ABOUT)
    except OSError:  # a disk that can only be read keeps the old time
        return


def make_room(key: str, size_mib: float) -> None:
    """Drop what crashed builders left, and the indices used longest ago, until another fits; call it locked.

    Args:
        key: The index that is to come.
        size_mib: Its size.

    Raises:
        InvalidInputError: If it is larger than all of the room, or the disk is full.
    """
    if size_mib > settings.MAX_INDICES_MIB:
        raise InvalidInputError(
            f"The states of this corpus would take {size_mib:,.0f} MiB on disk; at most {settings.MAX_INDICES_MIB:,} "
            "are kept. Give fewer texts, or take a model with fewer units."
        )
    root = folder_of(key).parent
    root.mkdir(parents=True, exist_ok=True)
    for draft in root.glob(f"*{_BUILDING}*"):
        _drop(draft, draft.name.split(_BUILDING)[0], held=key)
    whole = (each for each in root.iterdir() if _BUILDING not in each.name and (each / ABOUT).is_file())
    kept = sorted(whole, key=_used)
    sizes = {each: _size_mib(each) for each in kept}
    taken_mib = sum(sizes.values())
    for each in kept:
        if taken_mib + size_mib <= settings.MAX_INDICES_MIB:
            break
        if _drop(each, each.name, held=key):
            taken_mib -= sizes[each]
    left_mib = shutil.disk_usage(root).free / 2**20
    if left_mib < size_mib + _FREE_MIB:
        raise InvalidInputError(
            f"The states of this corpus take {size_mib:,.0f} MiB, and the disk of {settings.home()} has "
            f"{left_mib:,.0f} MiB left. Free some space, or give fewer texts."
        )


def _lock_file(key: str) -> Path:
    return folder_of(key).with_name(f"{key}.lock")


def _drop(folder: Path, key: str, *, held: str) -> bool:
    """Remove a folder, unless another builder holds its key."""
    mine = FileLock(_lock_file(key))
    if key != held:
        try:
            mine.acquire(timeout=0)
        except Timeout:
            return False
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        mine.release()
    return True


def _used(folder: Path) -> float:
    try:
        return (folder / ABOUT).stat().st_mtime
    except OSError:
        return 0.0


def _size_mib(folder: Path) -> float:
    try:
        return sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    except FileNotFoundError:  # another process has just dropped it
        return 0.0
