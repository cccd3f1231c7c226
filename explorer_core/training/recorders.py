"""What is written down while a network learns, as callbacks of the Hugging Face Trainer.

Numbers of a step stay on the device until several are read at once: on a GPU every look costs a wait.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from explorer_core.errors import CancelledError, JobError
from explorer_core.training import _checkpoints, _status

FLUSH_EVERY_S = 0.25  # pages look twice a second
HEARTBEAT_EVERY_S = 0.5
RANKS_AGREE_EVERY = 8  # steps between two rounds in which all processes ask whether to stop


class Journal:
    """The files of a run that grow while it trains: `progress.jsonl` and `status.json`.

    Ranks other than the first keep a journal that writes nothing.
    """

    def __init__(self, folder: Path, *, writes: bool = True, progress: Callable[[float], None] | None = None):
        self.folder = folder
        self.writes = writes
        self.metrics: dict[str, float] = {}
        self.step, self.n_steps, self.epoch = 0, 0, 0.0
        self.wants_stop = False
        self._progress = progress
        before = _status.read_json(folder / "status.json") or {}
        spent = before.get("elapsed_s")
        self._spent_before_s = float(spent) if isinstance(spent, int | float) else 0.0
        self._begin = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._last_beat = 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds of work on this run, those before a resume included."""
        return self._spent_before_s + time.monotonic() - self._begin

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the pace since the first step of this process; `None` before the second."""
        if self._first is None or self.step <= self._first[0]:
            return None
        pace = (time.monotonic() - self._first[1]) / (self.step - self._first[0])
        return max(self.n_steps - self.step, 0) * pace

    def start_steps(self, step: int, n_steps: int, epoch: float) -> None:
        """Training begins, or goes on, after so many steps."""
        self.step, self.n_steps, self.epoch = step, n_steps, epoch
        self._first = (step, time.monotonic())
        self.append([self.event("start")])
        self.beat("running")

    def event(self, kind: str, **entries: Any) -> dict[str, Any]:
        """One event with what every event has."""
        common = {"event": kind, "step": self.step, "epoch": round(self.epoch, 6)}
        return common | entries | {"elapsed_s": round(self.elapsed_s, 3), "eta_s": _rounded(self.eta_s)}

    def append(self, events: list[dict[str, Any]]) -> None:
        """Add events, each one line."""
        if not self.writes or not events:
            return
        lines = "".join(json.dumps(_plain(event)) + "\n" for event in events)
        with (self.folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(lines)

    def beat(self, state: str = "running", reason: str = "", *, durable: bool = False) -> None:
        """Say on disk, and to whoever waits, where the run is."""
        self._last_beat = time.monotonic()
        is_done = state == "done"
        share = 1.0 if is_done else min(self.step / self.n_steps, 1.0) if self.n_steps else 0.0
        if self.writes:
            status = _status.JobStatus(
                state=state,
                reason=reason,
                progress=share,
                step=self.step,
                n_steps=self.n_steps,
                epoch=round(self.epoch, 6),
                elapsed_s=round(self.elapsed_s, 3),
                eta_s=0.0 if is_done else _rounded(self.eta_s) if state == "running" else None,
                metrics={key: value for key, value in self.metrics.items() if math.isfinite(value)},
            )
            _status.write(self.folder, status, durable=durable)
        if self._progress is not None:
            try:
                self._progress(share)
            except CancelledError:
                self.wants_stop = True

    def beat_if_due(self) -> None:
        """As `beat`, when the last one is a while ago."""
        if time.monotonic() - self._last_beat >= HEARTBEAT_EVERY_S:
            self.beat()

    def is_asked_to_stop(self) -> bool:
        """Whether a person cancelled this run."""
        return self.wants_stop or (self.writes and (self.folder / "cancel").exists())


class StepRecorder(TrainerCallback):
    """Loss, accuracy, learning rate and gradient norms of every step; loss, accuracy and macro F1 of every epoch."""

    def __init__(self, journal: Journal, module: nn.Module):
        self.journal = journal
        self.last_validation: tuple[int, dict[str, float]] | None = None
        self._is_training = False
        groups: dict[str, list[nn.Parameter]] = {}
        for name, weight in module.named_parameters():
            if weight.requires_grad:
                groups.setdefault(group_of(name), []).append(weight)
        self._groups = groups
        self._pending: list[tuple[dict[str, Any], Tensor]] = []
        self._batch: list[Tensor] = []
        self._n_texts = 0
        self._learning_rate = 0.0
        self._last_flush = 0.0

    def see_batch(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Loss and judgements of the texts of a step, before the weights move."""
        n_right = (logits.detach().argmax(-1) == labels).sum()
        self._batch = [loss.detach().float(), n_right.float()]
        self._n_texts = len(labels)

    def see_gradients(self) -> None:
        """Norm of the gradient of each group, before it is clipped."""
        zero = self._batch[0].new_zeros(())
        for weights in self._groups.values():
            grads = [weight.grad for weight in weights if weight.grad is not None]
            self._batch.append(nn.utils.get_total_norm(grads).float() if grads else zero)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Says how many steps there will be."""
        self._is_training = True
        self.journal.start_steps(state.global_step, state.max_steps, float(state.epoch or 0.0))

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keeps the rate this step moves with; the schedule has moved on when the step ends."""
        self._learning_rate = float(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keeps the numbers of a step, and reads and writes all that are kept when it is time."""
        self.journal.step, self.journal.epoch = state.global_step, float(state.epoch or 0.0)
        event = self.journal.event("step", n_texts=self._n_texts, learning_rate=self._learning_rate)
        self._pending.append((event, torch.stack(self._batch)))
        if control.should_training_stop or time.monotonic() - self._last_flush >= FLUSH_EVERY_S:
            self.flush()  # before a checkpoint is made of weights that may be broken
            self.journal.beat_if_due()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Writes what is left of the epoch before it is evaluated and saved."""
        self.flush()

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Writes the numbers of the validation rows after an epoch."""
        if not self._is_training:
            return
        self.flush()
        found = {key: float(kwargs["metrics"][f"eval_{key}"]) for key in ("loss", "accuracy", "macro_f1")}
        numbers = {"loss_nats": found["loss"], "accuracy": found["accuracy"], "macro_f1": found["macro_f1"]}
        self.last_validation = (state.global_step, numbers)
        self.journal.metrics |= {f"validation_{key}": value for key, value in numbers.items()}
        self.journal.append([self.journal.event("epoch", **numbers)])
        self.journal.beat()

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A sign of life during long evaluations."""
        self.journal.beat_if_due()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Writes what is left."""
        self._is_training = False
        self.flush()

    def flush(self) -> None:
        """Read the kept numbers off the device and append them.

        Raises:
            JobError: If a loss or gradient is no longer a number: nothing that follows would mean anything.
        """
        self._last_flush = time.monotonic()
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        values = torch.stack([numbers for _, numbers in pending]).tolist()  # [step, 2 + group]
        events = []
        for (event, _), (loss, n_right, *norms) in zip(pending, values, strict=True):
            total = math.sqrt(sum(norm * norm for norm in norms))
            event |= {"loss_nats": loss, "accuracy": n_right / max(event["n_texts"], 1), "grad_norm": total}
            events.append(event | {"grad_norms": dict(zip(self._groups, norms, strict=True))})
        self.journal.metrics |= {
            key: events[-1][key] for key in ("loss_nats", "accuracy", "learning_rate", "grad_norm")
        }
        self.journal.append(events)
        for event in events:
            if not (math.isfinite(event["loss_nats"]) and math.isfinite(event["grad_norm"])):
                raise JobError(
                    f"Training broke at step {event['step']}: the loss or its gradient is no longer a number. "
                    f"The learning rate was {event['learning_rate']:.3g}; try a tenth of it, or clip gradients at 1."
                )


class SlimOlder(TrainerCallback):
    """Leaves of every checkpoint but the newest what a loaded model has, as soon as the newest is whole."""

    def __init__(self, journal: Journal):
        self.journal = journal

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """What only a resume needs is two thirds of a checkpoint, and a resume goes on from the newest one."""
        newest = self.journal.folder / "checkpoints" / f"checkpoint-{state.global_step}"
        if self.journal.writes and _checkpoints.is_whole(newest, state.global_step):
            _checkpoints.slim(self.journal.folder, but=state.global_step)


class StopOnRequest(TrainerCallback):
    """Ends training after the step in which a person cancelled it, with a checkpoint of exactly that step.

    Several processes agree on the step, since one that stops alone leaves the others waiting.
    """

    def __init__(self, journal: Journal, n_ranks: int = 1):
        self.journal = journal
        self.is_stopped = False
        self._n_ranks = n_ranks
        self._is_inside_epoch = False

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Looks whether to stop."""
        if self._is_asked(state, args.device):
            steps_per_epoch = state.max_steps / max(state.num_train_epochs, 1)
            self.is_stopped = True
            self._is_inside_epoch = state.global_step % steps_per_epoch != 0
            control.should_training_stop = True
            control.should_save = self._is_inside_epoch  # at its end an epoch is saved anyway, after its evaluation

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The Trainer treats a stop as the end of an epoch; the one broken off is not evaluated."""
        if self.is_stopped and self._is_inside_epoch:
            control.should_evaluate = False
            control.should_save = False

    def _is_asked(self, state: TrainerState, device: torch.device) -> bool:
        if self._n_ranks == 1:
            return self.journal.is_asked_to_stop()
        if state.global_step % RANKS_AGREE_EVERY:
            return False
        asked = torch.tensor(float(self.journal.is_asked_to_stop()), device=device)
        torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
        return bool(asked > 0)


def group_of(name: str) -> str:
    """The group a weight is counted in, from its name: what a person would call that part of the network."""
    if layer := re.search(r"\.layers?\.(\d+)\.", name):
        return f"layer {int(layer[1]) + 1}"
    if "embedding" in name:
        return "embedding"
    if name.startswith(("classifier", "pre_classifier")):
        return "head"
    if "weight_ih" in name:
        return "input weights"
    if "weight_hh" in name:
        return "recurrent weights"
    if "bias_ih" in name or "bias_hh" in name:
        return "bias"
    return "pooler" if "pooler" in name else "other"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _plain(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries as strict JSON, which has no NaN."""
    plain: dict[str, Any] = {}
    for key, value in entries.items():
        if isinstance(value, Mapping):
            plain[key] = _plain(value)
        else:
            plain[key] = None if isinstance(value, float) and not math.isfinite(value) else value
    return plain
