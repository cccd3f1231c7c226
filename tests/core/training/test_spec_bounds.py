"""Every knob of a training spec works at both ends, and refuses one beyond with both bounds named."""

from __future__ import annotations

import pytest

from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.training.spec import KNOBS, TrainingSpec

NUMBERS = [knob for knob in KNOBS.values() if not knob.choices]
CHOICES = [knob for knob in KNOBS.values() if knob.choices]


def make(name: str, value: object) -> TrainingSpec:
    partner = {"embeddings": "scratch"} if name == "vocabulary" else {}
    return TrainingSpec(name="a", **{name: value}, **partner)  # type: ignore[arg-type]


@pytest.mark.parametrize("knob", NUMBERS, ids=lambda knob: knob.name)
def test_a_number_is_taken_at_both_ends_and_refused_beyond_with_both_bounds(knob: Knob) -> None:
    assert knob.low is not None
    assert knob.high is not None
    kind = type(knob.default)
    for value in (knob.low, knob.high):
        assert getattr(make(knob.name, kind(value)), knob.name) == kind(value)
    for value in (kind(knob.low) - 1, kind(knob.high) + 1):
        with pytest.raises(InvalidInputError) as caught:
            make(knob.name, value)
        assert str(knob.low) in str(caught.value)
        assert str(knob.high) in str(caught.value)


@pytest.mark.parametrize("knob", CHOICES, ids=lambda knob: knob.name)
def test_a_choice_is_taken_and_another_is_refused_with_all_choices(knob: Knob) -> None:
    for value in knob.choices:
        assert getattr(make(knob.name, value), knob.name) == value
    with pytest.raises(InvalidInputError) as caught:
        make(knob.name, "neither")
    assert all(str(choice) in str(caught.value) for choice in knob.choices)


def test_the_default_of_every_knob_is_the_default_of_its_field() -> None:
    spec = TrainingSpec("a")
    assert {name: getattr(spec, name) for name in KNOBS} == {name: knob.default for name, knob in KNOBS.items()}


def test_every_extreme_spec_survives_json_both_ways() -> None:
    for knob in NUMBERS:
        spec = make(knob.name, type(knob.default)(knob.high or 0))
        assert TrainingSpec.from_json(spec.to_json()) == spec
