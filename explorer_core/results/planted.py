"""A text with a word that surely decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlantedText:
    """A held-out text with a word that surely decides.

    Attributes:
        text: The text with the planted word.
        span: Where it stands, start and end in characters of `text`.
        target: Index of the class it stands for; the text by itself is of the other one.
        plain: The text without it; a decoy stays.
        decoy: Where a word of the other class stands that decides nothing, in characters of `text`; `None` without.
    """

    text: str
    span: tuple[int, int]
    target: int
    plain: str
    decoy: tuple[int, int] | None = None

    @property
    def word(self) -> str:
        """The planted word."""
        return self.text[slice(*self.span)]


def planted_of(plain: Any) -> PlantedText:
    """A planted text from plain values; `KeyError`, `TypeError`, `ValueError` or `AssertionError` if they are none."""
    text, decoy = string_of(plain["text"]), plain["decoy"]
    span = _span(plain["span"], len(text))
    assert plain["target"] in (0, 1), "a target is no class"
    return PlantedText(
        text, span, int(plain["target"]), string_of(plain["plain"]), None if decoy is None else _span(decoy, len(text))
    )


def string_of(value: Any) -> str:
    """The value, if it is text."""
    assert isinstance(value, str), f"{str(value)[:40]} is no text"
    return value


def _span(plain: Sequence[Any], n_chars: int) -> tuple[int, int]:
    start, end = (int(one) for one in plain)
    assert 0 <= start < end <= n_chars, "a planted word stands outside its text"
    return start, end
