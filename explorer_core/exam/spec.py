"""What the shortcut exam plants, trains and asks, as plain values that travel as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explorer_core import registry
from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.plain import fields_of, read_json
from explorer_core.text import split_words, visible
from explorer_core.training.spec import DataSpec

DEFAULT_FAMILIES = ("rnn", "gru", "lstm", "bilstm")  # BERT takes longer than all of them, and is there on request
LEARNED = 0.95
"""Share of planted texts a network must judge by the planted word to count as one that learned the shortcut."""
MAX_WORD_CHARS = 40

SHORTCUTS = MappingProxyType(
    {
        "token": "A nonsense word stands for each class; it occurs nowhere else.",
        "word": "A chosen word stands for each class; texts that have one of their own are left out.",
        "position": "A nonsense word stands for each class among the first words of a text; further on it means "
        "nothing, and a decoy stands there.",
    }
)
WORDS = MappingProxyType({"token": ("blick", "wug"), "word": ("today", "yesterday"), "position": ("blick", "wug")})
"""The words that stand for the first and the second class where none are given; Berko 1958 has the wug."""

KNOBS = MappingProxyType(
    {
        knob.name: knob
        for knob in (
            Knob("shortcut", "Shortcut", "What surely decides.", "token", choices=tuple(SHORTCUTS)),
            Knob("first_words", "First words", "Words from the start among which a planted word counts (position).",
                 3, 1, 20, 1),
            Knob("n_texts", "Texts asked", "Held-out texts with a planted word, the same for every family.",
                 60, 5, 300, 5),
            Knob("n_train", "Training texts", "Half of them get a planted word.", 2_000, 50, 10_000, 100),
            Knob("max_words", "Longest text", "Words; longer texts are left out.", 30, 8, 100, 2),
            Knob("epochs", "Epochs", "Passes of a recurrent network over its training texts; a BERT makes a third.",
                 6, 1, 30, 1),
            Knob("hidden_size", "Units", "Units of a recurrent network, each direction.", 64, 8, 256, 8),
            Knob("seed", "Seed", "Same settings, same machine, same exam.", 0, 0, 2**31 - 1, 1),
        )
    }
)  # fmt: skip


@dataclass(frozen=True)
class ExamSpec:
    """Everything that decides what comes out of an exam. A field that is one number or choice has a `Knob` in `KNOBS`.

    Attributes:
        families: Which families sit the exam, one network each.
        shortcut: `token`, `word` or `position`; see `SHORTCUTS`.
        words: The words that stand for the first and the second class; left out, those of `WORDS`.
        methods: Attribution methods that are asked; left out, all. One that does not fit a family is passed over.
        data: Where the texts come from, with two classes; left out, the starter corpus.
        first_words, n_texts, n_train, max_words, epochs, hidden_size, seed: See `KNOBS`.

    Raises:
        InvalidInputError: If a value is not allowed, in words that name what is.
    """

    families: tuple[str, ...] = DEFAULT_FAMILIES
    shortcut: str = "token"
    words: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    data: DataSpec = field(default_factory=DataSpec)
    first_words: int = 3
    n_texts: int = 60
    n_train: int = 2_000
    max_words: int = 30
    epochs: int = 6
    hidden_size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name, knob in KNOBS.items():
            knob.check(getattr(self, name))
        if not isinstance(self.data, DataSpec):
            raise InvalidInputError("The data of an exam is a DataSpec.")
        families = _several("families", self.families, tuple(registry.describe("architectures")))
        methods = _several("methods", self.methods, tuple(registry.describe("attribution")), may_be_none=True)
        object.__setattr__(self, "families", families)
        object.__setattr__(self, "methods", methods or tuple(registry.describe("attribution")))
        object.__setattr__(self, "words", _check_words(self.words or WORDS[self.shortcut]))

    def to_plain(self) -> dict[str, Any]:
        """The spec as plain values for JSON."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return plain | {"data": {"source": self.data.source, "options": dict(self.data.options)}}

    def to_json(self) -> str:
        """The spec as JSON; `from_json` gives it back."""
        return json.dumps(self.to_plain(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> ExamSpec:
        """A spec from `to_json`, or from what a person wrote; what is left out has its default.

        Raises:
            InvalidInputError: If it is no JSON object, or has a field that does not exist or is not allowed.
        """
        return cls.from_plain(read_json(text, "The settings of the exam are"))

    @classmethod
    def from_plain(cls, plain: Any) -> ExamSpec:
        """A spec from `to_plain`.

        Raises:
            InvalidInputError: As `from_json`.
        """
        values = fields_of(plain, cls, "The settings of the exam are")
        if "data" in values:
            values["data"] = DataSpec.from_plain(values["data"])
        return cls(**values)


def _several(name: str, given: Any, known: Sequence[str], *, may_be_none: bool = False) -> tuple[str, ...]:
    """Different names of a registry, in its order, so that the same exam is the same spec."""
    is_fine = isinstance(given, tuple) and all(isinstance(one, str) and one in known for one in given)
    if not is_fine or len(set(given)) < len(given) or not (given or may_be_none):
        shown = visible(", ".join(map(str, given)) if isinstance(given, tuple) else str(given))[:80]
        raise InvalidInputError(
            f"The {name} of the exam are {shown or 'none'}; different ones of {', '.join(known)} are expected."
        )
    return tuple(one for one in known if one in given)


def _check_words(given: Any) -> tuple[str, ...]:
    """Two different words, each of which a person and a tokenizer take for one."""
    is_fine = isinstance(given, tuple) and len(given) == 2 and all(map(_is_word, given))
    if not is_fine or given[0].casefold() == given[1].casefold():
        shown = visible(str(given))[:80]
        raise InvalidInputError(
            f"The planted words are {shown}; two different words of letters and digits are expected, of up to "
            f"{MAX_WORD_CHARS} characters each, the first for the first class."
        )
    return given


def _is_word(word: Any) -> bool:
    return (
        isinstance(word, str)
        and len(word) <= MAX_WORD_CHARS
        and word.isalnum()
        and split_words(word) == [(0, len(word))]
    )
