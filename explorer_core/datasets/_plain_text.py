"""TXT whose texts are longer than a line: blocks between blank lines, or one document. Neither has labels."""

from __future__ import annotations

from collections.abc import Sequence

from explorer_core import settings
from explorer_core.datasets._delimited import UNLABELLED
from explorer_core.datasets._table import Cell, Table
from explorer_core.errors import InvalidInputError


def parse_blocks(origin: str, text: str, notes: Sequence[str]) -> Table:
    """A row for every run of lines without a blank one; its number is that of its first line.

    Raises:
        InvalidInputError: If every line is blank.
    """
    told = list(notes)
    blocks: list[str] = []
    numbers: list[int] = []
    held: list[str] = []
    for number, line in enumerate([*_lines(text), ""], start=1):
        if line.strip():
            if not held:
                numbers.append(number)
            held.append(line)
        elif held:
            blocks.append("\n".join(held))
            held = []
    if not blocks:
        raise InvalidInputError("The file is empty. Put texts into it, with a blank line between them.")
    if len(blocks) > settings.MAX_ROWS:
        told.append(f"Only the first {settings.MAX_ROWS:,} of {len(blocks):,} blocks are used.")
    cells: list[Cell] = [*blocks[: settings.MAX_ROWS]]
    return Table(origin, {"text": cells}, numbers[: settings.MAX_ROWS], tuple(told), no_labels=UNLABELLED)


def parse_document(origin: str, text: str, notes: Sequence[str]) -> Table:
    """One row: the whole file.

    Raises:
        InvalidInputError: If there is nothing in it.
    """
    whole = "\n".join(_lines(text)).strip()
    if not whole:
        raise InvalidInputError("The file is empty. Put a text into it.")
    return Table(origin, {"text": [whole]}, [1], tuple(notes), no_labels=UNLABELLED)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
