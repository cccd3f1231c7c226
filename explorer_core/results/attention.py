"""What the heads of a BERT look at, over words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.text import Reading

SHARES = ("opening", "closing", "punctuation", "itself", "previous", "next")


@dataclass(frozen=True)
class AttentionSummary(Exportable):
    """Attention between words, each head in a few numbers, and attention followed through the layers.

    An entry is a word, or a special token, which stays an entry of its own; entries stand in reading order. Every
    number of a head is over the rows of words only, so what [CLS] and [SEP] look at themselves is left out. None of
    it says what the verdict rests on: attention is not attribution (Jain and Wallace 2019; Bastings and Filippova
    2020).

    Attributes:
        model, architecture, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
        word_of_entry: Index of each entry's word, -1 for special tokens; int array [entry].
        word_pattern: Shape [layer, head, query entry, key entry], in [0, 1]: mean over the tokens of the looking
            word, sum over the tokens of the word looked at. Rows sum to 1.
        entropy: Shannon entropy of the rows of words, their mean, in bits (logarithm to base 2); from 0 for one
            entry to log2(entries) for all alike; shape [layer, head].
        distance: Mean distance |query - key| in words, weighted by attention; pairs with a special token are left
            out, and 0 stands where no attention falls on words; shape [layer, head].
        shares: Share of the attention of words that falls on something, in [0, 1], shape [layer, head, share]; the
            share axis is `share_names`: special tokens before the first word ([CLS]) and after the last ([SEP]),
            words of nothing but punctuation, the word itself, the word before it and the word after it (over the
            rows that have one). They overlap, and do not sum to 1.
        rollout: Attention rollout (Abnar and Zuidema 2020), shape [layer, query entry, key entry]: the product, from
            the first layer to this one, of half the mean over heads and half the identity. Computed over tokens,
            then brought to entries as `word_pattern` is. Rows sum to 1.
    """

    model: str
    architecture: str
    fingerprint: str
    reading: Reading
    word_of_entry: np.ndarray
    word_pattern: np.ndarray
    entropy: np.ndarray
    distance: np.ndarray
    shares: np.ndarray
    rollout: np.ndarray
    share_names: tuple[str, ...] = SHARES

    def __post_init__(self) -> None:
        n_layers, n_heads, n_entries = self.word_pattern.shape[:3]
        check_array(self.word_of_entry, (n_entries,), "word_of_entry")
        check_array(self.word_pattern, (n_layers, n_heads, n_entries, n_entries), "word_pattern")
        check_array(self.entropy, (n_layers, n_heads), "entropy")
        check_array(self.distance, (n_layers, n_heads), "distance")
        check_array(self.shares, (n_layers, n_heads, len(self.share_names)), "shares")
        check_array(self.rollout, (n_layers, n_entries, n_entries), "rollout")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def is_special(self) -> np.ndarray:
        """Whether an entry is a special token; bool array [entry]."""
        return self.word_of_entry < 0

    @property
    def entries(self) -> tuple[str, ...]:
        """Name of each entry: the word, or the special token; shape [entry]."""
        special = iter(np.array(self.reading.tokens, dtype=object)[self.reading.is_special])
        return tuple(self.words[word] if word >= 0 else next(special) for word in self.word_of_entry)

    @property
    def reading_of_text(self) -> np.ndarray:
        """Rollout of the first entry ([CLS], which the head reads) through all layers; shape [entry], sums to 1."""
        return self.rollout[-1, 0]

    def quantities(self) -> dict[str, np.ndarray]:
        """Every number of a head by name, each of shape [layer, head]: entropy, distance, then the shares."""
        shares = {name: self.shares[..., index] for index, name in enumerate(self.share_names)}
        return {"entropy": self.entropy, "distance": self.distance} | shares

    def to_frame(self) -> Any:
        """One row for each layer and head, both counted from 1, with a column for every quantity."""
        import pandas as pd

        layer, head = (axis.ravel() + 1 for axis in np.indices(self.entropy.shape))
        frame = pd.DataFrame({"layer": layer, "head": head})
        return frame.assign(**{name: values.ravel() for name, values in self.quantities().items()})
