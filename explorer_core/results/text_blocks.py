"""A block of rows of a stream, and what a network says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, softmax


@dataclass(frozen=True, eq=False)
class TextBlock:
    """Some rows of a stream that follow each other, those left out that no network can read.

    Attributes:
        number: Number of the block, from 0.
        file: Name of the file.
        texts: The texts; shape [text].
        row_numbers: Row of each in the file as a person counts; int array [text].
        labels: Label of each as the file has it, "" for none; shape [text].
        piece: Number of each piece in its row, from 0; 0 throughout where rows are not cut; int array [text].
        spans: Start and end of each in characters of the row's text; int array [text, 2].
        has_pieces: Whether rows may have been cut into several texts.
        n_skipped: Rows left out, by reason.
    """

    number: int
    file: str
    texts: tuple[str, ...]
    row_numbers: np.ndarray
    labels: tuple[str, ...]
    piece: np.ndarray
    spans: np.ndarray
    has_pieces: bool
    n_skipped: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class BlockVerdicts(Exportable):
    """What one network says of a block.

    Attributes:
        model, labels: Which network, and its classes.
        block: The rows.
        kept: Place in the block of each text the network can read; int array [text].
        logits: Shape [text, class].
        n_unknown, n_truncated: Words unknown to it and words it did not read; int arrays [text].
        true: Class index by the label, -1 for none; int array [text].
    """

    model: str
    labels: tuple[str, ...]
    block: TextBlock
    kept: np.ndarray
    logits: np.ndarray
    n_unknown: np.ndarray
    n_truncated: np.ndarray
    true: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.kept), len(self.labels)), "logits")
        check_array(self.true, (len(self.kept),), "true")

    @property
    def probs(self) -> np.ndarray:
        """Shape [text, class]; rows sum to 1."""
        return softmax(self.logits.astype(np.float64))

    def to_frame(self) -> Any:
        """One row for each text: file, row, piece and its place if rows are cut, text, label, true and predicted class,
        every probability, words unknown and not read.
        """
        import pandas as pd

        names = np.array([*self.labels, ""], dtype=object)
        block, probs = self.block, self.probs
        found: dict[str, Any] = {
            "file": block.file,
            "row": block.row_numbers[self.kept],
        }
        if block.has_pieces:
            start, end = block.spans[self.kept].T
            found |= {"piece": block.piece[self.kept] + 1, "start": start, "end": end}
        found |= {
            "text": [block.texts[place] for place in self.kept],
            "label": [block.labels[place] for place in self.kept],
            "true": names[self.true],
            "predicted": names[self.logits.argmax(1)],
        }
        found |= {f"prob_{label}": probs[:, index] for index, label in enumerate(self.labels)}
        return pd.DataFrame(found | {"n_unknown": self.n_unknown, "n_truncated": self.n_truncated})
