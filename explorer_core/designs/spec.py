"""What a design trains, as plain values that travel as JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explorer_core import registry
from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.plain import fields_of, read_json
from explorer_core.text import visible
from explorer_core.training import spec as training
from explorer_core.training.spec import DataSpec, TrainingSpec

LEAST, MOST = 2, 6
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")  # a run's name has the family and the seed after it
RATES = {"rnn": 1e-3, "bert": 1e-4}
_RATE = 4e-3

# What one network has of its own. A BERT takes `start` and the rate, the others take the rest.
NETWORK_KNOBS = MappingProxyType(
    {name: training.KNOBS[name] for name in ("hidden_size", "num_layers", "pooling", "embeddings", "embedding_size",
                                             "start", "learning_rate")}
)  # fmt: skip
_SHARED = ("epochs", "batch_size", "seed", "vocabulary", "max_words", "dropout", "word_dropout", "phrases",
           "schedule", "warmup", "weight_decay", "clip_norm", "max_train_tokens", "record_gradients", "device",
           "precision")  # fmt: skip
_DEFAULTS: dict[str, Any] = {"epochs": 6, "batch_size": 64, "phrases": True, "record_gradients": 0}
KNOBS = MappingProxyType(
    {
        **{
            name: dataclasses.replace(training.KNOBS[name], default=_DEFAULTS.get(name, training.KNOBS[name].default))
            for name in _SHARED
        },
        "n_seeds": Knob("n_seeds", "Seeds for each", "Trainings of each network, each from another start and in "
                        "another order of the rows; the seeds are the same for all.", 1, 1, 3, 1),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Network:
    """One network of a design. A field but the family has a `Knob` in `NETWORK_KNOBS`.

    Raises:
        InvalidInputError: If there is no such family, or a value is not allowed.
    """

    family: str
    hidden_size: int = 128
    num_layers: int = 1
    pooling: str = "last"
    embeddings: str = "frozen"
    embedding_size: int = 128
    start: str = "pretrained"
    learning_rate: float = 0.0
    """Left at 0, that of the family's starter: 0.001 for an RNN, 0.0001 for a BERT, 0.004 for the others."""

    def __post_init__(self) -> None:
        known = registry.describe("architectures")
        if not isinstance(self.family, str) or self.family not in known:
            raise InvalidInputError(f"There is no family {str(self.family)[:60]!r}; allowed: {', '.join(known)}.")
        if self.learning_rate == 0:
            object.__setattr__(self, "learning_rate", RATES.get(self.family, _RATE))
        for name, knob in NETWORK_KNOBS.items():
            knob.check(getattr(self, name))

    @property
    def label(self) -> str:
        """What a person tells it by, such as `LSTM 64 × 2, max`; what is as usual is not said."""
        about = registry.describe("architectures")[self.family]
        if about.extra["kind"] == "transformer":
            return about.label + (", random start" if self.start == "random" else "")
        said = f"{about.label} {self.hidden_size}" + (f" × {self.num_layers}" if self.num_layers > 1 else "")
        said += f", {self.pooling}" if self.pooling != "last" else ""
        if self.embeddings == "scratch":
            return f"{said}, learned {self.embedding_size}"
        return f"{said}, tuned" if self.embeddings == "tuned" else said

    def to_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class DesignSpec:
    """Everything that decides what comes out of a design. A field that is one number or choice has a `Knob` in `KNOBS`.

    All networks learn from the same rows for the same number of steps. Rows come in the same order wherever tokenizers
    count the same tokens, which all recurrent networks of a design do; each record says which order it was.

    Attributes:
        name: 1 to 30 lower-case letters, digits and hyphens.
        networks: Two to six, no two alike.
        data: Where the rows come from.

    Raises:
        InvalidInputError: If a value is not allowed, in words that name what is.
    """

    name: str
    networks: tuple[Network, ...]
    data: DataSpec = field(default_factory=DataSpec)
    epochs: int = KNOBS["epochs"].default
    batch_size: int = KNOBS["batch_size"].default
    seed: int = KNOBS["seed"].default
    n_seeds: int = KNOBS["n_seeds"].default
    vocabulary: str = KNOBS["vocabulary"].default
    max_words: int = KNOBS["max_words"].default
    dropout: float = KNOBS["dropout"].default
    word_dropout: float = KNOBS["word_dropout"].default
    phrases: bool = KNOBS["phrases"].default
    schedule: str = KNOBS["schedule"].default
    warmup: float = KNOBS["warmup"].default
    weight_decay: float = KNOBS["weight_decay"].default
    clip_norm: float = KNOBS["clip_norm"].default
    max_train_tokens: int = KNOBS["max_train_tokens"].default
    record_gradients: int = KNOBS["record_gradients"].default
    device: str = KNOBS["device"].default
    precision: str = KNOBS["precision"].default

    def __post_init__(self) -> None:
        check_name(self.name)
        for name, knob in KNOBS.items():
            knob.check(getattr(self, name))
        if not isinstance(self.data, DataSpec):
            raise InvalidInputError("The data of a design is a DataSpec.")
        is_fine = isinstance(self.networks, tuple) and all(isinstance(one, Network) for one in self.networks)
        if not is_fine or not LEAST <= len(self.networks) <= MOST:
            shown = len(self.networks) if is_fine else "something else"
            raise InvalidInputError(f"A design has {LEAST} to {MOST} networks, here {shown}.")
        for place, network in enumerate(self.networks):
            if network in self.networks[:place]:
                first = self.networks.index(network) + 1
                raise InvalidInputError(
                    f"Networks {first} and {place + 1} are the same, {network.label}. Change one of them; for the luck "
                    "of a start, train several seeds."
                )
        if self.seed + self.n_seeds - 1 > training.KNOBS["seed"].high:  # type: ignore[operator]
            raise InvalidInputError("The seed is so large that there is no next one. Choose a smaller seed.")
        self.runs()  # a training spec refuses what does not go together

    def labels(self) -> tuple[str, ...]:
        """What a person tells the networks by, all different: the family where that is enough."""
        families = [network.family for network in self.networks]
        if len(set(families)) == len(families):
            return tuple(registry.describe("architectures")[family].label for family in families)
        labels = [network.label for network in self.networks]
        return tuple(
            f"{label} ({labels[: place + 1].count(label)})" if labels.count(label) > 1 else label
            for place, label in enumerate(labels)
        )

    def run_names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the runs, [network][seed]: the design's, the family's, and a number where that is not enough."""
        families = [network.family for network in self.networks]
        bases = [
            f"{self.name}-{family}" + (f"-{families[: place + 1].count(family)}" if families.count(family) > 1 else "")
            for place, family in enumerate(families)
        ]
        return tuple(
            tuple(base if self.n_seeds == 1 else f"{base}-s{number + 1}" for number in range(self.n_seeds))
            for base in bases
        )

    def runs(self) -> tuple[TrainingSpec, ...]:
        """What is trained, in order: every network of the first seed, then of the next."""
        shared = {name: getattr(self, name) for name in _SHARED if name != "seed"}
        return tuple(
            TrainingSpec(
                name=names[number], family=network.family, data=self.data, seed=self.seed + number, **shared,
                **{name: getattr(network, name) for name in NETWORK_KNOBS},
            )
            for number in range(self.n_seeds)
            for network, names in zip(self.networks, self.run_names(), strict=True)
        )  # fmt: skip

    def to_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return plain | {
            "networks": [network.to_plain() for network in self.networks],
            "data": {"source": self.data.source, "options": dict(self.data.options)},
        }

    def to_json(self) -> str:
        """The spec as JSON; `from_json` gives it back."""
        return json.dumps(self.to_plain(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> DesignSpec:
        """A spec from `to_json`, or from what a person wrote; what is left out has its default.

        Raises:
            InvalidInputError: If it is no JSON object, or has a field that does not exist or is not allowed.
        """
        values = fields_of(read_json(text, "The design is"), cls, "A design is")
        networks = values.get("networks")
        if "name" not in values or not isinstance(networks, tuple):
            raise InvalidInputError("A design has at least a name and a list of networks.")
        values["networks"] = tuple(Network(**_network_fields(one)) for one in networks)
        if "data" in values:
            values["data"] = DataSpec.from_plain(values["data"])
        return cls(**values)


def check_name(name: Any) -> str:
    """The name of a design, if it may become a folder's name.

    Raises:
        InvalidInputError: If it is not 1 to 30 lower-case letters, digits and hyphens.
    """
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{visible(str(name)[:60])!r} cannot name a design. Use 1 to 30 lower-case letters, digits and hyphens, "
            "beginning with a letter or digit, such as rnn-or-lstm."
        )
    return name


def _network_fields(plain: Any) -> dict[str, Any]:
    found = fields_of(plain, Network, "A network of a design is")
    if "family" not in found:
        raise InvalidInputError("Each network of a design has at least a family.")
    return found
