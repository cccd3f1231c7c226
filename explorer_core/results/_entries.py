"""What gets a line of its own where positions are summed: every word, and every special token by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer_core.text import Reading


@dataclass(frozen=True)
class Entries:
    """The words of a reading and its special tokens, in the order of their first token.

    Attributes:
        names: The word, or the display string of the special token; shape [entry].
        word: Index of the word, -1 for a special token; int array [entry].
        place: Where it stands on an axis of words: a word at its index, special tokens before the first word at
            -1, -2, ..., those behind the last word at n, n + 1, ...; shape [entry].
        of_token: Entry of each token; int array [pos].
        first_token, last_token: Position of the first and of the last token of each entry; int array [entry].
    """

    names: tuple[str, ...]
    word: np.ndarray
    place: np.ndarray
    of_token: np.ndarray
    first_token: np.ndarray
    last_token: np.ndarray

    @property
    def is_word(self) -> np.ndarray:
        """Whether an entry is a word; bool array [entry]."""
        return self.word >= 0

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Values over positions, shape [..., pos], summed over the tokens of each entry; shape [..., entry]."""
        found = np.zeros((len(self.names), *values.shape[:-1]))
        np.add.at(found, self.of_token, np.moveaxis(values, -1, 0))
        return np.moveaxis(found, 0, -1)


def entries_of(reading: Reading) -> Entries:
    """The entries of a reading."""
    word_of_token = reading.word_of_token
    known: dict[int, int] = {}
    word: list[int] = []
    of_token = np.empty(len(word_of_token), dtype=np.int64)
    for pos, owner in enumerate(word_of_token.tolist()):
        if owner < 0 or owner not in known:
            known[owner] = len(word)
            word.append(owner)
        of_token[pos] = known[owner]
    numbers = np.array(word)
    first, last = (np.zeros(len(word), dtype=np.int64) for _ in range(2))
    positions = np.arange(len(of_token))
    last[of_token] = positions
    first[of_token[::-1]] = positions[::-1]
    names = tuple(
        reading.tokens[pos] if owner < 0 else reading.words[owner] for owner, pos in zip(word, first, strict=True)
    )
    return Entries(names, numbers, _places(numbers), of_token, first, last)


def _places(word: np.ndarray) -> np.ndarray:
    is_word = word >= 0
    n_before = int(is_word.argmax())
    place = np.arange(len(word)) - n_before  # exact unless a special token stands between words
    return place if not (is_word & (word != place)).any() else _squeezed(word, is_word, n_before)


def _squeezed(word: np.ndarray, is_word: np.ndarray, n_before: int) -> np.ndarray:
    """Places where special tokens stand between words: half a step behind the word before them."""
    n_words = int(is_word.sum())
    last = int(np.flatnonzero(is_word)[-1])
    place = np.arange(len(word), dtype=float) - n_before
    before = -1.0
    for index in range(n_before, len(word)):
        if is_word[index]:
            before = place[index] = float(word[index])
        else:
            place[index] = before + 0.5 if index < last else n_words + index - last - 1
    return place
