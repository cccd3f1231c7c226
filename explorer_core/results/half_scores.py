"""How often each half of a bidirectional network would be right, over many texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array

HALF_READERS = ("both", "forward_alone", "backward_alone", "forward_shuffled", "backward_shuffled")
_Z = 1.959963984540054  # the normal quantile of 0.975


@dataclass(frozen=True)
class HalfScores(Exportable):
    """A bidirectional network over labelled texts, its halves held apart as in `HalfHonesty`.

    Attributes:
        model, fingerprint, labels: Which network.
        texts: What was read.
        true: Index of the right class; int array [text].
        fill: What stands in place of the half that is left out: `mean`, over the same texts, or `zero`.
        logits: Float64, [reader, text, class], with `HALF_READERS`. Of a shuffled past one order is drawn for each
            text; one too short for another order is read as it is.
        seed: Of the orders.
    """

    model: str
    fingerprint: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    true: np.ndarray
    fill: str
    logits: np.ndarray
    seed: int

    def __post_init__(self) -> None:
        check_array(self.logits, (len(HALF_READERS), len(self.texts), len(self.labels)), "logits")
        check_array(self.true, (len(self.texts),), "true")

    @property
    def accuracy(self) -> np.ndarray:
        """Share of texts judged right; [reader]."""
        return (self.logits.argmax(-1) == self.true).mean(-1)

    @property
    def interval(self) -> np.ndarray:
        """Its 95 % interval (Wilson 1927); [reader, low and high]."""
        share, n = self.accuracy, len(self.texts)
        middle = share + _Z**2 / (2 * n)
        half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return np.stack([middle - half, middle + half], -1) / (1 + _Z**2 / n)

    @property
    def same(self) -> np.ndarray:
        """Share of texts with the verdict of the whole network; [reader]."""
        verdicts = self.logits.argmax(-1)
        return (verdicts == verdicts[0]).mean(-1)

    def to_frame(self) -> Any:
        """One row for each text: its label and the verdict of every reader."""
        import pandas as pd

        names = np.array(self.labels, dtype=object)
        verdicts = self.logits.argmax(-1)
        columns = {reader: names[verdicts[place]] for place, reader in enumerate(HALF_READERS)}
        return pd.DataFrame({"text": self.texts, "true": names[self.true], **columns})
