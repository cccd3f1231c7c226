"""The data a network learns from, training it in this process or another, and what it will cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.training.spec import DataSpec, TrainingSpec

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts
    from explorer_core.training.jobs import Job
    from explorer_core.training.price import Price
    from explorer_core.training.store import TrainingCurves


def read_data(spec: DataSpec) -> LabelledTexts:
    """Labelled texts of a source, with their split into train, validation and test rows."""
    from explorer_core.datasets._labelled_texts import read

    return read(spec)


def preview_data(spec: DataSpec) -> DataPreview:
    """Columns, guessed columns, length and label histograms and three sample rows, before training."""
    from explorer_core.datasets._labelled_texts import preview

    return preview(spec)


def save_upload(content: bytes, ending: str) -> Path:
    """Keep an uploaded file under a name made from its bytes; returns where, as the source `local_file` takes it.

    Raises:
        InvalidInputError: If it is too large, or its ending is none.
    """
    from explorer_core.training import store

    return store.save_upload(content, ending)


def train(spec: TrainingSpec, *, resume: bool = False, progress: Progress | None = None) -> str:
    """Train in this process (also one rank of `torchrun` or `accelerate launch`); returns the run's name."""
    from explorer_core.training import run

    return run.train(spec, resume=resume, progress=progress)


def training_spec(name: str) -> TrainingSpec:
    """What a run was asked to train.

    Raises:
        NotFoundError: If there is no such run, or it came without its spec.
    """
    from explorer_core.training import store

    return store.read_spec(name)


def start_training(spec: TrainingSpec) -> Job:
    """Train in a process of its own; the job can be watched, cancelled and resumed from any process."""
    from explorer_core.training import jobs

    return jobs.start(spec)


def resume_training(name: str) -> Job:
    """Go on with a cancelled, failed or lost run from its last checkpoint."""
    from explorer_core.training import jobs

    return jobs.resume(name)


def find_job(name: str) -> Job:
    """The job of a run, finished or not."""
    from explorer_core.training import jobs

    return jobs.find(name)


def starter_specs() -> tuple[TrainingSpec, ...]:
    """The five starter models, in the order they are trained."""
    from explorer_core.training import starters

    return starters.SPECS


def start_starters() -> tuple[Job, ...]:
    """Train the starters that are not ready, one after the other in one background process; returns their jobs."""
    from explorer_core.training import starters

    return starters.start()


def train_starters(*, progress: Progress | None = None) -> tuple[str, ...]:
    """Train the starters that are not ready in this process, one after the other; returns the names of those trained.

    Raises:
        JobError: If some failed; the message says which and why.
    """
    from explorer_core.training import starters

    return starters.train_all(progress)


def price_training(spec: TrainingSpec) -> Price:
    """Estimated seconds, disk and memory of a run, before the press."""
    from explorer_core.training import price

    return price.estimate(spec)


def training_curves(name: str) -> TrainingCurves:
    """Loss, accuracy, learning rate and gradient norms of a run, by step and epoch."""
    from explorer_core.training import store

    return store.read_curves(name)
