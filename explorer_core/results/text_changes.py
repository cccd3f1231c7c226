"""One model over two texts that differ by an edit: what moved in its verdict, in its states and in its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, check_finite, cut_words, softmax
from explorer_core.results.attributions import WordAttribution
from explorer_core.results.traces import RecurrentTrace, TransformerTrace
from explorer_core.text import Reading


@dataclass(frozen=True)
class TextRead:
    """What one model makes of one text.

    Attributes:
        trace: Its states.
        attribution: Scores of the words.
        running_logits: Logits after each word, shape [word, class]; `None` where they were not asked for.
    """

    trace: RecurrentTrace | TransformerTrace
    attribution: WordAttribution
    running_logits: np.ndarray | None


@dataclass(frozen=True)
class TextChange(Exportable):
    """Two texts read by one model, on one axis of columns.

    A column is a word both texts have, a word of the first in the place of a word of the second, a word only the first
    has, or one only the second has. A number that is not there is NaN.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        reading: Words and tokens of the first text.
        other: Words and tokens of the second text.
        columns: Index of the word in the first and in the second text, -1 where it has none; int array [column, 2].
        target: Index of the class followed.
        logits: The verdict over each whole text; shape [2, class].
        running_logits: Logits of the target after each word, shape [2, column]; `None` where not asked for.
        running_probs: Its probability after each word, in [0, 1], shape [2, column]; `None` likewise.
        layers, directions: Names of the axes of states.
        state_distance: How far apart the hidden states after a word of both are: the L2 norm of their difference over
            the mean of their norms, from 0 to 2; shape [layer, direction, column].
        state_turn: One less the cosine of the angle between them, from 0 to 2; same shape. 0 where a state is zero.
        method, knobs, unit, signed: How the scores were found, as in `WordAttribution`; the same for both texts.
        scores: Shape [2, column].
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    other: Reading
    columns: np.ndarray
    target: int
    logits: np.ndarray
    running_logits: np.ndarray | None
    running_probs: np.ndarray | None
    layers: tuple[str, ...]
    directions: tuple[str, ...]
    state_distance: np.ndarray
    state_turn: np.ndarray
    method: str
    unit: str
    signed: bool
    scores: np.ndarray
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_columns = len(self.columns)
        check_array(self.columns, (n_columns, 2), "columns")
        check_array(self.logits, (2, len(self.labels)), "logits")
        there = self.columns.T >= 0
        for name in ("running_logits", "running_probs", "scores"):
            values = getattr(self, name)
            if values is not None:
                assert values.shape == there.shape, name
                check_finite(values[there], name)
        for name in ("state_distance", "state_turn"):
            values = getattr(self, name)
            assert values.shape == (len(self.layers), len(self.directions), n_columns), name
            check_finite(values[..., self.in_both], name)

    @property
    def in_both(self) -> np.ndarray:
        """Whether both texts have a word in a column; bool array [column]."""
        return np.asarray((self.columns >= 0).all(1))

    @property
    def is_kept(self) -> np.ndarray:
        """Whether both have the same word in a column; bool array [column]."""
        return np.array([
            bool(one >= 0 and two >= 0 and self.reading.words[one] == self.other.words[two])
            for one, two in self.columns.tolist()
        ])  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """What stands under each column: the word, `first → second`, `− word` or `+ word`; shape [column]."""
        found = []
        for one, two in self.columns.tolist():
            before = self.reading.words[one] if one >= 0 else ""
            after = self.other.words[two] if two >= 0 else ""
            if one < 0 or two < 0:
                found.append(f"+ {after}" if one < 0 else f"− {before}")
            else:
                found.append(before if before == after else f"{before} → {after}")
        return tuple(found)

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def probs(self) -> np.ndarray:
        """Softmax of `logits`; shape [2, class]."""
        return softmax(self.logits)

    @property
    def score_difference(self) -> np.ndarray:
        """Score in the second text less that in the first, NaN where only one has the word; shape [column]."""
        found: np.ndarray = self.scores[1] - self.scores[0]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """As of every result, with the second text as `other_text` and `other_words`; long words are cut."""
        found = super().arrays()
        found.pop("other", None)
        for name in ("tokens", "token_ids", "word_of_token"):
            del found[name]
        return found | {"other_text": np.array(self.other.text), "other_words": cut_words(self.other.words)}

    def to_frame(self) -> Any:
        """One row for each column: both words, scores and their difference, verdicts, and how far the states are apart
        in each layer and direction.
        """
        import pandas as pd

        def word(of: Reading, at: int) -> str:
            return of.words[at] if at >= 0 else ""

        columns: dict[str, Any] = {
            "first": [word(self.reading, at) for at in self.columns[:, 0].tolist()],
            "second": [word(self.other, at) for at in self.columns[:, 1].tolist()],
            "score_first": self.scores[0],
            "score_second": self.scores[1],
            "score_difference": self.score_difference,
        }
        if self.running_probs is not None:
            columns |= {"prob_first": self.running_probs[0], "prob_second": self.running_probs[1]}
        for at, layer in enumerate(self.layers):
            for way, direction in enumerate(self.directions):
                name = f"{layer} {direction}".strip().replace(" ", "_")
                columns[f"distance_{name}"] = self.state_distance[at, way]
                columns[f"turn_{name}"] = self.state_turn[at, way]
        return pd.DataFrame(columns)
