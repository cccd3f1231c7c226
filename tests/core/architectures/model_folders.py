"""Folders of models made wrong on purpose, and the check that they are refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from explorer_core.architectures import _loading
from explorer_core.errors import ExplorerError


def edit(folder: Path, name: str = "config.json", **changes) -> None:
    """Set fields of a JSON file; `None` takes one out."""
    plain = json.loads((folder / name).read_text()) | changes
    (folder / name).write_text(json.dumps({key: value for key, value in plain.items() if value is not None}))


def edit_weights(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def refuse(folder: Path, kind: type[ExplorerError], words: str) -> None:
    """The folder is refused, also without loading where its files alone show the fault, and no message is a page."""
    with pytest.raises(kind, match=words) as found:
        _loading.load(str(folder), "cpu")
    assert len(str(found.value)) < 500
    assert str(found.value).endswith((".", ")"))
