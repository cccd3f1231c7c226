"""Pretrained weights are taken only from files whose digest is right, without importing their package."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open

from explorer_core import settings
from explorer_core.architectures import _pretrained
from explorer_core.errors import NotFoundError


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(_pretrained, "_digests", {})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Pretend the package is a small folder whose weights have the expected digest; gives that folder."""
    import hashlib

    folder = tmp_path / "package" / "model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(settings, "PRETRAINED_SHA256", hashlib.sha256(b"weights").hexdigest())
    place(monkeypatch, folder.parent)
    return folder


def place(monkeypatch, where: Path | None) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(where)]) if where else None
    monkeypatch.setattr(_pretrained.importlib.util, "find_spec", lambda _: spec)


def test_the_installed_package_is_found_and_never_imported(pretrained):
    found = _pretrained.find()
    assert found is not None
    assert (found.folder, found.origin) == (pretrained, "package")
    assert _pretrained.notes() == ()
    assert settings.PRETRAINED_PACKAGE not in sys.modules


def test_the_package_comes_first(package):
    found = _pretrained.find()
    assert found is not None
    assert found.folder == package


def test_a_wrong_digest_is_not_used_and_it_is_said(package):
    (package / "model.safetensors").write_bytes(b"other weights")
    assert _pretrained.find() is None
    assert any("digest differs" in note for note in _pretrained.notes())


def test_a_digest_is_computed_once_and_remembered_in_the_home(package, home, monkeypatch):
    counted = []
    digest_of = _pretrained.hashlib.file_digest
    monkeypatch.setattr(_pretrained.hashlib, "file_digest", lambda *args: counted.append(1) or digest_of(*args))
    assert _pretrained.find() == _pretrained.find()
    _pretrained._digests.clear()  # as in another process
    assert _pretrained.find() is not None
    assert len(counted) == 1
    record = json.loads((home / ".pretrained.json").read_text())
    assert record[str(package / "model.safetensors")]["sha256"] == settings.PRETRAINED_SHA256


def test_weights_that_changed_are_hashed_again(package):
    assert _pretrained.find() is not None
    (package / "model.safetensors").write_bytes(b"changed")
    assert _pretrained.find() is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}'])
def test_a_broken_record_is_written_anew(package, home, content):
    (home / ".pretrained.json").write_text(content)
    assert _pretrained.find() is not None


def test_a_home_that_cannot_be_written_to_is_no_hindrance(package, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "file"))
    assert _pretrained.find() is not None


def test_with_nothing_at_hand_the_cost_is_said(monkeypatch):
    place(monkeypatch, None)
    assert _pretrained.find(allow_hub=True) is None
    assert "accuracy" in _pretrained.notes()[0]
    with pytest.raises(NotFoundError, match="no pretrained weights"):
        _pretrained.load_embeddings()


def test_the_hub_serves_when_the_package_is_missing_and_is_asked_only_when_allowed(package, monkeypatch, tmp_path):
    import huggingface_hub

    copy = tmp_path / "snapshot"
    shutil.copytree(package, copy)
    place(monkeypatch, None)
    asked: list[bool] = []

    def snapshot_download(repo_id: str, *, local_files_only: bool, **_) -> str:
        asked.append(local_files_only)
        if local_files_only:
            raise FileNotFoundError(repo_id)
        return str(copy)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(_pretrained, "is_offline", lambda: False)
    assert _pretrained.find() is None
    assert asked == [True]
    found = _pretrained.find(allow_hub=True)
    assert found is not None
    assert (found.folder, found.origin) == (copy, "hub")
    assert asked == [True, True, False]


def test_the_hub_is_not_asked_offline(monkeypatch):
    import huggingface_hub

    place(monkeypatch, None)

    def snapshot_download(repo_id: str, *, local_files_only: bool, **_) -> str:
        assert local_files_only
        raise FileNotFoundError(repo_id)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert _pretrained.find(allow_hub=True) is None


def test_embeddings_are_the_stored_tensor(pretrained):
    found = _pretrained.load_embeddings()
    with safe_open(pretrained / "model.safetensors", framework="pt") as file:
        stored = file.get_tensor("embeddings.word_embeddings.weight")
    assert found.shape == (30_522, 384)
    assert torch.equal(found, stored.float())


def test_the_tokenizer_neither_cuts_nor_pads_by_itself(pretrained):
    tokenizer = _pretrained.load_tokenizer()
    ids = tokenizer("good " * 300)["input_ids"]
    assert len(ids) == 302
    assert len(tokenizer("good")["input_ids"]) == 3


@pytest.mark.network
@pytest.mark.slow
def test_the_hub_has_the_weights_of_the_package(monkeypatch):
    place(monkeypatch, None)
    found = _pretrained.find(allow_hub=True)
    assert found is not None
    assert found.origin == "hub"
