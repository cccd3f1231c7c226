"""Which column holds the texts and which the labels: chosen by a person, or guessed from names and cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from explorer_core import settings
from explorer_core.datasets._table import (
    COLUMN_NAMES_OF_LABELS,
    COLUMN_NAMES_OF_TEXTS,
    MAX_NAME_CHARS,
    Table,
    show,
    show_columns,
)
from explorer_core.errors import InvalidInputError, NotFoundError

_NOT_LABELS = ("id", "idx", "index", "split", "fold", "pair", "lang", "language", "source", "date", "year", "user")
_GUESS_ROWS = 5_000  # rows looked at, evenly spaced
_HOPELESS = 1_000_000  # rank of a column that is no candidate at all


def guess_columns(table: Table) -> tuple[str | None, str | None]:
    """The columns that look like texts and like labels, `None` where none does."""
    step = max(1, table.n_rows // _GUESS_ROWS)
    sample = {
        name: [cell for cell in cells[::step] if cell is not None and cell.strip()]
        for name, cells in table.columns.items()
    }
    label = min(sample, key=lambda name: _label_rank(name, sample[name], name in table.classes), default=None)
    if label is not None and _label_rank(label, sample[label], label in table.classes)[0] >= _HOPELESS:
        label = None
    others = [name for name in sample if name != label and name not in table.classes]
    text = min(others, key=lambda name: _text_rank(name, sample[name]), default=None)
    if text is not None and _text_rank(text, sample[text])[0] >= _HOPELESS:
        text = None
    if text is None and label is not None:  # short texts beside their labels
        n_labels = len(set(sample[label]))
        worded = [name for name in others if _has_words(sample[name]) and len(set(sample[name])) > n_labels]
        text = worded[0] if len(worded) == 1 else None
    return text, label


def choose_columns(table: Table, options: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The columns a person chose, and guesses for those they did not.

    Raises:
        NotFoundError: If a chosen column is not there.
        InvalidInputError: If both are the same.
    """
    chosen = []
    for option in ("text_column", "label_column"):
        name = options.get(option)
        if name is not None and (not isinstance(name, str) or name not in table.columns):
            raise NotFoundError(f"There is no column {show(name)}. The columns are: {show_columns(table)}.")
        chosen.append(name)
    text, label = chosen
    if text is not None and text == label:
        raise InvalidInputError(f"The column {show(text)} is chosen for both texts and labels. Choose two columns.")
    if text is None or label is None:
        rest = {name: cells for name, cells in table.columns.items() if name not in chosen}
        guess = guess_columns(Table(table.origin, rest, table.row_numbers, classes=table.classes))
        text, label = text or guess[0], label or guess[1]
    return text, label


def _name_rank(name: str, known: Sequence[str]) -> int:
    """Place of a column's name among the known ones; words inside the name count less, other names not at all."""
    folded = name.casefold().strip()
    if folded in known:
        return known.index(folded)
    inside = [known.index(word) for word in re.findall(r"[a-z]+", folded) if word in known]
    return 100 + min(inside) if inside else 1_000


def _label_rank(name: str, cells: Sequence[str], is_class: bool) -> tuple[int, int]:
    """Lower is more like labels; ties go to the first column."""
    rank = _name_rank(name, COLUMN_NAMES_OF_LABELS)
    values = set(cells)
    longest = max((len(value) for value in values), default=0)
    is_plausible = (
        2 <= len(values) <= settings.MAX_LABELS and 2 * len(values) <= len(cells) and longest <= MAX_NAME_CHARS
    )
    if is_class and 2 <= len(values) <= settings.MAX_LABELS:
        return (0, rank)
    if rank < 100:  # a column called "label" is meant, also when its values cannot be used: the error then says why
        return (0 if is_plausible else 1, rank)
    if not is_plausible:
        return (_HOPELESS, rank)
    return (2 if rank < 1_000 else 4 if name.casefold() in _NOT_LABELS else 3, rank)


def _text_rank(name: str, cells: Sequence[str]) -> tuple[int, float]:
    """Lower is more like texts; unnamed columns by their mean length."""
    rank = _name_rank(name, COLUMN_NAMES_OF_TEXTS)
    if not _has_words(cells):
        return (_HOPELESS, 0)
    mean_chars = sum(map(len, cells)) / len(cells)
    if rank < 100:
        return (0, rank)
    is_plausible = mean_chars >= 8 and len(set(cells)) > 1
    if rank < 1_000:
        return (1, rank - 1 / mean_chars) if is_plausible else (_HOPELESS, 0)
    return (2, -mean_chars) if is_plausible else (_HOPELESS, 0)


def _has_words(cells: Sequence[str]) -> bool:
    """Whether at least half of the cells hold a letter."""
    n_worded = sum(any(letter.isalpha() for letter in cell[:200]) for cell in cells)
    return bool(cells) and 2 * n_worded >= len(cells)
