"""From a person's files to texts with labels and columns: nothing is split, nothing is dropped without being said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from explorer_core import settings
from explorer_core.datasets import local_file
from explorer_core.datasets._columns import choose_columns
from explorer_core.datasets._delimited import parse_txt
from explorer_core.datasets._labelled_texts import count_words
from explorer_core.datasets._labelling import plain_labels, why_unusable
from explorer_core.datasets._plain_text import parse_blocks, parse_document
from explorer_core.datasets._table import Cell, Table, show, show_columns
from explorer_core.errors import ExplorerError, InvalidInputError
from explorer_core.judging import _pieces
from explorer_core.judging.spec import TextsSpec
from explorer_core.progress import Progress
from explorer_core.results import Skipped, TextTable
from explorer_core.results.text_tables import Column

PASTED = "pasted text"
_TXT_WAYS = {"line": parse_txt, "block": parse_blocks, "document": parse_document}
_MAX_DOCUMENT_CHARS = settings.MAX_UPLOAD_MIB * 2**20  # a text that is cut into pieces may be as long as a file


@dataclass
class _Kept:
    """Rows kept so far, of all files."""

    texts: list[str] = field(default_factory=list)
    cells_of_label: list[Cell] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    others: dict[str, list[Cell]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    n_skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    column_names: dict[str, None] = field(default_factory=dict)
    n_rows: int = 0


def read_texts(
    paths: Sequence[str | Path] = (),
    spec: TextsSpec | None = None,
    *,
    pasted: str | None = None,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> TextTable:
    """The texts of files, or of what was pasted; see `api.read_texts`."""
    spec = spec or TextsSpec()
    report = progress or (lambda share: None)
    tables = _open(paths, spec, pasted, names, report)
    kept, chosen = _Kept(), _Chosen()
    for index, (name, table) in enumerate(tables):
        _collect(kept, chosen, index, name, table, spec, is_alone=len(tables) == 1)
        report(0.5 + 0.3 * (index + 1) / len(tables))
    if not kept.texts:
        reasons = ", ".join(f"{count:,} with {why}" for why, count in kept.n_skipped.items())
        raise InvalidInputError(
            f"No text is left to judge in {kept.n_rows:,} rows ({reasons}). Choose another column of texts than "
            f"{show(chosen.text)}, or mend the file."
        )
    found = _finish(kept, chosen, [name for name, _ in tables], spec)
    report(1.0)
    return found


@dataclass
class _Chosen:
    """The columns of the first file, by whose names they go."""

    text: str = ""
    label: str | None = None


def _open(
    paths: Sequence[str | Path], spec: TextsSpec, pasted: str | None, names: Sequence[str] | None, report: Progress
) -> list[tuple[str, Table]]:
    """Name and table of each file, or of the pasted text."""
    if (pasted is None) == (not len(paths)) or isinstance(paths, str):
        raise InvalidInputError("Give a list of files, or paste a text; one of the two.")
    if pasted is not None:
        if not isinstance(pasted, str) or not pasted.strip():
            raise InvalidInputError("Nothing was pasted. Paste at least one text.")
        if len(pasted) > _MAX_DOCUMENT_CHARS:
            raise InvalidInputError(
                f"The pasted text has {len(pasted):,} characters; at most {_MAX_DOCUMENT_CHARS:,} are read. "
                "Save it as a file and give that in parts."
            )
        return [(PASTED, _TXT_WAYS[spec.txt](PASTED, pasted.replace("\x00", "\ufffd"), ()))]
    if len(paths) > settings.MAX_FILES_AT_ONCE:
        raise InvalidInputError(
            f"{len(paths):,} files were given; at most {settings.MAX_FILES_AT_ONCE} are read together. Join some."
        )
    called = [show(name)[1:-1] for name in (names or [Path(path).name for path in paths])]
    if len(called) != len(paths):
        raise InvalidInputError(f"{len(called)} names were given for {len(paths)} files. Give one for each, or none.")
    tables = []
    for index, (name, path) in enumerate(zip(called, paths, strict=True)):
        options = {"path": path, "txt": spec.txt} | ({"encoding": spec.encoding} if spec.encoding else {})
        try:
            tables.append((name, local_file.open_table(options)))
        except ExplorerError as error:
            said = str(error).replace(show(Path(path).name), f'"{name}"')  # an upload is kept under another name
            raise type(error)(said if len(paths) == 1 else f"{name}: {said}") from error
        report(0.5 * (index + 1) / len(paths))
    return tables


def _collect(
    kept: _Kept, chosen: _Chosen, index: int, name: str, table: Table, spec: TextsSpec, *, is_alone: bool
) -> None:
    """Add the usable rows of one file."""
    before = "" if is_alone else f"{name}: "
    text, label = _columns(table, spec, before)
    if not index:
        chosen.text, chosen.label = text, label
    chosen.label = chosen.label or label
    guessed = [
        f"{what} from {show(column)}"
        for what, column, asked in (("texts", text, spec.text_column), ("labels", label, spec.label_column))
        if column is not None and asked is None and len(table.columns) > 1
    ]
    kept.notes += [f"{before}{note}" for note in table.notes]
    kept.notes += [f"{before}Guessed columns: {' and '.join(guessed)}."] if guessed else []
    kept.column_names |= dict.fromkeys(table.columns)
    kept.n_rows += table.n_rows
    max_chars = settings.MAX_CELL_CHARS if spec.long == "whole" else _MAX_DOCUMENT_CHARS
    good: list[int] = []
    for row, cell in enumerate(table.columns[text]):
        why = why_unusable(cell, max_chars)
        if not why:
            good.append(row)
            continue
        kept.n_skipped[why] += 1
        if len(kept.skipped) < settings.MAX_SKIPPED_SHOWN:
            kept.skipped.append(Skipped(name, table.row_numbers[row], why))
    n_before = len(kept.texts)
    kept.texts += [str(table.columns[text][row]).strip() for row in good]
    kept.cells_of_label += [table.columns[label][row] for row in good] if label else [None] * len(good)
    kept.file += [index] * len(good)
    kept.numbers += [table.row_numbers[row] for row in good]
    others = [column for column in table.columns if column not in (text, label)]
    for column in others:
        held = kept.others.setdefault(column, [None] * n_before)
        held += [table.columns[column][row] for row in good]
    for column, held in kept.others.items():
        if column not in others:
            held += [None] * len(good)


def _columns(table: Table, spec: TextsSpec, before: str) -> tuple[str, str | None]:
    """Columns of texts and of labels of one file."""
    wanted = {"text_column": spec.text_column, "label_column": spec.label_column or None}
    try:
        text, label = choose_columns(table, wanted)
    except ExplorerError as error:
        raise type(error)(f"{before}{error}") from error
    if text is None and not spec.label_column:
        text, label = label, None  # texts that come again and again look like labels
    if spec.label_column == "":
        label = None
    if text is None:
        raise InvalidInputError(
            f"{before}No column looks like texts. The columns are: {show_columns(table)}. Choose the one that holds "
            "the texts."
        )
    return text, label


def _finish(kept: _Kept, chosen: _Chosen, names: Sequence[str], spec: TextsSpec) -> TextTable:
    """Cut long texts, number the labels, and turn columns of numbers into numbers."""
    values, label = _labels(kept, chosen, spec)
    texts, rows, piece, spans = _cut_all(kept, spec)
    columns = {column: _column(cells, rows) for column, cells in kept.others.items()}
    notes = [*dict.fromkeys(kept.notes)]
    n_rows = len(kept.texts)
    n_cut = len(np.unique(rows[piece > 0]))
    if n_cut:
        what = "sentences" if spec.long == "sentence" else f"windows of {spec.n_words:,} words"
        notes.append(f"{n_cut:,} of {n_rows:,} texts were cut into {what}: {len(texts):,} pieces are judged.")
    if spec.long == "cut" and (n_cut := sum(len(texts[row]) < len(kept.texts[row]) for row in range(n_rows))):
        notes.append(f"{n_cut:,} of {n_rows:,} texts were cut after their first {spec.n_words:,} words.")
    if len(set(texts)) < len(texts):
        n_repeats = len(texts) - len(set(texts))
        what = "text repeats another" if n_repeats == 1 else "texts repeat others"
        notes.append(f"{n_repeats:,} {what} letter for letter; each different text is read once.")
    return TextTable(
        origin=names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
        texts=tuple(texts),
        file_names=tuple(names),
        file=np.array(kept.file, dtype=np.int64)[rows],
        row_numbers=np.array(kept.numbers, dtype=np.int64)[rows],
        rows=rows,
        piece=piece,
        spans=spans,
        n_words=np.array([count_words(text) for text in texts], dtype=np.int64),
        label_values=values,
        label=label[rows],
        columns=columns,
        text_column=chosen.text,
        label_column=chosen.label if values else None,
        column_names=tuple(kept.column_names),
        skipped=tuple(kept.skipped),
        n_skipped=dict(kept.n_skipped),
        notes=tuple(notes),
        n_rows=kept.n_rows,
    )


def _labels(kept: _Kept, chosen: _Chosen, spec: TextsSpec) -> tuple[tuple[str, ...], np.ndarray]:
    """Label values, the most frequent first, and the index of each row's; -1 for none."""
    plain = plain_labels(kept.cells_of_label)
    counts = Counter(label for label in plain if label)
    if len(counts) > settings.MAX_LABEL_VALUES:
        said = (
            f"The column {show(chosen.label)} has {len(counts):,} different values; at most "
            f"{settings.MAX_LABEL_VALUES} labels can be mapped to classes."
        )
        if spec.label_column:
            raise InvalidInputError(f"{said} Choose another column of labels, or none.")
        kept.notes.append(f"{said} The texts are judged without labels.")
        counts = Counter()
    index = {value: number for number, (value, _) in enumerate(counts.most_common())}
    n_missing = sum(not label for label in plain)
    if index and n_missing:
        kept.notes.append(f"{n_missing:,} texts have no label; they count where no label is needed.")
    return tuple(index), np.array([index.get(label, -1) for label in plain], dtype=np.int64)


def _cut_all(kept: _Kept, spec: TextsSpec) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Texts or pieces, with the row, the number in the row and the span of each."""
    n_rows = len(kept.texts)
    if spec.long == "whole":
        spans = np.zeros((n_rows, 2), dtype=np.int64)
        spans[:, 1] = [len(text) for text in kept.texts]
        if n_rows > settings.MAX_TEXTS:
            raise _too_many(n_rows)
        return kept.texts, np.arange(n_rows), np.zeros(n_rows, dtype=np.int64), spans
    pieces: list[tuple[int, int, int, int]] = []
    texts: list[str] = []
    n_long = 0
    for row, text in enumerate(kept.texts):
        for number, (start, end) in enumerate(_pieces.cut(text, spec)):
            if end - start > settings.MAX_TEXT_CHARS:
                n_long += 1
                end = start + settings.MAX_TEXT_CHARS
            pieces.append((row, number, start, end))
            texts.append(text[start:end])
        if len(pieces) > settings.MAX_TEXTS:
            raise _too_many(len(pieces))
    if n_long:
        kept.notes.append(f"{n_long:,} pieces were cut after {settings.MAX_TEXT_CHARS:,} characters.")
    array = np.array(pieces, dtype=np.int64).reshape(-1, 4)
    return texts, array[:, 0], array[:, 1], array[:, 2:]


def _too_many(count: int) -> InvalidInputError:
    return InvalidInputError(
        f"These are {count:,} texts or more; at most {settings.MAX_TEXTS:,} are judged together. Give fewer rows, cut "
        "less finely, or judge the file from the command line, which reads row by row: "
        "python -m explorer_core evaluate --stream."
    )


def _column(cells: Sequence[Cell], rows: np.ndarray) -> Column:
    """A column of numbers as floats, NaN where a cell is empty; any other as strings."""
    filled = [cell for cell in cells if cell is not None and cell.strip()]
    try:
        if filled and not any("_" in cell for cell in filled):
            numbers = np.array([float(cell) if cell and cell.strip() else np.nan for cell in cells])
            if not np.isinf(numbers).any() and np.isfinite(numbers).sum() == len(filled):
                return numbers[rows]
    except ValueError:
        pass
    return tuple((cells[row] or "") for row in rows)
