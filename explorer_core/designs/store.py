"""Where designs are kept: a folder each under the home, with the spec. What they trained are ordinary runs."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

from explorer_core import settings
from explorer_core.designs.spec import NAME_PATTERN, DesignSpec, check_name
from explorer_core.errors import InvalidInputError, JobError, NotFoundError
from explorer_core.training import _status
from explorer_core.training import store as runs

SPEC, LOG = "spec.json", "log.txt"
_MAX_NAME_CHARS = 30


def folder_of(name: str) -> Path:
    """Where a design lies, whether or not there is one.

    Raises:
        InvalidInputError: If the name can name none.
    """
    return settings.home() / ".designs" / check_name(name)


def claim(spec: DesignSpec) -> None:
    """Keep a design, and give each of its runs a folder, queued and without a process: all of them or none.

    Raises:
        JobError: If the name of the design or of one of its runs is taken, or nothing can be written.
    """
    folder = folder_of(spec.name)
    claimed: list[Path] = []
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for run in spec.runs():
            claimed += [runs.claim(run)]
        _status.replace_text(folder / SPEC, spec.to_json())
    except FileExistsError as error:
        raise JobError(f"There is a design called {spec.name} already. {_another(spec.name)}") from error
    except JobError as error:
        _undo(folder, claimed)
        raise JobError(f"{str(error).split('. ')[0]}. {_another(spec.name)}") from error
    except OSError as error:
        _undo(folder, claimed)
        raise JobError(f"Nothing can be written to {settings.home()} ({error.strerror}).") from error


def read_spec(name: str) -> DesignSpec:
    """What a design was asked for.

    Raises:
        NotFoundError: If there is no such design.
        InvalidInputError: If its file is damaged.
    """
    path = folder_of(name) / SPEC
    try:
        if path.stat().st_size > _status.MAX_FILE_BYTES:
            raise InvalidInputError(f"The file of the design {name} is far larger than a design; it is not read.")
        found = DesignSpec.from_json(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise NotFoundError(f"There is no design called {name} here.") from error
    if found.name != name:
        raise InvalidInputError(f"The file of the design {name} belongs to another one.")
    return found


def list_names() -> tuple[str, ...]:
    """Every design whose file can be read, the newest first; what cannot is passed over."""
    found: list[tuple[float, str]] = []
    with contextlib.suppress(OSError):
        for path in (settings.home() / ".designs").iterdir():
            if NAME_PATTERN.fullmatch(path.name):
                with contextlib.suppress(OSError, NotFoundError, InvalidInputError):
                    read_spec(path.name)
                    found.append((-(path / SPEC).stat().st_mtime, path.name))
    return tuple(name for _, name in sorted(found))


def free_name(base: str) -> str:
    """A name no design has, and whose runs would have none that is taken: the wish in allowed letters, or with -2, -3,
    ... after it.
    """
    wish = re.sub(r"[^a-z0-9]+", "-", str(base)[:200].lower()).strip("-")[:_MAX_NAME_CHARS].rstrip("-") or "design"
    name, number = wish, 1
    while folder_of(name).exists() or _has_runs(name):
        number += 1
        ending = f"-{number}"
        name = wish[: _MAX_NAME_CHARS - len(ending)].rstrip("-") + ending
    return name


def delete(name: str) -> None:
    """Forget a design; the models it trained stay.

    Raises:
        NotFoundError: If there is no such design.
    """
    folder = folder_of(name)
    if not folder.is_dir():
        raise NotFoundError(f"There is no design called {name} here.")
    shutil.rmtree(folder)


def _has_runs(name: str) -> bool:
    return any(settings.home().glob(f"{name}-*"))


def _another(name: str) -> str:
    return f"Choose another name, such as {free_name(name)}."


def _undo(folder: Path, claimed: list[Path]) -> None:
    for path in (folder, *claimed):
        shutil.rmtree(path, ignore_errors=True)
