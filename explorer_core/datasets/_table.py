"""Rows and columns of any source as text, before anyone says which column is which."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer_core import settings
from explorer_core.datasets._labelled_texts import cut
from explorer_core.errors import InvalidInputError
from explorer_core.text import visible

MAX_NAME_CHARS = 60  # of a column's or class's name, in messages and as a class
COLUMN_NAMES_OF_TEXTS = (
    "text", "review", "sentence", "content", "comment", "tweet", "message", "document", "body", "phrase", "question",
    "utterance", "headline", "title", "description", "v2",
)  # fmt: skip
COLUMN_NAMES_OF_LABELS = (
    "label", "labels", "sentiment", "class", "category", "target", "polarity", "topic", "rating", "stars", "score",
    "emotion", "intent", "y", "v1",
)  # fmt: skip
_USUAL_NAMES = frozenset((*COLUMN_NAMES_OF_TEXTS, *COLUMN_NAMES_OF_LABELS))
_HEADER_ROWS = 5_000  # rows compared with the first one

Cell = str | None


@dataclass(frozen=True)
class Table:
    """What a source read, before anyone says which column is which.

    Attributes:
        origin: Short name of the source.
        columns: Cells of each column, `None` where there is none; shape [row] each.
        row_numbers: Number of each row as a person counts them in the file; shape [row].
        notes: What was guessed or left out while reading, one sentence each.
        no_labels: What to say when there is no label column; empty for the usual sentence.
        classes: Known class names of a column, in their own order.
        choices: Other options with their allowed values.
    """

    origin: str
    columns: Mapping[str, Sequence[Cell]]
    row_numbers: Sequence[int]
    notes: tuple[str, ...] = ()
    no_labels: str = ""
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert all(len(cells) == len(self.row_numbers) for cells in self.columns.values())

    @property
    def n_rows(self) -> int:
        """Rows read."""
        return len(self.row_numbers)


def as_cell(value: Any) -> Cell:
    """A value of any file as text: whole floats lose their `.0`; nested and binary values count as missing."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bytes, bytearray, Mapping, list, tuple, set)):
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def as_list_cell(value: Any) -> Cell:
    """As `as_cell`, but a list becomes JSON."""
    if not isinstance(value, list):
        return as_cell(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return None


def name_columns(header: Sequence[Cell]) -> list[str]:
    """Names that can be told apart: blank ones are numbered, repeated ones counted."""
    names: list[str] = []
    for position, cell in enumerate(header, start=1):
        name = " ".join((cell or "").split()) or f"column {position}"
        copies = 2
        base = name
        while name in names:
            name = f"{base} ({copies})"
            copies += 1
        names.append(name)
    return names


def has_header(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether the first row names the columns: short, no numbers, no sentences, and none of its cells comes again below
    itself. A column by itself has a name of one word, or one with a usual name of such columns in it.
    """
    first = [(cell or "").strip() for cell in rows[0]]
    if not any(first) or any(len(cell) > MAX_NAME_CHARS or len(cell.split()) > 6 for cell in first):
        return False
    if any(re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell) for cell in first):
        return False
    if _has_usual_name(first):
        return True
    if any(re.fullmatch(r"true|false|\S+\s.*[.!…]", cell, re.IGNORECASE) for cell in first):
        return False
    if len(first) == 1 and " " in first[0] and not _USUAL_NAMES & set(re.findall(r"\w+", first[0].casefold())):
        return False
    below = rows[1:_HEADER_ROWS]
    return not any(
        name and any(len(row) > position and row[position] == cell for row in below)
        for position, (name, cell) in enumerate(zip(first, rows[0], strict=True))
    )


def _has_usual_name(cells: Iterable[Cell]) -> bool:
    return any((cell or "").strip().casefold() in _USUAL_NAMES for cell in cells)


def table_of_rows(
    origin: str, rows: Sequence[Sequence[Cell]], row_numbers: Sequence[int], notes: Iterable[str], header: bool
) -> Table:
    """A table from rows of cells; rows longer than the first are left out and told.

    Raises:
        InvalidInputError: If there are too many columns, no rows, or most rows do not fit the first.
    """
    width = len(rows[0])
    check_width(width)
    names = name_columns(rows[0]) if header else name_columns([None] * width)
    kept: list[Sequence[Cell]] = []
    numbers: list[int] = []
    odd: list[int] = []
    told = [*notes]
    last = settings.MAX_ROWS + header
    if len(rows) > last:
        told.append(f"Only the first {settings.MAX_ROWS:,} rows are used; there are more.")
    for row, number in zip(rows[header:last], row_numbers[header:last], strict=True):
        if len(row) == width:
            kept.append(row)
        elif len(row) < width:
            kept.append([*row, *[None] * (width - len(row))])
        elif not any(row[width:]):
            kept.append(row[:width])
        else:
            odd.append(number)
            continue
        numbers.append(number)
    if len(odd) > len(kept):
        raise InvalidInputError(
            f"Most rows have more cells than the first one ({width}), beginning with {_list_rows(odd)}. "
            "Put texts that hold the delimiter between double quotes."
        )
    if not kept:
        raise InvalidInputError("The file has column names but no rows. Add one text and its label on each row.")
    if not header:
        told.append("The first row does not look like column names, so the columns are numbered.")
    elif not _has_usual_name(rows[0]):
        told.append("The first row was taken for the names of the columns.")
    if odd:
        told.append(tell_skipped(odd, "more cells than the first row"))
    columns = dict(zip(names, (list(column) for column in zip(*kept, strict=True)), strict=True))
    return Table(origin, columns, numbers, tuple(told))


def check_width(n_columns: int) -> None:
    """Refuse a table no one could choose columns from.

    Raises:
        InvalidInputError: If there are more than `settings.MAX_COLUMNS`.
    """
    if n_columns > settings.MAX_COLUMNS:
        raise InvalidInputError(
            f"The data has {n_columns:,} columns; at most {settings.MAX_COLUMNS} are read. "
            "Keep the column of texts and the column of labels."
        )


def tell_skipped(numbers: Sequence[int], why: str) -> str:
    """The note for rows that were left out."""
    return f"Left out {len(numbers):,} row{'s' * (len(numbers) != 1)} with {why}: {_list_rows(numbers)}."


def _list_rows(numbers: Sequence[int]) -> str:
    return f"row{'s' * (len(numbers) != 1)} " + ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")


def show_columns(table: Table) -> str:
    """Names of the first columns, for a message."""
    shown = ", ".join(show(name) for name in list(table.columns)[:12])
    return shown + (f" and {len(table.columns) - 12} more" if len(table.columns) > 12 else "")


def show(value: Any) -> str:
    """A name out of a file, quoted, short and harmless."""
    return f'"{visible(cut(str(value), MAX_NAME_CHARS))}"'
