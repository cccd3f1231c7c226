"""Colours mean one thing everywhere."""

import pytest

from explorer_core import registry
from explorer_core.palette import NEGATIVE, POSITIVE, class_colors, family_label, family_line


@pytest.mark.parametrize(
    ("labels", "colors"),
    [
        (("negative", "positive"), (NEGATIVE, POSITIVE)),
        (("positive", "negative"), (POSITIVE, NEGATIVE)),
        (("LABEL_0", "LABEL_1"), (NEGATIVE, POSITIVE)),
        (("ham", "spam"), (POSITIVE, NEGATIVE)),
        (("cats", "dogs"), (NEGATIVE, POSITIVE)),
    ],
)
def test_the_negative_class_is_orange_and_the_positive_blue_in_any_order(labels, colors):
    assert class_colors(labels) == colors


def test_twenty_classes_have_twenty_colours():
    assert len(class_colors([str(index) for index in range(20)])) == 20


def test_no_two_families_share_a_colour_or_a_dash():
    lines = [family_line(name) for name in registry.describe("architectures")]
    assert len({color for color, _ in lines}) == len({dash for _, dash in lines}) == len(lines)


def test_an_unknown_family_is_drawn_all_the_same():
    assert family_line("nobody")[1] == "solid"
    assert family_label("nobody") == "nobody"
