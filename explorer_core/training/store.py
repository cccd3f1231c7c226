"""Keeping runs: folders, cards, the bin, uploads and training curves. No torch here: tables are drawn before it.

A run folder is an ordinary `save_pretrained` folder once it is done, with `unrolled.json` (the card and the spec)
beside `spec.json`, `status.json`, `progress.jsonl`, `log.txt` and `checkpoints/`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from explorer_core import registry, settings
from explorer_core.errors import ExplorerError, InvalidInputError, JobError, NotFoundError
from explorer_core.results import ModelCard
from explorer_core.training import _status
from explorer_core.training._curves import NewEvents, TrainingCurves, curves_of, read_events
from explorer_core.training.spec import NAME_PATTERN, TrainingSpec, check_name

__all__ = [
    "NewEvents", "TrainingCurves", "claim", "delete", "delete_upload", "find_card", "free_name", "is_taken",
    "list_cards", "lock_file", "read_curves", "read_events", "read_spec", "restore", "run_folder", "save_upload",
]  # fmt: skip

STARTER_NAMES = ("starter-lstm", "starter-rnn", "starter-gru", "starter-bilstm", "starter-bert")
_UPLOAD_ENDING = re.compile(r"[a-z0-9]{1,8}")
_MAX_NAME_CHARS = 48


def run_folder(name: str) -> Path:
    """Where a run lives, whether or not there is one.

    Raises:
        InvalidInputError: If the name cannot name a run.
    """
    return settings.home() / check_name(name)


def is_taken(name: str) -> bool:
    """Whether a folder of that name is there already."""
    return run_folder(name).exists()


def free_name(base: str) -> str:
    """A name nobody uses: the wish itself in allowed letters, or with -2, -3, ... after it."""
    wish = re.sub(r"[^a-z0-9]+", "-", str(base)[:200].lower()).strip("-")[:_MAX_NAME_CHARS].rstrip("-") or "model"
    name, number = wish, 1
    while is_taken(name):
        number += 1
        ending = f"-{number}"
        name = wish[: _MAX_NAME_CHARS - len(ending)].rstrip("-") + ending
    return name


def claim(spec: TrainingSpec) -> Path:
    """A fresh run folder with its spec, queued and without a process.

    Raises:
        JobError: If the name is taken; the message names a free one. Or if nothing can be written.
    """
    folder = run_folder(spec.name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        _status.replace_text(folder / "spec.json", spec.to_json())
        _status.write(folder, _status.JobStatus("queued"), mine=False)
    except FileExistsError as error:
        raise JobError(
            f"There is a model called {spec.name} already. Choose another name, such as {free_name(spec.name)}, "
            "or delete that one first."
        ) from error
    except OSError as error:
        raise JobError(
            f"Nothing can be written to {settings.home()} ({error.strerror}). Free some space there."
        ) from error
    return folder


def read_spec(name: str) -> TrainingSpec:
    """What a run was asked to train.

    Raises:
        NotFoundError: If there is no such run, or it came without its spec.
    """
    path = run_folder(name) / "spec.json"
    if not path.is_file() or path.stat().st_size > _status.MAX_FILE_BYTES:
        raise NotFoundError(f"There is no training spec of a model called {name} here.")
    return TrainingSpec.from_json(path.read_text(encoding="utf-8", errors="replace"))


def read_status(name: str) -> _status.JobStatus:
    """Where a run is.

    Raises:
        NotFoundError: If there is no such run.
    """
    status = _status.read(run_folder(name))
    if status is None:
        raise NotFoundError(f"There is no model called {name} here.")
    return status


def list_cards() -> tuple[ModelCard, ...]:
    """Every run in any state: starters first in their own order, then the newest first. Junk is passed over."""
    home = settings.home()
    try:
        with os.scandir(home) as entries:
            names = [item.name for item in entries if NAME_PATTERN.fullmatch(item.name) and item.is_dir()]
    except OSError:
        return ()
    cards = [card for name in names if (card := _card(home / name)) is not None]
    cards.sort(key=lambda card: card.name)
    cards.sort(key=lambda card: card.created, reverse=True)
    cards.sort(key=lambda card: STARTER_NAMES.index(card.name) if card.is_starter else len(STARTER_NAMES))
    return tuple(cards)


def find_card(name: str) -> ModelCard:
    """The card of one run.

    Raises:
        NotFoundError: If there is no such run.
    """
    card = _card(run_folder(name))
    if card is None:
        raise NotFoundError(f"There is no model called {name} here.")
    return card


def find_record(name: str, fingerprint: str) -> ModelCard | None:
    """The card that a run wrote when it was done, if these are its weights; `None` without one."""
    if not NAME_PATTERN.fullmatch(name):
        return None
    card = _card(settings.home() / name)
    return card if card is not None and card.status == "done" and card.fingerprint == fingerprint else None


def delete(name: str) -> None:
    """Move a run to the bin; what was in the bin before is gone then.

    Raises:
        NotFoundError: If there is no such run.
        JobError: If it is being trained, or waits for it.
    """
    folder, bin_folder = run_folder(name), settings.home() / ".bin"
    status = _status.read(folder)
    if status is None:
        raise NotFoundError(f"There is no model called {name} here.")
    if not status.is_over:
        raise JobError(f"The model {name} is {status.state}. Cancel its training first, then delete it.")
    _empty(bin_folder)
    bin_folder.mkdir(parents=True, exist_ok=True)
    folder.replace(bin_folder / name)


def restore(name: str) -> None:
    """Bring a run back from the bin.

    Raises:
        NotFoundError: If it is not in the bin (any more).
        JobError: If its name was given to another run meanwhile.
    """
    binned = settings.home() / ".bin" / check_name(name)
    if not binned.is_dir():
        raise NotFoundError(f"The model {name} is not in the bin. Only the last deletion can be undone.")
    if is_taken(name):
        raise JobError(
            f"There is a model called {name} again. Delete or export that one before bringing this one back."
        )
    binned.replace(run_folder(name))


def is_binned(name: str) -> bool:
    """Whether a run of that name was deleted and can come back."""
    return (settings.home() / ".bin" / check_name(name)).is_dir()


def read_curves(name: str) -> TrainingCurves:
    """Loss, accuracy, learning rate and gradient norms of a run, as far as it got; empty arrays before its first step.

    Raises:
        NotFoundError: If there is no such run.
    """
    folder = run_folder(name)
    if not folder.is_dir():
        raise NotFoundError(f"There is no model called {name} here.")
    return curves_of(name, read_events(folder / "progress.jsonl").events)


def save_upload(content: bytes, ending: str) -> Path:
    """Keep an uploaded file under a name made from its bytes, never from what the sender called it.

    Raises:
        InvalidInputError: If it is too large, or its ending is none.
    """
    ending = ending.lower().removeprefix(".")
    if not _UPLOAD_ENDING.fullmatch(ending):
        raise InvalidInputError("A file's ending is 1 to 8 letters and digits, such as csv.")
    if len(content) > settings.MAX_UPLOAD_MIB * 2**20:
        raise InvalidInputError(f"The file is larger than {settings.MAX_UPLOAD_MIB} MiB. Keep fewer rows of it.")
    folder = settings.home() / ".uploads"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:32]}.{ending}"
    if not path.is_file() or path.stat().st_size != len(content):
        draft = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        draft.write_bytes(content)
        draft.replace(path)
    return path


def delete_upload(path: Path) -> None:
    """Delete an uploaded file; a path that is none of them is left alone."""
    folder = settings.home() / ".uploads"
    if path.parent == folder and re.fullmatch(r"[0-9a-f]{32}\.[a-z0-9]{1,8}", path.name):
        path.unlink(missing_ok=True)


def lock_file(name: str) -> FileLock:
    """A lock between processes, let go by the system when its holder dies; for `run-<name>`, `slot-<n>`, `starters`."""
    folder = settings.home() / ".slots"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{name}.lock")


def size_mib(folder: Path) -> float:
    """Disk a run takes, its checkpoints included, in MiB."""
    total = 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for item in entries:
                    if item.is_dir(follow_symlinks=False):
                        pending.append(item.path)
                    else:
                        total += item.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total / 2**20


def make_card(name: str, **fields: Any) -> dict[str, Any]:
    """The entries of a card for `unrolled.json`, dated now."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    card = ModelCard(name=name, status="done", created=created, **fields)
    return {key: value for key, value in dataclasses.asdict(card).items() if key not in ("status", "size_mib")}


def _card(folder: Path) -> ModelCard | None:
    """A run's card, from what it wrote when it was done, else from what it was asked to become."""
    status = _status.read(folder)
    if status is None:
        return None
    written = _status.read_json(folder / "unrolled.json") if status.state == "done" else None
    try:
        fields = _finished_fields(written) if written is not None else _planned_fields(folder)
        return ModelCard(
            name=folder.name,
            status=status.state,
            size_mib=round(size_mib(folder), 1),
            is_starter=folder.name in STARTER_NAMES,
            **fields,
        )
    except (ExplorerError, OSError, TypeError, ValueError, KeyError, AttributeError):
        return None


def _finished_fields(written: dict[str, Any]) -> dict[str, Any]:
    return {
        "architecture": str(written["architecture"]),
        "labels": tuple(str(label) for label in written["labels"]),
        "n_params": int(written["n_params"]),
        "trained_on": str(written["trained_on"]),
        "metrics": {str(key): float(value) for key, value in written["metrics"].items()},
        "created": str(written.get("created", "")),
        "fingerprint": str(written.get("fingerprint", "")),
        "notes": tuple(str(note) for note in written.get("notes", ())),
    }


def _planned_fields(folder: Path) -> dict[str, Any]:
    spec = _status.read_json(folder / "spec.json")
    if spec is None or spec.get("family") not in registry.describe("architectures"):
        raise NotFoundError("The run has no training spec.")
    created = datetime.fromtimestamp((folder / "spec.json").stat().st_mtime, UTC)
    return {
        "architecture": spec["family"],
        "labels": (),
        "n_params": 0,
        "trained_on": "",
        "metrics": {},
        "created": created.isoformat(timespec="seconds"),
    }


def _empty(bin_folder: Path) -> None:
    if bin_folder.is_dir():
        doomed = bin_folder.with_name(f".bin-{os.getpid()}-{time.monotonic_ns()}")
        bin_folder.replace(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
