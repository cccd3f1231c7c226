"""One cell of a column of rationales, as the characters of its text that a person marked.

A cell is a list of spans (`[[0,4],[10,15]]`, `0:4;10:15`, `0-4,10-15`), each from its first character, or word, to the
one after its last, or a mask with one number for each word (`0 1 1 0`, `[0, 1, 1, 0]`), or several masks, one for each
annotator. A word is marked from a number, or a mean over annotators, of 0.5 on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from explorer_core import settings
from explorer_core.errors import InvalidInputError

KINDS = {
    "auto": "found by itself",
    "characters": "spans of characters",
    "words": "spans of words",
    "mask": "0 or 1 for each word",
}
MARKED_FROM = 0.5

Span = tuple[int, int]
_PAIRS = re.compile(r"\s*\d{1,9}\s*[-:–]\s*\d{1,9}\s*(?:[;,\s]\s*\d{1,9}\s*[-:–]\s*\d{1,9}\s*)*[;,]?\s*")
_PAIR = re.compile(r"(\d{1,9})\s*[-:–]\s*(\d{1,9})")
_WORD = re.compile(r"[^ \t\r\n]+")
_LONG = f"a rationale of more than {settings.MAX_CELL_CHARS:,} characters"
_ODD_MASK = "a mask with something else than numbers from 0 to 1"
_NEITHER = "a rationale that is neither spans nor a mask of 0 and 1"
_ODD_SPAN = "a span that is not two whole numbers"
_EARLY, _TURNED = "a span that begins before its text", "a span that ends before it begins"
_LATE, _UNEVEN = "a span beyond the end of its text", "a mask that is not as long as its text has words"
_NEARLY = (_EARLY, _TURNED, _LATE, _UNEVEN)  # of the right kind, but wrong


def blank_words(text: str) -> list[Span]:
    """Start and end, in characters, of every run between blanks: what a mask counts."""
    return [match.span() for match in _WORD.finditer(text)]


def spans_of(cell: str, text: str, words: Sequence[Span], kind: str) -> tuple[Span, ...]:
    """The marked characters of a text, as spans that neither touch nor overlap, in order.

    Args:
        cell: What stands in the file.
        text: The text it is about.
        words: Start and end of each of its words, in characters.
        kind: `characters`, `words` or `mask`.

    Raises:
        InvalidInputError: If it cannot be read so; the message is what the row has, such as `a span beyond the text`.
    """
    value = _value(cell)
    if kind == "mask":
        marks = _marks(value, len(words))
        return joined([span for span, mark in zip(words, marks, strict=True) if mark])
    pairs = _pairs(value, len(text) if kind == "characters" else len(words))
    if kind == "words":
        pairs = [(words[first][0], words[last - 1][1]) for first, last in pairs]
    return joined(pairs)


def find_kind(rows: Sequence[tuple[str, str, Sequence[Span]]], preferred: Sequence[str]) -> str:
    """How most of some cells can be read; the first of the preferred kinds where several read as many.

    Args:
        rows: Cell, text and words of some rows.
        preferred: Kinds in order.
    """
    counts = {kind: [0, 0] for kind in preferred}  # cells that can be read, and nearly
    for kind in preferred:
        for cell, text, words in rows:
            try:
                spans_of(cell, text, words, kind)
                counts[kind][0] += 1
            except InvalidInputError as error:
                counts[kind][1] += str(error) in _NEARLY
    return max(preferred, key=lambda kind: counts[kind])


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap made one."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _value(cell: str) -> list[Any]:
    """The cell as a list of numbers, or of lists."""
    if len(cell) > settings.MAX_CELL_CHARS:
        raise InvalidInputError(_LONG)
    bare = cell.strip()
    if bare.startswith("["):
        try:
            found = json.loads(bare)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
        bare = bare.removeprefix("[").removesuffix("]")  # an array as NumPy prints it
    if not bare:
        return []
    if _PAIRS.fullmatch(bare):
        return [[int(start), int(end)] for start, end in _PAIR.findall(bare)]
    try:
        return [float(number) for number in re.split(r"[\s,;]+", bare.strip(" \t\r\n,;"))]
    except ValueError:
        raise InvalidInputError(_NEITHER) from None


def _pairs(value: list[Any], limit: int) -> list[Span]:
    """The list as spans within a length."""
    if len(value) == 2 and not any(isinstance(one, list) for one in value):
        value = [value]  # one span without its outer brackets
    found = []
    for pair in value:
        if not isinstance(pair, list):
            raise InvalidInputError(_NEITHER)
        if len(pair) != 2 or not all(_is_whole(number) for number in pair):
            raise InvalidInputError(_ODD_SPAN)
        start, end = int(pair[0]), int(pair[1])
        if start < 0:
            raise InvalidInputError(_EARLY)
        if end <= start:
            raise InvalidInputError(_TURNED)
        if end > limit:
            raise InvalidInputError(_LATE)
        found.append((start, end))
    return found


def _marks(value: list[Any], n_words: int) -> list[bool]:
    """The list as one mark for each word."""
    masks = value if any(isinstance(one, list) for one in value) else [value]
    if not all(isinstance(mask, list) for mask in masks):
        raise InvalidInputError(_NEITHER)
    for mask in masks:
        if not all(isinstance(number, (int, float)) and 0 <= number <= 1 for number in mask):
            raise InvalidInputError(_ODD_MASK)
        if len(mask) != n_words:
            raise InvalidInputError(_UNEVEN)
    return [sum(column) >= MARKED_FROM * len(masks) for column in zip(*masks, strict=True)]


def _is_whole(number: Any) -> bool:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    return isinstance(number, int) or (math.isfinite(number) and number.is_integer())
