"""Zips: a model travels and comes back the same; what could harm is refused before anything is written."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer_core.architectures import _checking
from explorer_core.errors import (
    ExplorerError,
    IncompatibleError,
    InvalidInputError,
    JobError,
    NotFoundError,
    UnsafeModelError,
)
from explorer_core.training import _status, archive, store
from explorer_core.training._status import JobStatus

Zip = Callable[..., Path]


@pytest.fixture
def exported(keep: Any, tmp_path: Path) -> Path:
    return archive.export_run(keep("lstm", name="mine"), tmp_path / "mine.zip")


@pytest.fixture
def altered(exported: Path, tmp_path: Path) -> Zip:
    """The exported zip with members added, replaced (bytes) or left out (None)."""

    def make(changes: dict[str, bytes | None], prefix: str = "") -> Path:
        path = tmp_path / "altered.zip"
        with zipfile.ZipFile(exported) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                if name not in changes:
                    target.writestr(prefix + name, source.read(name))
            for name, content in changes.items():
                if content is not None:
                    target.writestr(prefix + name, content)
        return path

    return make


def left_behind(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} - {"mine", ".slots"}


def test_a_model_comes_back_with_the_same_weights_and_card(exported: Path, home: Path) -> None:
    assert archive.import_run(exported, "copy") == "copy"
    assert _checking.fingerprint(home / "copy") == _checking.fingerprint(home / "mine")
    before, after = store.find_card("mine"), store.find_card("copy")
    assert (after.architecture, after.labels, after.n_params) == (before.architecture, before.labels, before.n_params)
    told = {name: value for name, value in before.metrics.items() if name not in ("n_validation", "majority")}
    assert (after.metrics, after.trained_on, after.status) == (told, before.trained_on, "done")
    assert left_behind(home) == {"copy"}


def test_an_export_holds_no_checkpoint_log_or_spec(keep: Any, home: Path, tmp_path: Path) -> None:
    folder = home / keep("lstm", name="mine")
    (folder / "checkpoints" / "checkpoint-1").mkdir(parents=True)
    (folder / "checkpoints" / "checkpoint-1" / "model.safetensors").write_bytes(b"x")
    for name in ("log.txt", "progress.jsonl", "spec.json", "cancel", ".hidden.json"):
        (folder / name).write_text("{}")
    with zipfile.ZipFile(archive.export_run("mine", tmp_path / "mine.zip")) as found:
        assert set(found.namelist()) == {
            "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "unrolled.json",
        }  # fmt: skip


def test_only_what_is_done_is_exported(keep: Any, home: Path, tmp_path: Path) -> None:
    keep("lstm", name="mine")
    _status.write(home / "mine", JobStatus("running"))
    with pytest.raises(JobError, match="running"):
        archive.export_run("mine", tmp_path / "mine.zip")
    with pytest.raises(NotFoundError):
        archive.export_run("nobody", tmp_path / "mine.zip")
    assert not (tmp_path / "mine.zip").exists()


def test_a_folder_around_the_model_and_files_it_does_not_need_do_no_harm(altered: Zip, home: Path) -> None:
    path = altered(
        {"README.md": b"# hello", "1_Pooling/config.json": b"{}", ".gitattributes": b"x"}, prefix="my-model/"
    )
    archive.import_run(path, "copy")
    assert store.find_card("copy").architecture == "lstm"
    assert not (home / "copy" / "README.md").exists()
    assert not (home / "copy" / "1_Pooling").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "a/../../evil.json",
        "/tmp/evil.json",
        "..\\evil.json",
        "C:\\evil.json",
        "C:/evil.json",
        "a/../b.json",
    ],
)
def test_a_name_that_leads_out_of_the_zip_is_refused(altered: Zip, home: Path, tmp_path: Path, name: str) -> None:
    before = set(tmp_path.rglob("*"))
    path = altered({name: b"{}"})
    with pytest.raises(UnsafeModelError, match="outside"):
        archive.import_run(path, "copy")
    assert set(tmp_path.rglob("*")) - before == {path}


def test_a_link_is_refused(exported: Path, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    path.write_bytes(exported.read_bytes())
    link = zipfile.ZipInfo("vocab.txt")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeModelError, match="link"):
        archive.import_run(path, "copy")
    assert left_behind(home) == set()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "deep/inside/x.PKL", "training_args.bin"])
def test_a_pickle_inside_is_refused(altered: Zip, home: Path, name: str) -> None:
    with pytest.raises(UnsafeModelError, match="pickle"):
        archive.import_run(altered({name: b"\x80\x04."}), "copy")
    assert left_behind(home) == set()


def test_a_pickle_called_safetensors_is_refused(altered: Zip, home: Path) -> None:
    with pytest.raises(ExplorerError):
        archive.import_run(altered({"model.safetensors": b"\x80\x04cos\nsystem\n."}), "copy")
    assert left_behind(home) == set()


def test_a_config_that_wants_to_run_code_is_refused(altered: Zip, exported: Path, home: Path) -> None:
    with zipfile.ZipFile(exported) as source:
        config = json.loads(source.read("config.json")) | {"auto_map": {"AutoModel": "evil.Evil"}}
    with pytest.raises(UnsafeModelError, match="auto_map"):
        archive.import_run(altered({"config.json": json.dumps(config).encode(), "evil.py": b"1/0"}), "copy")
    assert left_behind(home) == set()


def test_a_bomb_is_refused_by_its_table_of_contents(altered: Zip, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer_core.settings.MAX_ZIP_MIB", 1)
    path = altered({"vocab.txt": bytes(2 * 2**20)})
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(InvalidInputError, match="larger than 1 MiB"):
        archive.import_run(path, "copy")
    assert left_behind(home) == set()


def test_a_member_longer_than_it_says_is_refused(altered: Zip, home: Path) -> None:
    path = altered({"vocab.txt": None, "added.txt": b"y" * 1_000})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):  # length in the table and at the member
        start = content.rindex(signature + content[content.rindex(signature) + 4 : content.rindex(signature) + 6])
        struct.pack_into("<I", content, start + offset, 10)
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidInputError, match="damaged"):
        archive.import_run(path, "copy")
    assert left_behind(home) == set()


def test_too_many_files_are_refused(altered: Zip, home: Path) -> None:
    with pytest.raises(InvalidInputError, match="files"):
        archive.import_run(altered({f"{number}.txt": b"" for number in range(200)}), "copy")


def test_two_files_of_one_name_are_refused(altered: Zip, home: Path) -> None:
    with pytest.raises(UnsafeModelError, match="twice"):
        archive.import_run(altered({"CONFIG.json": b"{}"}), "copy")


def test_what_is_no_zip_or_cut_off_or_empty_is_refused(exported: Path, home: Path, tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"", b"hello", exported.read_bytes()[:-40], empty.getvalue(), b"PK\x03\x04" + b"\0" * 100):
        path = tmp_path / "bad.zip"
        path.write_bytes(content)
        with pytest.raises(InvalidInputError):
            archive.import_run(path, "copy")
    damaged = bytearray(exported.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(bytes(damaged))
    with pytest.raises(ExplorerError):
        archive.import_run(path, "copy")
    with pytest.raises(NotFoundError):
        archive.import_run(tmp_path / "nothing.zip", "copy")
    assert left_behind(home) == set()


def test_an_encrypted_zip_is_refused(exported: Path, home: Path, tmp_path: Path) -> None:
    content = bytearray(exported.read_bytes())
    start = content.index(b"PK\x01\x02")
    content[start + 8] |= 1
    path = tmp_path / "locked.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidInputError, match="encrypted"):
        archive.import_run(path, "copy")


def test_a_model_of_another_kind_is_refused(altered: Zip, home: Path) -> None:
    with pytest.raises(IncompatibleError):
        archive.import_run(altered({"config.json": b'{"model_type": "gpt2"}'}), "copy")
    assert left_behind(home) == set()


def test_a_taken_or_hostile_name_is_refused(exported: Path, home: Path) -> None:
    with pytest.raises(JobError, match="mine-2"):
        archive.import_run(exported, "mine")
    with pytest.raises(InvalidInputError):
        archive.import_run(exported, "../up")


@pytest.mark.parametrize(
    "card",
    [b"[]", b"{", b'{"metrics": 3, "trained_on": ["x"], "name": "../up", "status": "running"}',
     b'{"metrics": {"accuracy": "<b>", "loss_nats": 1e999}, "architecture": "evil", "labels": 9}'],
)  # fmt: skip
def test_a_card_that_lies_is_not_believed(altered: Zip, home: Path, card: bytes) -> None:
    archive.import_run(altered({"unrolled.json": card}), "copy")
    found = store.find_card("copy")
    assert (found.name, found.architecture, found.status) == ("copy", "lstm", "done")
    assert found.labels == ("negative", "positive")
    assert found.metrics == {}


def test_an_archive_that_cannot_be_written_is_said(keep: Any, tmp_path: Path) -> None:
    keep("lstm", name="mine")
    (tmp_path / "file").write_text("x")
    with pytest.raises(JobError, match="cannot be written"):
        archive.export_run("mine", tmp_path / "file" / "mine.zip")
