"""Plain, aligned text for a terminal. Control characters are made visible, so that no text can steer the terminal."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Sequence

from explorer_core import numerals
from explorer_core.text import visible

MAX_CELL_COLUMNS = 60


def cut(text: str, columns: int = MAX_CELL_COLUMNS) -> str:
    """The text on one line with control characters made visible, cut to a width in terminal columns."""
    shown = visible(" ".join(text[: 8 * columns].split()))
    if width(shown) <= columns:
        return shown
    kept, used = [], 0
    for character in shown:
        used += width(character)
        if used > columns - 3:
            break
        kept.append(character)
    return "".join(kept) + "..."


def width(text: str) -> int:
    """Terminal columns a text takes: wide East Asian characters and emoji take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header, columns two blanks apart; a column whose cells all look like numbers is set to the right."""
    cells = [[cut(cell) for cell in row] for row in (header, *rows)]
    widths = [max(width(cell) for cell in column) for column in zip(*cells, strict=True)]
    is_number = [all(_is_number(cell) for cell in column[1:]) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = []
        for cell, columns, right in zip(row, widths, is_number, strict=True):
            blanks = " " * (columns - width(cell))
            padded.append(blanks + cell if right else cell + blanks)
        lines.append("  ".join(padded).rstrip())
    return "\n".join([lines[0], "  ".join("-" * columns for columns in widths), *lines[1:]])


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line, the values aligned."""
    columns = max((width(name) for name, _ in pairs), default=0)
    return "\n".join(f"{name}{' ' * (columns - width(name))}  {cut(value, 200)}" for name, value in pairs)


def number(value: float, *, signed: bool = False) -> str:
    """Three significant digits; with a hyphen for the minus, which every terminal can show."""
    return numerals.number(value, signed=signed).replace("\u2212", "-")


def share(value: float) -> str:
    """A share in [0, 1] as a percentage with one decimal."""
    return f"{100 * value:.1f} %"


def is_first_process() -> bool:
    """Whether this process speaks for all: `torchrun` and `accelerate launch` number theirs in `RANK`."""
    return os.environ.get("RANK", "0") == "0"


def progress_line(doing: str) -> Callable[[float], None] | None:
    """Something to call with the share done: one line on a terminal that overwrites itself; `None` in a pipe."""
    if not sys.stderr.isatty() or not is_first_process():
        return None

    def show(done: float) -> None:
        sys.stderr.write("\r\x1b[K" if done >= 1 else f"\r\x1b[K{doing}: {100 * done:.0f} %")
        sys.stderr.flush()

    return show


def _is_number(cell: str) -> bool:
    return not cell.strip("-") or cell[0].isdigit() or (cell[0] in "+-" and cell[1:2].isdigit())
