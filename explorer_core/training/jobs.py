"""Training in a process of its own, seen from any other: start, watch, cancel, resume. No torch here.

Everything a page shows comes from the run folder, so it survives a page that is closed and a server that is restarted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import explorer_core
from explorer_core import settings
from explorer_core.errors import JobError, NotFoundError
from explorer_core.training import _status, store
from explorer_core.training._curves import NewEvents, read_events
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import TrainingSpec

__all__ = ["Job", "JobStatus", "NewEvents", "find", "launch", "resume", "start"]

CANCEL_GRACE_S = 15.0  # without a sign of life for so long, a cancelled worker is told to end; twice so long, killed

_children: dict[int, subprocess.Popen[bytes]] = {}  # kept, since an ended child that nobody asks after stays a zombie


@dataclasses.dataclass(frozen=True)
class Job:
    """The training of one run, in whichever process it is; a handle that holds nothing but the name."""

    name: str

    @property
    def status(self) -> JobStatus:
        """Where the run is now, read from disk. A worker that does not react to a cancellation is ended on the way.

        Raises:
            NotFoundError: If the run is gone.
        """
        folder = store.run_folder(self.name)
        owner = _status.read_owner(folder)
        _reap()
        status = _status.read(folder)
        if status is None:
            raise NotFoundError(f"There is no model called {self.name} here.")
        if not status.is_over and (folder / "cancel").exists() and owner is not None:
            _end_if_hung(folder, owner["pid"], owner["updated"])
        return status

    def progress(self, offset: int = 0) -> NewEvents:
        """Events written after `offset` (bytes; 0: all), and the offset for the next look."""
        return read_events(store.run_folder(self.name) / "progress.jsonl", offset)

    def cancel(self) -> None:
        """Ask the run to stop after its present step; nothing happens if it is over. Returns at once.

        Raises:
            NotFoundError: If the run is gone.
        """
        if not self.status.is_over:
            with contextlib.suppress(FileNotFoundError):
                (store.run_folder(self.name) / "cancel").touch()

    def log(self, n_chars: int = 4_000) -> str:
        """The end of what the worker printed; for a person who looks for the cause of a failure."""
        with contextlib.suppress(OSError), (store.run_folder(self.name) / "log.txt").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4 * n_chars))
            return file.read().decode("utf-8", errors="replace")[-n_chars:]
        return ""


def start(spec: TrainingSpec) -> Job:
    """Train in a process of its own.

    Raises:
        JobError: If the name is taken (the message names a free one), or no process can be started.
    """
    folder = store.claim(spec)
    _launch_for(folder, spec.name)
    return Job(spec.name)


def resume(name: str) -> Job:
    """Go on with a cancelled, failed or lost run from its last whole checkpoint, or from the start without one.

    Raises:
        NotFoundError: If there is no such run, or it was not trained here.
        JobError: If it is queued, running or done.
    """
    status = Job(name).status
    if status.state not in _status.RESUMABLE:
        what = "is done; there is nothing to resume" if status.state == "done" else f"is {status.state} already"
        raise JobError(f"The model {name} {what}.")
    store.read_spec(name)
    folder = store.run_folder(name)
    (folder / "cancel").unlink(missing_ok=True)
    _status.write(folder, dataclasses.replace(status, state="queued", reason="", eta_s=None), mine=False)
    _launch_for(folder, name)
    return Job(name)


def find(name: str) -> Job:
    """The job of a run, over or not.

    Raises:
        NotFoundError: If there is no such run.
    """
    store.read_status(name)
    return Job(name)


def launch(arguments: Sequence[str], log: Path, worker: str = "explorer_core.training.worker") -> None:
    """Start a worker, a module with a `main`, that outlives this process and its terminal.

    Raises:
        JobError: If the system starts no process.
    """
    root = str(Path(explorer_core.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: modules in the folder the app was started from must not stand in for libraries of the same name.
    command = [sys.executable, "-P", "-m", worker, *arguments]
    environment = {
        # Threads that spin while they wait make training ten times slower as soon as the cores have other work too.
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "UNROLLED_HOME": str(settings.home()),
    }
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        raise JobError(f"No training process can be started here ({error.strerror}).") from error
    _children[child.pid] = child


def _launch_for(folder: Path, name: str) -> None:
    try:
        launch([name], folder / "log.txt")
    except JobError as error:
        _status.write(folder, JobStatus("failed", str(error)))
        raise


def _reap() -> None:
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)


def _end_if_hung(folder: Path, pid: int | None, updated: float) -> None:
    """Tell, and later force, a cancelled worker to end when it gives no sign of life. Never waits."""
    try:
        asked = (folder / "cancel").stat().st_mtime
    except FileNotFoundError:
        return
    silent_s = time.time() - max(asked, updated)
    if pid is None or pid == os.getpid() or silent_s < CANCEL_GRACE_S:
        return
    kind = signal.SIGTERM if silent_s < 2 * CANCEL_GRACE_S else signal.SIGKILL
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, kind)
