"""How well a network does on labelled texts, each number with its interval; how it fares by length; who agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array

LEAST_FOR_TEMPERATURE = 50
"""Rows with a label below which no temperature is suggested: over few texts the best one says nothing of others."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence and accuracy by bins of confidence (Guo et al. 2017, On calibration of modern neural networks).

    Attributes:
        edges: Edges of the bins, equally wide from 0 to 1, each open below and closed above; shape [bin + 1].
        counts: Texts in each bin; int array [bin].
        confidence, accuracy: Means over the texts of each bin, in [0, 1]; NaN in an empty one; shape [bin].
        low, high: 95 % interval of the accuracy (Wilson; over as many texts as the pieces of rows are worth); NaN in
            an empty bin; shape [bin].
        ece: Expected calibration error: the gaps between the two, weighted by the texts; in [0, 1].
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ece: float


@dataclass(frozen=True, eq=False)
class Scores(Exportable):
    """How well one network does on the texts with a label.

    Attributes:
        model, labels: Which network, and its classes.
        n_texts: Texts with a label that is one of its classes.
        accuracy, macro_f1: Shares in [0, 1]; macro F1 is the mean over the classes that occur, true or predicted.
        precision, recall, f1: Of each class, in [0, 1]; NaN where it is no number: precision of a class that was
            never predicted, recall of one that does not occur, F1 of one that is neither; shape [class].
        support: Texts of each class; int array [class].
        confusion: Counts, shape [true class, predicted class].
        nll_nats: Mean negative log-likelihood of the true class, in nats.
        reliability: Calibration by bins of confidence.
        temperature: What the logits would be divided by for the least negative log-likelihood on these texts; above 1
            the network is too sure of itself. NaN with fewer than `LEAST_FOR_TEMPERATURE` rows, which fit any number.
        ece_after: Calibration error with the temperature of one half of the texts, on the other half, and the other
            way round: what to expect of new texts. NaN with fewer than `LEAST_FOR_TEMPERATURE` rows.
        intervals: 95 % percentile interval of each number by name: `accuracy`, `macro_f1`, `ece`,
            `precision.<class index>`, `recall.<class index>`; from `n_resamples` bootstrap samples of the texts.
        n_rows: Rows these texts are pieces of, as many as texts where none was cut. The bootstrap draws whole rows.
        n_resamples, seed: Of the bootstrap.
    """

    model: str
    labels: tuple[str, ...]
    n_texts: int
    accuracy: float
    macro_f1: float
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    confusion: np.ndarray
    nll_nats: float
    reliability: Reliability
    temperature: float
    ece_after: float
    intervals: Mapping[str, tuple[float, float]]
    n_rows: int
    n_resamples: int
    seed: int

    def __post_init__(self) -> None:
        check_array(self.confusion, (len(self.labels), len(self.labels)), "confusion")

    @property
    def ece(self) -> float:
        """Expected calibration error, in [0, 1]."""
        return self.reliability.ece

    def to_frame(self) -> Any:
        """One row for each number: its name, the class it belongs to, its value and the ends of its interval."""
        import pandas as pd

        rows: list[tuple[str, str, float]] = [
            ("accuracy", "", self.accuracy), ("macro_f1", "", self.macro_f1), ("ece", "", self.ece),
            ("nll_nats", "", self.nll_nats), ("temperature", "", self.temperature), ("ece_after", "", self.ece_after),
        ]  # fmt: skip
        keys = [name for name, _, _ in rows]
        for index, label in enumerate(self.labels):
            for name in ("precision", "recall", "f1", "support"):
                rows.append((name, label, float(getattr(self, name)[index])))
                keys.append(f"{name}.{index}")
        ends = [self.intervals.get(key, (np.nan, np.nan)) for key in keys]
        frame = pd.DataFrame(rows, columns=["quantity", "class", "value"])
        frame.insert(0, "model", self.model)
        return frame.assign(low=[low for low, _ in ends], high=[high for _, high in ends], n_texts=self.n_texts)


@dataclass(frozen=True, eq=False)
class Effect(Exportable):
    """What a property of the texts does to the verdicts: texts in bins of it, from few to many.

    Attributes:
        quantity: `n_words` or `unknown_share`.
        models: Names of the networks.
        low_end, high_end: Smallest and largest value in each bin; shape [model, bin].
        n_texts: Texts in each bin; int array [model, bin], 0 for a bin that is not used.
        value: Share judged right where there are labels, else mean confidence; in [0, 1]; NaN without texts.
        low, high: 95 % interval of `value`: Wilson for shares, normal for means, both over rows where texts are pieces
            of rows; NaN without texts.
        is_accuracy: Which of both `value` is.
    """

    quantity: str
    models: tuple[str, ...]
    low_end: np.ndarray
    high_end: np.ndarray
    n_texts: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_accuracy: bool

    def to_frame(self) -> Any:
        """One row for each network and bin that has texts."""
        import pandas as pd

        places = [(int(model), int(place)) for model, place in np.argwhere(self.n_texts > 0)]
        names = ("low_end", "high_end", "n_texts", "value", "low", "high")
        found: dict[str, Any] = {"quantity": self.quantity, "model": [self.models[model] for model, _ in places]}
        found |= {name: [getattr(self, name)[place] for place in places] for name in names}
        return pd.DataFrame(found).assign(of="accuracy" if self.is_accuracy else "confidence")


@dataclass(frozen=True, eq=False)
class Agreement(Exportable):
    """How often networks decide alike, pair by pair.

    Attributes:
        models: Names of the networks.
        differs: Share of the texts they decide differently, in [0, 1]; shape [model, model], symmetric, 0 on the
            diagonal.
        kappa: Cohen's kappa of their decisions, at most 1: agreement beyond what their shares of each class would give
            by chance; NaN where both always decide for one and the same class.
        n_split: Texts on which not all decide alike.
    """

    models: tuple[str, ...]
    differs: np.ndarray
    kappa: np.ndarray
    n_split: int

    def to_frame(self) -> Any:
        """One row for each pair."""
        import pandas as pd

        pairs = [(one, other) for one in range(len(self.models)) for other in range(one + 1, len(self.models))]
        return pd.DataFrame(
            {
                "model": [self.models[one] for one, _ in pairs],
                "other": [self.models[other] for _, other in pairs],
                "share_differs": [self.differs[pair] for pair in pairs],
                "kappa": [self.kappa[pair] for pair in pairs],
            }
        )
