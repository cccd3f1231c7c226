"""The books of an LSTM: what each word wrote into the cell, how much was kept, and what that added to the verdict."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, check_array
from explorer_core.results._entries import Entries, entries_of
from explorer_core.results.traces import Trace


@dataclass(frozen=True)
class LstmLedger(Trace):
    """What an LSTM did with every position of one text; all sums are exact.

    Three identities hold, each to rounding: over positions, `written * kept` sums to `cell_end`; `hidden_share` sums to
    `pooled`; and `logit_share`, summed over both directions and all positions, and `bias` make `logits`.

    The gates of a word depend on every word before it. So this is the network's own bookkeeping, not what would
    happen without the word; and how tanh(c) is divided among the terms of c is a choice, named by `tanh_share`.

    Arrays are float64, and entries of the backward direction stand at the word they read.

    Attributes:
        target: Index of the class that is explained.
        tanh_share: How tanh(c) is divided: `proportional` to the terms of c, or by `order` of reading (Murdoch and
            Szlam 2017).
        pooling: What the classifier is given: the `last`, `mean` or `max` of the top layer's states.
        written: Input gate times candidate, i g; shape [layer, direction, pos, unit], in (-1, 1).
        kept: Product of the forget gates of all later steps in reading order, to the end of the text; same shape, in
            [0, 1].
        cell_end: The cell after the last step of each direction, as the network computed it; shape
            [layer, direction, unit].
        hidden_share: What each position added to the pooled hidden state of the top layer; shape
            [direction, pos, unit].
        pooled: The pooled hidden state, as the network computed it; shape [direction, unit].
        weight: Weights of the classifier; shape [direction, class, unit].
        logit_share: What each position added to every logit; shape [direction, pos, class].
        bias: Of the classifier; shape [class].
    """

    target: int
    tanh_share: str
    pooling: str
    written: np.ndarray
    kept: np.ndarray
    cell_end: np.ndarray
    hidden_share: np.ndarray
    pooled: np.ndarray
    weight: np.ndarray
    logit_share: np.ndarray
    bias: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        n_layers, n_directions, _, n_units = self.written.shape
        n_pos, n_classes = len(self.tokens), len(self.labels)
        check_array(self.written, (n_layers, n_directions, n_pos, n_units), "written")
        check_array(self.kept, self.written.shape, "kept")
        check_array(self.cell_end, (n_layers, n_directions, n_units), "cell_end")
        check_array(self.hidden_share, (n_directions, n_pos, n_units), "hidden_share")
        check_array(self.pooled, (n_directions, n_units), "pooled")
        check_array(self.weight, (n_directions, n_classes, n_units), "weight")
        check_array(self.logit_share, (n_directions, n_pos, n_classes), "logit_share")
        check_array(self.bias, (n_classes,), "bias")

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis."""
        return DIRECTIONS[: self.written.shape[1]]

    @functools.cached_property
    def entries(self) -> Entries:
        """The lines of the ledger: every word, and every special token by itself."""
        return entries_of(self.reading)

    @functools.cached_property
    def entry_scores(self) -> np.ndarray:
        """What each entry added to the target logit, by direction; shape [direction, entry]."""
        return self.entries.sums(self.logit_share[:, :, self.target])

    @property
    def word_scores(self) -> np.ndarray:
        """What each word added to the target logit: the sum over its tokens and both directions; shape [word]."""
        return self.entry_scores.sum(0)[self.entries.is_word]

    @functools.cached_property
    def written_by_entry(self) -> np.ndarray:
        """Sum of |i g| over the units and tokens of each entry; shape [layer, direction, entry]."""
        return self.entries.sums(np.abs(self.written).sum(-1))

    @functools.cached_property
    def kept_by_entry(self) -> np.ndarray:
        """Sum of |i g| times what was kept of it, over the units and tokens of each entry; as `written_by_entry`."""
        return self.entries.sums(np.abs(self.written * self.kept).sum(-1))

    @property
    def kept_share_by_entry(self) -> np.ndarray:
        """Share of what each entry wrote that was kept to the end, in [0, 1]; shape [layer, direction, entry]."""
        return _share(self.kept_by_entry, self.written_by_entry)

    @property
    def written_by_word(self) -> np.ndarray:
        """Sum of |i g| over the units and tokens of each word; shape [layer, direction, word]."""
        return self.written_by_entry[:, :, self.entries.is_word]

    @property
    def kept_share_by_word(self) -> np.ndarray:
        """Share of what each word wrote that was kept to the end, in [0, 1]; shape [layer, direction, word]."""
        return self.kept_share_by_entry[:, :, self.entries.is_word]

    @property
    def top_kept_share(self) -> np.ndarray:
        """As `kept_share_by_word`, over the units of both directions of the top layer together; shape [word]."""
        return _share(self.kept_by_entry[-1].sum(0), self.written_by_entry[-1].sum(0))[self.entries.is_word]

    @property
    def cell_residual(self) -> float:
        """Largest distance, over all layers, directions and units, of the sum of `written * kept` from `cell_end`."""
        return float(np.abs((self.written * self.kept).sum(2) - self.cell_end).max())

    @property
    def hidden_residual(self) -> float:
        """Largest distance, over directions and units, of the sum of `hidden_share` from `pooled`."""
        return float(np.abs(self.hidden_share.sum(1) - self.pooled).max())

    @property
    def logit_residual(self) -> float:
        """Largest distance, over classes, of the sum of `logit_share` and `bias` from `logits`."""
        return float(np.abs(self.logit_share.sum((0, 1)) + self.bias - self.logits).max())

    def to_frame(self) -> Any:
        """One row for each token: what it wrote and kept by layer and direction, what it added to every logit."""
        import pandas as pd

        names = np.array([*self.words, ""], dtype=object)
        columns: dict[str, Any] = {
            "pos": np.arange(len(self.tokens)),
            "token": self.tokens,
            "word": names[self.word_of_token],
        }
        written = np.abs(self.written)
        for layer in range(len(written)):
            for direction, name in enumerate(self.directions):
                sums = written[layer, direction].sum(-1)  # [pos]
                kept = (written * self.kept)[layer, direction].sum(-1)
                columns[f"written_layer{layer + 1}_{name}"] = sums
                columns[f"kept_share_layer{layer + 1}_{name}"] = _share(kept, sums)
        for index, label in enumerate(self.labels):
            for direction, name in enumerate(self.directions):
                columns[f"logit_{label}_{name}"] = self.logit_share[direction, :, index]
            columns[f"logit_{label}"] = self.logit_share[:, :, index].sum(0)
        return pd.DataFrame(columns)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A part of a whole, in [0, 1]; nothing of nothing counts as kept."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
