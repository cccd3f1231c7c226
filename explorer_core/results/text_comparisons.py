"""Several models over one text: their words on one axis, and the verdict of each along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.results._base import Exportable, check_array, cut_words, softmax


@dataclass(frozen=True)
class AlignedWords(Exportable):
    """The words of one text on one axis for several readings.

    Attributes:
        text: The text.
        words: The words of the axis, in their order; shape [word].
        word_spans: Start and end of each in characters of `text`, rising, never overlapping; int array [word, 2].
        places: For each reading, the word of the axis in which each of its own words lies; int arrays, rising.
    """

    text: str
    words: tuple[str, ...]
    word_spans: np.ndarray
    places: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        check_array(self.word_spans, (len(self.words), 2), "word_spans")

    def sum(self, reading: int, values: np.ndarray) -> np.ndarray:
        """Values of a reading's own words, summed over each word of the axis; NaN where it read nothing.

        Args:
            reading: Which reading, from 0.
            values: One for each of its words; shape [word of the reading].
        """
        place = self.places[reading]
        found = np.full(len(self.words), np.nan)
        found[place] = 0.0
        np.add.at(found, place, values)
        return found

    def last(self, reading: int, values: np.ndarray) -> np.ndarray:
        """The value of a reading after the last of its words in each word of the axis; NaN where it read nothing.

        Args:
            reading: Which reading, from 0.
            values: Shape [word of the reading, ...].

        Returns:
            Shape [word, ...].
        """
        found = np.full((len(self.words), *values.shape[1:]), np.nan)
        found[self.places[reading]] = values  # of several in one place the last one stays
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result; long words are cut."""
        placed = {f"place_{index}": place for index, place in enumerate(self.places)}
        whole = {"text": np.array(self.text), "word_spans": self.word_spans}
        return whole | {"words": cut_words(self.words)} | placed

    def to_frame(self) -> Any:
        """One row for each word: its place in the text, and how many words of each reading lie in it."""
        import pandas as pd

        columns: dict[str, Any] = {"word": self.words, "start": self.word_spans[:, 0], "end": self.word_spans[:, 1]}
        for index, place in enumerate(self.places):
            columns[f"n_words_{index}"] = np.bincount(place, minlength=len(self.words))
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class TextComparison(Exportable):
    """The running verdicts of several models over one text.

    Attributes:
        models, architectures, fingerprints: Which networks; each once.
        labels, target: Their classes, and the one that is compared.
        aligned: The words; the readings stand in the order of the models.
        running_logits: Logits after each word, float64 array [model, word, class]. A word of which a model reads
            nothing leaves them as they were; NaN before its first word and beyond its last.
        logits: Logits over the whole text, shape [model, class].
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    target: int
    aligned: AlignedWords
    running_logits: np.ndarray
    logits: np.ndarray

    def __post_init__(self) -> None:
        n_models, n_classes = len(self.models), len(self.labels)
        if self.running_logits.shape != (n_models, len(self.aligned.words), n_classes):
            raise AssertionError(f"running_logits has shape {self.running_logits.shape}")
        check_array(self.logits, (n_models, n_classes), "logits")
        if not 0 <= self.target < n_classes:
            raise InvalidInputError(f"There is no class {self.target}: classes are counted from 0 to {n_classes - 1}.")

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the axis."""
        return self.aligned.words

    @property
    def running_probs(self) -> np.ndarray:
        """Softmax of `running_logits`; shape [model, word, class]."""
        return softmax(self.running_logits)

    @property
    def decided(self) -> np.ndarray:
        """The word from which on each model's leading class is its final one; int array [model], from 0."""
        found = np.zeros(len(self.models), dtype=np.int64)
        for index, logits in enumerate(self.running_logits):
            read = np.flatnonzero(np.isfinite(logits).all(-1))
            leading = logits[read].argmax(-1)
            others = np.flatnonzero(leading != leading[-1])
            found[index] = read[others[-1] + 1] if len(others) else read[0]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the arrays of the words."""
        found = super().arrays()
        del found["aligned"]
        return found | self.aligned.arrays() | {"decided": self.decided}

    def to_frame(self) -> Any:
        """One row for each model and word: logit and probability of every class after it."""
        import pandas as pd

        n_models, n_words, _ = self.running_logits.shape
        probs = self.running_probs
        columns: dict[str, Any] = {
            "model": np.repeat(np.array(self.models, dtype=object), n_words),
            "word_index": np.tile(np.arange(n_words), n_models),
            "word": np.tile(np.array(self.words, dtype=object), n_models),
        }
        for index, label in enumerate(self.labels):
            columns[f"logit_{label}"] = self.running_logits[:, :, index].ravel()
            columns[f"prob_{label}"] = probs[:, :, index].ravel()
        return pd.DataFrame(columns)
