"""The engine: the Hugging Face Trainer with our recorder and order of rows, and its arguments from a spec."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_pt_utils import get_length_grouped_indices
from transformers.utils import logging as transformers_logging

from explorer_core import registry, settings
from explorer_core.errors import InvalidInputError, JobError
from explorer_core.training.recorders import StepRecorder
from explorer_core.training.spec import TrainingSpec

_SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
_EVALUATION_BATCH = 64
_ONE_THREAD_UNITS = 256


class LengthOrder(Sampler[int]):
    """Rows in an order that is new in every epoch and puts texts of like length into the same batch.

    The order follows from seed and epoch alone, so a run that is resumed inside an epoch, and every rank, finds the
    same one. `LengthGroupedSampler` of transformers draws from the global generator instead.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int):
        self.epoch = 0
        self._lengths, self._batch_size, self._seed = list(lengths), batch_size, seed

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + self.epoch) % 2**63)
        order = get_length_grouped_indices(self._lengths, self._batch_size, generator=generator)
        batches = [order[start : start + self._batch_size] for start in range(0, len(order), self._batch_size)]
        # Sorted batches would be read from long to short again and again; the last, shorter one stays last.
        shuffled = torch.randperm(len(batches) - 1, generator=generator).tolist() if len(batches) > 1 else []
        for index in [*shuffled, len(batches) - 1]:
            yield from batches[index]

    def set_epoch(self, epoch: int) -> None:
        """Called before each pass by whoever holds the loader."""
        self.epoch = epoch

    def digest(self, n_epochs: int) -> str:
        """What tells one order of rows from another, over so many epochs; hexadecimal. Two runs with the same digest
        read the same rows in the same order.
        """
        found = hashlib.sha256()
        for epoch in range(n_epochs):
            again = LengthOrder(self._lengths, self._batch_size, self._seed)
            again.set_epoch(epoch)
            found.update(np.fromiter(again, np.int64, len(again)).tobytes())
        return found.hexdigest()[:16]


class FollowEpoch(TrainerCallback):
    """Tells the order which epoch it is; a loader that skips the batches of a resumed epoch does not."""

    def __init__(self, order: LengthOrder):
        self.order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The whole part of the epoch reached, which a run resumed inside an epoch has done in part."""
        self.order.set_epoch(int((state.epoch or 0.0) + 1e-6))


class RecordingTrainer(Trainer):
    """The Trainer, with a recorder that sees each batch and each gradient, and our order of rows."""

    def __init__(self, *, recorder: StepRecorder, order: LengthOrder, **kwargs: Any):
        super().__init__(**kwargs)
        self.recorder = recorder
        self.order = order
        self.add_callback(FollowEpoch(order))
        self.add_callback(recorder)
        self.remove_callback(PrinterCallback)

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Loss of a batch, shown to the recorder while training."""
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if model.training:
            self.recorder.see_batch(loss, outputs["logits"], inputs["labels"])
        return (loss, outputs) if return_outputs else loss

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """Forward and backward; the gradients are shown to the recorder before they are clipped."""
        loss = super().training_step(*args, **kwargs)
        self.recorder.see_gradients()
        return loss

    def leave_group(self) -> None:
        """End the connection between processes, after what hangs on it: else a process may hang when it exits."""
        if self.args.world_size > 1:
            self.model_wrapped = self.model  # type: ignore[assignment]
            self.accelerator.free_memory()
            gc.collect()
            self.accelerator.end_training()

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order


def pick_device(spec: TrainingSpec) -> str:
    """`cuda`, `mps` or `cpu`: what the spec asks for, or the fastest here.

    Raises:
        InvalidInputError: If what it asks for is not here.
    """
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = next(name for name, is_here in here.items() if is_here) if spec.device == "auto" else spec.device
    allowed = ", ".join(["auto", *(name for name, is_here in here.items() if is_here)])
    if not here[device]:
        raise InvalidInputError(f"The device {device} is not there on this computer; allowed here: {allowed}.")
    if spec.precision == "bf16" and device != "cuda":
        raise InvalidInputError(f"bf16 works on CUDA, and this trains on {device}; set the precision to auto or fp32.")
    return device


def make_arguments(
    spec: TrainingSpec, folder: Path, module: nn.Module, device: str, *, has_validation: bool
) -> TrainingArguments:
    """The Trainer's arguments for a spec.

    Args:
        spec: What to train.
        folder: The run folder; checkpoints go into it.
        module: The network, whose size decides how many checkpoints are kept.
        device: From `pick_device`.
        has_validation: Whether there are rows to evaluate on after each epoch.

    Raises:
        InvalidInputError: If early stopping is asked for and there is nothing to judge by.
        JobError: If the disk has no room for one checkpoint.
    """
    if spec.early_stopping and not has_validation:
        raise InvalidInputError("Early stopping needs validation rows, and this data has none. Set patience to 0.")
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=max(1, spec.batch_size // n_ranks()),
        per_device_eval_batch_size=_EVALUATION_BATCH,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=_SCHEDULES[spec.schedule],
        warmup_steps=spec.warmup,  # below 1 this is a share of the steps
        weight_decay=spec.weight_decay,
        max_grad_norm=spec.clip_norm,
        bf16=device == "cuda" and spec.precision != "fp32" and torch.cuda.is_bf16_supported(),
        use_cpu=device == "cpu",
        seed=spec.seed,
        eval_strategy="epoch" if has_validation else "no",
        save_strategy="epoch",
        save_total_limit=_checkpoints_kept(spec, folder, module),
        load_best_model_at_end=bool(spec.early_stopping),
        metric_for_best_model="loss" if spec.early_stopping else None,
        greater_is_better=False if spec.early_stopping else None,
        restore_callback_states_from_checkpoint=bool(spec.early_stopping),  # or patience would begin anew
        logging_strategy="no",  # the recorder writes; the Trainer's own log grows inside every checkpoint
        logging_nan_inf_filter=False,  # it hides what must end a run, and waits for the device in every step
        average_tokens_across_devices=False,  # these networks average over their own texts
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        disable_tqdm=True,
        report_to="none",
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # several GPUs in one process would be torch's DataParallel; torchrun uses them better
    return arguments


def _checkpoints_kept(spec: TrainingSpec, folder: Path, module: nn.Module) -> int:
    """How many checkpoints fit into the budget and into half of the free disk.

    Raises:
        JobError: If not even one fits.
    """
    if rank() != 0:
        return 1  # only the first process writes, and the folder may not be there yet
    n_bytes = sum(weight.numel() * weight.element_size() for weight in module.parameters())
    n_moving = sum(weight.numel() * weight.element_size() for weight in module.parameters() if weight.requires_grad)
    slim_mib = n_bytes / 2**20 + 2  # the tokenizer is small
    one_mib = slim_mib + 2 * n_moving / 2**20  # AdamW keeps two numbers a weight
    free_mib = shutil.disk_usage(folder).free / 2**20
    if free_mib < 2 * one_mib:
        raise JobError(
            f"The disk is full: a checkpoint and the model need about {2 * one_mib:.0f} MiB in {folder.parent}, "
            f"and {free_mib:.0f} MiB are free. Free some space, or delete models."
        )
    room_mib = min(settings.CHECKPOINT_BUDGET_MIB, free_mib / 2)
    n_whole = int(room_mib / one_mib)
    n_fitting = n_whole if n_whole < 2 else 2 + int((room_mib - 2 * one_mib) / slim_mib)  # two are whole at a time
    return max(1, min(spec.epochs + 1, n_fitting))


def judge(prediction: Any) -> dict[str, float]:
    """Accuracy and macro F1, shares in [0, 1]."""
    from sklearn.metrics import f1_score

    logits, labels = prediction.predictions, prediction.label_ids
    chosen = logits.argmax(-1)
    return {
        "accuracy": float((chosen == labels).mean()),
        "macro_f1": float(f1_score(labels, chosen, average="macro", labels=np.unique(labels), zero_division=0)),
    }


@contextlib.contextmanager
def leave_no_trace(spec: TrainingSpec, device: str) -> Iterator[None]:
    """Seed everything, and put back what training changes in a process that goes on: generators, flags, bars, threads.

    A small recurrent network trains on one thread: its matrix products are too small to share, two threads are hardly
    faster, and as soon as the cores have other work they are many times slower.
    """
    n_threads = torch.get_num_threads()
    is_recurrent = registry.describe("architectures")[spec.family].extra["kind"] == "recurrent"
    if is_recurrent and spec.hidden_size <= _ONE_THREAD_UNITS:
        torch.set_num_threads(1)
    generators = random.getstate(), np.random.get_state(), torch.get_rng_state()
    kept = {name: os.environ.get(name) for name in ("CUBLAS_WORKSPACE_CONFIG", "ACCELERATE_MIXED_PRECISION")}
    flags = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    if device == "cuda":  # the CPU kernels used here repeat themselves anyway
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    set_seed(spec.seed)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
        random.setstate(generators[0])
        np.random.set_state(generators[1])
        torch.set_rng_state(generators[2])
        torch.use_deterministic_algorithms(flags[0], warn_only=flags[1])
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        if had_bars:
            transformers_logging.enable_progress_bar()


def rank() -> int:
    """Which of the processes that train together this is; 0 keeps the files."""
    return int(os.environ.get("RANK", "0"))


def n_ranks() -> int:
    """Processes that train together, as `torchrun` and `accelerate launch` say."""
    return int(os.environ.get("WORLD_SIZE", "1"))
