"""Models and their verdicts over many texts: cards, predictions and evaluations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from explorer_core.results._base import Exportable, check_array


@dataclass(frozen=True)
class ModelCard(Exportable):
    """One model in the store: what it is, what it learned from and how well it did.

    `metrics` holds shares in [0, 1] (`accuracy`, `macro_f1`) and `loss_nats` on the validation rows, how many those
    were (`n_validation`) and the share of the commonest label among them (`majority`); `status` is a run state
    (`queued`, `running`, `cancelled`, `failed`, `lost`, `done`); `created` is ISO 8601, UTC.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    n_params: int
    trained_on: str
    metrics: Mapping[str, float]
    status: str
    created: str = ""
    size_mib: float = 0.0
    fingerprint: str = ""
    is_starter: bool = False
    notes: tuple[str, ...] = ()

    def to_frame(self) -> Any:
        """One row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])


@dataclass(frozen=True)
class Predictions(Exportable):
    """Verdicts of one model over texts.

    `logits`, `probs`: shape [text, class]; rows of `probs` sum to 1. `n_truncated` and `n_unknown` count, for each
    text, the words the model did not read and the words unknown to it.
    """

    model: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    logits: np.ndarray
    probs: np.ndarray
    n_truncated: np.ndarray
    n_unknown: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.texts), len(self.labels)), "logits")
        check_array(self.probs, (len(self.texts), len(self.labels)), "probs")

    @property
    def predicted(self) -> tuple[str, ...]:
        """Label with the highest logit, one for each text."""
        return tuple(self.labels[index] for index in self.logits.argmax(1))

    def to_frame(self) -> Any:
        """One row for each text: text, predicted label and the probability of every label."""
        import pandas as pd

        frame = pd.DataFrame({"text": self.texts, "predicted": self.predicted})
        for index, label in enumerate(self.labels):
            frame[f"prob_{label}"] = self.probs[:, index]
        return frame.assign(n_truncated=self.n_truncated, n_unknown=self.n_unknown)


@dataclass(frozen=True)
class Evaluation(Exportable):
    """How well one model does on labelled texts.

    Attributes:
        accuracy, macro_f1: Shares in [0, 1].
        ece: Expected calibration error over ten equal-width bins of confidence, in [0, 1] (Guo et al. 2017).
        confusion: Counts, shape [true class, predicted class].
        predictions: The verdicts behind it.
        true: Class index of each text; shape [text].
        groups: Accuracy by any grouping of the rows, such as `phenomenon`; share in [0, 1] by name, by group.
        pairs_right: Share of minimal pairs judged right on both sides, over all and by phenomenon; empty without
            pairs.
    """

    model: str
    dataset: str
    labels: tuple[str, ...]
    accuracy: float
    macro_f1: float
    ece: float
    confusion: np.ndarray
    predictions: Predictions
    true: np.ndarray
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pairs_right: Mapping[str, float] = field(default_factory=dict)
    unit: ClassVar[str] = "share"

    def __post_init__(self) -> None:
        check_array(self.confusion, (len(self.labels), len(self.labels)), "confusion")

    def arrays(self) -> dict[str, np.ndarray]:
        """Metrics, confusion, true classes, logits and texts."""
        own = {name: np.asarray(getattr(self, name)) for name in ("accuracy", "macro_f1", "ece", "confusion", "true")}
        return own | {"logits": self.predictions.logits, "texts": np.array(self.predictions.texts)}

    def to_frame(self) -> Any:
        """One row for each text: text, true and predicted label, probabilities."""
        return self.predictions.to_frame().assign(true=[self.labels[index] for index in self.true])
