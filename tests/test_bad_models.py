"""Folders that are no models, or that would run something: refused at every door, nothing executed."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api
from explorer_core.errors import ExplorerError, UnsafeModelError
from tests.doors import assert_is_a_sentence


def spoil_nothing(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def spoil_config_json(folder: Path) -> None:
    (folder / "config.json").write_text("{'not': json")


def spoil_config_kind(folder: Path) -> None:
    (folder / "config.json").write_text("[1, 2, 3]")


def spoil_config_depth(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 200_000)


def spoil_config_bytes(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff\xfe\x00\x80" * 100)


def spoil_family(folder: Path) -> None:
    edit_config(folder, model_type="gpt2", architectures=["GPT2LMHeadModel"])


def spoil_sizes(folder: Path) -> None:
    edit_config(folder, hidden_size=10**9)


def spoil_size_kind(folder: Path) -> None:
    edit_config(folder, hidden_size="large")


def spoil_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")


def spoil_header_json(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 8) + b"not json" + b"\0" * 64)


def spoil_length(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def spoil_empty_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def spoil_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Nonsense"}}')


def spoil_names(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    save_file({f"other.{name}": values for name, values in load_file(path).items()}, path, metadata={"format": "pt"})


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


SPOILERS = [value for name, value in list(globals().items()) if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_a_folder_that_is_no_model_is_refused(
    refused: Any, unchanged: str, home: Path, tmp_path: Path, spoil: Any
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(home / unchanged, folder)
    spoil(folder)
    with pytest.raises(ExplorerError) as caught:
        api.load_model(str(folder))
    assert_is_a_sentence(caught.value)
    assert_is_a_sentence(refused("predict", "--model", str(folder), "good"))


def test_a_file_and_an_empty_folder_are_no_models(unchanged: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "empty", tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(ExplorerError) as caught:
            api.load_model(str(path))
        assert_is_a_sentence(caught.value)


@pytest.mark.parametrize("ending", ["pytorch_model.bin", "model.pt", "model.pkl", "model.ckpt"])
def test_a_pickle_is_never_opened(refused: Any, unchanged: str, home: Path, tmp_path: Path, ending: str) -> None:
    folder, mark = tmp_path / "pickled", tmp_path / "owned"
    shutil.copytree(home / unchanged, folder)
    (folder / "model.safetensors").unlink()
    (folder / ending).write_bytes(f"cos\nsystem\n(S'touch {mark}'\ntR.".encode())
    with pytest.raises(ExplorerError) as caught:
        api.load_model(str(folder))
    assert_is_a_sentence(caught.value)
    refused("predict", "--model", str(folder), "good")
    assert not mark.exists()


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_that_a_model_brings_along_is_never_run(
    refused: Any, unchanged: str, home: Path, tmp_path: Path, file: str
) -> None:
    folder, mark = tmp_path / "remote", tmp_path / "owned"
    shutil.copytree(home / unchanged, folder)
    (folder / "evil.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\nclass Evil: pass\n")
    path = folder / file
    auto_map = dict.fromkeys(("AutoConfig", "AutoModelForSequenceClassification", "AutoTokenizer"), "evil.Evil")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": auto_map}))
    with pytest.raises(UnsafeModelError) as caught:
        api.load_model(str(folder))
    assert_is_a_sentence(caught.value)
    refused("predict", "--model", str(folder), "good")
    assert not mark.exists()


def test_weights_that_are_not_numbers_give_a_sentence_and_no_picture(
    refused: Any, unchanged: str, home: Path, tmp_path: Path
) -> None:
    import numpy as np
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "nan"
    shutil.copytree(home / unchanged, folder)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"] = np.full_like(weights["classifier.weight"], np.nan)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "finite" in refused("predict", "--model", str(folder), "good")
    assert "finite" in refused("trace", "--model", str(folder), "--text", "good")
