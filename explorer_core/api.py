"""The front desk: everything pages, the command line and notebooks call.

Importing this module is cheap; torch comes in with the first call that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer_core import registry
from explorer_core.registry import About
from explorer_core.results import Evaluation, ModelCard, Predictions, RecurrentTrace, TransformerTrace
from explorer_core.training.spec import DataSpec, TrainingSpec

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts
    from explorer_core.loaded import LoadedModel
    from explorer_core.training.jobs import Job
    from explorer_core.training.price import Price
    from explorer_core.training.store import TrainingCurves

Progress = Callable[[float], None]
"""Called with the share done, in [0, 1]; may raise `CancelledError` to stop the work."""


def list_families() -> tuple[About, ...]:
    """The model families, without importing torch."""
    return tuple(registry.describe("architectures").values())


def list_sources() -> tuple[About, ...]:
    """The data sources."""
    return tuple(registry.describe("datasets").values())


# Models -------------------------------------------------------------------------------------------------------------


def list_models() -> tuple[ModelCard, ...]:
    """Every run in the store, in any state, newest first but starters in their own order at the top. No torch."""
    from explorer_core.training import store

    return store.list_cards()


def load_model(source: str, device: str = "auto") -> LoadedModel:
    """A network ready to be read.

    Args:
        source: A run's name, a local folder, or a Hub id such as `textattack/bert-base-uncased-SST-2`.
        device: `auto` (cuda, else mps, else cpu), `cpu`, `cuda` or `mps`.

    Raises:
        NotFoundError: If there is no such run, folder or Hub repository.
        UnsafeModelError: If loading would have to run code or unpickle.
        IncompatibleError: If it is not a sequence classifier of a known family.
        OfflineError: If the Hub cannot be reached.
    """
    from explorer_core.architectures import _loading

    return _loading.load(source, device)


def free_name(base: str) -> str:
    """A name no model has yet: the wish itself in allowed letters, or with -2, -3, ... after it."""
    from explorer_core.training import store

    return store.free_name(base)


def export_model(name: str, path: str | Path) -> Path:
    """Write one finished run as a zip of its `save_pretrained` folder."""
    from explorer_core.training import archive

    return archive.export_run(name, Path(path))


def import_model(path: str | Path, name: str) -> str:
    """Unpack a zip made by `export_model`, or of any safe model folder, as a run; returns its name."""
    from explorer_core.training import archive

    return archive.import_run(Path(path), name)


def delete_model(name: str) -> None:
    """Move a run to the bin; `restore_model` brings it back until the bin is emptied by the next deletion."""
    from explorer_core.training import store

    store.delete(name)


def restore_model(name: str) -> None:
    """Bring a run back from the bin."""
    from explorer_core.training import store

    store.restore(name)


# Data ---------------------------------------------------------------------------------------------------------------


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


# Training -----------------------------------------------------------------------------------------------------------


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


# Reading a text -----------------------------------------------------------------------------------------------------


def predict(model: LoadedModel, texts: Sequence[str], *, progress: Progress | None = None) -> Predictions:
    """Verdicts over texts, batched by length.

    Raises:
        InvalidInputError: If a text is empty or too long; the message names its number.
    """
    from explorer_core import prediction

    return prediction.predict(model, texts, progress=progress)


def trace_states(
    model: LoadedModel, text: str, *, running: bool = True, progress: Progress | None = None
) -> RecurrentTrace | TransformerTrace:
    """Hidden state, cell state, gates and the running verdict of a recurrent network; hidden states, attention and
    the running verdict of a BERT.

    Args:
        model: From `load_model`.
        text: The text, as typed.
        running: Whether to read the verdict after every word. Nearly free for a network that reads one way; a BiLSTM
            and a BERT read every prefix anew, which grows with the square of the length.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If the text has no words, or too many characters.
    """
    from explorer_core.tracing import states

    return states.trace(model, text, running=running, progress=progress)


def running_verdict(model: LoadedModel, text: str, *, progress: Progress | None = None) -> np.ndarray:
    """Logits after every word without states or gates, shape [word, class]; the last row is the whole text's."""
    from explorer_core.tracing import running

    return running.trace_running(model, text, progress=progress)


def evaluate(
    model: LoadedModel,
    dataset: DataSpec | LabelledTexts,
    *,
    split: str = "test",
    progress: Progress | None = None,
) -> Evaluation:
    """Accuracy, macro F1, calibration, confusion, and pairs judged right on both sides, on one split of a data set."""
    from explorer_core import evaluation

    return evaluation.evaluate(model, dataset, split, progress=progress)
