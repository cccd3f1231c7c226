"""What a person gave to be judged, and its place on disk, so that a reload of the page finds it again.

The address carries a token that nobody can guess, never a name or a path; on disk a choice lies under the hash of its
token, so that who sees the folder cannot open it in a browser either. Nothing in it is trusted when it is read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from explorer_core import api, settings
from explorer_core.errors import ExplorerError

logger = logging.getLogger(__name__)

MOST_KEPT = 200  # choices on disk; the one used longest ago goes first
_MOST_BYTES = 4 * 2**20  # of one choice, pasted texts among it
_TOKEN_BYTES = 24
_NAMED = ("text_column", "label_column", "encoding")  # of a spec
_UPLOAD = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}")  # as `api.save_upload` names a file
_TOKEN = re.compile(r"[0-9A-Za-z_-]{32}")


@dataclass(frozen=True)
class Choice:
    """What a person gave, and how it is read.

    Attributes:
        paths: Where the files are kept on this machine.
        names: What the person calls them.
        pasted: Texts in place of files.
        spec: Columns and what is done with long texts.
        mapping: Class of a label, where the person changed the guess.
    """

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    pasted: str = ""
    spec: api.TextsSpec = field(default_factory=api.TextsSpec)
    mapping: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return not self.paths and not self.pasted.strip()


def keep(choice: Choice, token: str | None = None) -> str | None:
    """Keep a choice on disk under a token, a new one if none is given; `None` if it cannot be kept."""
    token = token if token is not None and _TOKEN.fullmatch(token) else secrets.token_urlsafe(_TOKEN_BYTES)
    written = dataclasses.asdict(choice) | {"paths": [Path(path).name for path in choice.paths]}
    content = json.dumps(written).encode()
    if len(content) > _MOST_BYTES:
        return None
    path = _file(token)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        draft.write_bytes(content)
        draft.replace(path)
        _make_room(path.parent)
    except OSError as error:
        logger.warning("What was given on the page Texts could not be kept: %s", error)
        return None
    return token


def find(token: str) -> Choice | None:
    """The choice of a token, while it is kept and all its files are there."""
    if not _TOKEN.fullmatch(token):
        return None
    path = _file(token)
    try:
        found = _read(json.loads(path.read_bytes()))
        path.touch()  # used now
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, ExplorerError) as error:
        logger.warning("A choice of texts that was kept is unreadable: %s", error)
        return None
    return found if all(Path(one).is_file() for one in found.paths) else None


def forget(token: str) -> None:
    """Delete a choice; its files are the caller's to delete."""
    if _TOKEN.fullmatch(token):
        _file(token).unlink(missing_ok=True)


def _file(token: str) -> Path:
    return settings.home() / ".choices" / f"{hashlib.sha256(token.encode()).hexdigest()}.json"


def _read(written: Mapping[str, Any]) -> Choice:
    """A choice from JSON, each value checked."""
    paths, names, pasted = written["paths"], written["names"], written["pasted"]
    spec, mapping = written["spec"], written["mapping"]
    if not (_is_texts(paths) and _is_texts(names) and len(paths) == len(names) and isinstance(pasted, str)):
        raise ValueError("paths and names are lists of texts of the same length")
    if not (isinstance(spec, dict) and isinstance(mapping, dict)):
        raise ValueError("the spec and the mapping are objects")
    if not all(value is None or isinstance(value, str) for value in mapping.values()):
        raise ValueError("a label means a class or none")
    if not all(spec[name] is None or isinstance(spec[name], str) for name in _NAMED):
        raise ValueError("columns and encodings are texts")
    if not all(_UPLOAD.fullmatch(name) for name in paths):
        raise ValueError("a file is named as uploads are")
    folder = settings.home() / ".uploads"
    places = tuple(str(folder / name) for name in paths)
    return Choice(places, tuple(names), pasted, api.TextsSpec(**spec), mapping)


def _is_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _make_room(folder: Path) -> None:
    """Drop the choices used longest ago."""
    kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in kept[: max(len(kept) - MOST_KEPT, 0)]:
        path.unlink(missing_ok=True)
