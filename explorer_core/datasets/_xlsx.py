"""XLSX: the first sheet that holds rows. Formulas are never computed; their last stored values are read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from itertools import islice
from typing import Any

from explorer_core import settings
from explorer_core.datasets._table import Cell, Table, as_cell, check_width, has_header, table_of_rows
from explorer_core.errors import ExplorerError, InvalidInputError

_MAX_PARTS = 10_000
_MAX_BLANK_ROWS = 1_000_000  # a sheet has no more rows than about so many


def parse_xlsx(origin: str, data: bytes, notes: Sequence[str]) -> Table:
    """A table from a workbook. Row numbers are the sheet's own.

    Raises:
        InvalidInputError: If it is no workbook, is locked, unpacks to too much, or holds no rows.
    """
    check_package(data)
    import openpyxl

    told = list(notes)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        n_sheets = len(book.worksheets)
        numbered = next(filter(None, map(_rows, book.worksheets)), [])
        book.close()
    except ExplorerError:
        raise
    except Exception as error:  # a broken workbook fails in openpyxl with almost any exception
        raise InvalidInputError("The workbook cannot be read: it is damaged. Save it again, or as CSV.") from error
    if not numbered:
        raise InvalidInputError("The workbook is empty. Give it column names and one text with its label on each row.")
    if n_sheets > 1:
        told.append(f"Only the first filled sheet of {n_sheets} is read.")
    width = max(len(row) for _, row in numbered)
    rows = [[*row, *[None] * (width - len(row))] for _, row in numbered]
    return table_of_rows(origin, rows, [number for number, _ in numbered], told, header=has_header(rows))


def check_package(data: bytes) -> None:
    """Refuse what would unpack to too much, before anything is unpacked.

    Raises:
        InvalidInputError: If it is no zip, is locked, has too many parts, or its parts are too large together.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInputError("The workbook is locked with a password or is an old .xls. Save it as plain .xlsx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            # sizes are what the package says; zipfile never reads a part beyond what it said
            unpacked_mib = sum(part.file_size for part in parts) / 2**20
            if unpacked_mib > settings.MAX_UNPACKED_MIB or len(parts) > _MAX_PARTS:
                raise InvalidInputError(
                    f"The workbook unpacks to {unpacked_mib:,.0f} MiB in {len(parts):,} parts; at most "
                    f"{settings.MAX_UNPACKED_MIB} MiB in {_MAX_PARTS:,} parts are read. Save the rows as CSV."
                )
            if not any(part.filename.lower().startswith("xl/") for part in parts):
                raise InvalidInputError("The file is a zip with no XLSX workbook in it. Save the rows as XLSX or CSV.")
            if any(part.flag_bits & 1 for part in parts):
                raise InvalidInputError("The workbook is locked with a password. Save it without one.")
            for part in parts:
                with package.open(part) as content:
                    if b"<!DOCTYPE" in content.read(4096):  # no workbook has one; XML bombs need one
                        raise InvalidInputError("The workbook holds XML declarations that no workbook has.")
    except ExplorerError:
        raise
    except Exception as error:  # zipfile meets a broken package with a dozen kinds of error
        raise InvalidInputError("The file is no XLSX workbook: it is damaged, or another format.") from error


def _rows(sheet: Any) -> list[tuple[int, list[Cell]]]:
    """Rows that hold anything, with their numbers, without the blank cells at their ends."""
    sheet.reset_dimensions()  # the size a sheet says it has may be a lie
    found: list[tuple[int, list[Cell]]] = []
    reader = sheet.iter_rows(max_col=settings.MAX_COLUMNS + 1, values_only=True)
    for number, values in enumerate(islice(reader, _MAX_BLANK_ROWS), start=1):
        cells = [as_cell(value) for value in values[: _filled_width(values)]]
        while cells and not (cells[-1] or "").strip():
            cells.pop()
        if cells:
            check_width(len(cells))
            found.append((number, cells))
            if len(found) > settings.MAX_ROWS + 1:
                break
    return found


def _filled_width(values: tuple[Any, ...]) -> int:
    """Cells up to the last one with a value; a sheet may have a million rows of nothing, so the usual ways are fast."""
    n_blank = values.count(None)
    if n_blank == len(values):
        return 0
    width = values.index(None) if n_blank else len(values)
    if width + n_blank == len(values):
        return width
    return max(place for place, value in enumerate(values, start=1) if value is not None)
