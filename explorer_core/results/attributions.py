"""Which words made a prediction, by one method, and how far that adds up."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.results._base import Exportable, check_array, check_finite, softmax
from explorer_core.results._entries import Entries, entries_of
from explorer_core.text import Reading

SMALL_MOVE = 0.05
"""A move of the logit from baseline to text, in logits, below which shares of it mean little."""
_WEIGHT = 0.05  # of the largest score: below, a sign means little


@dataclass(frozen=True)
class AttributionPrice:
    """What scores of the words of one text will cost on this machine, from a short trial.

    Attributes:
        seconds: Estimated time.
        n_passes: Texts that will be read, about.
        memory_mib: Estimated memory beside the network.
    """

    seconds: float
    n_passes: int
    memory_mib: float


@dataclass(frozen=True)
class TrustPrice:
    """What judging scores will cost on this machine.

    Attributes:
        quick: The quick card.
        more: The slow measurements beside it.
    """

    quick: AttributionPrice
    more: AttributionPrice


@dataclass(frozen=True)
class WordAttribution(Exportable):
    """What each word did to the logit of one class, as one method sees it.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
        logits: The network's verdict over the whole text, shape [class].
        target: Index of the class explained; its logit, never its probability.
        method: Name of the method, as `api.list_methods` gives it.
        unit: What a score is in: `logit`, or what the method says.
        signed: Whether a score can speak against the class.
        complete: Whether the scores promise to sum to `value - baseline_value`.
        baseline: What the text is compared with: a baseline, or how a word is taken away; empty if with nothing.
        scores: Shape [word]. A word of several tokens has their sum, for a norm that over all of them together.
        token_scores: Shape [pos], special tokens included; `None` where whole words are taken away.
        standard_error: Of each score of a method that draws samples, shape [word]; `None` where nothing is drawn.
        value: The logit of the target over the whole text.
        baseline_value: That of the baseline; `None` without one.
        n_passes: Texts the network read for it, and as many again backwards where it asks for gradients.
        knobs: Every setting that was used.
        notes: What a person should know, one sentence each.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    logits: np.ndarray
    target: int
    method: str
    unit: str
    signed: bool
    complete: bool
    baseline: str
    scores: np.ndarray
    token_scores: np.ndarray | None
    standard_error: np.ndarray | None
    value: float
    baseline_value: float | None
    n_passes: int
    knobs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.labels),), "logits")
        check_array(self.scores, (len(self.words),), "scores")
        if self.token_scores is not None:
            check_array(self.token_scores, (len(self.reading.tokens),), "token scores")
        if self.standard_error is not None:
            check_array(self.standard_error, (len(self.words),), "standard errors")
        check_finite(np.asarray([self.value, self.baseline_value or 0.0]), "logit")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def probs(self) -> np.ndarray:
        """Softmax of `logits`; shape [class]."""
        return softmax(self.logits)

    @functools.cached_property
    def entries(self) -> Entries:
        """Every word, and every special token by itself."""
        return entries_of(self.reading)

    @property
    def total(self) -> float:
        """Sum of all scores, those of special tokens included."""
        if self.token_scores is not None and self.signed:
            return float(self.token_scores.sum())
        return float(self.scores.sum())

    @property
    def move(self) -> float | None:
        """How far the logit moves from the baseline to the text; `None` without a baseline."""
        return None if self.baseline_value is None else self.value - self.baseline_value

    @property
    def convergence_delta(self) -> float | None:
        """What the scores sum to, less the move of the logit, in logits; `None` where nothing was promised."""
        return self.total - self.move if self.complete and self.move is not None else None

    @property
    def relative_gap(self) -> float | None:
        """Size of `convergence_delta` as a share of the move; infinite where the logit does not move at all."""
        if self.convergence_delta is None or self.move is None:
            return None
        gap = abs(self.convergence_delta)
        return gap / abs(self.move) if self.move else (0.0 if gap == 0 else float("inf"))

    def to_frame(self) -> Any:
        """One row for each word and special token: the score, its share of the sum of all, its rank by size, in how
        many tokens it was read, and its standard error where there is one. A number that is not there is NaN: a special
        token of a method that takes whole words away has no score, and a sum near zero has no shares.
        """
        is_word = self.entries.is_word
        scores = np.full(len(is_word), np.nan)
        if self.token_scores is not None:
            scores = self.token_scores[self.entries.first_token].astype(float)  # a special token is one token
        scores[is_word] = self.scores
        n_pieces = np.bincount(self.entries.of_token, minlength=len(is_word))
        columns = {"entry": self.entries.names, "is_word": is_word, **self._columns(scores), "n_pieces": n_pieces}
        if self.standard_error is not None:
            columns["standard_error"] = np.full(len(is_word), np.nan)
            columns["standard_error"][is_word] = self.standard_error
        return _frame(columns)

    def token_frame(self) -> Any:
        """One row for each token, special ones too: as `to_frame`, with the word it belongs to, empty for none.

        Raises:
            IncompatibleError: If the method scores whole words only.
        """
        if self.token_scores is None:
            raise IncompatibleError(f"Scores by {self.method} are of whole words; it has none of tokens.")
        owner = self.reading.word_of_token
        names = np.array([*self.words, ""], dtype=object)
        return _frame({"token": self.reading.tokens, "word": names[owner], "is_word": owner >= 0,
                       **self._columns(self.token_scores.astype(float))})  # fmt: skip

    def _columns(self, scores: np.ndarray) -> dict[str, Any]:
        """Score, share of the sum and rank of entries, NaN where there is no score."""
        total = float(np.nansum(scores))
        has_share = abs(total) >= SMALL_MOVE if self.signed else total > 0
        sizes, there = np.abs(scores), np.isfinite(scores)
        rank = np.where(there, 1 + (sizes[None] > sizes[:, None]).sum(1), np.nan)
        share = scores / total if has_share else np.full(len(scores), np.nan)
        return {"score": scores, "share_of_sum": share, "rank": rank}


def _frame(columns: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(columns))


def changes_sign(found: Sequence[WordAttribution]) -> np.ndarray:
    """Words of weight, at least 5 % of the largest score by size, that some of these attributions of one text score
    above zero and others below; bool array [word].
    """
    scores = np.stack([one.scores for one in found])  # [attribution, word]
    sizes = np.abs(scores)
    has_weight = sizes.max(0) > _WEIGHT * (float(sizes.max(initial=0.0)) or 1.0)
    return np.asarray(has_weight & (scores.min(0) < 0) & (scores.max(0) > 0))


def kendall_tau(one: WordAttribution, other: WordAttribution) -> float:
    """Kendall's tau-b between two attributions of the same words, of sizes where one of them has no sign; 0 where one
    ranks nothing.
    """
    from scipy import stats

    mine, theirs = one.scores, other.scores
    if not (one.signed and other.signed):
        mine, theirs = np.abs(mine), np.abs(theirs)
    if len(mine) < 2:
        return 1.0
    found = float(stats.kendalltau(mine, theirs).statistic)
    return found if np.isfinite(found) else 0.0
