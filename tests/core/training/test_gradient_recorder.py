"""Recordings of gradients while a run trains: the numbers, the file, and that training does not feel them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, InvalidInputError, JobError, NotFoundError
from explorer_core.training import _engine, _gradient_log, history, price, run, starters, store
from explorer_core.training.spec import TrainingSpec
from tests.core import autograd_oracle

Make = Callable[..., TrainingSpec]
N_STEPS = 6  # two epochs of three


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a few steps is recorded after every one of them."""
    monkeypatch.setattr(_gradient_log, "LEAST_STEPS", 1)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


# When, and of what --------------------------------------------------------------------------------------------------


def test_recordings_stand_close_at_the_beginning_and_at_both_ends() -> None:
    steps = _gradient_log.recording_steps(1_600, 20)
    assert steps == tuple(1_600 * k * k // 400 for k in range(21))
    gaps = np.diff(steps)
    assert (np.diff(gaps) > 0).all()


@pytest.mark.parametrize(("n_steps", "wanted"), [(1, 20), (15, 20), (100, 20), (1_000, 1), (1_000, 200), (31, 3)])
def test_recordings_are_no_more_than_wanted_and_than_a_short_run_can_bear(n_steps: int, wanted: int) -> None:
    steps = _gradient_log.recording_steps(n_steps, wanted)
    assert (steps[0], steps[-1]) == (0, n_steps)
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= 1 + max(1, min(wanted, n_steps // _gradient_log.LEAST_STEPS))
    assert _gradient_log.recording_steps(n_steps, 0) == ()


def test_the_texts_are_long_ones_of_one_length_and_the_seed_draws_them() -> None:
    rows = [{"input_ids": list(range(1, 2 + number)), "labels": number % 2} for number in range(60)]
    ids, labels = _gradient_log.choose_texts(rows, 3, keeps_first=False)
    assert ids.shape == (_gradient_log.N_TEXTS, 60 - 2 * _gradient_log.N_TEXTS + 1)
    assert (ids[:, -1] % 2 == (labels + 1) % 2).all()  # the last token of text n is n + 1
    assert (np.diff(ids, axis=1) == 1).all()  # the end of each text, not its beginning
    again, other = (_gradient_log.choose_texts(rows, seed, keeps_first=False)[0] for seed in (3, 4))
    np.testing.assert_array_equal(ids, again)
    assert not np.array_equal(ids, other)
    marked, _ = _gradient_log.choose_texts(rows, 3, keeps_first=True)
    assert (marked[:, 0] == 1).all()
    np.testing.assert_array_equal(marked[:, 1:], ids[:, 1:])


@pytest.mark.parametrize("n_rows", [1, 2, 23])
def test_a_few_short_rows_are_all_read(n_rows: int) -> None:
    rows = [{"input_ids": [5, 6, 7][: 1 + number % 3], "labels": 0} for number in range(n_rows)]
    ids, labels = _gradient_log.choose_texts(rows, 0, keeps_first=False)
    assert ids.shape == (min(n_rows, _gradient_log.N_TEXTS), 1)
    assert len(labels) == len(ids)


def test_texts_longer_than_is_looked_back_are_read_from_their_end() -> None:
    rows = [{"input_ids": list(range(400)), "labels": 1}] * 40
    ids, _ = _gradient_log.choose_texts(rows, 0, keeps_first=False)
    assert ids.shape[1] == _gradient_log.MAX_DISTANCES
    assert (ids[:, -1] == 399).all()


# The numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["rnn", "lstm", "bilstm"])
def test_recorded_norms_are_those_of_autograd_at_the_weights_of_that_step(tiny_spec: Make, family: str) -> None:
    """At the last step, from the kept weights, over a hand-unrolled cell in float64: to the six digits of the file."""
    spec = tiny_spec("mine", family=family, num_layers=2)
    run.train(spec)
    found = api.gradient_history("mine")
    assert found.step.tolist() == [0, N_STEPS]
    model = api.load_model("mine")
    ids, labels = texts_of(spec, model)
    wanted, losses = [], []
    for row, label in zip(ids, labels.tolist(), strict=True):
        vectors = model.module.embedding.weight.detach()[torch.from_numpy(row)].double()
        norms = np.linalg.norm(
            autograd_oracle.gradients(model.module, vectors, lambda z, k=label: -z.log_softmax(-1)[k]).hidden, axis=-1
        )
        wanted.append(np.concatenate([norms[:, :1, ::-1], norms[:, 1:]], axis=1))
        losses.append(-float(autograd_oracle.unroll(model.module, vectors).logits.detach().log_softmax(-1)[label]))
    np.testing.assert_allclose(found.hidden_norm[-1], np.mean(wanted, axis=0), rtol=1e-4)
    assert found.loss_nats[-1] == pytest.approx(np.mean(losses), rel=1e-4)
    assert found.directions == (("forward", "backward") if family == "bilstm" else ("forward",))
    assert found.layer_names == ("layer 1", "layer 2")


def texts_of(spec: TrainingSpec, model: Any) -> tuple[np.ndarray, np.ndarray]:
    """The fixed texts, found again from the data and the tokenizer that was kept."""
    data = api.read_data(spec.data)
    rows = [
        {"input_ids": model.tokenizer(data.texts[row])["input_ids"], "labels": int(data.labels[row])}
        for row in data.rows("validation")
    ]
    rows.sort(key=lambda row: len(row["input_ids"]), reverse=True)
    return _gradient_log.choose_texts(rows, spec.seed, keeps_first=False)


def test_the_first_recording_is_of_the_network_before_its_first_step(tiny_spec: Make, often: None) -> None:
    run.train(tiny_spec("mine", warmup=0.0))
    run.train(tiny_spec("other", warmup=0.0, learning_rate=0.5))
    one, other = api.gradient_history("mine"), api.gradient_history("other")
    np.testing.assert_array_equal(one.hidden_norm[0], other.hidden_norm[0])
    assert not np.allclose(one.hidden_norm[1], other.hidden_norm[1])


def test_every_step_of_training_stands_beside_the_recordings(tiny_spec: Make, often: None) -> None:
    run.train(tiny_spec("mine", clip_norm=0.3))
    found, curves = api.gradient_history("mine"), store.read_curves("mine")
    np.testing.assert_array_equal(found.train_norm, curves.grad_norm)
    np.testing.assert_array_equal(found.is_clipped, curves.grad_norm > 0.3)
    inside = [(curves.grad_norm[: found.step[1]] > 0.3).mean()]
    np.testing.assert_allclose(found.clipped_share[1:2], inside)
    assert np.isnan(found.clipped_share[0])
    assert set(found.group_names) == set(curves.group_names)
    assert not len(found.broken)


# Training does not feel it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm", "bilstm"])
def test_a_recorded_run_ends_with_the_same_weights_to_the_bit(
    tiny_spec: Make, weights_of: Any, often: None, family: str
) -> None:
    changes: dict[str, Any] = {"family": family, "dropout": 0.4, "word_dropout": 0.2, "num_layers": 2}
    recorded = weights_of(run.train(tiny_spec("recorded", record_gradients=200, **changes)))
    plain = weights_of(run.train(tiny_spec("plain", record_gradients=0, **changes)))
    assert len(api.gradient_history("recorded").step) > 3
    assert same(recorded, plain)
    np.testing.assert_array_equal(store.read_curves("recorded").loss_nats, store.read_curves("plain").loss_nats)


@pytest.mark.slow
def test_a_recorded_bert_ends_with_the_same_weights_to_the_bit(tiny_spec: Make, weights_of: Any, often: None) -> None:
    changes: dict[str, Any] = {"family": "bert", "start": "random", "epochs": 1}
    recorded = weights_of(run.train(tiny_spec("recorded", record_gradients=3, **changes)))
    plain = weights_of(run.train(tiny_spec("plain", record_gradients=0, **changes)))
    assert same(recorded, plain)
    found = api.gradient_history("recorded")
    assert found.layer_names == ("embedding", "layer 1", "layer 2", "layer 3", "layer 4")
    assert found.directions == ()
    assert (found.hidden_norm[:, 1] > 0).all()


@pytest.mark.gpu
@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_on_cuda_a_recorded_run_ends_with_the_same_weights_to_the_bit(
    tiny_spec: Make, weights_of: Any, often: None, family: str
) -> None:
    changes: dict[str, Any] = {"family": family, "start": "random", "device": "cuda"}
    recorded = weights_of(run.train(tiny_spec("recorded", record_gradients=200, **changes)))
    plain = weights_of(run.train(tiny_spec("plain", record_gradients=0, **changes)))
    assert same(recorded, plain)
    assert np.isfinite(api.gradient_history("recorded").hidden_norm).all()


# The file -----------------------------------------------------------------------------------------------------------


def test_the_file_is_strict_json_with_a_line_for_each_recording(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine"))

    def refuse(text: str) -> Any:
        raise AssertionError(text)

    lines = (home / "mine" / "gradients.jsonl").read_text().splitlines()
    events = [json.loads(line, parse_constant=refuse) for line in lines]
    assert [event["event"] for event in events] == ["start", "record", "record"]
    assert all(event["took_s"] > 0 for event in events[1:])


def test_a_run_that_does_not_record_leaves_no_file_and_says_so(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine", record_gradients=0))
    assert not (home / "mine" / "gradients.jsonl").exists()
    with pytest.raises(NotFoundError, match=r"mine has recorded no gradients.*More settings"):
        api.gradient_history("mine")
    with pytest.raises(NotFoundError, match="no model called other"):
        api.gradient_history("other")
    with pytest.raises(InvalidInputError, match="cannot name a model"):
        api.gradient_history("../mine")
    assert api.list_recorded() == ()
    run.train(tiny_spec("second"))
    assert api.list_recorded() == ("second",)


def test_a_half_written_last_line_and_junk_are_passed_over(tiny_spec: Make, home: Path, often: None) -> None:
    run.train(tiny_spec("mine"))
    whole = api.gradient_history("mine")
    path = home / "mine" / "gradients.jsonl"
    text = path.read_text()
    path.write_text(text[:-30])
    half = api.gradient_history("mine")
    np.testing.assert_array_equal(half.step, whole.step[:-1])
    np.testing.assert_array_equal(half.hidden_norm, whole.hidden_norm[:-1])
    start, *records = text.splitlines()
    junk = [
        "",
        "null",
        "{",
        '{"event": "record", "step": 3}',
        '{"event": "record", "step": 4, "hidden": [1], "groups": {}}',
    ]
    junk += [
        '{"event": "start", "step": 0, "shape": [1, 1]}',
        '{"event": "record", "step": 5, "hidden": "x", "groups": {}}',
    ]
    path.write_text("\n".join([start, *junk, *records]) + "\n")
    np.testing.assert_array_equal(api.gradient_history("mine").step, whole.step)


def test_numbers_that_are_none_are_marked_and_not_drawn_as_numbers(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine"))
    path = home / "mine" / "gradients.jsonl"
    *before, last = path.read_text().splitlines()
    broken = json.loads(last)
    broken["hidden"][0][0][0] = None
    broken["groups"]["head"] = None
    path.write_text("\n".join([*before, json.dumps(broken)]) + "\n")
    found = api.gradient_history("mine")
    assert found.broken.tolist() == [N_STEPS]
    assert np.isnan(found.hidden_norm[-1, 0, 0, 0])
    assert np.isnan(found.group_norm[-1, found.group_names.index("head")])


def test_a_run_that_breaks_is_recorded_up_to_there(
    tiny_spec: Make, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = _engine.RecordingTrainer.training_step
    calls = []

    def poison(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        loss = original(trainer, *args, **kwargs)
        calls.append(loss)
        if len(calls) == 4:
            with torch.no_grad():
                trainer.model.classifier.bias.fill_(float("nan"))
        return loss

    monkeypatch.setattr(_engine.RecordingTrainer, "training_step", poison)
    with pytest.raises(JobError, match="no longer a number"):
        run.train(tiny_spec("mine", record_gradients=200, epochs=3))
    found = api.gradient_history("mine")
    assert found.broken[0] in (4, 5)
    assert np.isfinite(found.hidden_norm[found.step < 4]).all()


def test_recordings_of_a_run_that_was_cancelled_and_resumed_count_once(
    tiny_spec: Make, stop_after: Any, often: None, home: Path
) -> None:
    run.train(tiny_spec("straight"))
    stop_after(4)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("broken"))
    partial = api.gradient_history("broken")
    assert partial.step[-1] <= 4
    stop_after(None)
    run.train(tiny_spec("broken"), resume=True)
    straight, resumed = api.gradient_history("straight"), api.gradient_history("broken")
    np.testing.assert_array_equal(resumed.step, straight.step)
    np.testing.assert_allclose(resumed.hidden_norm, straight.hidden_norm, rtol=1e-4)
    assert (home / "broken" / "gradients.jsonl").read_text().count('"start"') == 2


def test_a_spec_written_before_there_were_recordings_can_be_resumed(
    tiny_spec: Make, stop_after: Any, home: Path
) -> None:
    stop_after(1)
    with pytest.raises(CancelledError):
        run.train(tiny_spec("mine"))
    path = home / "mine" / "spec.json"
    older = json.loads(path.read_text())
    del older["record_gradients"]
    path.write_text(json.dumps(older))
    stop_after(None)
    run.train(tiny_spec("mine"), resume=True)
    assert api.gradient_history("mine").step[-1] == N_STEPS


# What it costs ------------------------------------------------------------------------------------------------------


def test_the_price_names_the_recordings_a_run_will_make(tiny_spec: Make, home: Path, often: None) -> None:
    spec = tiny_spec("mine", num_layers=2, family="bilstm")
    told = price.estimate(spec)
    run.train(spec)
    found = history.read_gradients("mine")
    assert told.n_recordings == len(found.step)
    assert f"{told.n_recordings} recordings of gradients" in told.sentence
    size_mib = (home / "mine" / "gradients.jsonl").stat().st_size / 2**20
    assert 0.3 * size_mib < told.recording_mib < 3 * size_mib
    plain = price.estimate(tiny_spec("mine", record_gradients=0))
    assert plain.n_recordings == plain.recording_s == 0
    assert "not recorded" in plain.sentence


def test_recorded_starters_keep_their_time() -> None:
    """The recurrent starters record at less than 2 % of their estimated time; BERT, the slowest, does not."""
    for spec in starters.SPECS:
        told = price.estimate(spec)
        assert told.recording_s < 0.02 * told.seconds
        assert bool(told.n_recordings) == (spec.family != "bert")
