"""What names a model: a run, a folder or a Hub id; the Hub itself is played by a local folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from explorer_core.architectures import _loading
from explorer_core.errors import IncompatibleError, InvalidInputError, NotFoundError, OfflineError, UnsafeModelError
from tests.core.architectures.model_folders import edit


@pytest.mark.parametrize("source", ["", "  ", "a\0b", "x" * 2000, None, 7])
def test_a_source_that_names_nothing_is_refused(source):
    with pytest.raises(InvalidInputError, match="named by"):
        _loading.load(source)


@pytest.mark.parametrize(
    "source",
    ["no-such-run", "/no/such/folder", "../..//x", "a/b/c", "own--er/name", "owner/na..me", "<b>x</b>", "ümlaut/x"],
)
def test_an_unknown_model_is_not_found(source):
    with pytest.raises(NotFoundError, match="There is no model"):
        _loading.load(source)


def test_a_hub_id_offline_says_so_at_once():
    with pytest.raises(OfflineError, match="Hub cannot be reached"):
        _loading.load("someone/some-classifier")


def test_an_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInputError, match="auto, cpu, cuda, mps"):
        _loading.load("anything", "tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match="no cuda device"):
        _loading.load("anything", "cuda")


def test_a_run_that_still_trains_is_not_ready(home):
    (home / "young").mkdir()
    (home / "young" / "status.json").write_text("{}")
    with pytest.raises(NotFoundError, match="not ready"):
        _loading.load("young")


@pytest.fixture
def hub(monkeypatch):
    """A Hub whose only repository is a local folder; records what was asked of it."""
    import huggingface_hub

    asked: list[list[str]] = []

    def serve(folder: Path, fail: Exception | None = None) -> list[list[str]]:
        def snapshot_download(repo_id: str, *, allow_patterns, **_) -> str:
            asked.append(list(allow_patterns))
            if fail:
                raise fail
            return str(folder)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        return asked

    return serve


def test_a_hub_repository_loads_after_the_same_checks(saved, hub):
    asked = hub(saved("bert"))
    model = _loading.load("someone/tiny-bert", "cpu")
    assert (model.name, model.architecture) == ("someone/tiny-bert", "bert")
    assert not any(pattern.endswith((".bin", ".py", "*")) for patterns in asked for pattern in patterns)


@pytest.mark.parametrize("changes", [{"model_type": "llama"}, {"auto_map": {"AutoConfig": "x.Y"}}])
def test_weights_of_a_foreign_repository_are_not_fetched(saved, hub, changes):
    folder = saved("bert")
    edit(folder, **changes)
    asked = hub(folder)
    with pytest.raises((IncompatibleError, UnsafeModelError)):
        _loading.load("someone/other")
    assert len(asked) == 1
    assert not any("safetensors" in pattern and "index" not in pattern for pattern in asked[0])


def test_a_repository_that_is_not_there(hub, tmp_path):
    from huggingface_hub.errors import RepositoryNotFoundError

    response = SimpleNamespace(headers={}, request=None, status_code=404)
    hub(tmp_path, RepositoryNotFoundError("no", response=response))
    with pytest.raises(NotFoundError, match="no public model"):
        _loading.load("someone/nothing")


@pytest.mark.network
@pytest.mark.slow
def test_a_public_classifier_loads_from_the_hub():
    model = _loading.load("hf-internal-testing/tiny-random-BertForSequenceClassification", "cpu")
    assert model.architecture == "bert"
