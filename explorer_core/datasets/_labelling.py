"""From a table to labelled, split texts: which rows can be used, and why the others cannot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import regex

from explorer_core import settings
from explorer_core.datasets._columns import choose_columns
from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts, count_lengths, cut
from explorer_core.datasets._splitting import join_rows, letters_of, split_rows
from explorer_core.datasets._table import MAX_NAME_CHARS, Cell, Table, show, show_columns, tell_skipped
from explorer_core.errors import ExplorerError, InvalidInputError

PAIR_COLUMNS = ("pair", "pair_id")
NO_TEXT, BROKEN = "no text", "broken characters (half a surrogate pair)"
_SEEN = regex.compile(r"[^\s\p{C}\p{Z}]", regex.VERSION1)
_WHOLE = re.compile(r"[+-]?\d{1,15}(\.0*)?")
_SURROGATE = re.compile("[\ud800-\udfff]")


def label_rows(table: Table, options: Mapping[str, Any]) -> LabelledTexts:
    """Labelled and split texts; rows that cannot be used are left out and told.

    Args:
        table: What was read.
        options: May hold `text_column`, `label_column` and `class_names`.

    Raises:
        NotFoundError: If a chosen column is not there.
        InvalidInputError: If there is no column of texts or labels, or not 2 to `settings.MAX_LABELS` classes.
    """
    text_column, label_column = choose_columns(table, options)
    if text_column is None:
        raise InvalidInputError(
            f"No column looks like texts. The columns are: {show_columns(table)}. Choose the one that holds the texts."
        )
    if label_column is None:
        raise InvalidInputError(
            table.no_labels
            or f"No column looks like labels (2 to {settings.MAX_LABELS} values that come again and again). "
            f"The columns are: {show_columns(table)}. Choose the one that holds the labels, or add one."
        )
    texts = table.columns[text_column]
    labels = _named(plain_labels(table.columns[label_column]), options.get("class_names"))
    rows, notes = _usable_rows(table, texts, labels)
    if not rows:
        why = "no label" if not any(labels) else "no text that can be used with a label"
        raise InvalidInputError(
            f"No row is left to learn from: all {table.n_rows:,} rows have {why} "
            f"(texts: {show(text_column)}, labels: {show(label_column)}). Choose other columns, or mend the file."
        )
    names, rows, more_notes = _check_classes(table, label_column, labels, rows)
    index = {name: position for position, name in enumerate(names)}
    kept = tuple(str(texts[row]).strip() for row in rows)
    classes = np.array([index[labels[row]] for row in rows], dtype=np.int64)
    pair_column = next((name for name in table.columns if name.casefold() in PAIR_COLUMNS), None)
    pairs = tuple((table.columns[pair_column][row] or "").strip() for row in rows) if pair_column else None
    letters = [letters_of(text) for text in kept]
    return LabelledTexts(
        texts=kept,
        labels=classes,
        label_names=names,
        split=split_rows(classes, join_rows(letters, pairs)),
        origin=table.origin,
        sentence=f"{table.origin}: {len(kept):,} texts in {len(names)} classes.",
        notes=(
            *table.notes,
            *_tell_columns(text_column, label_column, options),
            *_tell_spellings(table.columns[label_column]),
            *notes,
            *more_notes,
            *_tell_repeats(letters, classes),
        ),
        groups={"pair": pairs} if pairs else {},
    )


def preview_table(table: Table, options: Mapping[str, Any]) -> DataPreview:
    """A look at a table with the columns chosen or guessed; what stops a training becomes `problem`.

    Raises:
        NotFoundError: If a chosen column is not there.
        InvalidInputError: If the same column is chosen twice.
    """
    text_column, label_column = choose_columns(table, options)
    notes, problem, n_usable = table.notes, "", 0
    try:
        data = label_rows(table, options)
        notes, n_usable = data.notes, len(data)
    except ExplorerError as error:
        problem = str(error)
    texts = table.columns[text_column] if text_column else [None] * table.n_rows
    labels = [""] * table.n_rows
    if label_column:
        labels = _named(plain_labels(table.columns[label_column]), options.get("class_names"))
    rows = [row for row, text in enumerate(texts) if text is not None and _SEEN.search(text)]
    first_of_label: dict[str, int] = {}
    for row in rows:
        first_of_label.setdefault(labels[row], row)
    shown = [row for label, row in first_of_label.items() if label][:3]
    shown += [row for row in rows[:6] if row not in shown][: 3 - len(shown)]
    return DataPreview(
        origin=table.origin,
        columns=tuple(table.columns),
        text_column=text_column,
        label_column=label_column,
        n_rows=table.n_rows,
        n_usable=n_usable,
        lengths=count_lengths([text for row in rows if (text := texts[row]) is not None]),
        labels=dict(
            Counter(cut(label, MAX_NAME_CHARS) for label in labels if label).most_common(settings.MAX_LABELS + 1)
        ),
        samples=tuple((cut(texts[row] or ""), cut(labels[row], MAX_NAME_CHARS)) for row in shown),
        notes=notes,
        problem=problem,
        choices=table.choices,
    )


def _usable_rows(table: Table, texts: Sequence[Cell], labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Rows with a text and a label that can be used, and a note for each reason others cannot."""
    rows: list[int] = []
    unusable: dict[str, list[int]] = {}
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        why = why_unusable(text)
        if not label and why != NO_TEXT:
            why = "no label"
        elif not why and _SURROGATE.search(label):
            why = BROKEN
        if why:
            unusable.setdefault(why, []).append(table.row_numbers[row])
        else:
            rows.append(row)
    return rows, [tell_skipped(numbers, why) for why, numbers in unusable.items()]


def why_unusable(text: Cell, max_chars: int = settings.MAX_CELL_CHARS) -> str:
    """Why no network can read a cell, as the end of a sentence; empty if one can."""
    if text is None or not _SEEN.search(text):
        return NO_TEXT
    if len(text) > max_chars:
        return f"a text of more than {max_chars:,} characters"
    return BROKEN if _SURROGATE.search(text) else ""


def plain_labels(cells: Sequence[Cell]) -> list[str]:
    """Labels without blanks around them; whole numbers lose their `.0` when all are whole; one spelling each."""
    labels = [" ".join(cell.split()) if cell else "" for cell in cells]
    values = set(labels) - {""}
    if values and all(_WHOLE.fullmatch(value) for value in values):
        plain = {value: str(int(value.split(".")[0])) for value in values}
    else:
        spelling: dict[str, str] = {}
        for value, _ in Counter(labels).most_common():
            spelling.setdefault(value.casefold(), value)
        plain = {value: spelling[value.casefold()] for value in values}
    return [plain.get(label, "") for label in labels]


def _named(labels: list[str], names: Any) -> list[str]:
    """Labels under the names a person gave them; one that was given none is none.

    Raises:
        InvalidInputError: If what was given is no object of labels and names.
    """
    if names is None:
        return labels
    if not isinstance(names, Mapping) or not all(isinstance(one, str | None) for one in names.values()):
        raise InvalidInputError("Names of classes are an object: the name, or null, of each label of the file.")
    given = {label: " ".join((name or "").split()) for label, name in names.items()}
    return [given.get(label, label) for label in labels]


def _check_classes(
    table: Table, column: str, labels: Sequence[str], rows: Sequence[int]
) -> tuple[tuple[str, ...], list[int], list[str]]:
    """Names of the classes in their order, the rows that stay, and what was left out."""
    counts = Counter(labels[row] for row in rows)
    names = [name for name, count in counts.items() if count >= settings.MIN_ROWS_PER_LABEL]
    if len(names) > settings.MAX_LABELS or (len(names) < 2 and len(counts) > settings.MAX_LABELS):
        raise InvalidInputError(
            f"The column {show(column)} has {len(counts):,} different values; a model learns 2 to "
            f"{settings.MAX_LABELS} classes. Choose another label column, or join classes."
        )
    if len(counts) == 1:
        raise InvalidInputError(
            f"Every row has the same label, {show(names[0] if names else next(iter(counts)))}. A model needs rows of "
            "at least two classes to tell apart."
        )
    if len(names) < 2:
        raise InvalidInputError(
            f"Only {len(names)} of the {len(counts)} labels in {show(column)} "
            f"{'comes' if len(names) == 1 else 'come'} at least {settings.MIN_ROWS_PER_LABEL} times. Two such classes "
            "are needed; add rows."
        )
    too_long = [name for name in names if len(name) > MAX_NAME_CHARS]
    if too_long:
        raise InvalidInputError(
            f"The column {show(column)} holds texts, not labels, such as {show(too_long[0])}. Choose another one."
        )
    rare = [row for row in rows if counts[labels[row]] < settings.MIN_ROWS_PER_LABEL]
    notes = [tell_skipped([table.row_numbers[row] for row in rare], "a label that comes only once")] if rare else []
    kept = set(names)
    known = table.classes.get(column, ())
    order = known if kept <= set(known) else _in_order(names)
    absent = [name for name in known if name not in kept]
    if absent:
        notes.append(
            f"{len(absent)} of its {len(known)} classes do not occur in the rows read: "
            + ", ".join(show(name) for name in absent[:5])
            + (", ..." if len(absent) > 5 else ".")
        )
    return tuple(name for name in order if name in kept), [row for row in rows if labels[row] in kept], notes


def _in_order(names: Sequence[str]) -> list[str]:
    """Numbers by size, names by alphabet."""
    if all(re.fullmatch(r"[+-]?\d+(\.\d+)?", name) for name in names):
        return sorted(names, key=float)
    return sorted(names, key=str.casefold)


def _tell_columns(text_column: str, label_column: str, options: Mapping[str, Any]) -> list[str]:
    """Which columns were guessed."""
    guessed = [
        f"{what} from {show(name)}"
        for what, name, option in (("texts", text_column, "text_column"), ("labels", label_column, "label_column"))
        if options.get(option) is None
    ]
    return [f"Guessed columns: {' and '.join(guessed)}."] if guessed else []


def _tell_spellings(cells: Sequence[Cell]) -> list[str]:
    """Which labels were taken for one because only their case differs."""
    by_folded: dict[str, set[str]] = {}
    for value in {" ".join(cell.split()) for cell in set(cells) if cell}:
        by_folded.setdefault(value.casefold(), set()).add(value)
    joined = [sorted(values) for values in by_folded.values() if len(values) > 1]
    if not joined or len(by_folded) > settings.MAX_LABELS:
        return []
    shown = "; ".join(" = ".join(show(value) for value in values[:3]) for values in sorted(joined)[:5])
    return [f"Labels that differ only in capital letters were taken for one: {shown}."]


def _tell_repeats(letters: Sequence[str], labels: np.ndarray) -> list[str]:
    """How many rows repeat another, and how many of them contradict it."""
    seen: dict[str, set[int]] = {}
    for key, label in zip(letters, labels, strict=True):
        seen.setdefault(key, set()).add(int(label))
    n_repeats = len(letters) - len(seen)
    n_torn = sum(len(found) > 1 for found in seen.values())
    notes = []
    if n_repeats:
        notes.append(f"{n_repeats:,} rows repeat the letters of another row; they stay on its side of the split.")
    if n_torn:
        notes.append(f"{n_torn:,} texts come with more than one label; no model can get all of those right.")
    return notes
