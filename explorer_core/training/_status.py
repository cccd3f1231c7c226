"""The state of a run as it lies on disk: written by whoever trains it, read by anyone.

A status that says `running` is believed only while the process that wrote it is alive: its id and its start time are
kept, since an id alone is given out again. No torch here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATES = ("queued", "running", "cancelled", "failed", "lost", "done")
OVER = frozenset({"cancelled", "failed", "lost", "done"})
RESUMABLE = frozenset({"cancelled", "failed", "lost"})

START_GRACE_S = 60.0  # a queued run without a process is believed so long: its process is being started
_CLOCK_SLACK_S = 2.0  # start times of one process read at two moments differ when the clock is set
MAX_FILE_BYTES = 2**20  # no status, spec or card is larger; junk may be


class Terminated(BaseException):
    """The process was told to end from outside (SIGTERM)."""


@dataclass(frozen=True)
class JobStatus:
    """Where a run is.

    Attributes:
        state: `queued`, `running`, `cancelled`, `failed`, `lost` (its process is gone) or `done`.
        reason: Why it is in this state, as a sentence; empty where there is nothing to say.
        progress: Share of the steps done, in [0, 1].
        step, n_steps: Steps of the optimiser done, and in all (0 until known).
        epoch: Passes over the training rows done, with a fraction.
        elapsed_s: Seconds of training so far, those before a resume included.
        eta_s: Estimated seconds to go; `None` until known.
        metrics: The latest numbers: `loss_nats`, `learning_rate`, `grad_norm`, and from the last epoch
            `validation_loss_nats`, `validation_accuracy`, `validation_macro_f1`.
    """

    state: str
    reason: str = ""
    progress: float = 0.0
    step: int = 0
    n_steps: int = 0
    epoch: float = 0.0
    elapsed_s: float = 0.0
    eta_s: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen unless a person asks for it."""
        return self.state in OVER


def write(folder: Path, status: JobStatus, *, mine: bool = True, durable: bool = True) -> None:
    """Replace the status of a run at once, so that a reader finds the old or the new one and never a half.

    Args:
        folder: The run folder.
        status: What to say.
        mine: Whether this process does the work; else it is still to be started.
        durable: Whether to wait until the disk has it. Heartbeats need not.
    """
    record = dataclasses.asdict(status) | {"pid": None, "create_time": None, "updated": time.time()}
    if mine:
        record |= {"pid": os.getpid(), "create_time": _create_time(os.getpid())}
    replace_text(folder / "status.json", json.dumps(record), durable=durable)


def read(folder: Path) -> JobStatus | None:
    """The status of a run; `None` if the folder holds no run.

    A run whose process is gone is `lost`, or `cancelled` where that was asked for.
    """
    record = _record(folder)
    if record is None:
        return _without_record(folder)
    if record["state"] not in OVER and not is_alive(record):
        record = _record(folder) or record  # it may have finished between the two looks
        if record["state"] not in OVER:
            return _orphaned(folder, record)
    return _status_of(record)


def read_owner(folder: Path) -> dict[str, Any] | None:
    """The record as written, with `pid`, `create_time` and `updated` (seconds since 1970); `None` without one."""
    return _record(folder)


def is_alive(record: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a record is still the one that runs under that id."""
    pid = record["pid"]
    if pid is None:
        return time.time() - record["updated"] < START_GRACE_S
    import psutil

    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - record["create_time"]) < _CLOCK_SLACK_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):
        return False


def read_json(path: Path) -> dict[str, Any] | None:
    """A small JSON object from disk; `None` if there is none or it is junk."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def replace_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a file in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _record(folder: Path) -> dict[str, Any] | None:
    record = read_json(folder / "status.json")
    if record is None or record.get("state") not in STATES:
        return None
    pid = record.get("pid")
    return record | {
        "pid": pid if isinstance(pid, int) and pid > 0 else None,
        "create_time": _number(record.get("create_time")),
        "updated": _number(record.get("updated")),
    }


def _without_record(folder: Path) -> JobStatus | None:
    if (folder / "unrolled.json").is_file() and (folder / "config.json").is_file():
        return JobStatus("done", progress=1.0)
    if (folder / "spec.json").is_file():
        return JobStatus("lost", "Nothing is known of its training; resume it to train it.")
    return None


def _orphaned(folder: Path, record: dict[str, Any]) -> JobStatus:
    status = _status_of(record)
    if (folder / "cancel").exists():
        return dataclasses.replace(status, state="cancelled", reason="Stopped on request.", eta_s=None)
    reason = "Its process ended without a word (killed, or the computer was switched off); resume it to go on."
    return dataclasses.replace(status, state="lost", reason=reason, eta_s=None)


def _status_of(record: Mapping[str, Any]) -> JobStatus:
    metrics = record.get("metrics")
    eta_s = record.get("eta_s")
    return JobStatus(
        state=record["state"],
        reason=str(record.get("reason", ""))[:2_000],
        progress=min(max(_number(record.get("progress")), 0.0), 1.0),
        step=int(_number(record.get("step"))),
        n_steps=int(_number(record.get("n_steps"))),
        epoch=_number(record.get("epoch")),
        elapsed_s=_number(record.get("elapsed_s")),
        eta_s=None if eta_s is None else _number(eta_s),
        metrics={str(name): _number(value) for name, value in metrics.items()} if isinstance(metrics, dict) else {},
    )


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else 0.0


def _create_time(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).create_time())
