"""How alike methods rank the words of texts: one text's ranks, and a map over many texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.attributions import WordAttribution


@dataclass(frozen=True)
class AgreementMap(Exportable):
    """Kendall's tau-b of every pair of methods over the words of each of many texts.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        dataset: Short name of the texts and where they come from.
        methods: Names, as `api.list_methods` gives them; shape [method].
        texts: Shape [text].
        row_numbers: Number of each text in its source, from 1; int array [text].
        true, predicted: Class of each text, and the network's; int arrays [text], `true` is -1 where unknown.
        n_words: Words that were read; int array [text].
        tau: In [-1, 1]; of sizes where one of the two methods has no sign; shape [pair, text], pairs as `pairs`.
        median: Over texts; shape [pair].
        low, high: Ends of its 95 % bootstrap interval; shape [pair].
        left_out: Texts that were drawn and not used, by reason.
        seed: Of the draws.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    dataset: str
    methods: tuple[str, ...]
    texts: tuple[str, ...]
    row_numbers: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    n_words: np.ndarray
    tau: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    left_out: Mapping[str, int]
    seed: int

    def __post_init__(self) -> None:
        n_pairs, n_texts = len(self.pairs), len(self.texts)
        check_array(self.tau, (n_pairs, n_texts), "tau")
        for name in ("median", "low", "high"):
            check_array(getattr(self, name), (n_pairs,), name)
        assert len(self.row_numbers) == len(self.true) == len(self.predicted) == len(self.n_words) == n_texts

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Places of the two methods of each pair in `methods`."""
        return tuple(combinations(range(len(self.methods)), 2))

    def pair(self, one: int, other: int) -> int:
        """Place of a pair of methods in `pairs`, whichever comes first."""
        return self.pairs.index((min(one, other), max(one, other)))

    def to_frame(self) -> Any:
        """One row for each text: its number in the source, label, prediction, words, and tau of every pair."""
        import pandas as pd

        names = {-1: ""} | dict(enumerate(self.labels))
        columns: dict[str, Any] = {
            "row": self.row_numbers,
            "text": self.texts,
            "label": [names[int(label)] for label in self.true],
            "predicted": [names[int(label)] for label in self.predicted],
            "n_words": self.n_words,
        }
        for index, (one, other) in enumerate(self.pairs):
            columns[f"tau_{self.methods[one]}_{self.methods[other]}"] = self.tau[index]
        return pd.DataFrame(columns)


def word_ranks(found: Sequence[WordAttribution]) -> np.ndarray:
    """Rank of each word by the size of its score, 1 for the largest; words alike share their mean rank; shape
    [method, word].
    """
    from scipy import stats

    return np.stack([stats.rankdata(-np.abs(one.scores), method="average") for one in found])
