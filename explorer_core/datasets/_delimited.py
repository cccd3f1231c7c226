"""CSV, TSV and TXT: what separates the cells, and rows that do not fit."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from explorer_core import settings
from explorer_core.datasets._table import Cell, Table, check_width, has_header, table_of_rows
from explorer_core.errors import InvalidInputError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SNIFF_CHARS = 256 * 1024
_SNIFF_ROWS = 200

UNLABELLED = (
    "The file holds texts without labels, so nothing can be learned from it. Put a label and a tab before each text "
    "(positive<TAB>I loved it), or use a CSV file with a column of labels."
)


def parse_csv(origin: str, text: str, notes: Sequence[str], delimiter: str | None = None) -> Table:
    """A table from delimited text; the delimiter is sniffed unless it is given.

    Row numbers count as a spreadsheet does: the column names are row 1, blank rows count.

    Raises:
        InvalidInputError: If there are no rows, too many columns, a huge cell, or rows that mostly do not fit.
    """
    told = list(notes)
    if delimiter is None:
        delimiter = sniff(text)
        told.append(f"Cells are separated by {_DELIMITERS[delimiter]}.")
    records, note = _read_records(text, delimiter)
    rows = [(number, row) for number, row in enumerate(records, start=1) if any(cell.strip() for cell in row)]
    if not rows:
        raise InvalidInputError("The file is empty. Give it column names and one text with its label on each row.")
    told += [note] if note else []
    cells = [row for _, row in rows]
    return table_of_rows(origin, cells, [number for number, _ in rows], told, header=has_header(cells))


def parse_txt(origin: str, text: str, notes: Sequence[str], side: str | None = None) -> Table:
    """A table from lines: `label<TAB>text` or `text<TAB>label`, or texts alone, which cannot be trained on.

    Args:
        origin: Name of the file.
        text: Its lines.
        notes: What is known of it.
        side: As `label_side`, which is asked if it is left out: the part of a file goes by its beginning.

    Raises:
        InvalidInputError: If every line is blank.
    """
    told = list(notes)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise InvalidInputError("The file is empty. Put one label, a tab and a text on each line.")
    if len(numbered) > settings.MAX_ROWS:
        told.append(f"Only the first {settings.MAX_ROWS:,} of {len(numbered):,} lines are used.")
        numbered = numbered[: settings.MAX_ROWS]
    numbers = [number for number, _ in numbered]
    side = label_side([line for _, line in numbered]) if side is None else side
    if side:
        halves = [line.partition("\t") if side == "first" else line.rpartition("\t") for _, line in numbered]
        cells = [(text, label) if tab else (text or label, None) for text, tab, label in halves]
        if side == "first":
            cells = [(text, label) if tab else (label, None) for label, tab, text in halves]
        columns: dict[str, list[Cell]] = {"text": [text for text, _ in cells], "label": [label for _, label in cells]}
        return Table(origin, columns, numbers, tuple(told))
    return Table(origin, {"text": [line for _, line in numbered]}, numbers, tuple(told), no_labels=UNLABELLED)


def label_side(lines: Sequence[str]) -> str:
    """On which side of a tab the labels of lines stand, `first` or `last`; empty if most lines have no tab."""
    halves = [line.partition("\t") for line in lines if line.strip()]
    if 2 * sum(bool(tab) for _, tab, _ in halves) < max(len(halves), 1):
        return ""
    ends = [line.rpartition("\t") for line in lines]
    n_first = len({label.strip() for label, tab, _ in halves if tab})
    n_last = len({label.strip() for _, tab, label in ends if tab})
    # the side that repeats itself holds the labels; files of both kinds are common
    return "first" if n_first <= n_last else "last"


def sniff(text: str) -> str:
    """The delimiter that cuts most rows into the same number of cells, at least two; a comma when none does."""
    sample = text[:_SNIFF_CHARS]
    if len(sample) < len(text):
        sample = sample.rpartition("\n")[0] or sample
    scores = {}
    for place, delimiter in enumerate(_DELIMITERS):
        widths: Counter[int] = Counter()
        try:
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                widths[len(row)] += bool(row)
                if widths.total() >= _SNIFF_ROWS:
                    break
        except csv.Error:
            pass  # a huge cell: what was read until then decides
        width, n_rows = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1:
            scores[delimiter] = (n_rows / widths.total(), -place)
    return max(scores, key=lambda delimiter: scores[delimiter]) if scores else ","


def _read_records(text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """All records, and a note if quotation marks could not be read as such."""
    try:
        return _records(text, delimiter, strict=True), ""
    except csv.Error as error:
        is_torn = "unexpected end" in str(error)
    if not is_torn and delimiter != "\t":
        return _records(text, delimiter), "Some quotation marks are not closed as CSV wants it; check the sample rows."
    return (
        _records(text, delimiter, has_quotes=False),
        "A quotation mark is never closed, so quotation marks were read as they stand.",
    )


def _records(text: str, delimiter: str, *, strict: bool = False, has_quotes: bool = True) -> list[list[str]]:
    # csv.QUOTE_MINIMAL is 0, csv.QUOTE_NONE 3
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=strict, quoting=0 if has_quotes else 3
    )
    records: list[list[str]] = []
    try:
        for row in reader:
            records.append(row)
            if len(records) == 1:
                check_width(len(row))
    except csv.Error as error:
        if "field limit" in str(error):
            raise InvalidInputError(
                f"Row {len(records) + 1:,} holds a cell of more than {csv.field_size_limit():,} characters. Shorten "
                "it; often it is a quotation mark that is never closed."
            ) from error
        if strict:
            raise
        raise InvalidInputError(f"Row {len(records) + 1:,} cannot be read as delimited text: {error}.") from error
    return records
