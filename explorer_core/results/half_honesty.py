"""What each half of a bidirectional network would decide alone, and what the order of what it has read is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, check_array
from explorer_core.results.traces import Trace


def log_odds(logits: np.ndarray, target: int) -> np.ndarray:
    """Logarithm of p / (1 - p) of a class, over the last axis: of two classes the difference of their logits.

    What is added to all logits alike changes no verdict and is not in it, so two networks can stand on one axis.
    """
    logits = np.asarray(logits, dtype=np.float64)
    others = np.delete(logits, target, axis=-1)
    highest = others.max(-1, keepdims=True)
    rest = highest[..., 0] + np.log(np.exp(others - highest).sum(-1))
    return logits[..., target] - rest


@dataclass(frozen=True)
class HalfHonesty(Trace):
    """A bidirectional recurrent network over one text, its two halves held apart.

    Attributes:
        target: Index of the class that is explained.
        pooling: What the classifier is given of each half: the `last`, `mean` or `max` of its states.
        n_layers: Above one, each half of the top layer has read both halves of the layer below.
        fill: What stands in place of the half that is left out: `mean`, its pooled state averaged over texts, or
            `zero`.
        n_references: Texts of that average; 0 for zero.
        alone: Logits where the classifier reads one half and the fill of the other; float64, [direction, class].
        shuffled: Logits where one half has read its past in another order and the other half the text as it is;
            float64, [direction, order, class]. The words a half reads before its last one are its past; the last one,
            for the backward half the first of the text, stays last. Of a network with several layers the features of
            the shuffled half are those of the whole network over the shuffled text.
        n_orders: Different orders there are; beyond a million not counted.
        is_every_order: Whether `shuffled` holds each of them once instead of orders drawn at random.
        seed: Of the orders that are drawn.
    """

    target: int
    pooling: str
    n_layers: int
    fill: str
    n_references: int
    alone: np.ndarray
    shuffled: np.ndarray
    n_orders: int
    is_every_order: bool
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_array(self.alone, (2, len(self.labels)), "alone")
        check_array(self.shuffled, (2, self.shuffled.shape[1], len(self.labels)), "shuffled")

    @property
    def odds(self) -> float:
        """Log odds of the target, of the whole network."""
        return float(log_odds(self.logits, self.target))

    @property
    def odds_alone(self) -> np.ndarray:
        """Log odds of the target where one half is read; [direction]."""
        return log_odds(self.alone, self.target)

    @property
    def odds_shuffled(self) -> np.ndarray:
        """Log odds of the target where one half has read its past in another order; [direction, order]."""
        return log_odds(self.shuffled, self.target)

    @property
    def logit_mean(self) -> np.ndarray:
        """Mean logit of the target over the orders; [direction]. NaN where there is no other order."""
        return self.shuffled[..., self.target].mean(1) if self.shuffled.shape[1] else np.full(2, np.nan)

    @property
    def logit_spread(self) -> np.ndarray:
        """Standard deviation of the same; [direction]."""
        return self.shuffled[..., self.target].std(1) if self.shuffled.shape[1] else np.full(2, np.nan)

    @property
    def turned(self) -> np.ndarray:
        """Share of orders in which the verdict is another class than over the text as it is; [direction]."""
        if not self.shuffled.shape[1]:
            return np.full(2, np.nan)
        return (self.shuffled.argmax(-1) != self.logits.argmax()).mean(1)

    def to_frame(self) -> Any:
        """One row for the whole network, one for each half alone, and one for each order of each half's past."""
        import pandas as pd

        whole = self.logits.astype(np.float64)
        rows = [("whole", "", -1, whole)]
        rows += [("alone", name, -1, self.alone[index]) for index, name in enumerate(DIRECTIONS)]
        rows += [
            ("shuffled past", name, order, self.shuffled[index, order])
            for index, name in enumerate(DIRECTIONS)
            for order in range(self.shuffled.shape[1])
        ]
        frame = pd.DataFrame([row[:3] for row in rows], columns=["reads", "half", "order"])
        for index, label in enumerate(self.labels):
            frame[f"logit_{label}"] = [row[3][index] for row in rows]
        return frame.assign(log_odds=[float(log_odds(row[3], self.target)) for row in rows])
