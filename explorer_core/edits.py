"""What changed between two texts, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from explorer_core.text import split_words

KEPT, OUT, IN = "kept", "out", "in"


@dataclass(frozen=True)
class EditPiece:
    """A run of characters of a text: `kept` in both, taken `out` of the first, or put `in` by the second."""

    kind: str
    text: str


def word_edit(first: str, second: str) -> tuple[EditPiece, ...]:
    """The second text as an edit of the first, in whole words.

    Pieces of kind `kept` and `out` joined are the first text, those of kind `kept` and `in` the second, but for blanks
    beside words, which follow the second text where both have the word.
    """
    ones, twos = _words_with_blanks(first), _words_with_blanks(second)
    matcher = SequenceMatcher(None, [word.strip() for word in ones], [word.strip() for word in twos], autojunk=False)
    pieces: list[EditPiece] = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(EditPiece(KEPT, "".join(twos[other_start:other_end])))
            continue
        pieces += [EditPiece(OUT, "".join(ones[start:end]))] if end > start else []
        pieces += [EditPiece(IN, "".join(twos[other_start:other_end]))] if other_end > other_start else []
    return tuple(pieces)


def word_columns(first: Sequence[str], second: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Two sequences of words on one axis: for each column the index of the word in the first and in the second, -1
    where it has none.

    Words that are kept share a column. Where as many words come as go, each takes the place of one; else those that go
    stand before those that come. Each word is in one column, and the order of both sequences is kept.
    """
    columns: list[tuple[int, int]] = []
    matcher = SequenceMatcher(None, list(first), list(second), autojunk=False)
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        if end - start == other_end - other_start:
            columns += zip(range(start, end), range(other_start, other_end), strict=True)
        else:
            columns += [(at, -1) for at in range(start, end)] + [(-1, at) for at in range(other_start, other_end)]
    return tuple(columns)


def word_distance(first: Sequence[str], second: Sequence[str], most: int) -> int:
    """Fewest words put in, taken out or replaced to turn one sequence into the other (Levenshtein 1966); `most + 1`
    if it is more than `most`.
    """
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    one, two = first[start : len(first) - end], second[start : len(second) - end]
    if abs(len(one) - len(two)) > most:
        return most + 1
    row = list(range(len(two) + 1))
    for place, word in enumerate(one, 1):
        low, high = max(1, place - most), min(len(two), place + most)  # further out it is more than `most`
        before, row = row, [most + 1] * (len(two) + 1)
        row[0] = place
        for other in range(low, high + 1):
            row[other] = min(before[other] + 1, row[other - 1] + 1, before[other - 1] + (word != two[other - 1]))
    return min(row[-1], most + 1)


def _words_with_blanks(text: str) -> list[str]:
    """The words with what follows each up to the next; together they are the text."""
    starts = [start for start, _ in split_words(text)]
    if not starts:
        return [text] if text else []
    starts[0] = 0
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
