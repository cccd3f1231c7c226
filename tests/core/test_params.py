"""A knob accepts both its bounds, refuses one beyond, and names what is allowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob, check_index
from explorer_core.training.spec import KNOBS

HUGE = (pytest.param(10**5_000, id="number"), pytest.param("\ud800" * 5_000, id="text"))
NUMBERS = [knob for knob in KNOBS.values() if not knob.choices]
CHOICES = [knob for knob in KNOBS.values() if knob.choices]


def by_name(knob: Knob) -> str:
    return knob.name


@pytest.mark.parametrize("knob", KNOBS.values(), ids=by_name)
def test_the_default_of_every_knob_is_allowed(knob: Knob) -> None:
    assert knob.check(knob.default) == knob.default


@pytest.mark.parametrize("knob", NUMBERS, ids=by_name)
def test_both_bounds_of_every_number_are_allowed(knob: Knob) -> None:
    kind = type(knob.default)
    assert knob.check(kind(knob.low)) == knob.low
    assert knob.check(kind(knob.high)) == knob.high


@pytest.mark.parametrize("knob", NUMBERS, ids=by_name)
@pytest.mark.parametrize("side", ["low", "high"])
def test_one_beyond_a_bound_is_refused_with_both_bounds(knob: Knob, side: str) -> None:
    bound = getattr(knob, side)
    is_whole = isinstance(knob.default, int)
    outside = bound + (1 if side == "high" else -1) if is_whole else math.nextafter(bound, math.inf * (bound - 0.5))
    if not is_whole:
        outside = math.nextafter(bound, math.inf if side == "high" else -math.inf)
    with pytest.raises(InvalidInputError) as caught:
        knob.check(outside)
    assert str(knob.low) in str(caught.value)
    assert str(knob.high) in str(caught.value)


@pytest.mark.parametrize("knob", CHOICES, ids=by_name)
def test_every_choice_is_allowed_and_any_other_is_refused_with_the_list(knob: Knob) -> None:
    for choice in knob.choices:
        assert knob.check(choice) == choice
    with pytest.raises(InvalidInputError) as caught:
        knob.check("something else")
    assert all(str(choice) in str(caught.value) for choice in knob.choices)


@pytest.mark.parametrize("knob", NUMBERS, ids=by_name)
@pytest.mark.parametrize("value", [None, "3", True, [1], float("nan"), {}])
def test_what_is_no_number_is_refused_by_every_number(knob: Knob, value: Any) -> None:
    with pytest.raises(InvalidInputError, match="number"):
        knob.check(value)


@pytest.mark.parametrize("knob", [knob for knob in NUMBERS if isinstance(knob.default, int)], ids=by_name)
def test_a_fraction_is_refused_where_a_whole_number_is_meant(knob: Knob) -> None:
    with pytest.raises(InvalidInputError, match="whole number"):
        knob.check(float(knob.default) + 0.5)


@pytest.mark.parametrize("value", [[], {}, ["wordpiece"], None])
def test_a_choice_that_cannot_even_be_hashed_is_refused_in_words(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed"):
        KNOBS["vocabulary"].check(value)


@pytest.mark.parametrize("value", ["x" * 10_000, 10**5_000, [0] * 5_000], ids=["text", "number", "list"])
@pytest.mark.parametrize("name", ["vocabulary", "epochs", "dropout"])
def test_a_huge_value_is_cut_in_the_message(name: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        KNOBS[name].check(value)
    assert len(str(caught.value)) < 300


def test_zero_and_one_are_no_truth_values_for_a_switch() -> None:
    with pytest.raises(InvalidInputError, match="allowed"):
        KNOBS["end_token"].check(1)


@pytest.mark.parametrize("value", [-1, 3, 0.0, "1", None, True, [1], float("nan"), *HUGE])
def test_what_is_no_place_on_an_axis_is_refused_with_the_bounds(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"no layer .* run from 0 to 2") as caught:
        check_index("layer", value, 3)
    assert len(str(caught.value).encode()) < 200


def test_a_place_on_an_axis_comes_back_as_a_plain_number() -> None:
    assert [type(check_index("layer", value, 3)) for value in (2, np.int64(2))] == [int, int]
