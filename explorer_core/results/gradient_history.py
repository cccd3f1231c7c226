"""How far back learning reached while a run was trained: gradients of the loss on a fixed set of texts, over the steps.

A small gradient at a far distance says that training could not correct what the state did there; it does not say that
the network forgot (Zucchet and Orvieto 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, Exportable

EXPLOSION = 10.0  # times the median of the steps before
_WINDOW, _LEAST = 50, 10  # steps that median is taken over


@dataclass(frozen=True)
class GradientHistory(Exportable):
    """What a run recorded of its gradients, as far as it got; NaN where a number was none.

    Attributes:
        name, architecture: Which run.
        n_steps: Steps of the optimiser the run was to have.
        split: Rows the fixed texts were drawn from, `validation` or `train`.
        n_texts: How many they are; each is read from so many tokens before its end that all are of one length.
        step, epoch: When each recording was made, after so many steps; int array and array [record].
        loss_nats: Mean cross entropy of the fixed texts, dropout off; [record].
        hidden_norm: L2 norm of the derivative of each text's own loss by its hidden state, mean over the texts, shape
            [record, layer, direction, distance]. Distance counts tokens back from the last one a direction reads:
            forward from the end of the text, backward from its beginning. Of a BERT layer 0 is the embedding, and the
            one direction counts from the end.
        group_names: Groups of the weights that learn, as in `TrainingCurves`.
        group_norm: L2 norm of the derivative of the mean loss of the fixed texts by the weights of each group,
            [record, group].
        train_step, train_norm: Every step of training, and the norm of its whole gradient before it was clipped; int
            array and array [step].
        clip_norm: Largest norm a step may have; 0 where nothing is clipped.
    """

    name: str
    architecture: str
    n_steps: int
    split: str
    n_texts: int
    step: np.ndarray
    epoch: np.ndarray
    loss_nats: np.ndarray
    hidden_norm: np.ndarray
    group_names: tuple[str, ...]
    group_norm: np.ndarray
    train_step: np.ndarray
    train_norm: np.ndarray
    clip_norm: float

    def __post_init__(self) -> None:
        n_records = len(self.step)
        assert self.epoch.shape == self.loss_nats.shape == (n_records,), "one number for each recording"
        assert self.hidden_norm.ndim == 4 and len(self.hidden_norm) == n_records, "record, layer, direction, distance"
        assert self.group_norm.shape == (n_records, len(self.group_names)), "one number for each group"
        assert self.train_norm.shape == self.train_step.shape, "one norm for each step"

    @property
    def is_recurrent(self) -> bool:
        """Whether the layers read in an order; those of a BERT do not, and begin with the embedding."""
        return self.architecture != "bert"

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis; empty for a BERT."""
        return DIRECTIONS[: self.hidden_norm.shape[2]] if self.is_recurrent else ()

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layer axis as a person counts them: `layer 1`, ...; of a BERT `embedding` first."""
        n_layers = self.hidden_norm.shape[1]
        numbered = [f"layer {index + 1}" for index in range(n_layers)]
        return tuple(numbered if self.is_recurrent else ["embedding", *numbered[: n_layers - 1]])

    @property
    def n_distances(self) -> int:
        """How many tokens back the recordings reach, the last token itself counted."""
        return self.hidden_norm.shape[3]

    @property
    def is_clipped(self) -> np.ndarray:
        """Whether each step of training was clipped; bool array [step]."""
        with np.errstate(invalid="ignore"):
            return (self.train_norm > self.clip_norm) if self.clip_norm else np.zeros(len(self.train_step), dtype=bool)

    @property
    def clipped_share(self) -> np.ndarray:
        """Share of the steps since the recording before that were clipped, in [0, 1]; NaN for the first; [record]."""
        is_clipped, shares = self.is_clipped, np.full(len(self.step), np.nan)
        for index in range(1, len(self.step)):
            inside = (self.train_step > self.step[index - 1]) & (self.train_step <= self.step[index])
            if inside.any():
                shares[index] = is_clipped[inside].mean()
        return shares

    @cached_property
    def exploded(self) -> np.ndarray:
        """Steps whose norm before clipping was over ten times the median of the 50 steps before (of at least ten); int
        array.
        """
        import pandas as pd

        before = pd.Series(self.train_norm).shift(1).rolling(_WINDOW, min_periods=_LEAST).median().to_numpy()
        with np.errstate(invalid="ignore"):
            return self.train_step[self.train_norm > EXPLOSION * before]

    @property
    def broken(self) -> np.ndarray:
        """Steps of training and recordings at which a gradient was no number (NaN or infinite); int array."""
        recorded = ~(np.isfinite(self.hidden_norm).all((1, 2, 3)) & np.isfinite(self.group_norm).all(1))
        return np.union1d(self.train_step[~np.isfinite(self.train_norm)], self.step[recorded])

    def to_frame(self) -> Any:
        """One row for each recording, layer, direction and distance."""
        import pandas as pd

        record, layer, direction, distance = (axis.ravel() for axis in np.indices(self.hidden_norm.shape))
        columns: dict[str, Any] = {
            "step": self.step[record],
            "epoch": self.epoch[record],
            "probe_loss_nats": self.loss_nats[record],
            "layer": np.array(self.layer_names)[layer],
        }
        if self.is_recurrent:
            columns["direction"] = np.array(self.directions)[direction]
        return pd.DataFrame(columns | {"distance": distance, "grad_hidden_norm": self.hidden_norm.ravel()})
