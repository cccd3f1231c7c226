"""Work on a stream shared by several processes: each writes its own blocks, the first puts them together.

Every block becomes two files in a folder beside the result: its lines, and what is summed over blocks. Both are written
beside their place and moved there, so a block is there as a whole or not at all. Whatever ends a process, the next call
of the same command does only the blocks that are missing, in whichever process; the number of processes may change.

The processes are numbered by `RANK` and `WORLD_SIZE`, as `torchrun` and `accelerate launch` set them. They share
nothing but that folder, and give blocks out by turns: block `n` belongs to process `n % WORLD_SIZE`.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from explorer_core.errors import InvalidInputError, JobError

ABOUT = "about.json"
WAIT_FOR_START_S = 60.0  # for a process that has not begun its part yet
_LOOK_EVERY_S = 0.1


class Shards:
    """The blocks of one command over one stream.

    Args:
        target: The file that is to come.
        about: All that the result depends on, as plain values; another call with others is refused.

    Raises:
        InvalidInputError: If the number of this process is none, or the folder holds blocks of something else.
    """

    def __init__(self, target: Path, about: dict[str, Any]) -> None:
        self.target = target
        self.folder = target.with_name(f"{target.name}.parts")
        self.rank, self.n_ranks = _number("RANK", 0), max(_number("WORLD_SIZE", 1), 1)
        if self.rank >= self.n_ranks:
            raise InvalidInputError(f"RANK is {self.rank}, but WORLD_SIZE is {self.n_ranks}; ranks count from 0.")
        self.n_found_done = 0
        said = json.loads(json.dumps(about))
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "about.lock"):
            path = self.folder / ABOUT
            if not path.exists():
                _write(path, json.dumps(said).encode())
            elif _read_json(path) != said:
                raise InvalidInputError(
                    f"{self.folder.name[:80]!r} holds parts of another result: other data, another model or other "
                    "settings. Save to another file, or delete that folder."
                )

    def is_mine(self, number: int) -> bool:
        """Whether a block belongs to this process and is not there yet."""
        if number % self.n_ranks != self.rank:
            return False
        if self._is_done(number):
            self.n_found_done += 1
            return False
        return True

    def each(self, results: Iterator[Any]) -> Iterator[Any]:
        """The results of this process's blocks, while its lock is held."""
        with FileLock(self._lock(self.rank)):
            yield from results

    def keep(self, number: int, lines: bytes, sums: dict[str, Any]) -> None:
        """Write the lines and the sums of a block."""
        _write(self._path(number, "sums"), json.dumps(sums).encode())
        _write(self._path(number, "lines"), lines)

    def wait(self, n_blocks: int) -> None:
        """Wait until every block is there.

        Raises:
            JobError: If a process ended before its part was done, or never began.
        """
        began_s = time.monotonic()
        seen: set[int] = set()  # at work during this call; a lock file alone may be of an earlier one
        while missing := [number for number in range(n_blocks) if not self._is_done(number)]:
            for rank in {number % self.n_ranks for number in missing}:
                if self._is_working(rank):
                    seen.add(rank)
                elif rank in seen or time.monotonic() - began_s > WAIT_FOR_START_S:
                    if all(self._is_done(number) for number in missing if number % self.n_ranks == rank):
                        continue
                    raise JobError(
                        f"Process {rank} of {self.n_ranks} ended before its part was done: "
                        f"{len(missing):,} of {n_blocks:,} blocks are missing. Call the same command again; what is "
                        "done is kept."
                    )
            time.sleep(_LOOK_EVERY_S)

    def merge(self, n_blocks: int, add: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Write the result from all blocks in their order, delete the folder, and give the sums added up."""
        total: dict[str, Any] = {}
        draft = self.target.with_name(f".{self.target.name}.draft")
        with draft.open("wb") as file:
            for number in range(n_blocks):
                with self._path(number, "lines").open("rb") as part:
                    shutil.copyfileobj(part, file)
                total = add(total, _read_json(self._path(number, "sums")))
        draft.replace(self.target)
        shutil.rmtree(self.folder, ignore_errors=True)
        return total

    def _is_done(self, number: int) -> bool:
        return self._path(number, "lines").exists()

    def _path(self, number: int, what: str) -> Path:
        return self.folder / f"{number:08d}.{what}"

    def _lock(self, rank: int) -> Path:
        return self.folder / f"rank-{rank}-of-{self.n_ranks}.lock"

    def _is_working(self, rank: int) -> bool:
        if rank == self.rank:
            return False
        lock = FileLock(self._lock(rank))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False


def is_one_of_many() -> bool:
    """Whether this process was started as one of several."""
    return _number("WORLD_SIZE", 1) > 1


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if value and not value.isdecimal():
        raise InvalidInputError(f"{name} is {value[:30]!r}; a whole number from 0 on is expected.")
    return int(value) if value else default


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError(
            f"{path.parent.name[:80]!r} is damaged. Delete that folder and call the command again."
        ) from error
