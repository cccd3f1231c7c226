"""Training rate through the Trainer over a hand-written torch loop: same network, same batches, one thread each."""

from __future__ import annotations

import copy
import dataclasses
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise

import torch
from transformers import DataCollatorWithPadding, get_linear_schedule_with_warmup

from bench import _homes
from bench._row import Row
from explorer_core.architectures import _building
from explorer_core.datasets import _labelled_texts
from explorer_core.training import run, starters, store
from explorer_core.training._engine import LengthOrder, leave_no_trace
from explorer_core.training._rows import encode_splits
from explorer_core.training.spec import TrainingSpec

N_ROUNDS = 3
LEAST_STEPS = 300
QUANTITY = "training rate of the starter LSTM over a hand-written torch loop with the same batches"


def measure() -> list[Row]:
    """Steps per second of both, turn by turn.

    The clock starts when the first step ends, so that reading, building and the start of the Trainer do not count.
    """
    spec = dataclasses.replace(starters.SPECS[0], name="bench", epochs=3, device="cpu")
    rounds = [(through_trainer(spec), by_hand(spec)) for _ in range(N_ROUNDS)]
    ours, theirs = rounds[0]
    n_steps = len(ours.ends_s)
    assert ours.n_texts == theirs.n_texts, "the two did not see the same batches"
    assert n_steps >= LEAST_STEPS, f"{n_steps} steps are too few; train more epochs"
    inside = [(ours.steps_per_s, theirs.steps_per_s) for ours, theirs in rounds]
    whole = [(ours.steps_per_s_with_pauses, theirs.steps_per_s_with_pauses) for ours, theirs in rounds]
    about = (
        f"{n_steps} steps after start-up, {statistics.fmean(theirs.n_tokens):,.0f} tokens each; mean loss of the last "
        f"epoch {ours.last_loss:.3f} and {theirs.last_loss:.3f} nats"
    )
    return [
        _row(f"{QUANTITY}, inside the epochs", 0.7, inside, about),
        _row(f"{QUANTITY}, with the Trainer's validation and checkpoint after each epoch", None, whole,
             "the loop does neither"),
    ]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Timed:
    """One run over the steps of several epochs.

    Attributes:
        ends_s: When each step ended, in seconds of one clock; shape [step].
        n_texts: Texts of each step; shape [step].
        n_tokens: Tokens of each step, padding included; shape [step], or empty where it is not known.
        losses: Loss of each step in nats; shape [step].
        n_epochs: Epochs the steps belong to, all of the same length.
    """

    ends_s: Sequence[float]
    n_texts: list[int]
    n_tokens: Sequence[int]
    losses: Sequence[float]
    n_epochs: int

    @property
    def steps_per_s(self) -> float:
        """Over all steps but the first of each epoch, whose time holds what happens between the epochs."""
        n_in_epoch = len(self.ends_s) // self.n_epochs
        steps = [late - early for index, (early, late) in enumerate(pairwise(self.ends_s), 1) if index % n_in_epoch]
        return len(steps) / sum(steps)

    @property
    def steps_per_s_with_pauses(self) -> float:
        """From the first step of the first epoch to the first of the last one, pauses between the epochs included."""
        first_of_last = len(self.ends_s) // self.n_epochs * (self.n_epochs - 1)
        return first_of_last / (self.ends_s[first_of_last] - self.ends_s[0])

    @property
    def last_loss(self) -> float:
        """Mean over the last epoch, in nats."""
        return statistics.fmean(self.losses[-(len(self.losses) // self.n_epochs) :])


def through_trainer(spec: TrainingSpec) -> Timed:
    """The way the app trains, recorder and files included; its own record says when each step ended."""
    with _homes.thrown_away():
        run.train(spec)
        steps = [
            event
            for event in store.read_events(store.run_folder(spec.name) / "progress.jsonl").events
            if event["event"] == "step"
        ]
    return Timed(
        ends_s=[event["elapsed_s"] for event in steps],
        n_texts=[event["n_texts"] for event in steps],
        n_tokens=(),
        losses=[event["loss_nats"] for event in steps],
        n_epochs=spec.epochs,
    )


def by_hand(spec: TrainingSpec) -> Timed:
    """What one would write without the Trainer: forward, backward, clip, step, with the fastest AdamW torch has."""
    ends_s, n_texts, n_tokens, losses = [], [], [], []
    with leave_no_trace(spec, "cpu"):  # the seed, and one thread
        data = _labelled_texts.read(spec.data)
        texts = [data.texts[row] for row in data.rows("train")]
        module, tokenizer = _building.build(spec, data.label_names, texts)
        rows = encode_splits(spec, data, tokenizer)[0]["train"]
        order = LengthOrder([len(row["input_ids"]) for row in rows], spec.batch_size, spec.seed)
        collate = DataCollatorWithPadding(copy.deepcopy(tokenizer))
        moving = [weight for weight in module.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(moving, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)
        n_steps = -(-len(rows) // spec.batch_size) * spec.epochs
        schedule = get_linear_schedule_with_warmup(optimizer, int(spec.warmup * n_steps), n_steps)
        module.train()
        for epoch in range(spec.epochs):
            order.set_epoch(epoch)
            indices = list(order)
            for start in range(0, len(indices), spec.batch_size):
                batch = collate([rows[index] for index in indices[start : start + spec.batch_size]])
                loss = module(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(moving, spec.clip_norm)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                losses.append(loss.item())
                n_texts.append(len(batch["labels"]))
                n_tokens.append(batch["input_ids"].numel())
                ends_s.append(time.perf_counter())
    return Timed(ends_s, n_texts, n_tokens, losses, spec.epochs)


def _row(quantity: str, bar: float | None, rates: list[tuple[float, float]], about: str) -> Row:
    """The ratio of the medians of both rates over the rounds."""
    ours, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    each = ", ".join(f"{ours / theirs:.2f}" for ours, theirs in rates)
    note = f"{ours:.1f} over {theirs:.1f} steps/s; {about}; rounds {each}"
    return Row(quantity, bar, ours / theirs, at_least=bar is not None, note=note)
