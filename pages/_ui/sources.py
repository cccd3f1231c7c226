"""Folders and Hub models a person opened: remembered on disk, so that a link to one works after a restart.

A source that was never opened here is not opened by an address alone: a link cannot make the app read a folder or
download a model.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from explorer_core import api, settings
from explorer_core.results import ModelCard

logger = logging.getLogger(__name__)

_MAX_KEPT = 20


def opened() -> tuple[ModelCard, ...]:
    """Cards of the sources opened before, the last one first; `name` is the source."""
    return tuple(_read())


def open_source(source: str) -> ModelCard:
    """Load a folder or a Hub id, which checks it, and remember it.

    Raises:
        ExplorerError: As `api.load_model`.
    """
    source = source.strip()
    model = api.load_model(source)
    card = ModelCard(
        name=source,
        architecture=model.architecture,
        labels=model.labels,
        n_params=sum(weight.numel() for weight in model.module.parameters()),
        trained_on="opened from a folder" if Path(source).expanduser().is_dir() else "opened from the Hub",
        metrics={},
        status="done",
        fingerprint=model.fingerprint,
        notes=model.notes,
    )
    _change(lambda cards: [card, *(other for other in cards if other.name != source)][:_MAX_KEPT])
    return card


def forget(source: str) -> None:
    """Take a source off the list; the folder or download stays."""
    _change(lambda cards: [card for card in cards if card.name != source])


def _file() -> Path:
    return settings.home() / ".sources.json"


def _read() -> list[ModelCard]:
    """Cards in the file; a file that is missing or broken holds none."""
    try:
        rows = json.loads(_file().read_text(encoding="utf-8"))
        return [ModelCard(**row | {"labels": tuple(row["labels"]), "notes": tuple(row["notes"])}) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.warning("The list of opened models is unreadable: %s", error)
        return []


def _change(change: Callable[[list[ModelCard]], list[ModelCard]]) -> None:
    """Rewrite the file as a whole, one process at a time."""
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps([dataclasses.asdict(card) for card in change(_read())]), encoding="utf-8")
        draft.replace(path)
