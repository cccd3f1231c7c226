"""The smallest edits of a text that turn the verdict of each of several models, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, cut_words, softmax

DELETE, SWAP = "delete", "swap"


@dataclass(frozen=True)
class FlipsPrice:
    """What looking for edits costs on this machine, from a short trial.

    Attributes:
        n_readings: Edited texts that each model reads.
        seconds: Estimated time of all models together.
        n_tried: Most words changed together in every choice, by kind of edit; 0 where not even one at a time fits.
    """

    n_readings: int
    seconds: float
    n_tried: Mapping[str, int]


@dataclass(frozen=True)
class SharedFlips(Exportable):
    """Edits of one or two words after which at least one model decides for another class.

    Kept are, for each model and each kind of edit, those of the fewest words that turn it, and those of the fewest
    words that turn every model; at most fifty of each. The ones that turn most models stand first.

    Attributes:
        models, architectures, fingerprints: Which networks these were; shape [model].
        labels: Their classes.
        text: What they read.
        words: The words that all models read as such; shape [word]. Only these were changed.
        left_out: Words of each model that are not among them; int array [model].
        logits: Verdicts over the whole text; shape [model, class].
        removals: How a word is taken away from each model: `mask`, `unk` or `drop`; shape [model].
        kinds: `delete` or `swap`, which also puts a "not" in or takes it out; shape [edit].
        described: What is done; shape [edit].
        places: The words changed, from 0, -1 for no second one; int array [edit, 2].
        edited: Verdicts over the edited texts; shape [model, edit, class].
        n_tried: Most words changed together in every choice, by kind; 0 where the budget did not allow one at a time.
        n_possible: Single edits of each kind that the text has.
        n_readings: Edited texts that each model read.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    text: str
    words: tuple[str, ...]
    left_out: np.ndarray
    logits: np.ndarray
    removals: tuple[str, ...]
    kinds: tuple[str, ...]
    described: tuple[str, ...]
    places: np.ndarray
    edited: np.ndarray
    n_tried: Mapping[str, int]
    n_possible: Mapping[str, int]
    n_readings: int

    def __post_init__(self) -> None:
        n_models, n_edits, n_classes = len(self.models), len(self.kinds), len(self.labels)
        check_array(self.logits, (n_models, n_classes), "logits")
        check_array(self.places, (n_edits, 2), "places")
        check_array(self.edited, (n_models, n_edits, n_classes), "edited")

    @property
    def sizes(self) -> np.ndarray:
        """Words changed by each edit, 1 or 2; int array [edit]."""
        found: np.ndarray = (self.places >= 0).sum(1)
        return found

    @property
    def new_labels(self) -> np.ndarray:
        """Class decided for after each edit; int array [model, edit]."""
        found: np.ndarray = self.edited.argmax(-1)
        return found

    @property
    def new_probs(self) -> np.ndarray:
        """Probability of that class, in [0, 1]; shape [model, edit]."""
        found: np.ndarray = softmax(self.edited).max(-1)
        return found

    @property
    def flips(self) -> np.ndarray:
        """Whether an edit turns a model; bool array [model, edit]."""
        found: np.ndarray = self.new_labels != self.logits.argmax(-1)[:, None]
        return found

    @property
    def flips_all(self) -> np.ndarray:
        """Whether an edit turns every model; bool array [edit]."""
        return np.asarray(self.flips.all(0))

    def smallest(self, model: int, kind: str) -> int:
        """Fewest words that turn a model by a kind of edit; 0 where none was found."""
        sizes = self.sizes[self.flips[model] & (np.array(self.kinds, dtype=object) == kind)]
        return int(sizes.min()) if len(sizes) else 0

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result; long words are cut."""
        return super().arrays() | {"words": cut_words(self.words), "described": cut_words(self.described)}

    def to_frame(self) -> Any:
        """One row for each edit: what is done, how many models it turns, and what each then decides."""
        import pandas as pd

        columns: dict[str, Any] = {
            "edit": self.described,
            "kind": self.kinds,
            "words_changed": self.sizes,
            "models_turned": self.flips.sum(0),
        }
        for at, name in enumerate(self.models):
            columns |= {
                f"{name}: decides": [self.labels[label] for label in self.new_labels[at]],
                f"{name}: probability": self.new_probs[at],
                f"{name}: turned": self.flips[at],
            }
        return pd.DataFrame(columns)
