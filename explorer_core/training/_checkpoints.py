"""Checkpoints of a run: which are whole, and what of them is kept. No torch here."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

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


def remove_halves(folder: Path) -> None:
    """Remove checkpoints that were being written when a run ended."""
    for path in (folder / "checkpoints").glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if not number or not is_whole(path, int(number[1])):
            shutil.rmtree(path, ignore_errors=True)


def slim(folder: Path) -> None:
    """Leave of each checkpoint what a loaded model has; what only a resume needs is no longer needed."""
    for pattern in _ONLY_FOR_RESUMING:
        for path in (folder / "checkpoints").glob(f"checkpoint-*/{pattern}"):
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
