"""Runs that are equal but for the seed, and the specs of more of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.training.spec import TrainingSpec

SPEC = TrainingSpec("mine", "gru", hidden_size=16, seed=3)


@pytest.fixture
def run(keep: Any, home: Path) -> Any:
    def maker(spec: TrainingSpec) -> None:
        (home / keep(spec.family, name=spec.name) / "spec.json").write_text(spec.to_json())

    return maker


def test_runs_that_differ_by_name_and_seed_alone_are_found(run: Any) -> None:
    run(SPEC)
    run(dataclasses.replace(SPEC, name="other", seed=1))
    run(dataclasses.replace(SPEC, name="same-seed"))
    run(dataclasses.replace(SPEC, name="wider", hidden_size=24, seed=1))
    run(dataclasses.replace(SPEC, name="lstm", family="lstm", seed=1))
    found = [(card.name, seed) for card, seed in api.find_seeds("mine")]
    assert found == [("other", 1), ("mine", 3), ("same-seed", 3)]
    assert [(card.name, seed) for card, seed in api.find_seeds("wider")] == [("wider", 1)]


def test_more_seeds_are_those_nobody_trained_under_free_names(run: Any) -> None:
    run(SPEC)
    run(dataclasses.replace(SPEC, name="mine-seed-1", seed=1))
    run(dataclasses.replace(SPEC, name="mine-seed-2", hidden_size=24))  # another network of that name
    specs = api.seed_specs("mine")
    assert [(spec.name, spec.seed) for spec in specs] == [("mine-seed-2-2", 2), ("mine-seed-4", 4), ("mine-seed-5", 5)]
    assert all(dataclasses.replace(spec, name="mine", seed=3) == SPEC for spec in specs)
    assert [spec.name for spec in api.seed_specs("mine-seed-1", 1)] == ["mine-seed-2-2"]


def test_what_was_not_trained_here_has_no_seeds(run: Any) -> None:
    run(SPEC)
    for name in ("nobody", "someone/model", "../up"):
        with pytest.raises(NotFoundError):
            api.find_seeds(name)
        with pytest.raises(NotFoundError):
            api.seed_specs(name)
    with pytest.raises(InvalidInputError, match="Between 1 and 10"):
        api.seed_specs("mine", 0)
