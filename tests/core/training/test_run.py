"""Training: what it leaves on disk, that it repeats itself, and what happens when it is broken off."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from explorer_core.architectures import _building
from explorer_core.errors import CancelledError, InvalidInputError, JobError
from explorer_core.training import _checkpoints, _engine, recorders, run, store
from explorer_core.training.spec import DataSpec, TrainingSpec

Make = Callable[..., TrainingSpec]
STEPS_PER_EPOCH = 3  # 22 of 30 rows train, 8 in a step


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("family", ["lstm", "rnn"])
def test_a_finished_run_is_an_ordinary_folder_with_a_card(tiny_spec: Make, home: Path, family: str) -> None:
    name = run.train(tiny_spec("mine", family=family))
    folder = home / name
    tokenizer = AutoTokenizer.from_pretrained(folder)
    module = AutoModelForSequenceClassification.from_pretrained(folder)
    logits = module(**tokenizer(["word1 good", "bad"], padding=True, return_tensors="pt")).logits
    assert logits.shape == (2, 2)
    (card,) = store.list_cards()
    assert (card.name, card.architecture, card.status) == ("mine", family, "done")
    assert card.labels == ("negative", "positive")
    assert card.n_params == sum(weight.numel() for weight in module.parameters())
    assert card.trained_on
    assert {"accuracy", "macro_f1", "loss_nats", "test_accuracy"} <= set(card.metrics)
    assert all(0 <= card.metrics[key] <= 1 for key in ("accuracy", "macro_f1", "test_accuracy", "test_macro_f1"))
    assert card.metrics["n_validation"] >= 1
    assert 0.5 <= card.metrics["majority"] <= 1
    assert store.read_status(name).progress == 1.0
    plain = json.loads((folder / "unrolled.json").read_text())
    assert TrainingSpec.from_json(json.dumps(plain["spec"])) == tiny_spec("mine", family=family)


def test_each_epoch_has_a_checkpoint_that_holds_no_pickle(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine", epochs=3))
    folders = sorted(path.name for path in (home / "mine" / "checkpoints").iterdir())
    assert folders == [f"checkpoint-{STEPS_PER_EPOCH * epoch}" for epoch in (1, 2, 3)]
    endings = {path.suffix for path in (home / "mine").rglob("*") if path.is_file()}
    assert endings <= {".json", ".safetensors", ".jsonl", ".txt"}


def test_no_more_checkpoints_are_kept_than_the_budget_allows(
    tiny_spec: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer_core.settings.CHECKPOINT_BUDGET_MIB", 5)  # about 2 MiB each
    run.train(tiny_spec("mine", epochs=4))
    folders = {path.name for path in (home / "mine" / "checkpoints").iterdir()}
    assert folders == {f"checkpoint-{STEPS_PER_EPOCH * epoch}" for epoch in (3, 4)}


def test_the_same_spec_gives_the_same_weights_to_the_bit_and_another_seed_others(
    tiny_spec: Make, weights_of: Any
) -> None:
    first, second = (weights_of(run.train(tiny_spec(name))) for name in ("one", "two"))
    other = weights_of(run.train(tiny_spec("three", seed=1)))
    assert same(first, second)
    assert not same(first, other)


@pytest.mark.parametrize("step", [1, STEPS_PER_EPOCH - 1, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 1])
def test_cancelled_and_resumed_ends_where_an_uninterrupted_run_does(
    tiny_spec: Make, weights_of: Any, stop_after: Any, step: int
) -> None:
    straight = weights_of(run.train(tiny_spec("straight")))
    stop_after(step)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("broken"))
    assert store.read_status("broken").state == "cancelled"
    assert store.read_status("broken").step == step
    stop_after(None)
    resumed = weights_of(run.train(tiny_spec("broken"), resume=True))
    assert all(torch.allclose(straight[key], resumed[key], atol=1e-6, rtol=0) for key in straight)
    curves, whole = store.read_curves("broken"), store.read_curves("straight")
    np.testing.assert_array_equal(curves.step, np.arange(1, 2 * STEPS_PER_EPOCH + 1))
    np.testing.assert_allclose(curves.loss_nats, whole.loss_nats, atol=1e-6)
    np.testing.assert_allclose(curves.learning_rate, whole.learning_rate)
    np.testing.assert_allclose(curves.epoch_loss_nats, whole.epoch_loss_nats, atol=1e-6)


def test_after_a_crash_a_half_written_checkpoint_is_passed_over(
    tiny_spec: Make, home: Path, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = weights_of(run.train(tiny_spec("straight")))

    def crash(recorder: recorders.StepRecorder) -> None:
        if recorder.journal.step == STEPS_PER_EPOCH + 1:
            raise RuntimeError("the crash")
        original(recorder)

    original = recorders.StepRecorder.see_gradients
    monkeypatch.setattr(recorders.StepRecorder, "see_gradients", crash)
    with pytest.raises(RuntimeError, match="the crash"):
        run.train(tiny_spec("broken"))
    status = store.read_status("broken")
    assert status.state == "failed"
    assert "the crash" in status.reason
    monkeypatch.undo()
    monkeypatch.setenv("UNROLLED_HOME", str(home))
    whole = home / "broken" / "checkpoints" / f"checkpoint-{STEPS_PER_EPOCH}"
    half = home / "broken" / "checkpoints" / f"checkpoint-{STEPS_PER_EPOCH + 1}"
    shutil.copytree(whole, half)
    (half / "model.safetensors").write_bytes((whole / "model.safetensors").read_bytes()[:-20])
    assert _checkpoints.find_checkpoint(home / "broken") == whole
    assert same(straight, weights_of(run.train(tiny_spec("broken"), resume=True)))


@pytest.mark.parametrize(
    "file", ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"]
)
def test_a_checkpoint_with_any_part_cut_off_is_not_whole(
    tiny_spec: Make, home: Path, stop_after: Any, file: str
) -> None:
    stop_after(1)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("mine"))
    checkpoint = home / "mine" / "checkpoints" / "checkpoint-1"
    assert _checkpoints.is_whole(checkpoint, 1)
    content = (checkpoint / file).read_bytes()
    (checkpoint / file).write_bytes(content[: len(content) // 2])
    assert not _checkpoints.is_whole(checkpoint, 1)
    (checkpoint / file).unlink()
    assert not _checkpoints.is_whole(checkpoint, 1)


def test_a_loss_that_is_no_number_fails_with_the_step_and_what_to_do(
    tiny_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = _building.build

    def broken(*args: Any) -> Any:
        module, tokenizer = original(*args)
        with torch.no_grad():
            module.classifier.bias.fill_(float("nan"))
        return module, tokenizer

    monkeypatch.setattr(_building, "build", broken)
    with pytest.raises(JobError, match=r"step 1\b.*learning rate"):
        run.train(tiny_spec("mine"))
    status = store.read_status("mine")
    assert status.state == "failed"
    assert "no longer a number" in status.reason
    assert all(np.isfinite(value) for value in status.metrics.values())


def test_a_full_disk_fails_with_the_reason_and_loses_nothing(
    tiny_spec: Make, trained: str, home: Path, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in (home / trained).rglob("*") if path.is_file()}
    original = PreTrainedModel.save_pretrained
    calls = []

    def full(module: Any, folder: Any, **kwargs: Any) -> None:
        calls.append(folder)
        original(module, folder, **kwargs)
        if len(calls) == 2:
            (Path(folder) / "model.safetensors").write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", full)
    with pytest.raises(JobError, match="disk is full"):
        run.train(tiny_spec("mine"))
    assert store.read_status("mine").state == "failed"
    assert "disk is full" in store.read_status("mine").reason
    assert [path.name for path in (home / "mine" / "checkpoints").iterdir()] == [f"checkpoint-{STEPS_PER_EPOCH}"]
    assert {path: path.read_bytes() for path in (home / trained).rglob("*") if path.is_file()} == before
    monkeypatch.setattr(PreTrainedModel, "save_pretrained", original)
    run.train(tiny_spec("mine"), resume=True)
    assert same(weights_of("mine"), weights_of(run.train(tiny_spec("straight"))))


def test_a_disk_without_room_for_one_checkpoint_is_said_before_the_first_step(
    tiny_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    with pytest.raises(JobError, match="MiB are free"):
        run.train(tiny_spec("mine"))
    assert not len(store.read_curves("mine").step)


def test_a_taken_name_is_refused_and_a_free_one_named(tiny_spec: Make, trained: str) -> None:
    with pytest.raises(JobError, match=f"{trained}-2"):
        run.train(tiny_spec(trained))


def test_only_a_broken_off_run_with_its_own_spec_is_resumed(tiny_spec: Make, trained: str, stop_after: Any) -> None:
    with pytest.raises(JobError, match="done"):
        run.train(tiny_spec(trained, epochs=1), resume=True)
    stop_after(1)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("mine"))
    with pytest.raises(JobError, match="hidden_size"):
        run.train(tiny_spec("mine", hidden_size=9), resume=True)


def test_a_run_is_trained_by_one_process_at_a_time(tiny_spec: Make) -> None:
    store.claim(tiny_spec("mine"))
    with store.lock_file("run-mine"), pytest.raises(JobError, match="another process"):
        run.carry_out(tiny_spec("mine"))


def test_early_stopping_keeps_the_weights_of_the_best_epoch(tiny_spec: Make) -> None:
    run.train(tiny_spec("mine", epochs=12, early_stopping=1, learning_rate=0.2, schedule="constant"))
    curves = store.read_curves("mine")
    assert len(curves.epoch) < 12
    best = curves.epoch_loss_nats.min()
    assert curves.epoch_loss_nats[-1] > best
    (card,) = store.list_cards()
    assert card.metrics["loss_nats"] == pytest.approx(best, abs=1e-5)


def test_weights_that_are_frozen_stay_as_they_are(
    tiny_spec: Make, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, kept = _building.build, {}

    def frozen(*args: Any) -> Any:
        module, tokenizer = original(*args)
        module.embedding.weight.requires_grad_(False)
        kept["weight"] = module.embedding.weight.clone()
        return module, tokenizer

    monkeypatch.setattr(_building, "build", frozen)
    run.train(tiny_spec("mine"))
    assert torch.equal(weights_of("mine")["embedding.weight"], kept["weight"])
    assert "embedding" not in store.read_curves("mine").group_names
    (card,) = store.list_cards()
    assert any("stay as they came" in note for note in card.notes)


def test_training_leaves_the_process_as_it_was(tiny_spec: Make) -> None:
    random.seed(3), np.random.seed(3), torch.manual_seed(3)  # type: ignore[func-returns-value]
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(3), np.random.seed(3), torch.manual_seed(3)  # type: ignore[func-returns-value]
    environment = dict(os.environ)
    run.train(tiny_spec("mine", epochs=1))
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.is_grad_enabled()
    assert {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")} == {
        key: value for key, value in environment.items() if not key.startswith("PYTEST")
    }


def test_a_device_or_precision_that_is_not_here_is_refused(tiny_spec: Make) -> None:
    with pytest.raises(InvalidInputError, match="bf16 works on CUDA"):
        _engine.pick_device(tiny_spec(precision="bf16"))
    if not torch.cuda.is_available():
        with pytest.raises(InvalidInputError, match="allowed here: auto"):
            _engine.pick_device(tiny_spec(device="cuda"))


def test_progress_is_reported_and_may_stop_the_work(tiny_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "FLUSH_EVERY_S", 0.0)
    monkeypatch.setattr(recorders, "HEARTBEAT_EVERY_S", 0.0)
    shares: list[float] = []
    run.train(tiny_spec("mine"), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def enough(share: float) -> None:
        if share > 0.4:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        run.train(tiny_spec("other"), progress=enough)
    assert store.read_status("other").state == "cancelled"
    assert 0.4 < store.read_status("other").progress < 1


def test_texts_that_are_cut_are_counted_in_the_card(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine", epochs=1, max_train_tokens=4))
    (card,) = store.list_cards()
    assert any("were cut at 4 tokens" in note for note in card.notes)
    tokenizer = AutoTokenizer.from_pretrained(home / "mine")
    assert len(tokenizer("good " * 9)["input_ids"]) == 9  # cutting was for training only


def test_a_file_whose_name_is_not_unicode_is_learned_from(tiny_spec: Make, tiny_csv: Path, home: Path) -> None:
    path = tiny_csv.rename(os.fsdecode(os.fsencode(tiny_csv.parent) + b"/caf\xe9.csv"))
    spec = tiny_spec("mine", epochs=1, data=DataSpec("local_file", {"path": str(path)}))
    run.train(spec)
    assert store.read_status("mine").state == "done"
    assert json.loads((home / "mine" / "unrolled.json").read_text())["spec"]["data"]["options"] == {"path": str(path)}


@pytest.mark.slow
def test_a_small_random_bert_trains_and_its_layers_are_told_apart(tiny_spec: Make) -> None:
    run.train(tiny_spec("mine", family="bert", start="random", epochs=1))
    names = store.read_curves("mine").group_names
    assert {"embedding", "layer 1", "layer 4", "head"} <= set(names)
    assert "other" not in names


@pytest.mark.gpu
def test_on_cuda_training_repeats_itself_and_uses_bf16(tiny_spec: Make, weights_of: Any) -> None:
    first, second = (weights_of(run.train(tiny_spec(name, device="cuda"))) for name in ("one", "two"))
    assert same(first, second)
