"""Files of texts, made in a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: `file("a.csv", "text,label\\n...")`."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


@pytest.fixture
def read(file: Callable[..., Path]) -> Callable[..., Any]:
    """Write a file and read its texts: `read("a.txt", "one\\ntwo", txt="line")`."""

    def open_it(name: str, content: str | bytes, **options: Any) -> Any:
        return api.read_texts([file(name, content)], api.TextsSpec(**options))

    return open_it
