"""Numbers written while training, against numbers worked out another way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from explorer_core.training import run, store
from explorer_core.training._engine import LengthOrder
from explorer_core.training.recorders import Journal, StepRecorder, group_of
from explorer_core.training.spec import TrainingSpec

Make = Callable[..., TrainingSpec]


def test_the_norm_of_a_group_is_the_norm_of_its_gradients_put_together(tmp_path: Path) -> None:
    module = nn.ModuleDict({"classifier": nn.Linear(3, 2), "embedding": nn.Embedding(5, 3), "frozen": nn.Linear(2, 2)})
    module["frozen"].requires_grad_(False)
    recorder = StepRecorder(Journal(tmp_path), module)
    logits = module["classifier"](module["embedding"](torch.tensor([1, 2, 3])))
    loss = nn.functional.cross_entropy(logits, torch.tensor([0, 1, 1]))
    loss.backward()
    recorder.see_batch(loss, logits, torch.tensor([0, 1, 1]))
    recorder.see_gradients()
    head = torch.cat([module["classifier"].weight.grad.ravel(), module["classifier"].bias.grad]).norm()
    assert list(recorder._groups) == ["head", "embedding"]
    np.testing.assert_allclose(
        torch.stack(recorder._batch).tolist(),
        [
            loss.item(),
            (logits.argmax(-1) == torch.tensor([0, 1, 1])).sum(),
            head,
            module["embedding"].weight.grad.norm(),
        ],
        rtol=1e-6,
    )


def test_the_whole_norm_is_the_root_of_the_squares_of_the_groups(tiny_spec: Make) -> None:
    run.train(tiny_spec("mine"))
    curves = store.read_curves("mine")
    assert set(curves.group_names) == {"embedding", "input weights", "recurrent weights", "bias", "head"}
    np.testing.assert_allclose(np.sqrt((curves.group_norms**2).sum(1)), curves.grad_norm, rtol=1e-6)
    assert (curves.grad_norm > 0).all()


def test_norms_are_those_before_clipping(tiny_spec: Make) -> None:
    run.train(tiny_spec("clipped", clip_norm=0.001))
    run.train(tiny_spec("free", clip_norm=0.0))
    clipped, free = store.read_curves("clipped"), store.read_curves("free")
    assert clipped.grad_norm[0] > 0.01
    assert clipped.grad_norm[0] == pytest.approx(free.grad_norm[0], rel=1e-6)


def test_the_learning_rate_is_the_one_the_step_moved_with(tiny_spec: Make) -> None:
    run.train(tiny_spec("mine", learning_rate=0.01, warmup=0.5, schedule="linear", epochs=2))
    # 6 steps, 3 of them climbing from 0; then falling to 0 after the last
    np.testing.assert_allclose(store.read_curves("mine").learning_rate, 0.01 * np.array([0, 1, 2, 3, 2, 1]) / 3)


@pytest.mark.parametrize(
    ("schedule", "last"), [("constant", 0.01), ("cosine", 0.01 * 0.5 * (1 + np.cos(np.pi * 5 / 6)))]
)
def test_schedules_end_where_they_should(tiny_spec: Make, schedule: str, last: float) -> None:
    run.train(tiny_spec("mine", learning_rate=0.01, warmup=0.0, schedule=schedule))
    assert store.read_curves("mine").learning_rate[-1] == pytest.approx(last)


def test_every_event_says_step_epoch_and_time(tiny_spec: Make, home: Path) -> None:
    run.train(tiny_spec("mine"))
    events = [json.loads(line) for line in (home / "mine" / "progress.jsonl").read_text().splitlines()]
    assert all({"event", "step", "epoch", "elapsed_s", "eta_s"} <= set(event) for event in events)
    kinds = [event["event"] for event in events]
    assert kinds == ["start", *["step"] * 3, "epoch", *["step"] * 3, "epoch", "end"]
    elapsed = [event["elapsed_s"] for event in events]
    assert elapsed == sorted(elapsed)
    assert events[-2]["eta_s"] == 0


def test_training_accuracy_of_an_epoch_weighs_steps_by_their_texts(tiny_spec: Make) -> None:
    run.train(tiny_spec("mine", batch_size=7, epochs=1))  # 22 rows: 7, 7, 7, 1
    curves = store.read_curves("mine")
    n_texts = np.array([7, 7, 7, 1])
    assert curves.train_accuracy[0] == pytest.approx((curves.accuracy * n_texts).sum() / 22)
    assert curves.train_loss_nats[0] == pytest.approx((curves.loss_nats * n_texts).sum() / 22)


def test_the_order_of_rows_is_a_new_permutation_each_epoch_and_the_same_each_time() -> None:
    lengths = [1 + number * 7 % 50 for number in range(101)]
    order, again = (LengthOrder(lengths, 8, seed=3) for _ in range(2))
    epochs = []
    for epoch in range(3):
        order.set_epoch(epoch), again.set_epoch(epoch)  # type: ignore[func-returns-value]
        epochs.append(list(order))
        assert epochs[-1] == list(again)
        assert sorted(epochs[-1]) == list(range(101))
    assert epochs[0] != epochs[1] != epochs[2]
    assert list(LengthOrder(lengths, 8, seed=4)) != epochs[0]


def test_batches_hold_texts_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(5, 120, 2_000)
    order = list(LengthOrder(lengths.tolist(), 32, seed=0))
    batches = [lengths[order[start : start + 32]] for start in range(0, 2_000, 32)]
    padded = sum(len(batch) * batch.max() for batch in batches)
    assert padded < 1.1 * lengths.sum()


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("embedding.weight", "embedding"), ("rnn.weight_ih_l0", "input weights"), ("rnn.bias_hh_l1_reverse", "bias"),
        ("rnn.weight_hh_l0_reverse", "recurrent weights"), ("classifier.bias", "head"),
        ("bert.encoder.layer.11.output.dense.weight", "layer 12"), ("bert.embeddings.LayerNorm.bias", "embedding"),
        ("distilbert.transformer.layer.0.ffn.lin1.bias", "layer 1"), ("bert.pooler.dense.weight", "pooler"),
        ("pre_classifier.weight", "head"),
    ],
)  # fmt: skip
def test_a_weight_is_counted_where_a_person_would_look(name: str, group: str) -> None:
    assert group_of(name) == group


def test_numbers_that_are_none_never_reach_the_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.metrics = {"loss_nats": float("nan"), "learning_rate": 0.1}
    journal.append([journal.event("step", loss_nats=float("inf"), nested={"a": float("nan")})])
    journal.beat()

    def refuse(text: str) -> Any:
        raise AssertionError(text)

    event = json.loads((tmp_path / "progress.jsonl").read_text(), parse_constant=refuse)
    assert event["loss_nats"] is None
    assert json.loads((tmp_path / "status.json").read_text(), parse_constant=refuse)["metrics"] == {
        "learning_rate": 0.1
    }
