"""How alike networks rank the words of texts they decide alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable


@dataclass(frozen=True, eq=False)
class ReasonComparison(Exportable):
    """Kendall's tau-b of pairs of networks over the words of texts; each network explains the class it decides for.

    Attributes:
        models, architectures, fingerprints: Which networks.
        labels: Names of the classes.
        methods: Method of each network; shape [model].
        texts: The texts; shape [text].
        row_numbers: Their rows as a person counts them; int array [text].
        indices: Their places in the judgement; int array [text].
        true: Class of each text, -1 where unknown; int array [text].
        predicted: Class each network decides for; int array [model, text].
        n_words: Words that all networks read; int array [text].
        tau: In [-1, 1], NaN where the two networks decide differently; shape [pair, text], pairs as `pairs`.
        n_alike: Texts that both decide alike; int array [pair].
        median, low, high: Median of `tau` over them with the ends of its 95 % bootstrap interval; NaN without any.
        third_shares: Share of the sizes of the scores in the first, middle and last third of the words, sums to 1, NaN
            where all scores are zero; shape [model, text, 3].
        left_out: Texts that were drawn and not used, by reason.
        seed: Of the draws.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    methods: tuple[str, ...]
    texts: tuple[str, ...]
    row_numbers: np.ndarray
    indices: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    n_words: np.ndarray
    tau: np.ndarray
    n_alike: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    third_shares: np.ndarray
    left_out: Mapping[str, int]
    seed: int

    def __post_init__(self) -> None:
        n_models, n_texts = len(self.models), len(self.texts)
        assert self.tau.shape == (len(self.pairs), n_texts)
        assert not np.isinf(self.tau).any()
        assert self.predicted.shape == (n_models, n_texts)
        assert self.third_shares.shape == (n_models, n_texts, 3)
        assert len(self.methods) == n_models

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Places of the two networks of each pair in `models`."""
        return tuple(combinations(range(len(self.models)), 2))

    def to_frame(self) -> Any:
        """One row for each text: its row, text, label, what each network decides, and tau of every pair."""
        import pandas as pd

        names = {-1: ""} | dict(enumerate(self.labels))
        found: dict[str, Any] = {
            "row": self.row_numbers,
            "text": self.texts,
            "label": [names[int(label)] for label in self.true],
            "n_words": self.n_words,
        }
        for number, model in enumerate(self.models):
            found[f"predicted {model}"] = [names[int(label)] for label in self.predicted[number]]
        for number, (one, other) in enumerate(self.pairs):
            found[f"tau {self.models[one]} and {self.models[other]}"] = self.tau[number]
        for number, model in enumerate(self.models):
            for third, name in enumerate(("first", "middle", "last")):
                found[f"share {name} third {model}"] = self.third_shares[number, :, third]
        return pd.DataFrame(found)
