"""A run's way to what it became: what it recorded of its gradients, and the checkpoints it left. No torch here."""

from __future__ import annotations

from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.results import Checkpoint, GradientHistory
from explorer_core.training import _checkpoints, _gradient_log, store
from explorer_core.training.spec import NAME_PATTERN


def read_gradients(name: str) -> GradientHistory:
    """What a run recorded of its gradients, as far as it got.

    Raises:
        NotFoundError: If there is no such run, or it recorded nothing.
    """
    folder = store.run_folder(name)
    if not folder.is_dir():
        raise NotFoundError(f"There is no model called {name} here.")
    if not _gradient_log.has_recordings(folder):
        raise NotFoundError(_gradient_log.NOTHING.format(name=name))
    spec = store.read_spec(name)
    return _gradient_log.read(folder, name, spec.family, spec.clip_norm)


def list_recorded() -> tuple[str, ...]:
    """Names of the runs that recorded gradients, those that still train too; in the order of `list_cards`."""
    return tuple(card.name for card in store.list_cards() if _gradient_log.has_recordings(store.run_folder(card.name)))


def list_checkpoints(name: str) -> tuple[Checkpoint, ...]:
    """The checkpoints of a run by rising step; a half-written one says so.

    Raises:
        NotFoundError: If there is no such run.
    """
    is_name = isinstance(name, str) and NAME_PATTERN.fullmatch(name)
    if not is_name or not store.run_folder(name).is_dir():
        raise NotFoundError(
            f"{str(name)[:60]!r} is no run of this store, so it has no checkpoints. Those of a model that was opened "
            "from a folder or from the Hub are not known; choose one that was trained here."
        )
    return _checkpoints.list_all(store.run_folder(name))


def find_checkpoint(name: str, step: int) -> Checkpoint:
    """One checkpoint of a run, if it can be read.

    Raises:
        NotFoundError: If there is no such run, or no checkpoint of that step; the message names those there are.
        InvalidInputError: If it was not written to its end.
    """
    found = list_checkpoints(name)
    for one in found:
        if one.step == step:
            if one.problem:
                raise InvalidInputError(one.problem)
            return one
    there = ", ".join(f"{one.step:,}" for one in found if not one.problem) or "none; it was imported, or never trained"
    raise NotFoundError(f"The run {name} has no checkpoint of step {str(step)[:20]}; there are: {there}.")
