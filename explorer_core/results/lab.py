"""What came out of the vanishing lab: who learned over which lag, and how much of the gradient reached the start."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.lab.spec import LabSpec, Setting
from explorer_core.results._base import Exportable

MOMENTS = ("untrained", "trained")
LEARNED = 0.9
"""Share of right answers from which on a task counts as learned."""


@dataclass(frozen=True)
class LabExample:
    """One sequence of a task, as a person reads it.

    Attributes:
        steps: What is read at each step.
        matters: Which steps the answer depends on.
        question: What is asked.
        answer: The right answer.
        check: Why it is right, in words.
    """

    steps: tuple[str, ...]
    matters: tuple[bool, ...]
    question: str
    answer: str
    check: str


@dataclass(frozen=True)
class LabPrice:
    """What a lab will cost.

    Attributes:
        seconds: Estimated time on two CPU cores.
        n_networks: Networks that are trained.
        sentence: The same for a person.
    """

    seconds: float
    n_networks: int
    sentence: str


@dataclass(frozen=True)
class LabResult(Exportable):
    """Small networks of every setting and lag after (or while) they learn, several seeds each.

    What has not been measured yet, and what a network said after its numbers were none, is NaN.

    Attributes:
        spec: What was asked for; with it the same numbers are computed again.
        steps: Steps of learning after which everything was measured, 0 first; int array [check].
        accuracy: Share of right answers over `n_test` new sequences, in [0, 1], shape [setting, lag, seed, check].
        loss: Mean over the same sequences: cross entropy in nats, of a sum the squared error; same shape.
        grad_norm: L2 norm of the derivative of a sequence's loss by the state that is carried from step to step (c of
            an LSTM, h otherwise), through all later steps, mean over `n_probed` of these sequences; shape [setting,
            lag, seed, moment, back] with `MOMENTS` and steps back from the last; computed in closed form in double
            precision. NaN beyond the first step of a lag.
        diverged: Step of learning at which a network's loss was no finite number any more, else -1; int array
            [setting, lag, seed].
        chance: Share of right answers of the best guess that is always the same.
        n_test, n_probed: Sequences measured on.
    """

    spec: LabSpec
    steps: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray
    grad_norm: np.ndarray
    diverged: np.ndarray
    chance: float
    n_test: int
    n_probed: int

    def __post_init__(self) -> None:
        shape = (len(self.settings), len(self.spec.lags), self.spec.n_seeds)
        for name, values, rest in (
            ("accuracy", self.accuracy, (len(self.steps),)),
            ("loss", self.loss, (len(self.steps),)),
            ("grad_norm", self.grad_norm, (len(MOMENTS), self.grad_norm.shape[-1])),
            ("diverged", self.diverged, ()),
        ):
            assert values.shape == (*shape, *rest), f"{name} has shape {values.shape}"
            assert not np.isinf(values).any(), f"{name} is infinite"

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The setting axis."""
        return self.spec.settings

    @property
    def n_checks_done(self) -> int:
        """Checks that every network has behind it."""
        is_there = ~np.isnan(self.accuracy) | (self.diverged >= 0)[..., None]
        return int(is_there.all((0, 1, 2)).sum())

    @property
    def is_finished(self) -> bool:
        """Whether all steps were made."""
        return self.n_checks_done == len(self.steps)

    @property
    def final_accuracy(self) -> np.ndarray:
        """Accuracy at the last check every network has behind it; NaN where it diverged or none has; shape [setting,
        lag, seed].
        """
        return self.accuracy[..., max(self.n_checks_done - 1, 0)]

    @property
    def grad_start(self) -> np.ndarray:
        """`grad_norm` at the first step, shape [setting, lag, seed, moment]."""
        first = np.sum(~np.isnan(self.grad_norm[..., 0, :]), axis=-1) - 1  # steps back; -1 where nothing was measured
        taken = np.broadcast_to(np.maximum(first, 0)[..., None, None], (*self.grad_norm.shape[:-1], 1))
        return np.take_along_axis(self.grad_norm, taken, -1)[..., 0]

    @property
    def grad_share(self) -> np.ndarray:
        """Gradient at the first step over that at the last, shape [setting, lag, seed, moment].

        The size of the loss, which falls while a network learns, stands in both and leaves the share alone.
        """
        end = self.grad_norm[..., 0]
        return np.divide(self.grad_start, end, out=np.full(end.shape, np.nan), where=end > 0)

    def learned_lag(self, setting: int) -> int | None:
        """Longest lag up to which every lag was learned: median accuracy over seeds at least `LEARNED`; a diverged
        network counts as wrong. `None` if the shortest was not.
        """
        accuracy = np.nan_to_num(self.final_accuracy[setting], nan=0.0)
        is_learned = np.median(accuracy, axis=-1) >= LEARNED  # [lag]
        n_learned = len(is_learned) if is_learned.all() else int(is_learned.argmin())
        return self.spec.lags[n_learned - 1] if n_learned else None

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, the axes by name, and the spec as JSON."""
        found: dict[str, np.ndarray] = {
            "spec": np.array(json.dumps(self.spec.to_plain())),
            "families": np.array([setting.family for setting in self.settings]),
            "starts": np.array([setting.start for setting in self.settings]),
            "lags": np.array(self.spec.lags),
            "moments": np.array(MOMENTS),
        }
        rest = (item.name for item in dataclasses.fields(self) if item.name != "spec")
        return found | {name: np.asarray(getattr(self, name)) for name in rest}

    def to_frame(self) -> Any:
        """One row for each network and check; the gradient stands where it was measured, before and after learning."""
        import pandas as pd

        shape = self.accuracy.shape
        setting, lag, seed, check = (index.ravel() for index in np.indices(shape))
        gradients = np.full((2, *shape), np.nan)  # at the first step, at the last
        for place, values in enumerate((self.grad_start, self.grad_norm[..., 0])):
            gradients[place, ..., 0], gradients[place, ..., -1] = values[..., 0], values[..., 1]
        table = self.settings
        return pd.DataFrame(
            {
                "family": np.array([one.family for one in table], dtype=object)[setting],
                "gate_bias": np.array([np.nan if one.gate_bias is None else one.gate_bias for one in table])[setting],
                "orthogonal": np.array([one.is_orthogonal for one in table])[setting],
                "lag": np.array(self.spec.lags)[lag],
                "seed": seed,
                "step": self.steps[check],
                "loss": self.loss.ravel(),
                "accuracy": self.accuracy.ravel(),
                "grad_start": gradients[0].ravel(),
                "grad_end": gradients[1].ravel(),
            }
        )
