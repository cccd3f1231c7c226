"""A judgement taken away whole: as one web page to read, and as a zip that lets a stranger judge the same again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from explorer_core import settings
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.judging.spec import TextsSpec
from explorer_core.results import Judgement, TextTable, pack_arrays, pack_files, safe_csv
from explorer_core.versions import versions

TOLERANCE = 1e-5
"""How far a number judged again may lie from the one kept: absolute, and relative for values beyond 1."""

_SCRIPT = Path(__file__).with_name("reproduce_judgement.py.txt")
_PASTED = "pasted.txt"


def write_page(
    path: Path,
    judged: Judgement,
    spec: TextsSpec | None,
    chosen: Mapping[str, Any] | None,
    warnings: Sequence[str] = (),
) -> Path:
    """Write the web page; see `api.write_report`. `warnings` are sentences that stand with the scores."""
    _check_target(path, ".html", "A report is one web page")
    return _write(path, _page(judged, spec, chosen, warnings))


def write_bundle(
    path: Path,
    judged: Judgement,
    read: Callable[..., TextTable],
    *,
    paths: Sequence[Path],
    pasted: str | None,
    names: Sequence[str] | None,
    spec: TextsSpec,
    chosen: Mapping[str, Any] | None,
    warnings: Sequence[str] = (),
) -> Path:
    """Write the zip; see `api.reproduce_judgement`. `read` is `api.read_texts`."""
    _check_target(path, ".zip", "A reproduce bundle is one zip")
    if not judged.is_finished:
        raise IncompatibleError("The judgement is not finished. Wait for it, then make the bundle.")
    _check_size(paths)
    again = read(paths, spec, names=names) if pasted is None else read(spec=spec, pasted=pasted)
    if len(again) <= judged.indices.max() or again.take(judged.indices).digest != judged.table.digest:
        raise IncompatibleError(
            "These files, read this way, do not give the texts that were judged. Give the same files and the same "
            "settings of reading, or judge them again."
        )
    files = {f"texts-{number}{one.suffix.lower()}": one.read_bytes() for number, one in enumerate(paths, start=1)}
    if pasted is not None:
        files = {_PASTED: pasted.encode("utf-8", "surrogatepass")}
    called = names or ([one.name for one in paths] if pasted is None else [_PASTED])
    kept = [
        {"name": name, "file": file, "sha256": hashlib.sha256(content).hexdigest()}
        for name, (file, content) in zip(called, files.items(), strict=True)
    ]
    described = _describe(judged) | {
        "files": kept,
        "is_pasted": pasted is not None,
        "spec": dataclasses.asdict(spec),
        "settings": dict(chosen or {}),
    }
    content = files | {
        "judged.npz": pack_arrays({"judged": judged}),
        "judged.csv": safe_csv(judged.to_frame()),
        "report.html": _page(judged, spec, chosen, warnings),
        "settings.json": (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace"),
        "reproduce.py": _SCRIPT.read_bytes(),
    }
    return _write(path, pack_files(content))


def _page(
    judged: Judgement, spec: TextsSpec | None, chosen: Mapping[str, Any] | None, warnings: Sequence[str]
) -> bytes:
    from explorer_core.views import _report

    about: dict[str, Any] = {"made (UTC)": _now(), **(chosen or {})}
    if spec is not None:
        about["How the files were read"] = {
            name: "guessed" if value is None else value for name, value in dataclasses.asdict(spec).items()
        }
    about["Versions"] = versions()
    return _report.page(judged, about, warnings).encode("utf-8", "replace")


def _describe(judged: Judgement) -> dict[str, Any]:
    """The networks, what their verdicts were compared with, and the machine."""
    import platform

    first = judged.scores[0] if judged.scores else None
    return {
        "created": _now(),
        "models": [
            {"name": name, "architecture": family, "fingerprint": mark}
            for name, family, mark in zip(judged.models, judged.architectures, judged.fingerprints, strict=True)
        ],
        "labels": list(judged.labels),
        "mapping": judged.mapping,
        "digest": judged.table.digest,
        "n_resamples": first.n_resamples if first else 20,
        "seed": first.seed if first else 0,
        "tolerance": TOLERANCE,
        "versions": versions(),
        "platform": platform.platform(),
    }


def _check_target(path: Path, ending: str, what: str) -> None:
    """Refuse a place the file cannot be written to, before the work is done."""
    if path.suffix != ending:
        raise InvalidInputError(f"{what}; {path.name[:60]!r} must end in {ending}.")
    if not path.parent.is_dir():
        raise InvalidInputError(f"The folder of {path.name[:60]!r} does not exist. Make it first, or save elsewhere.")


def _check_size(paths: Sequence[Path]) -> None:
    size_mib = sum(one.stat().st_size for one in paths if one.is_file()) / 2**20
    if size_mib > settings.MAX_FILE_MIB:
        raise InvalidInputError(
            f"The files have {size_mib:,.0f} MiB together; a bundle takes at most {settings.MAX_FILE_MIB}. Take the "
            "rows and the report instead."
        )


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInputError(
            f"{path.name[:60]!r} could not be written: {error.strerror or error}. Choose another place."
        ) from None
    return path


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
