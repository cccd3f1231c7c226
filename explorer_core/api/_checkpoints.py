"""A run at several moments of its training: its checkpoints, and what it recorded of its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import Checkpoint, CheckpointTrace, GradientHistory, PairHistory
from explorer_core.training.spec import DataSpec

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.loaded import LoadedModel


def gradient_history(name: str) -> GradientHistory:
    """What a run recorded of its gradients while it trained, as far as it got.

    The loss of a few texts that stay the same, drawn by the seed among the long validation rows, is differentiated by
    every hidden state and by every weight that learns, with dropout off.

    Raises:
        NotFoundError: If there is no such run, or it recorded nothing.
    """
    from explorer_core.training import history

    return history.read_gradients(name)


def list_recorded() -> tuple[str, ...]:
    """Names of the runs that have a `gradient_history`, those that still train too; in the order of `list_models`."""
    from explorer_core.training import history

    return history.list_recorded()


def list_checkpoints(name: str) -> tuple[Checkpoint, ...]:
    """The checkpoints of a run that lie on disk, by rising step; empty where none were kept.

    One that was not written to its end is listed too, and says so in `problem`.

    Raises:
        NotFoundError: If there is no such run; a folder or a Hub model that was opened is none.
    """
    from explorer_core.training import history

    return history.list_checkpoints(name)


def load_checkpoint(name: str, step: int, device: str = "auto", *, like: LoadedModel | None = None) -> LoadedModel:
    """A run as it was after a step, ready to be read; the same as `load_model("<name>@<step>")`.

    Args:
        name: A run's name.
        step: Of a checkpoint in `list_checkpoints`.
        device: As in `load_model`.
        like: Another network of the same run, whose word vectors are shared where they are the same to the bit: frozen
            ones are most of what a small network weighs.

    Raises:
        NotFoundError: If there is no such run or checkpoint.
        InvalidInputError: If the checkpoint was not written to its end.
        IncompatibleError: If its weights are not finite.
    """
    from explorer_core.architectures import _loading
    from explorer_core.training import history

    one = history.find_checkpoint(name, step)
    return _loading.load(f"{name}@{one.step}", device, like=like)


def trace_checkpoints(
    models: Mapping[Checkpoint, LoadedModel],
    text: str,
    target: int | str | None = None,
    *,
    with_connectivity: bool = True,
    progress: Progress | None = None,
) -> CheckpointTrace:
    """The same text at every checkpoint: running verdict, gradients by word, gates in the mean, and connectivity.

    Args:
        models: Of one run, from `list_checkpoints` and `load_checkpoint`.
        text: The text, as typed.
        target: Class whose logit is followed, by index or label; left out, the one the last checkpoint predicts.
        with_connectivity: Whether the gradient of every prefix's logit is found too; see `trace_connectivity`.
        progress: See `Progress`.

    Raises:
        NotFoundError: If there is no checkpoint.
        IncompatibleError: If they are not of one run.
        InvalidInputError: As `trace_gradients`.
    """
    from explorer_core.tracing import checkpoints

    return checkpoints.trace(models, text, target, with_connectivity=with_connectivity, progress=progress)


def evaluate_checkpoints(
    models: Mapping[Checkpoint, LoadedModel],
    dataset: DataSpec | LabelledTexts,
    *,
    splits: tuple[str, ...] = ("validation", "test"),
    progress: Progress | None = None,
) -> PairHistory:
    """When a run learned what: share of minimal pairs judged right on both sides, by phenomenon and checkpoint.

    Args:
        models: Of one run, from `list_checkpoints` and `load_checkpoint`.
        dataset: Labelled texts with pairs, such as the starter corpus, or where to read them.
        splits: Whose rows are judged; not those the run learned from.
        progress: See `Progress`.

    Raises:
        NotFoundError: If there is no checkpoint, or no pair with both texts in these splits.
        IncompatibleError: If the labels of the data are not among the model's.
    """
    from explorer_core import evaluation

    return evaluation.pair_history(models, dataset, splits, progress=progress)
