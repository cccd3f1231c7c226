"""Minimal pairs in a table: by a column of ids, by two columns of texts, or found by small edits.

Pairs within a small edit distance are found without comparing all: if at most k words differ, one of k + 1 pieces of
the shorter text stands unchanged in the longer, shifted by at most k words (Li, Deng, Wang and Feng 2011, Pass-Join).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from explorer_core.datasets._labelled_texts import count_words
from explorer_core.edits import word_distance
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.judging.scores import wilson
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.results import OUTCOMES, JudgedPairs, Judgement, TextPairs, TextTable

EDITS = Knob("most_edits", "Words that may differ", "Words put in, taken out or replaced.", 3, 1, 12, 1)
WORDS_AN_EDIT = 4  # words of the longer text for each that may differ: in a short text fewer may
MOST_COMPARED = 2_000_000
MOST_PAIRS = 50_000
_TELL_EVERY = 500


def by_ids(table: TextTable, column: str) -> TextPairs:
    """Texts whose cells in a column are the same; see `api.find_pairs`."""
    members: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(_cells(table, column)):
        if cell and not table.piece[place]:
            members[cell].append(place)
    n_odd = sum(len(rows) != 2 for rows in members.values())
    pairs = [(name, rows[0], rows[1]) for name, rows in members.items() if len(rows) == 2]
    if not pairs:
        raise InvalidInputError(f"No value of {column[:60]!r} occurs exactly twice. Choose the column of pair ids.")
    notes = (f"{n_odd:,} values of the column do not occur exactly twice; they are left out.",) if n_odd else ()
    return _made(table, pairs, "ids", notes)


def by_columns(table: TextTable, text_column: str, label_column: str | None) -> TextPairs:
    """Each row's text with the one in another column; see `api.find_pairs`."""
    cells = _cells(table, text_column)
    labels = _cells(table, label_column) if label_column else [""] * len(table)
    rows = [row for row, cell in enumerate(cells) if cell and not table.piece[row]]
    if not rows:
        raise InvalidInputError(f"The column {text_column[:60]!r} holds no texts. Choose another.")
    values = list(dict.fromkeys([*table.label_values, *(labels[row] for row in rows if labels[row])]))
    index = {value: place for place, value in enumerate(values)}
    of_second = [index.get(labels[row], -1) for row in rows]
    first = table.take(np.array(rows))
    n_pairs = len(rows)
    both = np.arange(2 * n_pairs).reshape(2, n_pairs).T.ravel()  # first, second, first, second, ...

    def mixed(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        return np.concatenate([one, two])[both]

    texts = [cells[row] for row in rows]
    joined = (*first.texts, *texts)
    doubled = dataclasses.replace(
        first.take(np.repeat(np.arange(n_pairs), 2)),
        texts=tuple(joined[place] for place in both),
        n_words=mixed(first.n_words, np.array([count_words(text) for text in texts])),
        spans=mixed(first.spans, np.array([(0, len(text)) for text in texts])),
        label_values=tuple(values),
        label=mixed(first.label, np.array(of_second)),
        label_column=table.label_column or label_column,
    )
    pairs = [(f"row {first.row_numbers[place]}", 2 * place, 2 * place + 1) for place in range(n_pairs)]
    n_left = len(table) - n_pairs
    notes = (f"{n_left:,} texts have no second text; they are left out.",) if n_left else ()
    return _made(doubled, pairs, "columns", notes)


def found(table: TextTable, most_edits: int, *, progress: Progress | None = None) -> TextPairs:
    """Texts with different labels that differ by few words; see `api.find_pairs`."""
    EDITS.check(most_edits)
    report = progress or (lambda share: None)
    rows = np.flatnonzero(table.label >= 0)
    words = [table.texts[row].casefold().split() for row in rows]
    pairs, is_whole = close_pairs(words, table.label[rows].tolist(), most_edits, report=report)
    notes = [
        f"Texts with different labels that differ by at most {most_edits} words put in, taken out or replaced, case "
        f"ignored, and at most one in {WORDS_AN_EDIT} of the longer text's. A word is what stands between blanks."
    ]
    if not is_whole:
        notes.append(
            f"The search ended after {MOST_COMPARED:,} comparisons or {MOST_PAIRS:,} pairs; there may be more."
        )
    named = []
    for _, one, two in pairs:
        first, second = int(rows[one]), int(rows[two])
        named.append((f"rows {table.row_numbers[first]} and {table.row_numbers[second]}", first, second))
    made = _made(table, named, "found", tuple(notes))
    return dataclasses.replace(made, distance=np.array([distance for distance, _, _ in pairs], dtype=np.int64))


def close_pairs(
    texts: Sequence[Sequence[str]],
    labels: Sequence[int],
    most: int,
    *,
    report: Callable[[float], None] = lambda share: None,
) -> tuple[list[tuple[int, int, int]], bool]:
    """Pairs of texts with different labels within a distance: `(distance, place, place)`, the closest first, and
    whether everything was compared.

    Args:
        texts: Words of each text.
        labels: Label of each.
        most: Words that may differ; in a pair whose longer text has n words, at most `n // WORDS_AN_EDIT`.
        report: Called with the share done.
    """
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    index: dict[tuple[object, ...], list[int]] = defaultdict(list)
    result: list[tuple[int, int, int]] = []
    n_compared = 0
    lengths: set[int] = set()
    for number, place in enumerate(order):
        if number % _TELL_EVERY == 0:
            report(number / len(order))
        words = texts[place]
        allowed = min(most, len(words) // WORDS_AN_EDIT)
        others = {
            other
            for key in (_keys_in(words, allowed, lengths) if allowed else ())
            for other in index.get(key, ())
            if labels[other] != labels[place]
        }
        for other in others:
            n_compared += 1
            distance = word_distance(texts[other], words, allowed)
            if 0 < distance <= allowed:
                result.append((distance, min(place, other), max(place, other)))
        if n_compared > MOST_COMPARED or len(result) > MOST_PAIRS:
            break
        lengths.add(len(words))
        longer = range(len(words), len(words) + most + 1)
        for may_differ in {min(most, n_words // WORDS_AN_EDIT) for n_words in longer} - {0}:
            for key in _own_keys(words, may_differ):
                index[key].append(place)
    report(1.0)
    is_whole = n_compared <= MOST_COMPARED and len(result) <= MOST_PAIRS
    return sorted(set(result))[:MOST_PAIRS], is_whole


def _cuts(n_words: int, n_pieces: int) -> list[tuple[int, int]]:
    """Start and end of each of some pieces of about the same length."""
    edges = [n_words * piece // n_pieces for piece in range(n_pieces + 1)]
    return list(itertools.pairwise(edges))


def _own_keys(words: Sequence[str], may_differ: int) -> Iterator[tuple[object, ...]]:
    """The pieces of a text for pairs that differ by at most so many words."""
    for piece, (start, end) in enumerate(_cuts(len(words), may_differ + 1)):
        yield (may_differ, len(words), piece, *words[start:end])


def _keys_in(words: Sequence[str], may_differ: int, lengths: set[int]) -> Iterator[tuple[object, ...]]:
    """The pieces that a text no longer than this one has unchanged, if so few words differ."""
    for n_words in range(max(len(words) - may_differ, 0), len(words) + 1):
        if n_words not in lengths:
            continue
        for piece, (start, end) in enumerate(_cuts(n_words, may_differ + 1)):
            for shift in range(-may_differ, may_differ + 1):
                if start + shift >= 0 and end + shift <= len(words):
                    yield (may_differ, n_words, piece, *words[start + shift : end + shift])


def judge_pairs(judged: Judgement, pairs: TextPairs) -> JudgedPairs:
    """Outcomes of every pair; see `api.judge_pairs`."""
    place_of = np.full(len(pairs.table), -1, dtype=np.int64)
    if judged.indices.max(initial=-1) >= len(place_of):
        raise InvalidInputError("These texts were not judged as a whole. Judge the table of the pairs first.")
    place_of[judged.indices] = np.arange(len(judged))
    first, second = place_of[pairs.first], place_of[pairs.second]
    there = np.flatnonzero((first >= 0) & (second >= 0))
    if not len(there):
        raise InvalidInputError("No pair has two texts that every model can read.")
    for place in (0, len(judged) - 1):
        if judged.table.texts[place] != pairs.table.texts[int(judged.indices[place])]:
            raise InvalidInputError("The judgement is of other texts. Judge the table of the pairs first.")
    first, second = first[there], second[there]
    kept = dataclasses.replace(
        pairs, first=pairs.first[there], second=pairs.second[there], distance=pairs.distance[there],
        names=tuple(pairs.names[place] for place in there),
    )  # fmt: skip
    right = judged.is_right[:, first].astype(int) + judged.is_right[:, second]  # [model, pair]
    has_labels = (judged.true[first] >= 0) & (judged.true[second] >= 0)
    outcome = np.where(has_labels, 2 - right, len(OUTCOMES) - 1)
    turns = judged.predicted[:, first] != judged.predicted[:, second]
    counts = np.stack([(outcome == index).sum(1) for index in range(len(OUTCOMES) - 1)], axis=1)
    n_labelled = np.full(counts.shape, int(has_labels.sum()))
    low, high = wilson(counts, n_labelled)
    n_turns, n_pairs = turns.sum(1), np.full(len(turns), len(there))
    turn_low, turn_high = wilson(n_turns, n_pairs)
    with np.errstate(invalid="ignore"):
        shares = counts / n_labelled
    return JudgedPairs(
        kept, judged, first, second, outcome, turns, counts, shares, low, high, n_turns / n_pairs, turn_low, turn_high
    )


def _cells(table: TextTable, column: str) -> list[str]:
    """Cells of a column as text, "" where empty.

    Raises:
        NotFoundError: If there is no such column.
    """
    if column not in table.columns:
        known = ", ".join(map(str, table.columns)) or "none"
        raise NotFoundError(f"There is no other column {column[:60]!r}. Known: {known[:200]}.")
    cells = table.columns[column]
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        return ["" if np.isnan(cell) else f"{cell:.12g}" for cell in cells.tolist()]
    return [str(cell or "").strip() for cell in cells]


def _made(table: TextTable, pairs: Sequence[tuple[str, int, int]], how: str, notes: tuple[str, ...]) -> TextPairs:
    ends = np.array([(one, two) for _, one, two in pairs], dtype=np.int64).reshape(-1, 2)
    names = tuple(name for name, _, _ in pairs)
    return TextPairs(table, ends[:, 0], ends[:, 1], names, how, np.full(len(pairs), -1, dtype=np.int64), notes)
