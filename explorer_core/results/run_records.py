"""What a run wrote down of itself: what it cost to train, what it takes on disk, and how well it did."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable


@dataclass(frozen=True)
class RunRecord(Exportable):
    """One run of the store, from its own files. A number that was not written down is NaN, a count 0.

    Attributes:
        name, family, state: As in its card and its status.
        n_params, n_trainable: All weights, and those that training moved.
        weights_mib: The file of its weights, in MiB.
        folder_mib: All its files, checkpoints included.
        train_s: Seconds of training, validation after every epoch included, on the machine that trained it.
        n_steps: Steps of the optimiser made.
        row_order: Digest of the order in which the training rows were read, over all epochs; empty if not kept.
        joules: Energy of that machine while it trained, whatever else it did in the meantime included.
        seed: Of the training.
        accuracy, accuracy_low, accuracy_high: Share of the validation rows judged right, and its 95 % interval
            (Wilson 1927); in [0, 1].
        loss_nats, macro_f1, test_accuracy: Further metrics of the weights that were kept.
        n_validation: Validation rows.
        trained_on: The data, as a sentence.
        fingerprint: Digest of weights, config and tokenizer.
    """

    name: str
    family: str
    state: str
    n_params: int
    n_trainable: int
    weights_mib: float
    folder_mib: float
    train_s: float
    n_steps: int
    row_order: str
    joules: float
    seed: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    loss_nats: float
    macro_f1: float
    test_accuracy: float
    n_validation: int
    trained_on: str
    fingerprint: str

    @property
    def has_accuracy(self) -> bool:
        """Whether it was measured on validation rows."""
        return not np.isnan(self.accuracy)

    def to_frame(self) -> Any:
        """One row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])
