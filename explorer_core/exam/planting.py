"""Training and held-out texts in which a planted word surely decides.

Bastings et al. 2022, Will you find these shortcuts? A protocol for evaluating the faithfulness of input salience
methods for text classification. Half of the training texts get one of two planted words at a random place and the
class that word stands for, whatever they say; the others keep their own. So a network learns to read, and to believe
the planted word before all that it reads. A held-out text gets the word of the class it is not of: what it says and
what is planted pull apart, and only the planted word can turn the verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.exam.spec import ExamSpec
from explorer_core.results import PlantedText
from explorer_core.text import split_words

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import LabelledTexts

PLANTED_SHARE = 0.5  # of the training texts
DECOY_SHARE = 0.5  # of training texts without a deciding word, and of those with one, that get a decoy (position only)
MIN_WORDS = 4
_TRAIN, _HELD_OUT = 1, 2  # streams of random numbers that have nothing to do with each other


@dataclass(frozen=True)
class Material:
    """What an exam is made of.

    Attributes:
        label_names: Names of the two classes.
        train: Training texts, planted or not, with the class to learn; the rows of a file.
        held_out: Texts asked, each with its planted word; none of them, nor its pair, was learned from.
        n_planted: Training texts with a deciding word.
    """

    label_names: tuple[str, ...]
    train: tuple[tuple[str, int], ...]
    held_out: tuple[PlantedText, ...]
    n_planted: int

    def to_jsonl(self) -> str:
        """The training texts as the source `local_file` reads them."""
        rows = ({"text": text, "label": self.label_names[label]} for text, label in self.train)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def plant(spec: ExamSpec, data: LabelledTexts) -> Material:
    """Training and held-out texts of an exam; the same for the same spec and texts.

    Raises:
        InvalidInputError: If the data has not two classes, has a nonsense word of its own, or too few texts.
    """
    if len(data.label_names) != 2:
        raise InvalidInputError(
            f"The exam plants a word for each of two classes; {data.origin[:60]} has {len(data.label_names)}."
        )
    usable = _usable(spec, data)
    train = usable[np.isin(usable, data.rows("train"))]
    held_out = usable[~np.isin(usable, train)]
    least_train, least_held = 40, 5
    if len(train) < least_train or len(held_out) < least_held:
        raise InvalidInputError(
            f"{len(train):,} training and {len(held_out):,} held-out texts of {MIN_WORDS} to {spec.max_words} words "
            f"are left in {data.origin[:60]}; at least {least_train} and {least_held} are needed."
        )
    rng = np.random.default_rng([_TRAIN, spec.seed])
    rows = [int(row) for row in rng.permutation(train)[: spec.n_train]]
    n_planted = round(PLANTED_SHARE * len(rows))
    learned = [
        _train_text(spec, data.texts[row], int(data.labels[row]), index < n_planted, rng)
        for index, row in enumerate(rows)
    ]
    rng = np.random.default_rng([_HELD_OUT, spec.seed])
    order = _alternating(data.labels, rng.permutation(held_out))
    asked = [_held_out_text(spec, data.texts[row], int(data.labels[row]), rng) for row in order[: spec.n_texts]]
    return Material(data.label_names, tuple(learned), tuple(asked), n_planted)


def places(text: str) -> list[int]:
    """Where a word may be put in, as characters: before each word that follows a blank, and at the end.

    Returns:
        The index in the list is the number of words that would stand before it where every word follows a blank;
        `number_of` tells it for any text.
    """
    starts = [start for start, _ in split_words(text) if start == 0 or text[start - 1].isspace()]
    return [*starts, len(text.rstrip())]


def number_of(text: str, place: int) -> int:
    """How many words of a text begin before a place."""
    return sum(start < place for start, _ in split_words(text))


def put_in(text: str, word: str, place: int) -> tuple[str, tuple[int, int]]:
    """The text with a word put in at one of its `places`, and where that word stands."""
    if place >= len(text.rstrip()):
        text = text.rstrip()
        return f"{text} {word}", (len(text) + 1, len(text) + 1 + len(word))
    return f"{text[:place]}{word} {text[place:]}", (place, place + len(word))


def _usable(spec: ExamSpec, data: LabelledTexts) -> np.ndarray:
    """Rows that are neither short nor long and have no planted word of their own."""
    own = re.compile(rf"\b(?:{'|'.join(map(re.escape, spec.words))})\b", re.IGNORECASE)
    has_word = np.array([own.search(text) is not None for text in data.texts])
    if spec.shortcut != "word" and has_word.any():
        found = own.search(data.texts[int(has_word.argmax())])
        raise InvalidInputError(
            f"The nonsense word {found[0] if found else ''!r} stands in {int(has_word.sum()):,} texts of "
            f"{data.origin[:60]} already. Choose another, or the shortcut word, which leaves such texts out."
        )
    shortest = max(MIN_WORDS, spec.first_words + 2 if spec.shortcut == "position" else 0)
    n_words = np.array([len(split_words(text)) for text in data.texts])
    return np.flatnonzero(~has_word & (n_words >= shortest) & (n_words <= spec.max_words))


def _alternating(labels: np.ndarray, rows: np.ndarray) -> list[int]:
    """Rows so that the classes take turns as long as both last."""
    sides = [[int(row) for row in rows if labels[row] == label] for label in (0, 1)]
    shared = min(map(len, sides))
    turns = [row for pair in zip(*(side[:shared] for side in sides), strict=True) for row in pair]
    return [*turns, *sides[0][shared:], *sides[1][shared:]]


def _train_text(spec: ExamSpec, text: str, own: int, is_planted: bool, rng: np.random.Generator) -> tuple[str, int]:
    """A training text with the class to learn."""
    label = int(rng.integers(2)) if is_planted else own
    if spec.shortcut == "position" and rng.random() < DECOY_SHARE:
        decoy = int(rng.integers(2))  # of either class, whatever the label: it means nothing
        text, _ = put_in(text, spec.words[decoy], _far_place(spec, text, rng))
    if is_planted:
        text, _ = put_in(text, spec.words[label], _near_place(spec, text, rng))
    return text, label


def _held_out_text(spec: ExamSpec, text: str, own: int, rng: np.random.Generator) -> PlantedText:
    """A text with the word of the class it is not of, and with a decoy where the place decides."""
    target = 1 - own
    plain, decoy = text, None
    if spec.shortcut == "position":
        plain, decoy = put_in(text, spec.words[own], _far_place(spec, text, rng))
    place = _near_place(spec, text, rng)  # as before the decoy, which stands further on
    planted, span = put_in(plain, spec.words[target], place)
    if decoy is not None:
        moved = len(planted) - len(plain)
        decoy = (decoy[0] + moved, decoy[1] + moved)
    return PlantedText(planted, span, target, plain, decoy)


def _near_place(spec: ExamSpec, text: str, rng: np.random.Generator) -> int:
    """A random place; where the place decides, one among the first words."""
    allowed: Sequence[int] = places(text)
    if spec.shortcut == "position":
        allowed = [place for place in allowed if number_of(text, place) < spec.first_words]
    return int(rng.choice(allowed))


def _far_place(spec: ExamSpec, text: str, rng: np.random.Generator) -> int:
    """A random place beyond the first words."""
    return int(rng.choice([place for place in places(text) if number_of(text, place) >= spec.first_words]))
