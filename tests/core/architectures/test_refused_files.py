"""Folders whose files are unsafe, damaged or missing are refused in words, and nothing of them ever runs."""

from __future__ import annotations

import json
import os

import pytest

from explorer_core.architectures import _loading
from explorer_core.errors import IncompatibleError, InvalidInputError, NotFoundError, UnsafeModelError
from tests.core.architectures.model_folders import edit, refuse


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "x").mkdir()
    refuse(tmp_path / "x", IncompatibleError, "no config.json")
    with pytest.raises(NotFoundError):
        _loading.check_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "model.ckpt"])
def test_a_pickle_is_unsafe(saved, name):
    folder = saved()
    (folder / "model.safetensors").rename(folder / name)
    refuse(folder, UnsafeModelError, "safetensors only")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_that_comes_with_the_model_is_unsafe(saved, name):
    folder = saved("bert")
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    edit(folder, name, auto_map={"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Tokenizer", None]})
    refuse(folder, UnsafeModelError, "auto_map")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x01\x02", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"xx", (400).to_bytes(8, "little") + b"{}"],
)
def test_a_broken_safetensors_header(saved, content):
    folder = saved()
    (folder / "model.safetensors").write_bytes(content)
    refuse(folder, InvalidInputError, "damaged")


def test_weights_not_copied_to_their_end(saved):
    folder = saved()
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-10])
    refuse(folder, InvalidInputError, "damaged")


@pytest.mark.parametrize(
    ("shard", "kind"),
    [
        ("../sound-lstm/model.safetensors", UnsafeModelError),
        ("/etc/passwd", UnsafeModelError),
        ("..\\x.safetensors", UnsafeModelError),
        ("pytorch_model.bin", UnsafeModelError),
        ("gone.safetensors", InvalidInputError),
    ],
)
def test_an_index_names_only_files_of_its_folder(saved, shard, kind):
    folder = saved()
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    index = {"weight_map": {"classifier.bias": "model-1.safetensors", "classifier.weight": shard}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refuse(folder, kind, "index.json names|is missing")


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 1}}', "{"])
def test_an_index_that_is_none(saved, index):
    folder = saved()
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(index)
    refuse(folder, InvalidInputError, "index.json")


def test_a_model_without_a_tokenizer(saved):
    folder = saved()
    (folder / "tokenizer.json").unlink()
    refuse(folder, IncompatibleError, "no tokenizer")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"version": "1.0", "model": {}}'])
def test_a_broken_tokenizer(saved, content):
    folder = saved()
    (folder / "tokenizer.json").write_bytes(content)
    refuse(folder, IncompatibleError, "tokenizer cannot be opened")


@pytest.mark.parametrize("name", ["pipeline", "AutoModel", "os.system", 3, ["BertTokenizer"]])
def test_a_tokenizer_class_that_is_none(saved, name):
    folder = saved()
    edit(folder, "tokenizer_config.json", tokenizer_class=name)
    refuse(folder, IncompatibleError, "that is none")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[1]",
        b"[" * 200_000,
        b'{"a": ' * 200 + b"1" + b"}" * 200,
        b'{"model_type": "bert", "x": NaN}',
        b'{"x": "' + b"y" * 2_000_000 + b'"}',
        b'{"hidden_size": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_config_that_is_no_config(saved, content):
    folder = saved()
    (folder / "config.json").write_bytes(content)
    refuse(folder, InvalidInputError, "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "chat_templates"])
def test_links_that_leave_the_folder(saved, tmp_path, name):
    folder = saved()
    outside = tmp_path / "outside"
    if (folder / name).exists():
        (folder / name).rename(outside)
    else:
        outside.mkdir()
    (folder / name).symlink_to(outside)
    refuse(folder, UnsafeModelError, "link that leaves")


def test_links_within_the_hubs_cache_are_its_own(saved, tmp_path):
    cache = tmp_path / "models--someone--model"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots").mkdir()
    folder = saved().rename(cache / "snapshots" / "abc")
    (folder / "model.safetensors").rename(cache / "blobs" / "123")
    (folder / "model.safetensors").symlink_to("../../blobs/123")
    assert _loading.load(str(folder), "cpu").architecture == "lstm"


def test_a_pipe_is_not_waited_for(saved):
    folder = saved()
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    refuse(folder, UnsafeModelError, "neither a file nor a folder")


def test_an_adapter_alone_is_explained(saved):
    folder = saved("bert")
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}")
    refuse(folder, IncompatibleError, "merge it")
