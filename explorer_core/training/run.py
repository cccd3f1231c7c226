"""Training one network with the Hugging Face Trainer, as one process or as one rank of many.

`train` gives a run its folder and keeps its status honest; the engine, its schedule, its checkpoints and any
distribution over processes are the Trainer's.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import json
import logging
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import torch
from transformers import DataCollatorWithPadding, EarlyStoppingCallback

from explorer_core.architectures import _building, _checking
from explorer_core.datasets import _labelled_texts
from explorer_core.energy import Meter
from explorer_core.errors import CancelledError, ExplorerError, InvalidInputError, JobError
from explorer_core.progress import Progress
from explorer_core.training import _checkpoints, _status, store
from explorer_core.training._engine import (
    LengthOrder,
    RecordingTrainer,
    judge,
    leave_no_trace,
    make_arguments,
    pick_device,
    rank,
)
from explorer_core.training._rows import encode_splits
from explorer_core.training.gradient_recorder import GradientRecorder
from explorer_core.training.recorders import Journal, SlimOlder, StepRecorder, StopOnRequest
from explorer_core.training.spec import TrainingSpec

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import LabelledTexts


logger = logging.getLogger(__name__)

_METRICS = {"loss_nats": "loss", "accuracy": "accuracy", "macro_f1": "macro_f1"}


def train(spec: TrainingSpec, *, resume: bool = False, progress: Progress | None = None) -> str:
    """Train a network and keep it as a run.

    Under `torchrun` or `accelerate launch` every rank calls this; the texts of a step are divided among the ranks, and
    only the first writes.

    Args:
        spec: What to train.
        resume: Whether to go on with the run of that name from its last checkpoint; without such a run, or without a
            checkpoint, training begins at the start.
        progress: Called with the share of steps done, in [0, 1], about twice a second; may raise `CancelledError`.

    Returns:
        The run's name.

    Raises:
        JobError: If the name is taken, the run is being trained already or is done, or training broke.
        CancelledError: If it was cancelled; a checkpoint of the step it reached is kept.
        InvalidInputError: If the data cannot be trained on, or the device is not there.
    """
    if rank() == 0:
        if resume and store.is_taken(spec.name):
            _check_resumable(spec)
            (store.run_folder(spec.name) / "cancel").unlink(missing_ok=True)
        else:
            store.claim(spec)
    return carry_out(spec, progress=progress)


def carry_out(spec: TrainingSpec, *, progress: Progress | None = None) -> str:
    """Train a claimed run from its last whole checkpoint, or from the start, and leave its status honest.

    Raises:
        As `train`.
    """
    folder = store.run_folder(spec.name)
    if rank() != 0:
        _fit(spec, folder, Journal(folder, writes=False))
        return spec.name
    lock = store.lock_file(f"run-{spec.name}")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise JobError(f"The model {spec.name} is being trained by another process.") from error
    try:
        _carry_out_alone(spec, folder, progress)
    finally:
        lock.release()
    return spec.name


def train_at(spec: TrainingSpec, folder: Path, *, progress: Progress | None = None) -> Path:
    """Train a network in a folder that is no run: it is in no list, and goes when whoever asked for it says so.

    Args:
        spec: What to train; its name names no folder.
        folder: An empty folder, which becomes an ordinary `save_pretrained` folder.
        progress: As in `train`.

    Raises:
        As `train`.
    """
    _fit(spec, folder, Journal(folder, progress=progress))
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return folder


def _carry_out_alone(spec: TrainingSpec, folder: Path, progress: Progress | None) -> None:
    journal = Journal(folder, progress=progress)
    try:
        journal.beat("running")
        _fit(spec, folder, journal)
    except BaseException as error:
        shutil.rmtree(folder / ".saving", ignore_errors=True)
        _checkpoints.remove_halves(folder)  # first: on a full disk this makes the room to say so
        state, reason = _explain(error, folder)
        with contextlib.suppress(OSError):
            journal.append([journal.event("end", state=state, reason=reason)])
            journal.beat(state, reason, durable=True)
        if _is_disk_full(error) or _is_out_of_memory(error):
            raise JobError(reason) from error
        raise
    journal.append([journal.event("end", state="done", reason="")])
    journal.beat("done", durable=True)
    _checkpoints.slim(folder)


def _fit(spec: TrainingSpec, folder: Path, journal: Journal) -> None:
    """Read, build, train, measure and keep; nothing of it stays behind in this process."""
    device = pick_device(spec)
    meter = Meter(device)
    with leave_no_trace(spec, device):
        data = _labelled_texts.read(spec.data)
        train_texts = [data.texts[row] for row in data.rows("train")]
        if not train_texts:
            raise InvalidInputError("There are no training rows in this data. Choose data with more rows.")
        _stop_if_asked(journal)
        module, tokenizer = _building.build(spec, data.label_names, train_texts)
        rows, notes = encode_splits(spec, data, tokenizer)
        _stop_if_asked(journal)
        arguments = make_arguments(spec, folder, module, device, has_validation=bool(rows["validation"]))
        order = LengthOrder(
            [len(row["input_ids"]) for row in rows["train"]],
            arguments.per_device_train_batch_size * arguments.world_size,
            spec.seed,
        )
        stop = StopOnRequest(journal, arguments.world_size)
        recorder = StepRecorder(journal, module)
        trainer = RecordingTrainer(
            recorder=recorder,
            order=order,
            model=module,
            args=arguments,
            data_collator=DataCollatorWithPadding(copy.deepcopy(tokenizer)),
            train_dataset=rows["train"],
            eval_dataset=rows["validation"] or None,
            compute_metrics=judge,
            callbacks=[
                stop,
                SlimOlder(journal),
                *([EarlyStoppingCallback(spec.early_stopping)] if spec.early_stopping else []),
            ],
        )
        if spec.record_gradients and trainer.is_world_process_zero():
            trainer.add_callback(GradientRecorder(spec, folder, module, rows))
        try:
            checkpoint = _checkpoints.find_checkpoint(folder)
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
            if not stop.is_stopped:
                metrics = _measure(trainer, rows, spec)
                if trainer.is_world_process_zero():
                    # what was used before a checkpoint that it went on from is not known
                    spent = {"joules": meter.joules() if checkpoint is None else None}
                    kept = spent | {"row_order": order.digest(spec.epochs)}
                    _keep(spec, folder, data, trainer.model, tokenizer, metrics, notes, kept)
        finally:
            trainer.leave_group()
    if stop.is_stopped:
        raise CancelledError(f"The training of {spec.name} was cancelled; resume it to go on where it stopped.")


def _measure(trainer: RecordingTrainer, rows: Mapping[str, Any], spec: TrainingSpec) -> dict[str, float]:
    """Loss, accuracy and macro F1 on the validation and the test rows, of the weights that are kept; how many
    validation rows there were, and the share of the commonest label among them.
    """
    metrics: dict[str, float] = {}
    last = trainer.recorder.last_validation
    if last is not None and last[0] == trainer.state.global_step and not spec.early_stopping:
        metrics |= last[1]
    elif rows["validation"]:
        found = trainer.evaluate(rows["validation"])
        metrics |= {ours: found[f"eval_{theirs}"] for ours, theirs in _METRICS.items()}
    if rows["test"]:
        found = trainer.evaluate(rows["test"], metric_key_prefix="test")
        metrics |= {f"test_{ours}": found[f"test_{theirs}"] for ours, theirs in _METRICS.items()}
    if rows["validation"]:
        counts = Counter(row["labels"] for row in rows["validation"])
        metrics |= {"n_validation": counts.total(), "majority": max(counts.values()) / counts.total()}
    return {name: round(float(value), 6) for name, value in metrics.items()}


def _keep(
    spec: TrainingSpec,
    folder: Path,
    data: LabelledTexts,
    module: Any,
    tokenizer: Any,
    metrics: dict[str, float],
    notes: list[str],
    kept: dict[str, Any],
) -> None:
    """Write the network, its tokenizer and its card, with what else is `kept` of the training, beside each other first,
    and move them in when all are whole.
    """
    saving = folder / ".saving"
    shutil.rmtree(saving, ignore_errors=True)
    module.save_pretrained(saving)
    tokenizer.save_pretrained(saving)
    n_params = sum(weight.numel() for weight in module.parameters())
    n_trainable = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    if n_trainable < n_params:
        notes = [f"{n_trainable:,} of {n_params:,} weights were trained; the others stay as they came.", *notes]
    card = store.make_card(
        spec.name,
        architecture=spec.family,
        labels=tuple(data.label_names),
        n_params=n_params,
        trained_on=data.sentence,
        metrics=metrics,
        fingerprint=_checking.fingerprint(saving),
        is_starter=spec.name in store.STARTER_NAMES,
        notes=(*notes, *data.notes),
    )
    plain = card | kept | {"n_trainable": n_trainable, "spec": json.loads(spec.to_json())}
    _status.replace_text(saving / "unrolled.json", json.dumps(plain, indent=2))
    for path in sorted(saving.iterdir(), key=lambda path: path.name == "unrolled.json"):  # the card comes last
        path.replace(folder / path.name)
    saving.rmdir()


def _check_resumable(spec: TrainingSpec) -> None:
    """Whether a run may go on with this spec.

    Raises:
        JobError: If it is done, is being trained, or was started with another spec.
    """
    status = store.read_status(spec.name)
    if status.state not in _status.RESUMABLE:
        what = "is done; there is nothing to resume" if status.state == "done" else f"is {status.state} already"
        raise JobError(f"The model {spec.name} {what}.")
    before, now = json.loads(store.read_spec(spec.name).to_json()), json.loads(spec.to_json())
    if differing := [name for name in now if now[name] != before[name]]:
        raise JobError(
            f"The run {spec.name} was started with another {', '.join(differing)}. Resume it with its own spec, "
            f"or train a new model such as {store.free_name(spec.name)}."
        )


def _explain(error: BaseException, folder: Path) -> tuple[str, str]:
    """The state a run is in after an error, and why, as a sentence."""
    if isinstance(error, CancelledError | KeyboardInterrupt):
        return "cancelled", "Stopped on request; resume it to go on where it stopped."
    if isinstance(error, _status.Terminated | SystemExit):
        if (folder / "cancel").exists():
            return "cancelled", "Stopped on request; resume it to go on from its last checkpoint."
        return "lost", "Its process was told to end from outside; resume it to go on from its last checkpoint."
    if _is_disk_full(error):
        return "failed", (
            f"The disk is full ({folder.parent}). Free some space or delete models, then resume it; "
            "its whole checkpoints and all other models are kept."
        )
    if _is_out_of_memory(error):
        return "failed", "Memory ran out. Train again with a smaller batch, shorter texts or fewer units."
    if isinstance(error, ExplorerError):
        return "failed", str(error)
    return "failed", f"An error in the program: {type(error).__name__}: {str(error)[:300]}"


def _is_disk_full(error: BaseException) -> bool:
    """Whether an error, or what it came from, is a full disk; safetensors and torch put it into words of their own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(seen) or "PytorchStreamWriter failed writing" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _stop_if_asked(journal: Journal) -> None:
    journal.beat_if_due()
    if journal.is_asked_to_stop():
        raise CancelledError("The training was cancelled before its first step.")
