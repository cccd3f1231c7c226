"""Verdicts kept on disk by the fingerprint of the network and the digest of the text, so that no text is read twice.

One folder a network, of small `.npz` files that are written beside their place and moved there in one step: whatever
ends a process, what had been kept stays whole. Nothing in them is pickled; a file that cannot be read is passed over.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer_core import settings

_FORMAT = "v1"
_MAX_PARTS = 32  # files of one network, before they are joined
_COUNTS = ("n_tokens", "n_unknown", "n_truncated")
_SAFE = re.compile(r"[0-9A-Za-z_-]{1,80}")


@dataclass(frozen=True)
class Verdicts:
    """What one network said of texts.

    Attributes:
        digests: Digest of each text, uint8 [text, 16].
        logits: Shape [text, class]; NaN for a text the network cannot read.
        counts: Tokens read, words unknown and words beyond the limit; int32 [text, 3].
    """

    digests: np.ndarray
    logits: np.ndarray
    counts: np.ndarray


def load(fingerprint: str, n_classes: int) -> Verdicts:
    """Everything kept of a network; later files win where two hold the same text."""
    parts = [part for path in _files(_folder(fingerprint)) if (part := _read(path, n_classes)) is not None]
    if parts:
        with contextlib.suppress(OSError):
            os.utime(_folder(fingerprint))  # used now
    return _join(parts, n_classes)


def keep(fingerprint: str, found: Verdicts) -> None:
    """Add verdicts of a network; a disk that is full or cannot be written keeps nothing, and nothing else happens."""
    folder = _folder(fingerprint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, found)
        files = _files(folder)
        if len(files) > _MAX_PARTS:
            parts = [part for path in files if (part := _read(path, found.logits.shape[1])) is not None]
            _write(folder, _join(parts, found.logits.shape[1]))
            for path in files:
                path.unlink(missing_ok=True)
        _make_room(folder)
    except OSError:
        return


def forget(fingerprint: str | None = None) -> None:
    """Delete what is kept of a network, or of all."""
    shutil.rmtree(_root() if fingerprint is None else _folder(fingerprint), ignore_errors=True)


def _root() -> Path:
    return settings.home() / ".verdicts"


def _folder(fingerprint: str) -> Path:
    assert _SAFE.fullmatch(fingerprint), "a fingerprint is hexadecimal"
    return _root() / fingerprint


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.npz"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    except OSError:  # another process has just joined them
        return sorted(folder.glob("*.npz"))


def _write(folder: Path, found: Verdicts) -> None:
    path = folder / f"{uuid.uuid4().hex}.npz"
    draft = path.with_suffix(".tmp")
    try:
        with draft.open("wb") as file:
            np.savez(
                file, format=np.array(_FORMAT), digests=found.digests, logits=found.logits, counts=found.counts
            )  # fmt: skip
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path, n_classes: int) -> Verdicts | None:
    try:
        with np.load(path) as kept:
            if str(kept["format"]) != _FORMAT:
                return None
            found = Verdicts(kept["digests"], kept["logits"], kept["counts"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    n_texts = len(found.digests)
    is_whole = (
        found.digests.shape == (n_texts, 16)
        and found.digests.dtype == np.uint8
        and found.logits.shape == (n_texts, n_classes)
        and found.logits.dtype.kind == "f"
        and found.counts.shape == (n_texts, len(_COUNTS))
        and found.counts.dtype.kind == "i"
    )
    return found if is_whole else None


def _join(parts: list[Verdicts], n_classes: int) -> Verdicts:
    """One of several, each text once."""
    if not parts:
        return Verdicts(np.zeros((0, 16), np.uint8), np.zeros((0, n_classes), np.float32), np.zeros((0, 3), np.int32))
    digests, logits, counts = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("digests", "logits", "counts")
    )
    last = {bytes(digest): place for place, digest in enumerate(digests)}
    rows = np.fromiter(last.values(), np.int64, len(last))
    return Verdicts(digests[rows], logits[rows], counts[rows])


def _make_room(newest: Path) -> None:
    """Drop the networks used longest ago until all fit."""
    folders = sorted((each for each in _root().iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    sizes = {each: sum(path.stat().st_size for path in each.iterdir()) / 2**20 for each in folders}
    taken_mib = sum(sizes.values())
    for each in folders:
        if taken_mib <= settings.MAX_VERDICTS_MIB:
            return
        if each != newest:
            shutil.rmtree(each, ignore_errors=True)
            taken_mib -= sizes[each]
    if taken_mib > settings.MAX_VERDICTS_MIB:  # one network alone has filled the room
        forget(newest.name)
