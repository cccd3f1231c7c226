"""Several models over one text: one number a word for the states of each, and how far back each gradient reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.text_comparisons import AlignedWords


@dataclass(frozen=True)
class StateLines(Exportable):
    """One number a word for the states or the gates of several models.

    Attributes:
        models, architectures: Those that have such a quantity.
        aligned: The words; the readings stand in the order of the models.
        quantity: `move`, `keep`, `write` or `size`; see `api.compare_states_of_text`.
        values: float64 array [model, word]; NaN where a model read nothing.
        left_out: Models that have no such quantity.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    aligned: AlignedWords
    quantity: str
    values: np.ndarray
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self.values, len(self.models), len(self.aligned.words), "values")

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the arrays of the words."""
        return _with_words(super().arrays(), self.aligned)

    def to_frame(self) -> Any:
        """One row for each model and word."""
        return _frame(self.models, self.aligned.words, {self.quantity: self.values})


@dataclass(frozen=True)
class ScoreComparison(Exportable):
    """The scores several models give the words of one text by one method.

    Attributes:
        models, architectures: Which networks.
        aligned: The words; the readings stand in the order of the models.
        method, unit, signed: How the scores were found, as in `WordAttribution`.
        targets: Class that is explained, of each model; int array [model].
        scores: float64 array [model, word]; of several words in one place the sum, NaN where a model read nothing.
        taus: Kendall's tau-b of the scores of every two models over the words both read, of their sizes where the
            method has no sign; in [-1, 1], symmetric, 1 on the diagonal, 0 where one ranks nothing; [model, model].
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    aligned: AlignedWords
    method: str
    unit: str
    signed: bool
    targets: np.ndarray
    scores: np.ndarray
    taus: np.ndarray

    def __post_init__(self) -> None:
        _check(self.scores, len(self.models), len(self.aligned.words), "scores")
        check_array(self.taus, (len(self.models), len(self.models)), "taus")

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the arrays of the words."""
        return _with_words(super().arrays(), self.aligned)

    def to_frame(self) -> Any:
        """One row for each model and word."""
        return _frame(self.models, self.aligned.words, {"score": self.scores})


@dataclass(frozen=True)
class GradientReach(Exportable):
    """How much of the gradient of each model's logit lies how far back from the end of the text.

    Attributes:
        models, architectures: Which networks.
        aligned: The words; the readings stand in the order of the models.
        targets: Class whose logit was differentiated, of each model; int array [model].
        sizes: L2 norm of the gradient by the embedding of each word, float64 array [model, word], at least 0; NaN
            where a model read nothing.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    aligned: AlignedWords
    targets: np.ndarray
    sizes: np.ndarray

    def __post_init__(self) -> None:
        _check(self.sizes, len(self.models), len(self.aligned.words), "sizes")
        check_array(self.targets, (len(self.models),), "targets")

    @property
    def shares_within(self) -> np.ndarray:
        """Share of a model's whole gradient that lies in its last 1, 2, 3, ... words read, in [0, 1]; shape
        [model, word]. NaN beyond the words it read; 0 everywhere for a gradient of zero.
        """
        found = np.full(self.sizes.shape, np.nan)
        for index, sizes in enumerate(self.sizes):
            read = sizes[np.isfinite(sizes)][::-1]
            total = read.sum()
            found[index, : len(read)] = np.cumsum(read) / total if total > 0 else 0.0
        return found

    @property
    def half_words(self) -> np.ndarray:
        """The fewest last words that hold at least half of the gradient; int array [model], 0 for one of zero."""
        reached = self.shares_within >= 0.5
        return np.where(reached.any(1), reached.argmax(1) + 1, 0)

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the arrays of the words, shares and half-distances."""
        more = {"shares_within": self.shares_within, "half_words": self.half_words}
        return _with_words(super().arrays(), self.aligned) | more

    def to_frame(self) -> Any:
        """One row for each model and word."""
        return _frame(self.models, self.aligned.words, {"gradient_norm": self.sizes})


def _check(values: np.ndarray, n_models: int, n_words: int, name: str) -> None:
    if values.shape != (n_models, n_words):
        raise AssertionError(f"{name} has shape {values.shape}, expected {(n_models, n_words)}")
    if np.isinf(values).any():
        raise AssertionError(f"{name} holds an infinite number")


def _with_words(found: dict[str, np.ndarray], aligned: AlignedWords) -> dict[str, np.ndarray]:
    del found["aligned"]
    return found | aligned.arrays()


def _frame(models: Sequence[str], words: Sequence[str], columns: dict[str, np.ndarray]) -> Any:
    import pandas as pd

    n_models, n_words = len(models), len(words)
    return pd.DataFrame(
        {
            "model": np.repeat(np.array(models, dtype=object), n_words),
            "word_index": np.tile(np.arange(n_words), n_models),
            "word": np.tile(np.array(words, dtype=object), n_models),
        }
        | {name: values.ravel() for name, values in columns.items()}
    )
