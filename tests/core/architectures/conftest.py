"""Sound folders of tiny models."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def saved(tiny_model, tmp_path):
    """A factory of sound folders: `saved("lstm")` writes one and gives its path."""

    def save(family: str = "lstm", **sizes) -> Path:
        model = tiny_model(family, **sizes)
        folder = tmp_path / f"sound-{family}"
        model.module.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        return folder

    return save
