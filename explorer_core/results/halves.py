"""The two halves of a bidirectional network, each with its own part of the verdict."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import check_array, softmax
from explorer_core.results._entries import Entries, entries_of
from explorer_core.results.traces import Trace


@dataclass(frozen=True)
class BiLstmHalves(Trace):
    """What each half of a bidirectional recurrent network (LSTM, GRU or RNN) has added to the logits so far.

    The forward half at the last position, the backward half at the first, and the bias sum to `logits`. In between,
    the two lines belong to two different halves of the text: one has read the words up to a position, the other
    those from it to the end.

    Attributes:
        target: Index of the class that is explained.
        pooling: What the classifier is given of each half: the `last`, `mean` or `max` of its states.
        n_layers: Above one layer, both halves of the top layer have already seen the whole text through those below.
        forward: The classifier's forward weights times the pooled forward states of positions 0 to t; float64,
            shape [pos, class].
        backward: The same of the backward half, over positions t to the end.
        bias: Of the classifier; shape [class].
    """

    target: int
    pooling: str
    n_layers: int
    forward: np.ndarray
    backward: np.ndarray
    bias: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = (len(self.tokens), len(self.labels))
        check_array(self.forward, shape, "forward")
        check_array(self.backward, shape, "backward")
        check_array(self.bias, shape[1:], "bias")

    @functools.cached_property
    def entries(self) -> Entries:
        """Every word, and every special token by itself."""
        return entries_of(self.reading)

    @property
    def forward_by_word(self) -> np.ndarray:
        """The forward half after the last token of each word; shape [word, class]."""
        return self.forward[self.reading.last_token_of_word]

    @property
    def backward_by_word(self) -> np.ndarray:
        """The backward half when it has read each word, at its first token; shape [word, class]."""
        return self.backward[self.reading.first_token_of_word]

    @property
    def final(self) -> np.ndarray:
        """What each half adds to the logits when it has read the whole text; shape [direction, class]."""
        return np.stack([self.forward[-1], self.backward[0]])

    @property
    def alone(self) -> np.ndarray:
        """Probabilities each half would give alone, its share and the bias; shape [direction, class].

        The network was never trained to decide with one half, so this is a reading aid, not a second verdict.
        """
        return softmax(self.final + self.bias)

    @property
    def logit_residual(self) -> float:
        """Largest distance, over classes, of both halves and the bias from `logits`."""
        return float(np.abs(self.final.sum(0) + self.bias - self.logits).max())

    def to_frame(self) -> Any:
        """One row for each token: what either half has added to every logit."""
        import pandas as pd

        names = np.array([*self.words, ""], dtype=object)
        columns: dict[str, Any] = {
            "pos": np.arange(len(self.tokens)),
            "token": self.tokens,
            "word": names[self.word_of_token],
        }
        for index, label in enumerate(self.labels):
            columns[f"forward_{label}"] = self.forward[:, index]
            columns[f"backward_{label}"] = self.backward[:, index]
        return pd.DataFrame(columns)
