"""Constraints as data: a knob knows its bounds, so a form can draw it and a door can refuse what is outside."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from explorer_core.errors import InvalidInputError


@dataclass(frozen=True)
class Knob:
    """One number or choice a person can set.

    Attributes:
        name: The field it belongs to.
        label: What a person sees.
        help: One sentence, with the unit.
        default: Value when nothing is chosen.
        low, high: Bounds of a number, both allowed.
        step: Step of a number in a form.
        choices: Allowed values of a choice.
    """

    name: str
    label: str
    help: str
    default: Any
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[Any, ...] = ()

    def check(self, value: Any) -> Any:
        """The value, if it is allowed.

        Raises:
            InvalidInputError: If it is not; the message names both bounds, or all choices.
        """
        if self.choices:
            if not any(type(value) is type(choice) and value == choice for choice in self.choices):  # 1 is not True
                allowed = ", ".join(str(choice) for choice in self.choices)
                raise InvalidInputError(f"{self.label} is {_shown(value)}; allowed: {allowed}.")
            return value
        wanted = int if isinstance(self.default, int) else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted) or value != value:
            kind = "a whole number" if wanted is int else "a number"
            raise InvalidInputError(
                f"{self.label} is {_shown(value)}; {kind} from {self.low} to {self.high} is expected."
            )
        if not self.low <= value <= self.high:  # type: ignore[operator]
            raise InvalidInputError(f"{self.label} is {_shown(value)}; allowed: {self.low} to {self.high}.")
        return value


SEED = Knob("seed", "Seed", "Where the random numbers begin.", 0, 0, 2**31 - 1, 1)


def check_index(name: str, value: Any, size: int) -> int:
    """A place on an axis, if it is a whole number from 0 to size - 1.

    Args:
        name: What is counted, such as `layer`.
        value: Of any type; it may come from an address or a command line.
        size: Places on the axis.

    Raises:
        InvalidInputError: If it is none; the message names the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < size:
        raise InvalidInputError(f"There is no {name} {_shown(value)}; {name}s run from 0 to {size - 1} here.")
    return int(value)


def _shown(value: Any) -> str:
    """The value for a message, cut."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list inside itself
        return "something huge"
    return text if len(text) <= 60 else f"{text[:57]}..."
