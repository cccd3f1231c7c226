"""Which networks there are, and how one is loaded, moved and removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer_core import registry
from explorer_core.registry import About
from explorer_core.results import ModelCard

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def list_families() -> tuple[About, ...]:
    """The model families, without importing torch."""
    return tuple(registry.describe("architectures").values())


def list_sources() -> tuple[About, ...]:
    """The data sources."""
    return tuple(registry.describe("datasets").values())


def list_models() -> tuple[ModelCard, ...]:
    """Every run in the store, in any state, newest first but starters in their own order at the top. No torch."""
    from explorer_core.training import store

    return store.list_cards()


def load_model(source: str, device: str = "auto") -> LoadedModel:
    """A network ready to be read.

    Args:
        source: A run's name, with `@<step>` behind it for one of its checkpoints; a local folder; or a Hub id such as
            `textattack/bert-base-uncased-SST-2`.
        device: `auto` (cuda, else mps, else cpu), `cpu`, `cuda` or `mps`.

    Raises:
        NotFoundError: If there is no such run, folder or Hub repository.
        UnsafeModelError: If loading would have to run code or unpickle.
        IncompatibleError: If it is not a sequence classifier of a known family.
        OfflineError: If the Hub cannot be reached.
    """
    from explorer_core.architectures import _loading

    return _loading.load(source, device)


def free_name(base: str) -> str:
    """A name no model has yet: the wish itself in allowed letters, or with -2, -3, ... after it."""
    from explorer_core.training import store

    return store.free_name(base)


def export_model(name: str, path: str | Path) -> Path:
    """Write one finished run as a zip of its `save_pretrained` folder."""
    from explorer_core.training import archive

    return archive.export_run(name, Path(path))


def import_model(path: str | Path, name: str) -> str:
    """Unpack a zip made by `export_model`, or of any safe model folder, as a run; returns its name."""
    from explorer_core.training import archive

    return archive.import_run(Path(path), name)


def delete_model(name: str) -> None:
    """Move a run to the bin; `restore_model` brings it back until the bin is emptied by the next deletion."""
    from explorer_core.training import store

    store.delete(name)


def restore_model(name: str) -> None:
    """Bring a run back from the bin."""
    from explorer_core.training import store

    store.restore(name)
