"""The fewest words whose absence turns a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.text import Reading

MOST_KEPT = 50  # deletions, the strongest, of all that were found


@dataclass(frozen=True)
class Flips(Exportable):
    """Deletions of words after which a network decides for another class, the smallest there are.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
        logits: The network's verdict over the whole text, shape [class].
        removal: How a word is taken away: `mask`, `unk` or `drop`.
        deletions: Words taken away together, from 0; int array [deletion, word of it]. Empty if none was found.
        margins: Logit of the class decided for before, less the largest of the others, after each deletion; below
            zero, the lowest first; shape [deletion].
        new_labels: Class decided for after each deletion, int array [deletion].
        is_exact: Whether every smaller deletion was tried, so that none smaller turns the verdict; else words were
            taken away one after the other, each time the one that lowers the margin most.
        n_tried: Most words taken away together.
        n_passes: Texts the network read.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    logits: np.ndarray
    removal: str
    deletions: np.ndarray
    margins: np.ndarray
    new_labels: np.ndarray
    is_exact: bool
    n_tried: int
    n_passes: int

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.labels),), "logits")
        check_array(self.margins, (len(self.deletions),), "margins")
        check_array(self.new_labels, (len(self.deletions),), "new labels")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def n_words(self) -> int:
        """Words of the smallest deletion that turns the verdict; 0 where none was found."""
        return int(self.deletions.shape[1]) if len(self.deletions) else 0

    def named(self, index: int) -> tuple[str, ...]:
        """The words of one deletion."""
        return tuple(self.words[word] for word in self.deletions[index])

    def to_frame(self) -> Any:
        """One row for each deletion: its words, where they stand, and what the network then decides."""
        import pandas as pd

        return pd.DataFrame(
            {
                "words": [" ".join(self.named(index)) for index in range(len(self.deletions))],
                "places": [" ".join(str(word + 1) for word in row) for row in self.deletions.tolist()],
                "margin": self.margins,
                "decides": [self.labels[label] for label in self.new_labels],
            }
        )
