"""Checkpoints of a run: which are whole, and what of them is kept. No torch here."""

from __future__ import annotations

import json
import math
import re
import shutil
import zipfile
from pathlib import Path

from explorer_core.results import Checkpoint
from explorer_core.training import _status

_ONLY_FOR_RESUMING = ("optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state*.pth")


def find_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint of a run that was written to its end; half-written ones are passed over."""
    found = []
    for path in (folder / "checkpoints").glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if number and is_whole(path, int(number[1])):
            found.append((int(number[1]), path))
    return max(found)[1] if found else None


def is_whole(checkpoint: Path, step: int) -> bool:
    """Whether a checkpoint has all its parts and none is cut off.

    The Trainer writes `trainer_state.json` last; the others are measured against what their headers promise.
    """
    state = _status.read_json(checkpoint / "trainer_state.json")
    archives = [checkpoint / "optimizer.pt", checkpoint / "scheduler.pt", *checkpoint.glob("rng_state*.pth")]
    return (
        state is not None
        and state.get("global_step") == step
        and len(archives) > 2
        and all(path.is_file() and zipfile.is_zipfile(path) for path in archives)
        and _is_whole_safetensors(checkpoint / "model.safetensors")
    )


def list_all(folder: Path) -> tuple[Checkpoint, ...]:
    """Every checkpoint of a run by rising step; what only a resume needs may be gone. A half-written one says so."""
    found = []
    for path in (folder / "checkpoints").glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d{1,9})", path.name)
        if number and path.is_dir():
            found.append(_look_at(path, int(number[1])))
    return tuple(sorted(found, key=lambda one: one.step))


def _look_at(path: Path, step: int) -> Checkpoint:
    state = _status.read_json(path / "trainer_state.json") or {}
    epoch = state.get("epoch")
    is_number = isinstance(epoch, int | float) and not isinstance(epoch, bool) and math.isfinite(epoch) and epoch >= 0
    is_said = state.get("global_step") == step and is_number
    problem = ""
    if not is_said or not _is_whole_safetensors(path / "model.safetensors"):
        problem = (
            f"{path.name} was not written to its end: its training was broken off, or the disk was full. "
            "It is passed over; choose another checkpoint."
        )
    return Checkpoint(step, float(epoch) if is_said and epoch is not None else 0.0, path, problem)


def remove_halves(folder: Path) -> None:
    """Remove checkpoints that were being written when a run ended."""
    known = {one.folder for one in list_all(folder) if not one.problem}
    for path in (folder / "checkpoints").glob("checkpoint-*"):
        if path not in known:
            shutil.rmtree(path, ignore_errors=True)


def slim(folder: Path, *, but: int | None = None) -> None:
    """Leave of each checkpoint what a loaded model has; what only a resume needs is no longer needed.

    Args:
        folder: The run folder.
        but: The step of the checkpoint that a resume would go on from, which stays as it is.
    """
    for pattern in _ONLY_FOR_RESUMING:
        for path in (folder / "checkpoints").glob(f"checkpoint-*/{pattern}"):
            if path.parent.name != f"checkpoint-{but}":
                path.unlink(missing_ok=True)


def _is_whole_safetensors(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            n_header = int.from_bytes(file.read(8), "little")
            if not 2 <= n_header <= 100 * 2**20:
                return False
            header = json.loads(file.read(n_header))
        last = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        return path.stat().st_size == 8 + n_header + last
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
