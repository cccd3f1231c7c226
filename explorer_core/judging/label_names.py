"""Which class of a model each label of a file means: guessed by names and numbers, for a person to change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_KINDS = (  # usual names of the two sides, by what is told apart
    (("negative", "neg", "bad", "unfavorable", "unfavourable", "dislike", "rotten"),
     ("positive", "pos", "good", "favorable", "favourable", "like", "fresh")),
    (("ham", "not spam", "non-spam", "nonspam", "legit", "legitimate", "normal"), ("spam", "junk")),
    (("non-toxic", "not toxic", "clean"), ("toxic", "hate", "offensive")),
    (("no", "false", "n", "f", "-"), ("yes", "true", "y", "t", "+")),
)  # fmt: skip
_ANY_KIND = 3  # its names fit the sides of any model
_NUMBER = re.compile(r"(?:label[_ ]?|class[_ ]?)?([+-]?\d{1,15})(?:\.0+)?(?: ?(?:stars?|/ ?(\d+)))?")


def guess_labels(values: Sequence[str], labels: Sequence[str]) -> dict[str, str | None]:
    """Class of each label value, `None` where nothing fits.

    In this order: the same name whatever its case; usual names of the two sides (`pos`, `good`, `spam`, ...) where the
    model has two classes; numbers: 0 and 1, −1 and 1 or 1 and 2 as the two sides, three or more numbers as stars whose
    middle is left out, and otherwise the number of the class. Beside names of the two sides only 0 and 1 together are
    taken for them.

    Args:
        values: Labels as a file has them.
        labels: Names of the model's classes, in the order of its logits.
    """
    by_name = {_plain(label): label for label in reversed(labels)}
    found = {value: by_name.get(_plain(value)) for value in values}
    rest = [value for value in values if found[value] is None]
    if len(labels) == 2:
        low, high = _sides(labels)
        of_model = next((known[0] for label in labels if (known := _kind(label))), _ANY_KIND)
        for value in rest:
            kind, side = _kind(value) or (-1, 0)
            if kind in (_ANY_KIND, of_model) or (kind >= 0 and of_model == _ANY_KIND):
                found[value] = (low, high)[side]
        rest = [value for value in rest if found[value] is None]
        if len(rest) == len(values):
            found |= _by_stars(rest, low, high)
        elif {one for one in rest if _NUMBER.fullmatch(_plain(one))} == {"0", "1"}:  # two ways of writing in one file
            found |= {"0": low, "1": high}
    elif len(rest) == len(values):
        numbers = _numbers(rest)
        if numbers and all(0 <= number < len(labels) for number in numbers.values()):
            found |= {value: labels[number] for value, number in numbers.items()}
    return found


def _plain(value: str) -> str:
    return " ".join(str(value).split()).casefold()


def _kind(value: str) -> tuple[int, int] | None:
    """Which pair of names a value belongs to, and whether it is the second of it."""
    plain = _plain(value)
    return next(((kind, side) for kind, pair in enumerate(_KINDS) for side in (0, 1) if plain in pair[side]), None)


def _sides(labels: Sequence[str]) -> tuple[str, str]:
    """The class that a 0 means, and the one that a 1 means."""
    first, second = labels
    first_side, second_side = ((_kind(label) or (0, None))[1] for label in labels)
    is_turned = first_side != 0 and (second_side == 0 or (first_side == 1 and second_side != 1))
    return (second, first) if is_turned else (first, second)


def _numbers(values: Sequence[str]) -> dict[str, int]:
    """The number in each value, or nothing if one has none."""
    found = {value: _NUMBER.fullmatch(_plain(value)) for value in values}
    return {value: int(match[1]) for value, match in found.items() if match} if all(found.values()) else {}


def _by_stars(values: Sequence[str], low: str, high: str) -> Mapping[str, str | None]:
    """Numbers below and above the middle of their scale; what lies in the middle is left out."""
    numbers = _numbers(values)
    if not numbers:
        return {}
    seen = set(numbers.values())
    if seen <= {0, 1}:
        middle, width = 0.5, 0.0
    elif seen <= {-1, 0, 1}:
        middle, width = 0.0, 0.5
    elif seen == {1, 2}:
        middle, width = 1.5, 0.0
    elif min(seen) >= 0 and max(seen) <= 10:
        bottom = 0 if 0 in seen else 1
        top = 4 if bottom == 0 and max(seen) <= 4 else 5 if max(seen) <= 5 else 10
        middle, width = (bottom + top) / 2, 0.5 if top <= 5 else 1.0
    else:
        return {}
    sides = {value: high if number > middle else low for value, number in numbers.items()}
    return {value: None if abs(numbers[value] - middle) < width + 1e-9 and width else sides[value] for value in values}
