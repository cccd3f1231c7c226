"""Slices of texts: by a column, length, words, label or verdict; each fares on its own beside all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex

from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.judging.scores import wilson
from explorer_core.judging.spec import SliceSpec
from explorer_core.results import Judgement, TextSlice, TextTable

N_LENGTH_BINS = 5
MOST_VALUES = 50  # of a column that are offered
_EMPTY = "(empty)"


def select(judged: Judgement, where: SliceSpec, model: int) -> TextSlice:
    """The texts that are meant, with accuracy; see `api.select_texts`."""
    verdicts = Verdicts(judged.models[model], judged.labels, judged.true, judged.predicted[model])
    meant, said = find(judged.table, verdicts, where)
    rows = np.flatnonzero(meant)
    accuracy, interval, n_labelled = _accuracy(judged, rows)
    all_accuracy, all_interval, n_all_labelled = _accuracy(judged, np.arange(len(judged)))
    return TextSlice(
        models=judged.models,
        said=said,
        rows=rows,
        n_all=len(judged),
        n_labelled=n_labelled,
        n_all_labelled=n_all_labelled,
        accuracy=accuracy,
        interval=interval,
        all_accuracy=all_accuracy,
        all_interval=all_interval,
    )


@dataclass(frozen=True)
class Verdicts:
    """What one network says of the texts of a table, and what their labels say.

    Attributes:
        model: Its name.
        labels: Names of its classes.
        true, predicted: Class index by the label, -1 for none, and by the network; int arrays [text].
    """

    model: str
    labels: Sequence[str]
    true: np.ndarray
    predicted: np.ndarray


def find(table: TextTable, verdicts: Verdicts, where: SliceSpec) -> tuple[np.ndarray, str]:
    """Whether each text is meant, bool array [text], and what is meant in words.

    Raises:
        NotFoundError: If there is no such column.
        InvalidInputError: If there is no such class, or numbers are asked of a column without.
    """
    meant = np.ones(len(table), dtype=bool)
    said: list[str] = []
    if where.column is not None:
        meant &= _by_column(table, where)
        said.append(_told_column(where))
    if where.min_words is not None or where.max_words is not None:
        low, high = where.min_words or 0, where.max_words
        meant &= (table.n_words >= low) & (table.n_words <= (np.inf if high is None else high))
        said.append(f"{low:,} words or more" if high is None else f"{low:,} to {high:,} words")
    if where.words:
        meant[meant] = contains([table.texts[row] for row in np.flatnonzero(meant)], where.words)
        said.append("with " + " and ".join(f"“{word}”" for word in where.words))
    for name, found in (("label", verdicts.true), ("predicted", verdicts.predicted)):
        wanted = getattr(where, name)
        if wanted is not None:
            meant &= found == _class(verdicts.labels, wanted)
            said.append(f"labelled {wanted}" if name == "label" else f"judged {wanted} by {verdicts.model}")
    if where.right is not None:
        meant &= (verdicts.true >= 0) & ((verdicts.true == verdicts.predicted) == where.right)
        said.append(f"{'rightly' if where.right else 'wrongly'} judged by {verdicts.model}")
    return meant, ", ".join(said) or "all texts"


def contains(texts: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Whether each text holds all of some words, as whole words, case ignored; bool array [text].

    A whole word has no letter, digit or underscore right before or after it.
    """
    patterns = [
        regex.compile(rf"(?<!\w){regex.escape(' '.join(word.casefold().split()), literal_spaces=True)}(?!\w)")
        for word in words
        if word.strip()
    ]
    folded = (text.casefold() for text in texts)
    found = (all(pattern.search(text) is not None for pattern in patterns) for text in folded)
    return np.fromiter(found, dtype=bool, count=len(texts))


def length_bins(n_words: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Smallest and largest number of words in each of at most five bins of about as many texts; equal lengths are
    never in two bins.
    """
    return tuple((int(low), int(high)) for low, high in _bins(n_words))


def ranges_of(table: TextTable, column: str) -> tuple[tuple[float, float], ...]:
    """As `length_bins`, of a column of numbers with more than 50 different ones; of any other column none.

    Raises:
        NotFoundError: If there is no such column.
    """
    shown = _shown(table, column)
    cells = table.columns[column]
    if not isinstance(cells, np.ndarray) or len(np.unique(shown)) <= MOST_VALUES:
        return ()
    return _bins(cells[~np.isnan(cells)])


def _bins(values: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Ends of at most five bins of about as many values."""
    if not len(values):
        return ()
    edges = np.unique(np.quantile(values, np.linspace(0, 1, N_LENGTH_BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="left")
    return tuple((float(values[bins == one].min()), float(values[bins == one].max())) for one in np.unique(bins))


def values_of(table: TextTable, column: str) -> tuple[tuple[str, int], ...]:
    """The most frequent values of a column as they are shown, with how many texts hold each; at most 50.

    Raises:
        NotFoundError: If there is no such column.
    """
    shown, counts = np.unique(_shown(table, column), return_counts=True)
    order = np.lexsort((shown, -counts))[:MOST_VALUES]
    return tuple((str(shown[place]), int(counts[place])) for place in order)


def _by_column(table: TextTable, where: SliceSpec) -> np.ndarray:
    """Whether each text's cell is what is asked for.

    Raises:
        NotFoundError: If there is no such column.
        InvalidInputError: If it holds no numbers and bounds are asked for.
    """
    assert where.column is not None
    shown = _shown(table, where.column)
    meant = np.ones(len(table), dtype=bool) if where.value is None else shown == where.value
    if where.low is not None or where.high is not None:
        cells = table.columns[where.column]
        if not isinstance(cells, np.ndarray) or cells.dtype.kind != "f":
            raise InvalidInputError(f"The column {where.column[:60]!r} holds no numbers. Choose one of its values.")
        low = -np.inf if where.low is None else where.low
        meant &= (cells >= low) & (cells <= (np.inf if where.high is None else where.high))
    return meant


def _shown(table: TextTable, column: str) -> np.ndarray:
    """Cells of a column as a person reads them; string array [text]."""
    if column not in table.columns:
        known = ", ".join(map(str, table.columns)) or "none"
        raise NotFoundError(f"There is no other column {column[:60]!r}. Known: {known[:200]}.")
    cells = table.columns[column]
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        return np.array([_EMPTY if np.isnan(cell) else f"{cell:.12g}" for cell in cells.tolist()], dtype=object)
    return np.array([str(cell) or _EMPTY for cell in cells], dtype=object)


def _told_column(where: SliceSpec) -> str:
    name = f"{where.column}"
    if where.value is not None:
        return f"{name} is {where.value}"
    low = "" if where.low is None else f" from {where.low:g}"
    return name + low + ("" if where.high is None else f" up to {where.high:g}")


def _class(labels: Sequence[str], name: str) -> int:
    if name not in labels:
        raise InvalidInputError(f"There is no class {name[:60]!r}; allowed: {', '.join(labels)[:200]}.")
    return list(labels).index(name)


def _accuracy(judged: Judgement, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Share judged right of the rows with a label, its interval, and how many these are."""
    labelled = rows[judged.true[rows] >= 0]
    n_right = judged.is_right[:, labelled].sum(1)
    low, high = wilson(n_right, np.full(len(judged.models), len(labelled)))
    share = n_right / len(labelled) if len(labelled) else np.full(len(judged.models), np.nan)
    return share, np.stack([low, high], axis=1), len(labelled)
