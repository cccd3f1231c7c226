"""What the vanishing lab trains, as plain values that travel as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.plain import fields_of, read_json

FAMILIES = ("rnn", "gru", "lstm")
KEEP_GATES = MappingProxyType({"gru": "update", "lstm": "forget"})  # the gate that keeps the state
LAG_BOUNDS, MAX_LAGS = (1, 200), 8
BIAS_BOUNDS, MAX_BIASES = (-2.0, 6.0), 4

KNOBS = MappingProxyType(
    {
        knob.name: knob
        for knob in (
            Knob("task", "Task", "What has to be remembered.", "first_token",
                 choices=("first_token", "copy", "adding")),
            Knob("n_units", "Units", "Units of each network.", 16, 2, 64, 2),
            Knob("steps", "Steps", "Steps of Adam; each reads a new batch.", 200, 1, 2_000, 20),
            Knob("batch_size", "Batch", "Sequences in one step.", 32, 1, 64, 8),
            Knob("learning_rate", "Learning rate", "Size of one step of Adam.", 0.005, 1e-5, 0.1, 0.001),
            Knob("clip_norm", "Clip gradients at", "Largest norm of a network's whole gradient; 0 does not clip.",
                 1.0, 0.0, 100.0, 0.5),
            Knob("n_seeds", "Seeds", "Networks of each kind that differ in their random start and their data.",
                 3, 1, 8, 1),
            Knob("orthogonal", "Orthogonal start", "Whether each family also starts from orthogonal recurrent weights.",
                 True, choices=(False, True)),
            Knob("seed", "Seed", "Same settings, same machine, same numbers.", 0, 0, 2**31 - 1, 1),
        )
    }
)  # fmt: skip
SUGGESTED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "first_token": {},
        "copy": {"lags": (5, 10, 20, 40), "steps": 480, "learning_rate": 0.01},
        "adding": {"lags": (5, 10, 20, 40), "steps": 480, "learning_rate": 0.01},
    }
)
"""Settings under which the families come apart within about a minute, by task, where they are not the defaults."""


@dataclass(frozen=True)
class Setting:
    """One kind of network in the lab.

    Attributes:
        family: `rnn`, `gru` or `lstm`.
        gate_bias: What the biases of the gate that keeps the state start from; `None` for an RNN, which has no gate.
        is_orthogonal: Whether the recurrent weights start orthogonal, or uniform within 1 / sqrt(unit) as PyTorch's.
    """

    family: str
    gate_bias: float | None
    is_orthogonal: bool

    @property
    def start(self) -> str:
        """How it starts, in words, such as `forget bias 3, orthogonal`."""
        bias = "" if self.gate_bias is None else f"{KEEP_GATES[self.family]} bias {self.gate_bias:g}".replace("-", "−")
        return ", ".join(part for part in (bias, "orthogonal" * self.is_orthogonal) if part) or "PyTorch's start"


@dataclass(frozen=True)
class LabSpec:
    """Everything that decides what comes out of the lab. A field that is one number or choice has a `Knob` in `KNOBS`.

    Attributes:
        task: `first_token`, `copy` or `adding`; see `explorer_core.lab.tasks`.
        families: Which of `rnn`, `gru` and `lstm`.
        lags: Steps between what has to be remembered and the answer, 1 to 200 each, up to 8 of them; every lag has
            networks of its own.
        gate_biases: What the biases of an LSTM's forget gate and of a GRU's update gate start from (Gers et al. 2000;
            Jozefowicz et al. 2015), from -2 to 6, up to 4 of them. Families are compared at the largest.
        orthogonal: Whether each family also starts from orthogonal recurrent weights (Saxe et al. 2014).
        n_units, steps, batch_size, learning_rate, clip_norm, n_seeds, seed: See `KNOBS`.

    Raises:
        InvalidInputError: If a value is not allowed, in words that name what is.
    """

    task: str = "first_token"
    families: tuple[str, ...] = FAMILIES
    lags: tuple[int, ...] = (5, 10, 20, 40, 60)
    gate_biases: tuple[float, ...] = (0.0, 1.0, 4.0)
    orthogonal: bool = True
    n_units: int = 16
    steps: int = 200
    batch_size: int = 32
    learning_rate: float = 0.005
    clip_norm: float = 1.0
    n_seeds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, knob in KNOBS.items():
            knob.check(getattr(self, name))
        _check_several("families", self.families, len(FAMILIES), FAMILIES.__contains__, f"of {', '.join(FAMILIES)}")
        low, high = LAG_BOUNDS
        _check_several(
            "lags", self.lags, MAX_LAGS, lambda lag: isinstance(lag, int) and low <= lag <= high,
            f"whole numbers from {low} to {high}",
        )  # fmt: skip
        least, most = BIAS_BOUNDS
        _check_several(
            "gate biases", self.gate_biases, MAX_BIASES,
            lambda bias: isinstance(bias, int | float) and math.isfinite(bias) and least <= bias <= most,
            f"numbers from {least:g} to {most:g}",
        )  # fmt: skip
        # in one order, so that the same networks are the same spec
        object.__setattr__(self, "families", tuple(family for family in FAMILIES if family in self.families))
        object.__setattr__(self, "lags", tuple(sorted(self.lags)))
        object.__setattr__(self, "gate_biases", tuple(sorted(float(bias) for bias in self.gate_biases)))

    @classmethod
    def suggested(cls, task: str) -> LabSpec:
        """A spec under which the families come apart on a task.

        Raises:
            InvalidInputError: If there is no such task.
        """
        return cls(task=KNOBS["task"].check(task), **SUGGESTED[task])

    @property
    def gate_bias(self) -> float:
        """The gate bias at which families, and the starts of the recurrent weights, are compared."""
        return self.gate_biases[-1]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every kind of network: each family at each gate bias, and with an orthogonal start at the largest."""
        found = []
        for family in self.families:
            biases = self.gate_biases if family in KEEP_GATES else (None,)
            found += [Setting(family, bias, False) for bias in biases]
            found += [Setting(family, biases[-1], True)] * self.orthogonal
        return tuple(found)

    @property
    def n_networks(self) -> int:
        """Networks that are trained."""
        return len(self.settings) * len(self.lags) * self.n_seeds

    def to_plain(self) -> dict[str, Any]:
        """The spec as plain values for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def to_json(self) -> str:
        """The spec as JSON; `from_json` gives it back."""
        return json.dumps(self.to_plain(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> LabSpec:
        """A spec from `to_json`, or from what a person wrote; what is left out has its default.

        Raises:
            InvalidInputError: If it is no JSON object, or has a field that does not exist or is not allowed.
        """
        return cls(**fields_of(read_json(text, "The settings of the lab are"), cls, "The settings of the lab are"))


def _check_several(name: str, values: Any, most: int, is_allowed: Callable[[Any], bool], allowed: str) -> None:
    """Refuse what is no tuple of 1 to `most` different allowed values."""
    is_fine = (
        isinstance(values, tuple)
        and 1 <= len(values) <= most
        and all(not isinstance(value, bool) and is_allowed(value) for value in values)
        and len(set(values)) == len(values)
    )
    if not is_fine:
        raise InvalidInputError(
            f"The {name} of the lab are {repr(values)[:80]}; 1 to {most} different {allowed} are expected."
        )
