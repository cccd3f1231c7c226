"""Training as arrays, from the events a run appends to `progress.jsonl`. No torch here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from explorer_core.results import Exportable

MAX_READ_BYTES = 256 * 2**20  # of one progress file; what is longer than this is not ours


class NewEvents(NamedTuple):
    """What a run wrote since the last look.

    Attributes:
        events: The events, oldest first. Every one has `event` (`start`, `step`, `epoch` or `end`), `step`, `epoch`,
            `elapsed_s` and `eta_s`.
        offset: Give it to the next look, in bytes.
    """

    events: tuple[dict[str, Any], ...]
    offset: int


@dataclass(frozen=True)
class TrainingCurves(Exportable):
    """A run while it learns.

    Attributes:
        step: Number of the optimiser's step, from 1; int array [step].
        loss_nats: Mean cross entropy of the step's texts, dropout on; [step].
        accuracy: Share of the step's texts judged right, dropout on; [step].
        learning_rate: [step].
        grad_norm: Euclidean norm of the whole gradient before it is clipped; [step].
        group_names: Groups of weights (`embedding`, `input weights`, `recurrent weights`, `bias`, `head`; for a BERT
            its layers); those that are not trained are left out.
        group_norms: Norm of the gradient of each group before clipping, [step, group]; grad_norm is the root of the
            sum of their squares.
        epoch: Passes over the training rows, one entry for each evaluation; [epoch].
        epoch_step: The step after which it was; int array [epoch].
        train_loss_nats, train_accuracy: Means over the steps of that epoch, weighted by texts; [epoch]. Taken while
            the weights moved and with dropout on, so not quite comparable with the validation ones.
        epoch_loss_nats, epoch_accuracy, epoch_macro_f1: On the validation rows after the epoch; [epoch].
        elapsed_s: Seconds of training at each step; [step].
    """

    name: str
    step: np.ndarray
    loss_nats: np.ndarray
    accuracy: np.ndarray
    learning_rate: np.ndarray
    grad_norm: np.ndarray
    group_names: tuple[str, ...]
    group_norms: np.ndarray
    elapsed_s: np.ndarray
    epoch: np.ndarray
    epoch_step: np.ndarray
    train_loss_nats: np.ndarray
    train_accuracy: np.ndarray
    epoch_loss_nats: np.ndarray
    epoch_accuracy: np.ndarray
    epoch_macro_f1: np.ndarray

    def to_frame(self) -> Any:
        """One row for each step; the numbers of an epoch stand in the row of its last step, NaN elsewhere."""
        import pandas as pd

        norms = {
            f"grad_norm_{name.replace(' ', '_')}": self.group_norms[:, i] for i, name in enumerate(self.group_names)
        }
        frame = pd.DataFrame(
            {
                "step": self.step,
                "loss_nats": self.loss_nats,
                "accuracy": self.accuracy,
                "learning_rate": self.learning_rate,
                "grad_norm": self.grad_norm,
                **norms,
                "elapsed_s": self.elapsed_s,
            }
        )  # fmt: skip
        epochs = pd.DataFrame(
            {
                "step": self.epoch_step,
                "epoch": self.epoch,
                "train_loss_nats": self.train_loss_nats,
                "train_accuracy": self.train_accuracy,
                "validation_loss_nats": self.epoch_loss_nats,
                "validation_accuracy": self.epoch_accuracy,
                "validation_macro_f1": self.epoch_macro_f1,
            }
        )
        return frame.merge(epochs, on="step", how="left")


def read_events(path: Path, offset: int = 0) -> NewEvents:
    """Events written after an offset; a last line still being written is left for the next look."""
    try:
        size = path.stat().st_size
        if size > MAX_READ_BYTES:
            return NewEvents((), offset)
        with path.open("rb") as file:
            file.seek(offset if 0 <= offset <= size else 0)  # a shorter file was begun anew
            start = file.tell()
            text = file.read()
    except OSError:
        return NewEvents((), 0)
    whole = text[: text.rfind(b"\n") + 1]
    return NewEvents(tuple(_parse(whole)), start + len(whole))


def curves_of(name: str, events: tuple[dict[str, Any], ...]) -> TrainingCurves:
    """The curves of one run. Steps done again after a resume count once, with their last numbers."""
    steps: dict[int, dict[str, Any]] = {}
    epochs: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "start":
            steps = {number: entry for number, entry in steps.items() if number <= event["step"]}
            epochs = {number: entry for number, entry in epochs.items() if number <= event["step"]}
        elif event["event"] == "step":
            steps[event["step"]] = event
        elif event["event"] == "epoch":
            epochs[event["step"]] = event
    rows, ends = [steps[key] for key in sorted(steps)], [epochs[key] for key in sorted(epochs)]
    group_names = tuple(dict.fromkeys(group for row in rows for group in row.get("grad_norms", {})))
    train_loss, train_accuracy = _epoch_means(rows, [end["step"] for end in ends])
    return TrainingCurves(
        name=name,
        step=np.array([row["step"] for row in rows], dtype=int),
        loss_nats=_column(rows, "loss_nats"),
        accuracy=_column(rows, "accuracy"),
        learning_rate=_column(rows, "learning_rate"),
        grad_norm=_column(rows, "grad_norm"),
        group_names=group_names,
        group_norms=np.array(
            [[_float(row.get("grad_norms", {}).get(group)) for group in group_names] for row in rows], dtype=float
        ).reshape(len(rows), len(group_names)),
        elapsed_s=_column(rows, "elapsed_s"),
        epoch=_column(ends, "epoch"),
        epoch_step=np.array([end["step"] for end in ends], dtype=int),
        train_loss_nats=train_loss,
        train_accuracy=train_accuracy,
        epoch_loss_nats=_column(ends, "loss_nats"),
        epoch_accuracy=_column(ends, "accuracy"),
        epoch_macro_f1=_column(ends, "macro_f1"),
    )


def _parse(text: bytes) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str) and type(event.get("step")) is int:
            yield event


def _epoch_means(rows: list[dict[str, Any]], ends: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Loss and accuracy of training over the steps between two evaluations, weighted by texts; each [epoch]."""
    number = np.array([row["step"] for row in rows], dtype=int)
    n_texts = np.nan_to_num(_column(rows, "n_texts"))
    means = np.full((2, len(ends)), np.nan)
    for index, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        inside = (number > first) & (number <= last)
        if n_texts[inside].sum() > 0:
            for row, name in enumerate(("loss_nats", "accuracy")):
                means[row, index] = np.average(_column(rows, name)[inside], weights=n_texts[inside])
    return means[0], means[1]


def _column(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([_float(row.get(name)) for row in rows], dtype=float)


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
