"""Saved epochs of a run: which there are, loading them safely, and what they make of a text and of pairs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from explorer_core import api, settings
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError, JobError, NotFoundError
from explorer_core.results import Checkpoint
from explorer_core.training import _checkpoints, _engine, run, store
from explorer_core.training.spec import TrainingSpec
from tests.core.oracle import read

Make = Callable[..., TrainingSpec]
TEXT = "word1 good word2 bad"
PER_EPOCH = 3


@pytest.fixture
def three(tiny_spec: Make) -> str:
    """A finished run of three epochs."""
    return run.train(tiny_spec("mine", epochs=3, learning_rate=0.02))


def models_of(name: str) -> dict[Any, Any]:
    return {one: api.load_checkpoint(name, one.step) for one in api.list_checkpoints(name) if not one.problem}


# Which there are ----------------------------------------------------------------------------------------------------


def test_checkpoints_are_listed_by_step_with_their_epoch(three: str, home: Path) -> None:
    found = api.list_checkpoints(three)
    assert [(one.step, one.epoch, one.problem) for one in found] == [(3, 1.0, ""), (6, 2.0, ""), (9, 3.0, "")]
    assert all(one.folder == home / three / "checkpoints" / f"checkpoint-{one.step}" for one in found)


@pytest.mark.parametrize("file", ["model.safetensors", "trainer_state.json"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_half_written_checkpoint_is_named_and_passed_over(three: str, file: str, how: str) -> None:
    path = api.list_checkpoints(three)[1].folder / file
    path.write_bytes(path.read_bytes()[:-20]) if how == "cut" else path.unlink()
    first, half, last = api.list_checkpoints(three)
    assert not first.problem
    assert not last.problem
    assert "checkpoint-6 was not written to its end" in half.problem
    with pytest.raises(InvalidInputError, match=r"checkpoint-6 was not written to its end.*choose another"):
        api.load_checkpoint(three, 6)
    assert api.load_checkpoint(three, 9).name == "mine@9"


def test_junk_among_the_checkpoints_is_no_checkpoint(three: str, home: Path) -> None:
    folder = home / three / "checkpoints"
    (folder / "checkpoint-x").mkdir()
    (folder / "checkpoint-7").write_text("a file")
    (folder / "checkpoint-8").mkdir()
    (folder / "checkpoint-8" / "trainer_state.json").write_text('{"global_step": 8, "epoch": 1e999}')
    assert [one.step for one in api.list_checkpoints(three) if not one.problem] == [3, 6, 9]
    assert [one.step for one in api.list_checkpoints(three)] == [3, 6, 8, 9]


def test_a_run_without_checkpoints_and_a_folder_that_is_no_run_are_said(keep: Any, tmp_path: Path) -> None:
    name = keep("lstm", name="imported")
    assert api.list_checkpoints(name) == ()
    with pytest.raises(NotFoundError, match="no checkpoint of step 5; there are: none"):
        api.load_checkpoint(name, 5)
    for foreign in (str(tmp_path), "owner/model", "nobody", "../imported"):
        with pytest.raises(NotFoundError, match="is no run of this store"):
            api.list_checkpoints(foreign)
        with pytest.raises(NotFoundError, match="is no run of this store"):
            api.load_checkpoint(foreign, 1)


def test_a_step_that_was_not_saved_is_refused_with_those_there_are(three: str) -> None:
    with pytest.raises(NotFoundError, match="no checkpoint of step 4; there are: 3, 6, 9"):
        api.load_checkpoint(three, 4)


# Loading one --------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_the_network_as_it_was_then_with_a_fingerprint_of_its_own(three: str) -> None:
    models = models_of(three)
    for one, model in models.items():
        saved = load_file(one.folder / "model.safetensors")
        assert all(torch.equal(weight, saved[name]) for name, weight in model.module.state_dict().items())
        assert not any(weight.requires_grad for weight in model.module.parameters())
        assert not model.module.training
    assert len({model.fingerprint for model in models.values()}) == 3
    final = api.load_model(three)
    *_, last = models.values()
    assert torch.equal(last.module.classifier.weight, final.module.classifier.weight)


def test_a_checkpoint_has_a_name_that_loads_it_anywhere(three: str, command: Any) -> None:
    model = api.load_model("mine@6")
    assert model.name == "mine@6"
    assert model.fingerprint == api.load_checkpoint(three, 6).fingerprint
    said = command("predict", TEXT, "--model", "mine@6", "--json").json
    wanted = api.predict(model, [TEXT]).probs[0]
    assert list(said["texts"][0]["probs"].values()) == pytest.approx(wanted.tolist(), abs=1e-6)
    with pytest.raises(NotFoundError, match="no checkpoint of step 5"):
        api.load_model("mine@5")
    with pytest.raises(NotFoundError):
        api.load_model("nobody@6")


def test_word_vectors_that_never_moved_are_shared_and_others_are_not(three: str) -> None:
    final = api.load_model(three)
    moved = api.load_checkpoint(three, 3, like=final)
    assert moved.module.embedding.weight is not final.module.embedding.weight
    same = api.load_checkpoint(three, 9, like=final)
    assert same.module.embedding.weight is final.module.embedding.weight
    np.testing.assert_array_equal(api.predict(same, [TEXT]).logits, api.predict(final, [TEXT]).logits)


def test_a_checkpoint_whose_weights_are_no_numbers_is_refused(three: str) -> None:
    path = api.list_checkpoints(three)[0].folder / "model.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(IncompatibleError, match=r"not finite.*earlier checkpoint"):
        api.load_checkpoint(three, 3)


def test_a_checkpoint_that_would_unpickle_is_never_opened(three: str) -> None:
    folder = api.list_checkpoints(three)[0].folder
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InvalidInputError, match="not written to its end"):
        api.load_checkpoint(three, 3)


def test_a_bundle_of_a_checkpoint_names_the_checkpoint(three: str, tmp_path: Path) -> None:
    import zipfile

    model = api.load_checkpoint(three, 6)
    made = [api.Made("trace_running", {}, api.trace_running(model, TEXT))]
    path = api.reproduce_bundle(tmp_path / "a.zip", model, TEXT, made)
    told = json.loads(zipfile.ZipFile(path).read("settings.json"))["model"]
    assert (told["name"], told["source"]) == ("mine@6", "a checkpoint of a run in UNROLLED_HOME")
    assert api.load_model(told["name"]).fingerprint == told["fingerprint"]


# Keeping them while a run trains ------------------------------------------------------------------------------------


def test_a_run_that_stops_keeps_the_weights_of_every_epoch_and_the_optimiser_of_the_last(
    tiny_spec: Make, stop_after: Any, home: Path
) -> None:
    stop_after(7)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("mine", epochs=3))
    assert [one.step for one in api.list_checkpoints("mine") if not one.problem] == [3, 6, 7]
    has_optimiser = {path.parent.name for path in (home / "mine" / "checkpoints").rglob("optimizer.pt")}
    assert has_optimiser == {"checkpoint-7"}
    assert _checkpoints.find_checkpoint(home / "mine") == home / "mine" / "checkpoints" / "checkpoint-7"
    stop_after(None)
    run.train(tiny_spec("mine", epochs=3), resume=True)
    assert [one.step for one in api.list_checkpoints("mine")] == [3, 6, 7, 9]


def test_a_newest_checkpoint_that_is_not_whole_takes_nothing_from_the_one_before(
    tiny_spec: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = _checkpoints.is_whole
    monkeypatch.setattr(_checkpoints, "is_whole", lambda path, step: step != 6 and original(path, step))

    def crash(recorder: Any) -> None:
        if recorder.journal.step == 7:
            raise RuntimeError("the crash")
        see(recorder)

    see = _engine.StepRecorder.see_gradients
    monkeypatch.setattr(_engine.StepRecorder, "see_gradients", crash)
    with pytest.raises(RuntimeError, match="the crash"):
        run.train(tiny_spec("mine", epochs=3))
    assert _checkpoints.find_checkpoint(home / "mine") == home / "mine" / "checkpoints" / "checkpoint-3"


@pytest.mark.parametrize(("budget_mib", "n_kept"), [(40, 1), (90, 1), (100, 2), (117, 2), (118, 3), (136, 4), (900, 6)])
def test_as_many_checkpoints_are_kept_as_fit_with_two_of_them_whole(
    tiny_spec: Make, home: Path, monkeypatch: pytest.MonkeyPatch, budget_mib: int, n_kept: int
) -> None:
    module = nn.Linear(2_048, 2_048, bias=False)  # 16 MiB, and 2 for a tokenizer; 50 with what AdamW keeps
    monkeypatch.setattr(settings, "CHECKPOINT_BUDGET_MIB", budget_mib)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**30))
    assert _engine._checkpoints_kept(tiny_spec("mine", epochs=5), home, module) == n_kept


# The same text at each ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm", "bilstm"])
def test_a_text_is_read_at_every_checkpoint_as_that_network_reads_it(tiny_spec: Make, family: str) -> None:
    """Logits of every prefix from the float64 oracle; the rest from the calls that read one model."""
    name = run.train(tiny_spec("mine", family=family, num_layers=2, learning_rate=0.02))
    models = models_of(name)
    found = api.trace_checkpoints(models, TEXT, "positive")
    assert (found.model, found.target_label, found.step.tolist()) == ("mine", "positive", [3, 6])
    for index, (one, model) in enumerate(models.items()):
        assert found.fingerprints[index] == model.fingerprint
        assert found.epoch[index] == one.epoch
        ids = model.tokenizer(TEXT)["input_ids"]
        vectors = model.module.embedding.weight.detach()[ids]
        wanted = np.stack([read(model.module, vectors[: stop + 1]).logits for stop in range(len(ids))])
        np.testing.assert_allclose(found.running_logits[index], wanted, atol=1e-5)
        gradients = api.trace_gradients(model, TEXT, "positive")
        np.testing.assert_array_equal(found.grad_norm[index], gradients.embedding_norm_by_word)
        np.testing.assert_array_equal(found.strength[index], api.trace_connectivity(model, TEXT, "positive").strength)
        trace = api.trace_states(model, TEXT)
        for state, gate in enumerate(found.state_names):
            values = np.abs(trace.quantities()[gate]) if gate in ("candidate", "hidden") else trace.quantities()[gate]
            for direction in range(len(trace.directions)):
                at_words = values[:, direction, trace.pos_of_words(direction)].mean(-1)
                np.testing.assert_allclose(found.state_mean[index, :, direction, :, state], at_words, atol=1e-6)


def test_steps_of_the_words_add_up_to_the_logit_and_changes_to_its_change(three: str) -> None:
    found = api.trace_checkpoints(models_of(three), TEXT)
    last = found.running_logits[:, -1, found.target]
    np.testing.assert_allclose(found.word_steps.sum(1), last, atol=1e-5)
    np.testing.assert_allclose(found.changes(2).sum(), last[2] - last[1], atol=1e-5)
    assert not found.changes(0).any()
    frame = found.to_frame()
    assert len(frame) == 3 * len(found.words)
    np.testing.assert_allclose(frame["prob_negative"] + frame["prob_positive"], 1, atol=1e-6)


def test_the_class_followed_is_that_of_the_last_checkpoint_unless_another_is_named(three: str) -> None:
    models = models_of(three)
    *_, last = models.values()
    assert api.trace_checkpoints(models, TEXT).target == int(api.predict(last, [TEXT]).logits[0].argmax())
    assert api.trace_checkpoints(models, TEXT, 0).target_label == "negative"
    with pytest.raises(InvalidInputError, match="no class"):
        api.trace_checkpoints(models, TEXT, "neutral")


def test_reading_at_every_checkpoint_tells_how_far_it_is_and_can_be_stopped(three: str) -> None:
    shares: list[float] = []
    api.trace_checkpoints(models_of(three), TEXT, progress=shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])

    def enough(share: float) -> None:
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        api.trace_checkpoints(models_of(three), TEXT, progress=enough)


def test_no_checkpoint_and_checkpoints_of_two_runs_are_refused(three: str, tiny_spec: Make) -> None:
    with pytest.raises(NotFoundError, match="no checkpoint to read"):
        api.trace_checkpoints({}, TEXT)
    with pytest.raises(NotFoundError, match="no checkpoint to judge"):
        api.evaluate_checkpoints({}, api.DataSpec())
    other = run.train(tiny_spec("other", family="rnn", epochs=1))
    one, two = models_of(three), models_of(other)
    with pytest.raises(IncompatibleError, match="not of one run"):
        api.trace_checkpoints({**one, **two}, TEXT)


def test_the_checkpoints_of_a_bert_are_read_without_gates(tiny_model: Any, home: Path) -> None:
    model = tiny_model("bert")
    one, two = (Checkpoint(step, step / 2, home) for step in (1, 2))
    found = api.trace_checkpoints({one: model, two: tiny_model("bert", seed=1)}, "the film was good", 0)
    assert found.state_names == found.directions == ()
    np.testing.assert_allclose(found.running_logits[0], api.running_verdict(model, "the film was good"), atol=1e-6)
    assert found.strength is not None
    assert api.trace_checkpoints({one: model}, "good", with_connectivity=False).strength is None


def test_a_broken_run_is_scrubbed_up_to_where_it_broke(tiny_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    original = _engine.RecordingTrainer.training_step
    calls: list[Any] = []

    def poison(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if len(calls) == PER_EPOCH + 2:
            with torch.no_grad():
                trainer.model.classifier.bias.fill_(float("nan"))
        return original(trainer, *args, **kwargs)

    monkeypatch.setattr(_engine.RecordingTrainer, "training_step", poison)
    with pytest.raises(JobError):
        run.train(tiny_spec("mine"))
    assert store.read_status("mine").state == "failed"
    found = api.trace_checkpoints(models_of("mine"), TEXT)
    assert found.step.tolist() == [PER_EPOCH]
