"""What a network computed while it read one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, Exportable, check_array, softmax
from explorer_core.text import Reading


@dataclass(frozen=True)
class Trace(Exportable):
    """What every trace has: the reading, the final verdict and the verdict after every position or word.

    Attributes:
        reading: Words, tokens and the map between them.
        logits: The model's verdict over the whole text; shape [class].
        model, architecture, labels, fingerprint: Which network this was.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    logits: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.logits, (len(self.labels),), "logits")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def tokens(self) -> tuple[str, ...]:
        """Display string of each token; shape [pos]."""
        return self.reading.tokens

    @property
    def word_of_token(self) -> np.ndarray:
        """Index of each token's word, -1 for special tokens; int array [pos]."""
        return self.reading.word_of_token

    @property
    def probs(self) -> np.ndarray:
        """Softmax of `logits`; shape [class]."""
        return softmax(self.logits)


@dataclass(frozen=True)
class RecurrentTrace(Trace):
    """States, cell and gates of a recurrent network after every position.

    Attributes:
        hidden: h_t, shape [layer, direction, pos, unit]. Backward entries are aligned to the word they read.
        cell: c_t before its tanh, same shape; `None` for networks without a cell (RNN, GRU).
        gates: Gates after their non-linearity, shape [layer, direction, pos, gate, unit]; the gate axis is
            `gate_names` (empty for the vanilla RNN).
        gate_names: LSTM: input, forget, candidate, output; GRU: reset, update, candidate.
        running_logits: The model's own verdict if the text stopped at that position (closed by the same special
            tokens as the whole text), shape [pos, class]; `None` when it was not asked for. The last row equals
            `logits`.
        pooling: `last`, `mean` or `max`.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    gates: np.ndarray
    gate_names: tuple[str, ...]
    running_logits: np.ndarray | None
    pooling: str

    def __post_init__(self) -> None:
        super().__post_init__()
        n_layers, n_directions, _, n_units = self.hidden.shape
        n_pos = len(self.tokens)
        check_array(self.hidden, (n_layers, n_directions, n_pos, n_units), "hidden")
        check_array(self.gates, (n_layers, n_directions, n_pos, len(self.gate_names), n_units), "gates")
        if self.cell is not None:
            check_array(self.cell, self.hidden.shape, "cell")
        if self.running_logits is not None:
            check_array(self.running_logits, (n_pos, len(self.labels)), "running_logits")

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis."""
        return DIRECTIONS[: self.hidden.shape[1]]

    @property
    def running_logits_by_word(self) -> np.ndarray | None:
        """Running verdict after the last token of each word; shape [word, class]."""
        return None if self.running_logits is None else self.running_logits[self.reading.last_token_of_word]

    def pos_of_words(self, direction: int = 0) -> np.ndarray:
        """Position at which a direction has just read each word, int array [word]: its last token, or its first for
        the backward direction.
        """
        return self.reading.last_token_of_word if direction == 0 else self.reading.first_token_of_word

    def quantities(self) -> dict[str, np.ndarray]:
        """Every state and gate by name, each of shape [layer, direction, pos, unit]: hidden, cell, then the gates."""
        found = {"hidden": self.hidden}
        if self.cell is not None:
            found["cell"] = self.cell
        return found | {name: self.gates[:, :, :, index] for index, name in enumerate(self.gate_names)}

    def to_frame(self) -> Any:
        """One row for each layer, direction, position and unit, with a column for every quantity."""
        import pandas as pd

        layer, direction, pos, unit = (axis.ravel() for axis in np.indices(self.hidden.shape))
        word = self.word_of_token[pos]
        names = np.array([*self.words, ""], dtype=object)
        frame = pd.DataFrame(
            {
                "layer": layer,
                "direction": np.array(self.directions)[direction],
                "pos": pos,
                "token": np.array(self.tokens, dtype=object)[pos],
                "word": names[word],
                "unit": unit,
            }
        )
        return frame.assign(**{name: values.ravel() for name, values in self.quantities().items()})


@dataclass(frozen=True)
class TransformerTrace(Trace):
    """Hidden states and attention of a BERT-family network.

    Attributes:
        hidden: Shape [layer + 1, pos, unit]; entry 0 is the embedding, entry k the output of layer k.
        attn_pattern: After the softmax, shape [layer, head, query_pos, key_pos]; rows sum to 1. What a head looks
            at is not what the verdict rests on.
        running_logits: Verdict over the first k + 1 words, each prefix read anew with its special tokens; shape
            [word, class]; `None` when it was not asked for. The last row equals `logits`.
    """

    hidden: np.ndarray
    attn_pattern: np.ndarray
    running_logits: np.ndarray | None

    def __post_init__(self) -> None:
        super().__post_init__()
        n_pos = len(self.tokens)
        check_array(self.hidden, (self.hidden.shape[0], n_pos, self.hidden.shape[2]), "hidden")
        n_layers, n_heads = self.attn_pattern.shape[:2]
        check_array(self.attn_pattern, (n_layers, n_heads, n_pos, n_pos), "attn_pattern")
        if self.running_logits is not None:
            check_array(self.running_logits, (len(self.words), len(self.labels)), "running_logits")

    @property
    def running_logits_by_word(self) -> np.ndarray | None:
        """Running verdict after each word; shape [word, class]."""
        return self.running_logits

    def to_frame(self) -> Any:
        """One row for each layer, position and unit."""
        import pandas as pd

        layer, pos, unit = (axis.ravel() for axis in np.indices(self.hidden.shape))
        tokens = np.array(self.tokens, dtype=object)[pos]
        return pd.DataFrame({"layer": layer, "pos": pos, "token": tokens, "unit": unit, "hidden": self.hidden.ravel()})
