"""The verdict after every word of one text, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import check_array, softmax
from explorer_core.results.traces import Trace


@dataclass(frozen=True)
class RunningVerdict(Trace):
    """The model's own verdict if the text stopped after each word.

    Attributes:
        running_logits: Logits after each word; shape [word, class]. The last row equals `logits`.
    """

    running_logits: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        check_array(self.running_logits, (len(self.words), len(self.labels)), "running_logits")

    @property
    def running_probs(self) -> np.ndarray:
        """Softmax of `running_logits`; shape [word, class]."""
        return softmax(self.running_logits)

    def to_frame(self) -> Any:
        """One row for each word: logit and probability of every class after it."""
        import pandas as pd

        columns: dict[str, Any] = {"word_index": np.arange(len(self.words)), "word": self.words}
        for index, label in enumerate(self.labels):
            columns[f"logit_{label}"] = self.running_logits[:, index]
            columns[f"prob_{label}"] = self.running_probs[:, index]
        return pd.DataFrame(columns)
