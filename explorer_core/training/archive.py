"""Models as zip files: out of the store, and into it from people one does not know.

An archive is judged by its table of contents before a byte of it is unpacked; only JSON, text, vocabulary and
safetensors files come out, into a folder of ours, under their bare names; and the folder passes the same check as any
other before it becomes a run.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from explorer_core import settings
from explorer_core.architectures import _checking
from explorer_core.errors import InvalidInputError, JobError, NotFoundError, UnsafeModelError
from explorer_core.training import _status, store
from explorer_core.training.spec import check_name

ENDINGS = (".json", ".txt", ".safetensors", ".model")
_NOT_EXPORTED = frozenset({"spec.json", "status.json", "log.txt"})
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".h5")
_BLOCK_BYTES = 2**20


def export_run(name: str, path: Path) -> Path:
    """Write a finished run as a zip: its `save_pretrained` folder and its card, no checkpoints.

    Raises:
        NotFoundError: If there is no such run.
        JobError: If it is not done, or the file cannot be written.
    """
    folder = store.run_folder(name)
    status = store.read_status(name)
    if status.state != "done":
        raise JobError(f"The model {name} is {status.state}; only a model that is done can be exported.")
    members = [item for item in sorted(folder.iterdir()) if _is_exported(item)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:  # weights do not shrink
            for item in members:
                archive.write(item, item.name)
        draft.replace(path)
    except OSError as error:
        raise JobError(f"The archive cannot be written to {path.parent} ({error.strerror}).") from error
    return path


def import_run(path: Path, name: str) -> str:
    """Unpack a model folder as a run.

    Args:
        path: A zip made by `export_run`, or of any `save_pretrained` folder, with or without a folder around it.
        name: What to call the run.

    Returns:
        The name.

    Raises:
        NotFoundError: If there is no such file.
        InvalidInputError: If it is no zip, too large, damaged, or holds no model.
        UnsafeModelError: If it would write elsewhere, holds links or pickles, or would have to run code.
        IncompatibleError: If it is no classifier of a known family.
        JobError: If the name is taken.
    """
    folder = store.run_folder(check_name(name))
    if folder.exists():
        raise JobError(f"There is a model called {name} already. Choose another name, such as {store.free_name(name)}.")
    if not path.is_file():
        raise NotFoundError(f"There is no file {path.name[:60]}.")
    with _temporary_folder() as unpacked:
        try:
            with zipfile.ZipFile(path) as archive:
                for member, bare_name in check_members(archive):
                    _unpack(archive, member, unpacked / bare_name)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"{path.name[:60]} is not a zip that can be read, or it is damaged. Export the model again."
            ) from error
        config = _checking.check_folder(unpacked)
        card = _foreign_card(unpacked, config, name)
        _status.replace_text(unpacked / "unrolled.json", json.dumps(card, indent=2))
        try:
            unpacked.rename(folder)
        except OSError as error:
            raise JobError(f"There is a model called {name} now. Choose {store.free_name(name)}.") from error
    return name


def check_members(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, str]]:
    """What of an archive is unpacked, and under which bare name.

    Files beside the model's own folder, and harmless ones it does not need, are left inside.

    Raises:
        UnsafeModelError: If a name leads out of the archive, or there are links, pickles or two files of one name.
        InvalidInputError: If there is too much in it, it is encrypted, or it holds no model.
    """
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > settings.MAX_ZIP_FILES:
        raise InvalidInputError(
            f"The zip holds {len(members):,} files; {settings.MAX_ZIP_FILES} are allowed. Zip one model's folder."
        )
    for member in members:
        _check_member(member)
    if sum(member.file_size for member in members) > settings.MAX_ZIP_MIB * 2**20:
        raise InvalidInputError(f"Unpacked, the zip is larger than {settings.MAX_ZIP_MIB:,} MiB, the most allowed.")
    paths = [PurePosixPath(member.filename) for member in members]
    roots = sorted((path.parent for path in paths if path.name == "config.json"), key=lambda root: len(root.parts))
    if not roots:
        raise InvalidInputError("The zip holds no config.json, so it is no model. Zip a model's folder.")
    taken: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        inside = PurePosixPath(member.filename)
        if inside.parent != roots[0] or not inside.name.endswith(ENDINGS) or inside.name in _NOT_EXPORTED:
            continue
        if inside.name.lower() in taken:
            raise UnsafeModelError(f"The zip holds {inside.name[:60]!r} twice, so what it says is not what it unpacks.")
        taken[inside.name.lower()] = member
    return [(member, PurePosixPath(member.filename).name) for member in taken.values()]


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = name[:60]
    parts = PurePosixPath(name).parts
    if name.startswith(("/", "\\")) or ".." in parts or "\\" in name or ":" in name or "\0" in member.orig_filename:
        raise UnsafeModelError(f"The zip wants to write outside its folder ({shown!r}). It was not unpacked.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise UnsafeModelError(f"The zip holds a link or device ({shown!r}). It was not unpacked.")
    if member.flag_bits & 0x1:
        raise InvalidInputError("The zip is encrypted. Zip the model's folder without a password.")
    if name.lower().endswith(_PICKLES):
        raise UnsafeModelError(
            f"The zip holds a pickle ({shown!r}), which could run code. Only safetensors weights are accepted: "
            "save the model again with save_pretrained."
        )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member, and no more bytes than its entry promised."""
    left = member.file_size
    with archive.open(member) as source, target.open("xb") as file:
        while block := source.read(_BLOCK_BYTES):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("longer than it says")
            file.write(block)
    if left:
        raise zipfile.BadZipFile("shorter than it says")


_EVIDENCE = ("n_validation", "majority")  # what a trust card builds on is never taken from a zip


def _foreign_card(folder: Path, config: dict[str, Any], name: str) -> dict[str, Any]:
    """A card made of what can be checked; the rest of a card that came along is taken as text and numbers only."""
    told = _status.read_json(folder / "unrolled.json") or {}
    metrics = told.get("metrics")
    trained_on = str(told.get("trained_on") or "Imported; what it was trained on is not known.")[:500]
    return store.make_card(
        name,
        architecture=_checking.find_family(config).name,
        labels=_checking.read_labels(config),
        n_params=_count_weights(folder),
        trained_on=trained_on,
        metrics={
            str(key)[:40]: float(value)
            for key, value in (list(metrics.items())[:20] if isinstance(metrics, dict) else ())
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
            if key not in _EVIDENCE
        },
        fingerprint=_checking.fingerprint(folder),
        notes=("Imported from a zip; its metrics are what the zip says.",),
    )


def _count_weights(folder: Path) -> int:
    """Numbers in the safetensors files, from their headers."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for key, entry in header.items():
            if key != "__metadata__":
                size = 1
                for length in entry["shape"]:
                    size *= length
                total += size
    return total


def _is_exported(item: Path) -> bool:
    return item.is_file() and item.name.endswith(ENDINGS) and item.name not in _NOT_EXPORTED and item.name[0] != "."


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder inside the store, so that it can become a run by a rename; gone afterwards if it did not."""
    home = settings.home()
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".import-", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
