"""Runs that are equal but for the seed: how much of a difference between two networks is luck. No torch here."""

from __future__ import annotations

import dataclasses
import re

from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.results import ModelCard
from explorer_core.training import store
from explorer_core.training.spec import NAME_PATTERN, TrainingSpec

MOST = 10  # trainings asked for at once
_ENDING = re.compile(r"-seed-\d+$")
_LONGEST = 36  # characters of a name before its ending


def find(name: str) -> tuple[tuple[ModelCard, int], ...]:
    """Every run with the spec of this one but for name and seed, itself too, with its seed; by rising seed, then name.
    See `api.find_seeds`.

    Raises:
        NotFoundError: If there is no such run, or it came without its spec.
    """
    wanted = _alike(_spec_of(name))
    found = []
    for card in store.list_cards():
        try:
            spec = store.read_spec(card.name)
        except (NotFoundError, InvalidInputError):
            continue
        if _alike(spec) == wanted:
            found.append((card, spec.seed))
    return tuple(sorted(found, key=lambda one: (one[1], one[0].name)))


def specs(name: str, n_seeds: int) -> tuple[TrainingSpec, ...]:
    """The spec of a run with so many seeds that no run has yet, each under a free name; see `api.seed_specs`.

    Raises:
        NotFoundError: As `find`.
        InvalidInputError: If the number is out of bounds.
    """
    if not 1 <= n_seeds <= MOST:
        raise InvalidInputError(f"Between 1 and {MOST} seeds are trained at once, not {n_seeds}.")
    spec = _spec_of(name)
    used = {seed for _, seed in find(name)}
    base = _ENDING.sub("", name)[:_LONGEST].rstrip("-")
    found: list[TrainingSpec] = []
    seed = 0
    while len(found) < n_seeds:
        seed += 1
        if seed not in used:
            found.append(dataclasses.replace(spec, name=store.free_name(f"{base}-seed-{seed}"), seed=seed))
    return tuple(found)


def _spec_of(name: str) -> TrainingSpec:
    if not NAME_PATTERN.fullmatch(name):
        raise NotFoundError(
            f"{name[:60]!r} was not trained here, so it is not known how. Choose a model that was, to train it again "
            "with other seeds."
        )
    return store.read_spec(name)


def _alike(spec: TrainingSpec) -> TrainingSpec:
    return dataclasses.replace(spec, name="any", seed=0)
