"""The vectors of a BERT from layer to layer: how alike they are, and what its head would say of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, softmax
from explorer_core.text import Reading


@dataclass(frozen=True)
class LayerSimilarity(Exportable):
    """Cosines between the vectors of words, inside each layer and from one layer to the next.

    A word's vector is that of its last token. Cosines near 1 are the rule and no sign of like meaning: the vectors of
    a BERT point into a narrow cone (Ethayarajh 2019), the more so the higher the layer.

    Attributes:
        model, architecture, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
        is_centred: Whether the mean vector of the text's words was subtracted first, in every layer by itself.
        between_words: Shape [layer + 1, word, word], in [-1, 1]; entry 0 is the embedding. Symmetric; the diagonal
            is 1. A vector of length zero has cosine 0 with every vector, itself included.
        to_next_layer: Cosine of a word's vector after a layer with its own vector one layer up, shape [layer, word].
    """

    model: str
    architecture: str
    fingerprint: str
    reading: Reading
    is_centred: bool
    between_words: np.ndarray
    to_next_layer: np.ndarray

    def __post_init__(self) -> None:
        n_words = len(self.words)
        n_layers = self.to_next_layer.shape[0]
        check_array(self.between_words, (n_layers + 1, n_words, n_words), "between_words")
        check_array(self.to_next_layer, (n_layers, n_words), "to_next_layer")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def mean_between_words(self) -> np.ndarray:
        """Mean cosine of two different words of the text, shape [layer + 1]; 1 where there is only one word."""
        n_words = len(self.words)
        if n_words < 2:
            return np.ones(len(self.between_words))
        diagonal = np.trace(self.between_words, axis1=1, axis2=2)
        return (self.between_words.sum((1, 2), dtype=np.float64) - diagonal) / (n_words * (n_words - 1))

    def to_frame(self) -> Any:
        """One row for each layer and word: cosine to itself one layer up (empty after the last), mean cosine to the
        other words, and the word most like it. The cosines of all pairs are in `between_words`.
        """
        import pandas as pd

        n_layers, n_words = len(self.between_words), len(self.words)
        others = self.between_words.astype(np.float64)
        others[:, np.arange(n_words), np.arange(n_words)] = -np.inf
        layer, word = (axis.ravel() for axis in np.indices((n_layers, n_words)))
        names = np.array(self.words, dtype=object)
        has_others = n_words > 1
        own = np.diagonal(self.between_words, axis1=1, axis2=2)
        mean = (self.between_words.sum(2, dtype=np.float64) - own) / max(n_words - 1, 1)
        return pd.DataFrame(
            {
                "layer": layer,
                "word_index": word,
                "word": names[word],
                "cosine_to_next_layer": np.vstack([self.to_next_layer, np.full((1, n_words), np.nan)]).ravel(),
                "mean_cosine_to_others": mean.ravel() if has_others else np.nan,
                "most_like": names[others.argmax(2).ravel()] if has_others else "",
            }
        )


@dataclass(frozen=True)
class LayerVerdicts(Exportable):
    """The network's own head over the hidden states of every layer.

    The head was trained on the last layer's output only. Earlier layers need not speak its language (nostalgebraist
    2020, the logit lens; Belrose et al. 2023, the tuned lens), so an early verdict is not what the network "believed"
    there.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
        logits: Shape [layer + 1, class]; entry 0 is the embedding, whose first token has seen no word yet: it is the
            same for every text. The last row is the network's verdict.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    logits: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.logits), len(self.labels)), "logits")

    @property
    def probs(self) -> np.ndarray:
        """Softmax of `logits`; shape [layer + 1, class]."""
        return softmax(self.logits)

    def to_frame(self) -> Any:
        """One row for each layer and class; layer 0 is the embedding."""
        import pandas as pd

        layer, label = (axis.ravel() for axis in np.indices(self.logits.shape))
        return pd.DataFrame(
            {
                "layer": layer,
                "label": np.array(self.labels, dtype=object)[label],
                "logit": self.logits.ravel(),
                "prob": self.probs.ravel(),
            }
        )
