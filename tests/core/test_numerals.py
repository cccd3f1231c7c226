"""Numbers as a person reads them."""

import math

import pytest

from explorer_core.numerals import axis_limit, nice_limit, number


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (0.83412, False, "0.834"),
        (0.83412, True, "+0.834"),
        (-1.2, True, "−1.20"),
        (0.9996, False, "1.00"),
        (0.0123456, False, "0.0123"),
        (123456.0, False, "123,000"),
        (0.00001234, False, "1.23e−05"),
        (0, True, "0"),
        (math.nan, False, "no number"),
        (-math.inf, False, "−infinite"),
    ],
)
def test_a_number_keeps_three_significant_digits_and_its_sign(value, signed, shown):
    assert number(value, signed=signed) == shown


@pytest.mark.parametrize("value", [1e-9, 0.031, 0.5, 1.0, 1.01, 7, 4_999, 5_001])
def test_a_scale_ends_on_a_round_number_not_far_above_the_value(value):
    limit = nice_limit(value)
    assert value <= limit * (1 + 1e-9) <= 1.5 * value * (1 + 1e-6)
    assert len(f"{limit:.15g}".replace("0", "").replace(".", "").split("e")[0]) <= 2


def test_a_scale_of_nothing_still_has_an_end():
    assert nice_limit(0.0) == nice_limit(math.nan) == 1.0


@pytest.mark.parametrize("value", [0.07, 1.0, 11.3, 640])
def test_an_axis_that_follows_its_data_ends_a_little_above_it(value):
    assert value < axis_limit(value) <= 1.3 * value
