"""What to train, as plain values that travel as JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explorer_core import registry
from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.plain import read_json

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")

KNOBS = MappingProxyType(
    {
        knob.name: knob
        for knob in (
            Knob("vocabulary", "Vocabulary", "Word pieces of a pretrained vocabulary, or whole words of your data.",
                 "wordpiece", choices=("wordpiece", "words")),
            Knob("max_words", "Words in the vocabulary", "Most frequent words kept; the rest become unknown.",
                 20_000, 100, 100_000, 100),
            Knob("end_token", "End mark", "Whether a mark is added after the last word (whole-word vocabulary only).",
                 False, choices=(False, True)),
            Knob("embeddings", "Word vectors", "Taken from the pretrained model and kept, taken and tuned, or learned.",
                 "frozen", choices=("frozen", "tuned", "scratch")),
            Knob("embedding_size", "Width of a word vector", "Numbers in one learned word vector.",
                 128, 4, 1_024, 4),
            Knob("hidden_size", "Units", "Units of each layer and direction.", 128, 1, 1_024, 8),
            Knob("num_layers", "Layers", "Recurrent layers, one on top of the other.", 1, 1, 6, 1),
            Knob("pooling", "Verdict from", "The final state, or the mean or maximum of all states.",
                 "last", choices=("last", "mean", "max")),
            Knob("dropout", "Dropout", "Share of values dropped while training.", 0.3, 0.0, 0.9, 0.05),
            Knob("word_dropout", "Word dropout", "Share of tokens read as unknown while training (recurrent only).",
                 0.1, 0.0, 0.5, 0.05),
            Knob("phrases", "Marked phrases", "Whether marked words of training texts are learned as short texts too.",
                 False, choices=(False, True)),
            Knob("start", "Start from", "Pretrained weights, or random ones (bert only).",
                 "pretrained", choices=("pretrained", "random")),
            Knob("epochs", "Epochs", "Passes over the training rows.", 5, 1, 100, 1),
            Knob("batch_size", "Batch", "Texts in one step.", 32, 1, 512, 1),
            Knob("learning_rate", "Learning rate", "Size of one step of AdamW.", 2e-3, 1e-6, 1.0, 1e-4),
            Knob("schedule", "Schedule", "How the learning rate moves over the steps.",
                 "linear", choices=("linear", "cosine", "constant")),
            Knob("warmup", "Warm-up", "Share of the steps in which the learning rate climbs.", 0.05, 0.0, 0.9, 0.01),
            Knob("weight_decay", "Weight decay", "Pull of the weights towards zero.", 0.01, 0.0, 1.0, 0.01),
            Knob("clip_norm", "Clip gradients at", "Largest norm of the whole gradient; 0 does not clip.",
                 1.0, 0.0, 100.0, 0.1),
            Knob("early_stopping", "Patience", "Epochs without a lower validation loss before stopping; 0: never.",
                 0, 0, 50, 1),
            Knob("max_train_tokens", "Longest text", "Tokens of a text used while training; the rest is cut.",
                 128, 4, 4_096, 8),
            Knob("record_gradients", "Gradient recordings",
                 "How often gradients by distance are kept for the page Gradients; 0: never.", 20, 0, 200, 1),
            Knob("seed", "Seed", "Same spec, same machine, same weights.", 0, 0, 2**31 - 1, 1),
            Knob("device", "Device", "Where to train.", "auto", choices=("auto", "cpu", "cuda", "mps")),
            Knob("precision", "Precision", "bf16 autocast works on CUDA; auto uses it there.",
                 "auto", choices=("auto", "fp32", "bf16")),
        )
    }
)  # fmt: skip


@dataclass(frozen=True)
class DataSpec:
    """Where labelled texts come from: a source (a file in `datasets/`) and its own options, all JSON values.

    `options` of the starter corpus: none. Of `local_file`: `path`, `text_column`, `label_column` (both may be left
    out and are then guessed), `class_names` (the name, or `None`, of each label). Of `hub`: `id`, `config`, `split`,
    `text_column`, `label_column`, `max_rows`.
    """

    source: str = "starter"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_known("data source", self.source, registry.describe("datasets"))
        if not isinstance(self.options, Mapping) or not all(isinstance(name, str) for name in self.options):
            raise InvalidInputError("The options of a data source are an object of names and values.")

    @classmethod
    def from_plain(cls, plain: Any) -> DataSpec:
        """A spec from an object with its fields.

        Raises:
            InvalidInputError: If it is none, or has another field.
        """
        if not isinstance(plain, dict) or set(plain) - {"source", "options"}:
            raise InvalidInputError("The field data is an object with the fields source and options.")
        return cls(**plain)


@dataclass(frozen=True)
class TrainingSpec:
    """Everything that decides what a run becomes. Each field but the first three has a `Knob` in `KNOBS`.

    Raises:
        InvalidInputError: If a value is not allowed, in words that name what is.
    """

    name: str
    family: str = "lstm"
    data: DataSpec = field(default_factory=DataSpec)
    vocabulary: str = "wordpiece"
    max_words: int = 20_000
    end_token: bool = False
    embeddings: str = "frozen"
    embedding_size: int = 128
    hidden_size: int = 128
    num_layers: int = 1
    pooling: str = "last"
    dropout: float = 0.3
    word_dropout: float = 0.1
    phrases: bool = False
    start: str = "pretrained"
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 2e-3
    schedule: str = "linear"
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    early_stopping: int = 0
    max_train_tokens: int = 128
    record_gradients: int = 20
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        check_name(self.name)
        _check_known("family", self.family, registry.describe("architectures"))
        if not isinstance(self.data, DataSpec):
            raise InvalidInputError("The data of a training spec is a DataSpec.")
        for name, knob in KNOBS.items():
            knob.check(getattr(self, name))
        if self.vocabulary == "words" and self.embeddings != "scratch" and self.family != "bert":
            raise InvalidInputError(
                "Pretrained word vectors exist for the WordPiece vocabulary only. "
                "With a whole-word vocabulary, set the word vectors to 'scratch'."
            )

    def to_json(self) -> str:
        """The spec as JSON; `from_json` gives it back."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> TrainingSpec:
        """A spec from `to_json` or from a person's own file.

        Raises:
            InvalidInputError: If it is no JSON object, or has a field that does not exist or is not allowed.
        """
        plain = read_json(text, "The training spec is")
        if not isinstance(plain, dict):
            raise InvalidInputError("The training spec is a JSON object with fields such as name, family and data.")
        unknown = set(plain) - {item.name for item in dataclasses.fields(cls)}
        if unknown or "name" not in plain:
            allowed = ", ".join(item.name for item in dataclasses.fields(cls))
            problem = f"has unknown fields {', '.join(sorted(unknown))[:60]}" if unknown else "has no name"
            raise InvalidInputError(f"The training spec {problem}; allowed fields: {allowed}.")
        return cls(data=DataSpec.from_plain(plain.pop("data", {})), **plain)


def _check_known(kind: str, value: Any, known: Mapping[str, Any]) -> None:
    if not isinstance(value, str) or value not in known:
        shown = repr(value)[:60]
        raise InvalidInputError(f"There is no {kind} {shown}; allowed: {', '.join(known)}.")


def check_name(name: str) -> str:
    """The name of a run, if it may become a folder's name.

    Raises:
        InvalidInputError: If it is not 1 to 48 lower-case letters, digits and hyphens.
    """
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise InvalidInputError(
            f"{str(name)[:60]!r} cannot name a model. Use 1 to 48 lower-case letters, digits and hyphens, "
            "beginning with a letter or digit, such as my-lstm-2."
        )
    return name
