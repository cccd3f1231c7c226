"""Texts with the words a person marked: the starter corpus, or a file with a column of rationales.

Files as rationale sets come in are read as they are: a list of tokens stands for the text (joined by blanks), spans
count characters or tokens, and several annotators' masks are averaged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer_core import registry, settings
from explorer_core.datasets import _rationale_cells
from explorer_core.datasets._columns import guess_columns
from explorer_core.datasets._labelled_texts import LabelledTexts, Spans, read
from explorer_core.datasets._labelling import plain_labels, why_unusable
from explorer_core.datasets._rationale_cells import KINDS, Span
from explorer_core.datasets._table import Cell, Table, show, show_columns, tell_skipped
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.text import visible
from explorer_core.training.spec import DataSpec

COLUMN_NAMES = (
    "mean_rationale", "rationale", "rationales", "rationale_spans", "spans", "evidence", "evidences", "highlight",
    "highlights", "mask", "importance",
)  # fmt: skip
TOKEN_COLUMNS = ("tokens", "words")
_COUNTED_IN_TOKENS = ("rationale_spans", "token_spans", "evidence", "evidences")
_GUESS_ROWS = 200


@dataclass(frozen=True)
class RationaleTexts:
    """Texts with the characters a person marked in each.

    Attributes:
        texts: Shape [text].
        labels: Class index of each text, -1 where it has none; int64 array [text].
        label_names: Name of each class; empty without labels.
        spans: Marked characters of each text: spans that neither touch nor overlap, in order.
        row_numbers: Number of each text as a person counts the rows of its source; int64 array [text].
        origin: Short name of where they come from.
        notes: What was guessed or left out, one sentence each.
        groups: Named groupings of the texts, such as `phenomenon`, each of shape [text].
    """

    texts: tuple[str, ...]
    labels: np.ndarray
    label_names: tuple[str, ...]
    spans: Spans
    row_numbers: np.ndarray
    origin: str
    notes: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {len(self.labels), len(self.spans), len(self.row_numbers), *map(len, self.groups.values())}
        assert sizes <= {len(self.texts)}, sizes

    def __len__(self) -> int:
        return len(self.texts)

    def only(self, group: str, value: str) -> RationaleTexts:
        """The texts that have a value in a grouping.

        Raises:
            NotFoundError: If there are none.
        """
        rows = [row for row, each in enumerate(self.groups.get(group, ())) if each == value]
        if not rows:
            raise NotFoundError(f"{self.origin} has no texts with the {group} {show(value)}.")
        return RationaleTexts(
            texts=tuple(self.texts[row] for row in rows),
            labels=self.labels[rows],
            label_names=self.label_names,
            spans=tuple(self.spans[row] for row in rows),
            row_numbers=self.row_numbers[rows],
            origin=f"{self.origin}, {group} {visible(value)[:60]}",
            notes=self.notes,
            groups={name: tuple(values[row] for row in rows) for name, values in self.groups.items()},
        )


@dataclass(frozen=True)
class RationaleColumns:
    """The columns of a file, and which of them look like texts, labels and rationales; `None` where none does."""

    names: tuple[str, ...]
    text: str | None
    label: str | None
    rationale: str | None


def read_rationales(
    spec: DataSpec, column: str | None = None, kind: str = "auto", split: str = "test"
) -> RationaleTexts:
    """Texts with rationales; see `api.read_rationales`."""
    if kind not in KINDS:
        raise InvalidInputError(f"There is no kind of rationale {str(kind)[:60]!r}; allowed: {', '.join(KINDS)}.")
    if spec.source == "local_file":
        return _read_table(_open(spec), spec.options, column, kind)
    return of_labelled(read(spec), split)


def find_columns(spec: DataSpec, column: str | None = None) -> RationaleColumns:
    """The columns of a file with guesses; see `api.rationale_columns`."""
    table = _open(spec)
    return RationaleColumns(tuple(table.columns), *_choose(table, spec.options, column))


def of_labelled(data: LabelledTexts, split: str) -> RationaleTexts:
    """The texts of one side of the split.

    Raises:
        NotFoundError: If nobody marked words in them, or that side is empty.
    """
    if data.spans is None:
        raise NotFoundError(
            f"{data.origin} holds no rationales: nobody marked the words that carry its labels. Take the starter "
            "corpus, or a file with a column of rationales."
        )
    rows = data.rows(split)
    if not len(rows):
        raise NotFoundError(f"The split {split} of {data.origin} has no texts. Choose another split.")
    return RationaleTexts(
        texts=tuple(data.texts[row] for row in rows),
        labels=data.labels[rows],
        label_names=data.label_names,
        spans=tuple(_rationale_cells.joined(data.spans[row]) for row in rows),
        row_numbers=rows + 1,
        origin=data.origin if split == "all" else f"{data.origin}, {split} rows",
        notes=data.notes,
        groups={name: tuple(values[row] for row in rows) for name, values in data.groups.items()},
    )


def _open(spec: DataSpec) -> Table:
    return registry.load("datasets", "local_file").open_table(dict(spec.options), with_lists=True)


def _choose(table: Table, options: Mapping[str, Any], column: str | None) -> tuple[str | None, str | None, str | None]:
    """Columns of texts, labels and rationales: those chosen, and guesses for the others."""
    for name in (options.get("text_column"), options.get("label_column"), column):
        if name is not None and (not isinstance(name, str) or name not in table.columns):
            raise NotFoundError(f"There is no column {show(name)}. The columns are: {show_columns(table)}.")
    text, label = options.get("text_column"), options.get("label_column")
    if column is None:
        known = {name.casefold(): name for name in table.columns if name not in (text, label)}
        column = next((known[name] for name in COLUMN_NAMES if name in known), None)
    chosen = [name for name in (text, label, column) if name is not None]
    if len(set(chosen)) < len(chosen):
        raise InvalidInputError(f"The column {show(chosen[-1])} is chosen twice. Choose a column for each.")
    flat = {name: cells for name, cells in table.columns.items() if name not in chosen and not _holds_lists(cells)}
    guess = guess_columns(Table(table.origin, flat, table.row_numbers, classes=table.classes))
    if text is None:
        tokens = (name for name in table.columns if name.casefold() in TOKEN_COLUMNS and name not in chosen)
        text = next((name for name in tokens if _holds_lists(table.columns[name])), guess[0])
    return text, label or (guess[1] if guess[1] != text else None), column


def _holds_lists(cells: Sequence[Cell]) -> bool:
    """Whether most cells that hold anything hold a list."""
    filled = [cell for cell in cells[:_GUESS_ROWS] if cell]
    return 2 * sum(cell.startswith("[") and cell.endswith("]") for cell in filled) > len(filled)


def _read_table(table: Table, options: Mapping[str, Any], column: str | None, kind: str) -> RationaleTexts:
    """Rows of a file whose text and rationale can both be read; the others are told."""
    text_column, label_column, column = _choose(table, options, column)
    if text_column is None or column is None:
        what = "texts" if text_column is None else "rationales (the words a person marked)"
        raise InvalidInputError(
            f"No column looks like {what}. The columns are: {show_columns(table)}. Choose the one that holds them."
        )
    texts = [_text_of(cell) for cell in table.columns[text_column]]
    cells = table.columns[column]
    rows = [row for row, (text, cell) in enumerate(zip(texts, cells, strict=True)) if isinstance(text, tuple) and cell]
    found_kind = kind
    if kind == "auto":
        of_tokens = column.casefold() in _COUNTED_IN_TOKENS
        preferred = ("mask", "words", "characters") if of_tokens else ("mask", "characters", "words")
        sample = rows[:: max(len(rows) // _GUESS_ROWS, 1)]
        found_kind = _rationale_cells.find_kind([(cells[row] or "", *texts[row]) for row in sample], preferred)
    kept, spans = [], []
    odd: dict[str, list[int]] = {}
    for row, (text, cell) in enumerate(zip(texts, cells, strict=True)):
        why = text if isinstance(text, str) else "" if cell and cell.strip() else "no rationale"
        if not why:
            try:
                spans.append(_rationale_cells.spans_of(cell or "", *text, found_kind))  # type: ignore[call-arg]
                kept.append(row)
                continue
            except InvalidInputError as error:
                why = str(error)
        odd.setdefault(why, []).append(table.row_numbers[row])
    notes = [tell_skipped(numbers, why) for why, numbers in odd.items()]
    if not kept:
        raise InvalidInputError(
            f"No row of {show(table.origin)} has a rationale that can be read: texts from {show(text_column)}, "
            f"rationales from {show(column)}. {' '.join(notes[:3]) or 'There are no rows.'} Spans look like 0:4;10:15, "
            "masks like 0 1 1 0 with one number for each word."
        )
    labels, names, more = _labels(table, label_column, kept)
    return RationaleTexts(
        texts=tuple(texts[row][0] for row in kept),
        labels=labels,
        label_names=names,
        spans=tuple(spans),
        row_numbers=np.array([table.row_numbers[row] for row in kept], dtype=np.int64),
        origin=table.origin,
        notes=(
            *table.notes,
            f"Texts from {show(text_column)}, rationales from {show(column)}, read as {KINDS[found_kind]}.",
            *notes,
            *more,
        ),
    )


def _text_of(cell: Cell) -> tuple[str, list[Span]] | str:
    """A text with the words its rationale may count, or why there is none; a list of tokens is joined by blanks."""
    tokens = _tokens(cell or "")
    text = cell if tokens is None else " ".join(tokens)
    why = why_unusable(text)
    if why or text is None:
        return why
    if tokens is None:
        return text, _rationale_cells.blank_words(text)
    ends = np.cumsum([len(token) + 1 for token in tokens]) - 1
    return text, [(int(end) - len(token), int(end)) for token, end in zip(tokens, ends, strict=True)]


def _tokens(cell: str) -> list[str] | None:
    """The tokens of a cell that is a JSON list of strings."""
    if not cell.startswith('["'):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(token, str) for token in found) else None


def _labels(table: Table, column: str | None, rows: Sequence[int]) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Class index of each row, the classes in their order, and what was not used of them."""
    none = np.full(len(rows), -1, dtype=np.int64)
    if column is None:
        return none, (), ["No column looks like labels, so texts judged wrongly are not told apart."]
    cells = plain_labels(table.columns[column])
    names = sorted({cells[row] for row in rows} - {""}, key=str.casefold)
    if len(names) > settings.MAX_LABELS:
        return none, (), [f"The column {show(column)} has {len(names):,} values and was not taken for labels."]
    index = {name: place for place, name in enumerate(names)}
    return np.array([index.get(cells[row], -1) for row in rows], dtype=np.int64), tuple(names), []
