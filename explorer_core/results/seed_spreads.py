"""The same numbers from several trainings that differ in nothing but the seed: how far they lie apart by luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, cut_words


@dataclass(frozen=True)
class SeedSpread(Exportable):
    """One number for each word from each of several networks of one training spec with different seeds.

    Attributes:
        models: The networks; shape [seed].
        architecture: Their family.
        quantity: What the numbers are: `prob` or `log_odds` of the target after each word, or a normalisation of
            scores (`raw`, `share`, `rank`).
        words: Shape [word].
        values: Shape [seed, word].
    """

    models: tuple[str, ...]
    architecture: str
    quantity: str
    words: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.values, (len(self.models), len(self.words)), "values")

    @property
    def low(self) -> np.ndarray:
        """The smallest over the seeds; shape [word]."""
        found: np.ndarray = self.values.min(0)
        return found

    @property
    def high(self) -> np.ndarray:
        """The largest over the seeds; shape [word]."""
        found: np.ndarray = self.values.max(0)
        return found

    @property
    def mean(self) -> np.ndarray:
        """The mean over the seeds; shape [word]."""
        found: np.ndarray = self.values.mean(0)
        return found

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Whether each number, shape [word], lies outside of what the seeds span; bool array [word]."""
        found: np.ndarray = (values < self.low) | (values > self.high)
        return found

    def apart(self, other: SeedSpread) -> np.ndarray:
        """Whether two spreads do not touch at each word; bool array [word]."""
        found: np.ndarray = (self.low > other.high) | (self.high < other.low)
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the band; long words are cut."""
        band = {"low": self.low, "high": self.high, "mean": self.mean}
        return super().arrays() | band | {"words": cut_words(self.words)}

    def to_frame(self) -> Any:
        """One row for each word: the band, its mean, and the number of each network."""
        import pandas as pd

        columns: dict[str, Any] = {"word": self.words, "low": self.low, "high": self.high, "mean": self.mean}
        return pd.DataFrame(columns | dict(zip(self.models, self.values, strict=True)))
