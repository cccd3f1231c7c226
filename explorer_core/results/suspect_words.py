"""Words a network may take for a shortcut, by a written rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.word_reports import WordReport


@dataclass(frozen=True, eq=False)
class SuspectWords(Exportable):
    """Words that pass every part of the rule, the strongest first.

    Attributes:
        report: Where they are from.
        rule: The rule in words, with its numbers.
        blind: What the rule cannot know.
        words: The suspects.
        mean, low, high: Mean score of an occurrence with its 95 % interval; shape [word].
        n_texts: Texts with the word; int array [word].
        target_share: Share of the labelled rows with the word that have the explained class; shape [word].
        base_share: That share over all labelled rows; NaN without labels.
        p_value: Of the word being as frequent in both (Fisher's exact test over rows, two-sided, adjusted for the
            number of words tested by Benjamini and Hochberg); shape [word].
        n_tested: Words frequent enough to be tested.
        n_strong, n_correlated: Of those, words that are strong; and that also go with the label.
    """

    report: WordReport
    rule: tuple[str, ...]
    blind: str
    words: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_texts: np.ndarray
    target_share: np.ndarray
    base_share: float
    p_value: np.ndarray
    n_tested: int
    n_strong: int
    n_correlated: int

    def __post_init__(self) -> None:
        for name in ("mean", "low", "high", "n_texts", "target_share", "p_value"):
            check_array(getattr(self, name), (len(self.words),), name)

    def to_frame(self) -> Any:
        """One row a suspect."""
        import pandas as pd

        names = ("n_texts", "mean", "low", "high", "target_share", "p_value")
        found: dict[str, Any] = {"word": np.array(self.words, dtype=object)}
        return pd.DataFrame(found | {name: getattr(self, name) for name in names})

    def arrays(self) -> dict[str, np.ndarray]:
        """Every column by name."""
        return {str(name): np.asarray(column) for name, column in self.to_frame().items()}
