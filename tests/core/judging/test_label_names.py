"""Labels of a file find the classes they mean, or are left for a person."""

from __future__ import annotations

import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError

MOOD, MAIL, THREE = ("negative", "positive"), ("ham", "spam"), ("anger", "joy", "fear")


@pytest.mark.parametrize(
    ("values", "labels", "meant"),
    [
        (("Positive", "NEGATIVE "), MOOD, ("positive", "negative")),
        (("pos", "neg"), MOOD, ("positive", "negative")),
        (("1", "0"), MOOD, ("positive", "negative")),
        (("1", "0"), MOOD[::-1], ("positive", "negative")),
        (("1", "-1"), MOOD, ("positive", "negative")),
        (("1", "2"), MOOD, ("negative", "positive")),
        (("yes", "no"), MOOD, ("positive", "negative")),
        (("LABEL_1", "label_0"), MOOD, ("positive", "negative")),
        (("5", "4", "3", "2", "1"), MOOD, ("positive", "positive", None, "negative", "negative")),
        (("4", "3", "2", "1", "0"), MOOD, ("positive", "positive", None, "negative", "negative")),
        (("10", "7", "4", "1"), MOOD, ("positive", "positive", "negative", "negative")),
        (("5 stars", "1 star", "3/5"), MOOD, ("positive", "negative", None)),
        (("4.0", "1.0"), MOOD, ("positive", "negative")),
        (("spam", "ham"), MAIL, ("spam", "ham")),
        (("1", "0"), MAIL, ("spam", "ham")),
        (("junk", "legit"), MAIL, ("spam", "ham")),
        (("spam", "ham"), MOOD, (None, None)),
        (("positive", "negative"), MAIL, (None, None)),
        (("positive", "so-so"), MOOD, ("positive", None)),
        (("2", "0", "1"), THREE, ("fear", "anger", "joy")),
        (("JOY", "rage"), THREE, ("joy", None)),
        (("pos", "1", "neg", "0", "maybe"), MOOD, ("positive", "positive", "negative", "negative", None)),
        (("pos", "1", "neg", "0", "2"), MOOD, ("positive", None, "negative", None, None)),
        (("pos", "neg", "0"), MOOD, ("positive", "negative", None)),
        (("Oslo", "Rome"), MOOD, (None, None)),
        (("100", "200"), MOOD, (None, None)),
        (("1" * 5_000, "0"), MOOD, (None, None)),
        (("1" * 5_000, "0"), THREE, (None, None)),
        ((), MOOD, ()),
    ],
)
def test_a_label_means_the_class_a_person_would_take_it_for(values, labels, meant):
    assert api.guess_labels(values, labels) == dict(zip(values, meant, strict=True))


def test_a_mapping_turns_labels_into_classes_and_leaves_out_what_it_does_not_name(read):
    table = read("a.csv", "text,label\ngood,yay\nbad,boo\nso so,meh\nfine,yay\nsad,boo\nnone,meh\n")
    assert table.classes({"yay": "positive", "boo": "negative"}, MOOD).tolist() == [1, 0, -1, 1, 0, -1]
    assert table.classes({"yay": None}, MOOD).tolist() == [-1] * 6
    with pytest.raises(InvalidInputError, match="negative, positive"):
        table.classes({"yay": "happy"}, MOOD)
