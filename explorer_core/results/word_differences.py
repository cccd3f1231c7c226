"""Two models over the same words: what one makes of each word, less what the other does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, check_finite, cut_words

NORMALISATIONS = ("raw", "share", "rank")
FIRST_ONLY, SECOND_ONLY = 1, 2
"""Marks of a word that the first model uses and the second ignores, and the other way round."""


@dataclass(frozen=True)
class WordDifference(Exportable):
    """The scores of two models by one method, and their difference, over the words that both read.

    Attributes:
        models, architectures, fingerprints: Which networks these were; the first, then the second.
        labels, target: Their classes, and the one explained.
        text: What they read.
        words: The words both read as such, in their order; shape [word].
        place: Where each stands among the words of the first and of the second, from 0; int array [2, word].
        method, knobs, unit, signed: How the scores were found, as in `WordAttribution`; the same for both.
        normalisation: `raw`, `share` or `rank`.
        scores: As the method gave them; shape [2, word].
        values: After the normalisation; shape [2, word]. `raw`: the scores. `share`: score / sum of the sizes of all
            scores over these words, so that sizes sum to 1, or are all 0. `rank`: the sign of the score times the rank
            of its size, from 1 for the smallest; equal sizes share the mean of their ranks, and a score of 0 stays 0.
        difference: `values[0] - values[1]`; shape [word].
        used_by: Int array [word]: 1 where only the first model uses the word and the second ignores it, 2 the other way
            round, else 0. A model uses a word whose size is at least the mean size over these words, and ignores one
            whose size is less than a quarter of it; where all its scores are 0 it does neither.
        tau: Kendall's tau-b of the scores, of their sizes where the method has no sign; in [-1, 1], 0 where one of the
            models ranks nothing.
        tau_low, tau_high: Ends of its 95 % interval, as if the words were drawn at random (Fieller, Hartley and
            Pearson 1957); -1 and 1 for fewer than five words.
        left_out: How many words only the first, and only the second model read as such; int array [2].
    """

    models: tuple[str, str]
    architectures: tuple[str, str]
    fingerprints: tuple[str, str]
    labels: tuple[str, ...]
    target: int
    text: str
    words: tuple[str, ...]
    place: np.ndarray
    method: str
    unit: str
    signed: bool
    normalisation: str
    scores: np.ndarray
    values: np.ndarray
    difference: np.ndarray
    used_by: np.ndarray
    tau: float
    tau_low: float
    tau_high: float
    left_out: np.ndarray
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_words = len(self.words)
        for name in ("place", "scores", "values"):
            check_array(getattr(self, name), (2, n_words), name)
        for name in ("difference", "used_by"):
            check_array(getattr(self, name), (n_words,), name)
        check_finite(np.array([self.tau, self.tau_low, self.tau_high]), "tau")

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result; long words are cut."""
        return super().arrays() | {"words": cut_words(self.words)}

    def to_frame(self) -> Any:
        """One row for each word: scores, values and their difference, and which model alone uses it."""
        import pandas as pd

        who = np.array(["", "first", "second"], dtype=object)
        return pd.DataFrame(
            {
                "word": self.words,
                "score_first": self.scores[0],
                "score_second": self.scores[1],
                "value_first": self.values[0],
                "value_second": self.values[1],
                "difference": self.difference,
                "used_only_by": who[self.used_by],
            }
        )


@dataclass(frozen=True)
class VerdictDifference(Exportable):
    """The running verdicts of two models, and their difference, after each word that both read.

    Attributes:
        models, architectures, fingerprints, labels, target, text, words, place, left_out: As in `WordDifference`.
        probs: Probability of the target after each word, in [0, 1]; shape [2, word].
        log_odds: Its log-odds, the logit of the target less the log of the sum of the exponentials of the others, in
            nats; shape [2, word]. Unlike logits, log-odds of two models are on one scale.
    """

    models: tuple[str, str]
    architectures: tuple[str, str]
    fingerprints: tuple[str, str]
    labels: tuple[str, ...]
    target: int
    text: str
    words: tuple[str, ...]
    place: np.ndarray
    probs: np.ndarray
    log_odds: np.ndarray
    left_out: np.ndarray

    def __post_init__(self) -> None:
        for name in ("place", "probs", "log_odds"):
            check_array(getattr(self, name), (2, len(self.words)), name)

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    def values(self, quantity: str) -> np.ndarray:
        """`prob` or `log_odds` of both; shape [2, word]."""
        return self.probs if quantity == "prob" else self.log_odds

    def difference(self, quantity: str = "prob") -> np.ndarray:
        """First less second, of probabilities or of log-odds; shape [word]."""
        first, second = self.values(quantity)
        found: np.ndarray = first - second
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with both differences; long words are cut."""
        more = {"words": cut_words(self.words), "prob_difference": self.difference()}
        return super().arrays() | more | {"log_odds_difference": self.difference("log_odds")}

    def to_frame(self) -> Any:
        """One row for each word: probabilities, log-odds and their differences."""
        import pandas as pd

        columns: dict[str, Any] = {"word": self.words}
        for name in ("prob", "log_odds"):
            first, second = self.values(name)
            columns |= {f"{name}_first": first, f"{name}_second": second, f"{name}_difference": first - second}
        return pd.DataFrame(columns)
