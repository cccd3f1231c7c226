"""Parquet: flat columns of any type, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer_core import settings
from explorer_core.datasets._table import Cell, Table, as_list_cell, check_width
from explorer_core.errors import InvalidInputError

_BATCH_ROWS = 4_096


def parse_parquet(origin: str, data: bytes, notes: Sequence[str], *, with_lists: bool = False) -> Table:
    """A table from a Parquet file; columns of anything but text, numbers and truths are left out and told; lists
    are kept as JSON `with_lists`.

    Raises:
        InvalidInputError: If it is no Parquet file, has no flat column, too many columns, or unpacks to too much.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = list(notes)
    try:
        schema = pq.read_schema(pa.BufferReader(data))
        texts = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        # dictionaries keep a text that comes a million times once in memory
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
        flat = [field.name for field in schema if _is_flat(field.type) or (with_lists and _is_list(field.type))]
        _check_size(file.metadata, schema.names, flat)
        if len(flat) < len(schema.names):
            told.append(f"Left out {len(schema.names) - len(flat)} columns of lists, records, times or bytes.")
        columns: dict[str, list[Cell]] = {name: [] for name in flat}
        n_rows = n_chars = 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=flat):
            batch = batch.slice(0, settings.MAX_ROWS - n_rows)
            n_rows += batch.num_rows
            for name in flat:
                cells = _cells(batch.column(name))
                n_chars += sum(len(cell) for cell in cells if cell is not None)
                columns[name] += cells
            _check_unpacked(n_chars / 2**20)
            if n_rows >= settings.MAX_ROWS:
                break
    except (pa.ArrowException, OSError, LookupError, UnicodeDecodeError) as error:
        raise InvalidInputError("The file cannot be read as Parquet: it is damaged, or another format.") from error
    if not n_rows:
        raise InvalidInputError("The Parquet file has no rows.")
    if file.metadata.num_rows > n_rows:
        told.append(f"Only the first {n_rows:,} of {file.metadata.num_rows:,} rows are used.")
    return Table(origin, columns, range(1, n_rows + 1), tuple(told))


def _is_flat(kind: Any) -> bool:
    """Whether a column holds text, numbers or truths."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_flat(kind.value_type)
    is_kind = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean)
    is_number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(holds(kind) for holds in (*is_kind, *is_number))


def _is_list(kind: Any) -> bool:
    """Whether a column holds lists."""
    import pyarrow as pa

    return any(holds(kind) for holds in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _check_size(metadata: Any, names: Sequence[str], flat: Sequence[str]) -> None:
    check_width(len(names))
    if len(set(names)) < len(names):
        raise InvalidInputError("Two columns of the Parquet file have the same name. Rename one.")
    if not flat:
        raise InvalidInputError("The Parquet file holds no column of text or numbers.")
    _check_unpacked(sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)) / 2**20)


def _check_unpacked(unpacked_mib: float) -> None:
    if unpacked_mib > settings.MAX_UNPACKED_MIB:
        raise InvalidInputError(
            f"The Parquet file unpacks to {unpacked_mib:,.0f} MiB or more; at most {settings.MAX_UNPACKED_MIB} MiB "
            "are read. Keep fewer rows, or only the columns of texts and labels."
        )


def _cells(array: Any) -> list[Cell]:
    """Cells of one column of a batch; equal texts share their memory."""
    import pyarrow as pa

    if not pa.types.is_dictionary(array.type):
        return [as_list_cell(value) for value in array.to_pylist()]
    values = [as_list_cell(value) for value in array.dictionary.to_pylist()]
    return [None if index is None else values[index] for index in array.indices.to_pylist()]
