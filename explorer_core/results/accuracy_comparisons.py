"""Networks against each other by how often they are right over the same texts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array


@dataclass(frozen=True, eq=False)
class AccuracyComparison(Exportable):
    """Accuracies over the same texts, pair by pair; axis [pair], pairs as `pairs`.

    Attributes:
        models, architectures, fingerprints: Which networks.
        accuracy: Share right of each; shape [model].
        only_first, only_second: Texts that only the first, and only the second network of a pair is right on; int
            arrays [pair].
        p: Exact two-sided p-value of McNemar's test; in [0, 1].
        p_holm: The same for all pairs together (Holm 1979).
        difference: Accuracy of the first less that of the second, in [-1, 1].
        low, high: Ends of its 95 % bootstrap interval, over rows where texts are pieces of rows.
        n_texts, n_rows: Texts with a label, and rows they are pieces of. The test takes texts for independent; where
            there are fewer rows, it is too sure.
        n_resamples, seed: Of the bootstrap.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    accuracy: np.ndarray
    only_first: np.ndarray
    only_second: np.ndarray
    p: np.ndarray
    p_holm: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_texts: int
    n_rows: int
    n_resamples: int
    seed: int

    def __post_init__(self) -> None:
        check_array(self.accuracy, (len(self.models),), "accuracy")
        for name in ("only_first", "only_second", "p", "p_holm", "difference", "low", "high"):
            check_array(getattr(self, name), (len(self.pairs),), name)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Places of the two networks of each pair in `models`."""
        return tuple(combinations(range(len(self.models)), 2))

    def to_frame(self) -> Any:
        """One row for each pair."""
        import pandas as pd

        names = ("only_first", "only_second", "p", "p_holm", "difference", "low", "high")
        found: dict[str, Any] = {
            "first": [self.models[one] for one, _ in self.pairs],
            "second": [self.models[other] for _, other in self.pairs],
        }
        return pd.DataFrame(found | {name: getattr(self, name) for name in names}).assign(n_texts=self.n_texts)
