"""Files of any size, block by block in constant memory, by the same parsers that read whole files.

A block is a table of up to `settings.BLOCK_ROWS` rows; where a file is cut into blocks depends on nothing but the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from explorer_core import settings
from explorer_core.datasets import hub, local_file
from explorer_core.datasets._decoding import ENCODINGS, find_encoding
from explorer_core.datasets._delimited import label_side, parse_txt, sniff
from explorer_core.datasets._jsonl import parse_jsonl
from explorer_core.datasets._table import Cell, Table, has_header, show, table_of_rows
from explorer_core.errors import InvalidInputError, NotFoundError

_SAMPLE_BYTES = 256 * 1024
_MAX_LINE_CHARS = 4 * settings.MAX_CELL_CHARS
_LINES = (".txt", ".jsonl", ".ndjson")
_DELIMITED = {".csv": None, ".tsv": "\t"}
_WHOLE = (".json", ".xlsx")  # cannot be read in parts, and are bounded by the limits of whole files
ENDINGS = (*_LINES, *_DELIMITED, ".parquet", *_WHOLE)


def find_files(given: str) -> list[Path]:
    """The files a person means by a path, a folder of Parquet files, or a pattern such as `shards/*.parquet`, in order.

    Raises:
        NotFoundError: If there are none.
        InvalidInputError: If they have different or unknown endings.
    """
    path = Path(given).expanduser()
    try:
        if path.is_dir():
            found = sorted(path.glob("*.parquet"))
        elif any(mark in path.name for mark in "*?[") and not path.exists():
            found = sorted(path.parent.glob(path.name))
        else:
            found = [path] if path.is_file() else []
    except (OSError, ValueError) as error:
        raise NotFoundError(f"There is no file {show(given)}. Check the path.") from error
    if not found:
        raise NotFoundError(f"There is no file {show(given)}, or no Parquet file in that folder. Check the path.")
    endings = {one.suffix.lower() for one in found}
    if len(endings) > 1:
        raise InvalidInputError(f"The files have different endings: {', '.join(sorted(endings))}. Name one kind.")
    if not endings <= set(ENDINGS):
        allowed = ", ".join(name[1:].upper() for name in ENDINGS)
        raise InvalidInputError(f"Files ending in {show(endings.pop())} are not read; allowed: {allowed}.")
    return found


def stream_files(paths: Sequence[Path], encoding: str | None = None) -> Iterator[Table]:
    """Blocks of files, one after the other; `origin` of a block names its file, and rows are counted in it.

    Raises:
        InvalidInputError: If a file cannot be read; the message says where.
    """
    if paths[0].suffix.lower() == ".parquet":
        for path in paths:
            yield from _parquet(path)
        return
    for path in paths:
        yield from _stream_file(path, encoding)


def stream_hub(options: Mapping[str, Any]) -> Iterator[Table]:
    """Blocks of a Hub set; options as `hub.stream_id`."""
    yield from _batches(str(options["id"]), hub.stream_id(options))


def _parquet(path: Path) -> Iterator[Table]:
    import datasets

    name = show(path.name)[1:-1]
    try:
        stream = datasets.load_dataset("parquet", data_files=[str(path)], split="train", streaming=True)
        yield from _batches(name, hub.flat_rows(name, stream, "", (), ()))
    except Exception as error:
        if "Arrow" in type(error).__name__ or isinstance(error, (OSError, UnicodeDecodeError)):
            raise InvalidInputError(f"{name} cannot be read as Parquet: it is damaged, or another format.") from error
        raise


def _batches(origin: str, found: hub.Rows) -> Iterator[Table]:
    first = 1
    for batch in found.rows.iter(batch_size=settings.BLOCK_ROWS):
        columns = {name: [found.cell(name, value) for value in batch[name]] for name in found.columns}
        n_rows = len(next(iter(columns.values())))
        yield Table(origin, columns, range(first, first + n_rows), classes=found.classes)
        first += n_rows


def _stream_file(path: Path, encoding: str | None) -> Iterator[Table]:
    ending, origin = path.suffix.lower(), show(path.name)[1:-1]
    if ending in _WHOLE:
        whole = local_file.open_table({"path": path} | ({"encoding": encoding} if encoding else {}))
        for start in range(0, whole.n_rows, settings.BLOCK_ROWS):
            part = slice(start, start + settings.BLOCK_ROWS)
            columns = {name: cells[part] for name, cells in whole.columns.items()}
            yield Table(origin, columns, whole.row_numbers[part], whole.notes if not start else ())
        return
    with path.open("rb") as raw:
        sample = raw.read(_SAMPLE_BYTES)
        is_whole = len(sample) < _SAMPLE_BYTES
    if not sample.strip():
        raise InvalidInputError(f"{origin} is empty. Give it texts.")
    if encoding is not None and encoding not in ENCODINGS:
        raise InvalidInputError(f"There is no encoding {encoding[:60]!r}; allowed: {', '.join(ENCODINGS)}.")
    name = encoding or find_encoding(sample, is_whole=is_whole)
    name = "utf-8-sig" if name == "utf-8" else name
    notes = (f"Read as {name.removesuffix('-sig').upper()}{', as chosen' if encoding else ''}.",)
    with path.open(encoding=name, errors="replace", newline="") as file:
        try:
            if ending in _LINES:
                yield from _line_blocks(origin, file, notes, _txt_parser() if ending == ".txt" else parse_jsonl)
            else:
                text = sample.decode(name, errors="replace")
                yield from _delimited_blocks(origin, file, notes, _DELIMITED[ending] or sniff(text))
        except UnicodeError as error:  # UTF-16 that ends inside a character
            raise InvalidInputError(f"{origin} is not {name.upper()} text throughout. Save it as UTF-8.") from error


def _txt_parser() -> Callable[[str, str, Sequence[str]], Table]:
    """`parse_txt`, in which all blocks have their labels where the first has them."""
    sides: list[str] = []

    def parse(origin: str, text: str, notes: Sequence[str]) -> Table:
        if not sides:
            sides.append(label_side(text.split("\n")))
        return parse_txt(origin, text, notes, sides[0])

    return parse


def _line_blocks(
    origin: str, file: IO[str], notes: Sequence[str], parse: Callable[[str, str, Sequence[str]], Table]
) -> Iterator[Table]:
    number = 0
    is_first = True
    while True:
        lines: list[str] = []
        n_chars = 0
        while len(lines) < settings.BLOCK_ROWS and n_chars < settings.MAX_BLOCK_MIB * 2**20:
            line = file.readline(_MAX_LINE_CHARS)
            if not line:
                break
            if len(line) == _MAX_LINE_CHARS:
                raise InvalidInputError(
                    f"{origin}: line {number + len(lines) + 1:,} has {_MAX_LINE_CHARS:,} characters or more. "
                    "Shorten it."
                )
            lines.append(line.rstrip("\r\n").replace("\x00", "\ufffd"))
            n_chars += len(line)
        if not lines:
            return
        if any(line.strip() for line in lines):
            table = parse(origin, "\n".join(lines), notes if is_first else ())
            yield Table(origin, table.columns, [number + row for row in table.row_numbers], table.notes)
            is_first = False
        number += len(lines)


def _delimited_blocks(origin: str, file: IO[str], notes: Sequence[str], delimiter: str) -> Iterator[Table]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    names: list[str | None] | None = None
    n_chars = 0
    told = tuple(notes)

    def block() -> Table:
        nonlocal names, told
        is_header = has_header(rows) if names is None else True
        given: list[Sequence[Cell]] = [*([] if names is None else [names]), *rows]
        shifted = numbers if names is None else [0, *numbers]
        table = table_of_rows(origin, given, shifted, told, header=is_header)
        names, told = list(table.columns), ()
        return table

    reader = csv.reader(file, delimiter=delimiter)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if any(cell.strip() for cell in row):
                rows.append(row)
                numbers.append(number)
                n_chars += sum(map(len, row))
            if len(rows) >= settings.BLOCK_ROWS or n_chars >= settings.MAX_BLOCK_MIB * 2**20:
                yield block()
                rows, numbers, n_chars = [], [], 0
    except csv.Error as error:
        raise InvalidInputError(
            f"{origin}: row {number + 1:,} cannot be read as delimited text; often it is a quotation mark that is "
            "never closed."
        ) from error
    if rows:
        yield block()
