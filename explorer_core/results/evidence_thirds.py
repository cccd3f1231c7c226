"""How often networks are right, by where in the text the evidence lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable

THIRDS = ("first third", "middle third", "last third")


@dataclass(frozen=True, eq=False)
class EvidenceThirds(Exportable):
    """Accuracy by the third of the words in which the evidence of a text lies; axes [model, third].

    Attributes:
        models, architectures, fingerprints: Which networks.
        how: `marks` of people, or `scores` of the networks themselves.
        indices: Places of the texts in the table that was judged; int array [text].
        thirds: 0, 1 or 2 for each text; int array [text].
        n_texts: Texts of each third; int array [third].
        n_right: Those judged rightly.
        accuracy, low, high: Share right with the ends of its 95 % interval (Wilson); NaN without texts.
        contrast: Places in `models` of a BiLSTM and an LSTM; `None` where one is missing.
        difference: Accuracy of the BiLSTM less that of the LSTM, with `difference_low`, `difference_high` (bootstrap)
            and McNemar's exact `p`; NaN without both, or without texts; shape [third].
        n_left_out: Texts without a label, without evidence, or of fewer than three words.
        seed: Of the bootstrap.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    how: str
    indices: np.ndarray
    thirds: np.ndarray
    n_texts: np.ndarray
    n_right: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    contrast: tuple[int, int] | None
    difference: np.ndarray
    difference_low: np.ndarray
    difference_high: np.ndarray
    p: np.ndarray
    n_left_out: int
    seed: int

    def __post_init__(self) -> None:
        assert self.accuracy.shape == self.n_right.shape == (len(self.models), len(THIRDS))
        assert self.difference.shape == self.n_texts.shape == (len(THIRDS),)
        assert int(self.n_texts.sum()) == len(self.thirds) == len(self.indices)

    def to_frame(self) -> Any:
        """One row for each third and network."""
        import pandas as pd

        rows = [
            (name, model, int(self.n_texts[third]), int(self.n_right[number, third]), self.accuracy[number, third],
             self.low[number, third], self.high[number, third])
            for third, name in enumerate(THIRDS) for number, model in enumerate(self.models)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["evidence", "model", "n_texts", "n_right", "accuracy", "low", "high"])
