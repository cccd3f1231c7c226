"""Disk for state indices: those used longest ago make room, and what does not fit is refused before it is written."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from explorer_core import api, settings
from explorer_core.corpus import _folders
from explorer_core.errors import InvalidInputError
from tests.core.corpus.conftest import corpus, folders


def test_the_index_used_longest_ago_makes_room(lstm, home, monkeypatch):
    keys = [api.index_states(lstm, corpus(), layer=layer).about.key for layer in (0, 1)]
    for age, key in enumerate(keys):
        os.utime(home / ".index" / key / _folders.ABOUT, (1_000 + age, 1_000 + age))
    api.open_index(lstm, corpus(), layer=0)  # now the first one is the newer
    size_mib = sum(path.stat().st_size for path in (home / ".index" / keys[0]).iterdir()) / 2**20
    monkeypatch.setattr(settings, "MAX_INDICES_MIB", 2.5 * size_mib)
    third = api.index_states(lstm, corpus(), quantity="cell").about.key
    assert folders(home) == sorted([keys[0], third])


def test_an_index_larger_than_all_room_is_refused(lstm, home, monkeypatch):
    monkeypatch.setattr(settings, "MAX_INDICES_MIB", 0.001)
    with pytest.raises(InvalidInputError, match="MiB on disk; at most"):
        api.index_states(lstm, corpus())
    assert folders(home) == []


def test_a_full_disk_is_said_before_anything_is_written(lstm, home, monkeypatch):
    monkeypatch.setattr(_folders.shutil, "disk_usage", lambda path: SimpleNamespace(free=2**20))
    with pytest.raises(InvalidInputError, match="has 1 MiB left"):
        api.index_states(lstm, corpus())
    assert folders(home) == []
