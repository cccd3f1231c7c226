"""JSON lines: one object a line, its fields the columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from explorer_core import settings
from explorer_core.datasets._table import Cell, Table, as_cell, as_list_cell, check_width, tell_skipped
from explorer_core.errors import InvalidInputError


def parse_jsonl(origin: str, text: str, notes: Sequence[str], *, with_lists: bool = False) -> Table:
    """A table from JSON lines, or from one JSON list of objects; lines that are no objects are left out and told.

    Row numbers are line numbers, or places in the list. Nested values count as missing, but lists are kept as JSON
    `with_lists`.

    Raises:
        InvalidInputError: If no line, or only the lesser part of the lines, holds an object, or there are too many
            fields.
    """
    told = list(notes)
    numbered = _read_list(text) if text.lstrip().startswith("[") else None
    if numbered is None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        numbered = [(number, _read_line(line)) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise InvalidInputError('The file is empty. Put one JSON object on each line: {"text": "...", "label": "..."}.')
    good = [(number, value) for number, value in numbered if isinstance(value, dict)]
    bad = [number for number, value in numbered if not isinstance(value, dict)]
    if len(bad) > len(good):
        raise InvalidInputError(
            f"{len(bad):,} of {len(numbered):,} lines are no JSON objects, the first is line {bad[0]:,}. "
            'Each line looks like {"text": "...", "label": "..."}.'
        )
    if bad:
        told.append(tell_skipped(bad, "broken JSON"))
    if len(good) > settings.MAX_ROWS:
        told.append(f"Only the first {settings.MAX_ROWS:,} of {len(good):,} rows are used.")
        good = good[: settings.MAX_ROWS]
    columns: dict[str, list[Cell]] = {}
    nested: set[str] = set()
    for row, (_, value) in enumerate(good):
        for name, cell in value.items():
            if isinstance(cell, (dict, list)):
                nested.add(name)
            if name not in columns:
                check_width(len(columns) + 1)
                columns[name] = [None] * len(good)
            columns[name][row] = as_list_cell(cell) if with_lists else as_cell(cell)
    for name in nested:
        if all(cell is None for cell in columns[name]):
            del columns[name]
    return Table(origin, columns, [number for number, _ in good], tuple(told))


def _read_line(line: str) -> Any:
    """One value, or `None` where the line is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _read_list(text: str) -> list[tuple[int, Any]] | None:
    """The objects of one JSON list, or `None` if the text is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return list(enumerate(values, start=1)) if isinstance(values, list) else None
