"""What leaves the core: frozen dataclasses of NumPy arrays, checked when they are born.

Axes are always in this order: `[text, layer, direction, word | pos, gate, unit]` for recurrent networks and
`[layer, head, query_pos, key_pos]` for attention. No torch here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.text import Reading

DIRECTIONS = ("forward", "backward")


class Exportable:
    """A result that can be taken away as a table (`to_frame`) or as arrays (`save`)."""

    def to_frame(self) -> Any:
        """The result as a pandas table, one row for each smallest thing; subclasses say which."""
        raise NotImplementedError  # pragma: no cover

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array of the result by name, and its plain values as zero-dimensional arrays."""
        found: dict[str, np.ndarray] = {}
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if isinstance(value, Reading):
                found |= {
                    "text": np.array(value.text),
                    "words": np.array(value.words),
                    "tokens": np.array(value.tokens),
                    "token_ids": value.token_ids,
                    "word_of_token": value.word_of_token,
                }
            elif isinstance(value, Mapping):
                found[item.name] = np.array(json.dumps(dict(value)))
            elif value is not None:
                found[item.name] = np.asarray(value)
        return found

    def save(self, path: str | Path) -> Path:
        """Write the result: `.npz` holds every array, `.csv` holds `to_frame()`.

        Raises:
            InvalidInputError: If the file name ends in anything else.
        """
        path = Path(path)
        if path.suffix == ".npz":
            np.savez_compressed(path, **self.arrays())  # type: ignore[arg-type]
        elif path.suffix == ".csv":
            self.to_frame().to_csv(path, index=False)
        else:
            raise InvalidInputError(f"Results are saved as .npz or .csv, not {path.suffix or 'without an ending'}.")
        return path


@dataclass(frozen=True)
class ModelCard(Exportable):
    """One model in the store: what it is, what it learned from and how well it did.

    `metrics` holds shares in [0, 1] (`accuracy`, `macro_f1`) and `loss_nats` on the validation rows; `status` is a
    run state (`queued`, `running`, `cancelled`, `failed`, `lost`, `done`); `created` is ISO 8601, UTC.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    n_params: int
    trained_on: str
    metrics: Mapping[str, float]
    status: str
    created: str = ""
    size_mib: float = 0.0
    fingerprint: str = ""
    is_starter: bool = False
    notes: tuple[str, ...] = ()

    def to_frame(self) -> Any:
        """One row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])


@dataclass(frozen=True)
class Predictions(Exportable):
    """Verdicts of one model over texts.

    `logits`, `probs`: shape [text, class]; rows of `probs` sum to 1. `n_truncated` and `n_unknown` count, for each
    text, the words the model did not read and the words unknown to it.
    """

    model: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    logits: np.ndarray
    probs: np.ndarray
    n_truncated: np.ndarray
    n_unknown: np.ndarray

    def __post_init__(self) -> None:
        _check(self.logits, (len(self.texts), len(self.labels)), "logits")
        _check(self.probs, (len(self.texts), len(self.labels)), "probs")

    @property
    def predicted(self) -> tuple[str, ...]:
        """Label with the highest logit, one for each text."""
        return tuple(self.labels[index] for index in self.logits.argmax(1))

    def to_frame(self) -> Any:
        """One row for each text: text, predicted label and the probability of every label."""
        import pandas as pd

        frame = pd.DataFrame({"text": self.texts, "predicted": self.predicted})
        for index, label in enumerate(self.labels):
            frame[f"prob_{label}"] = self.probs[:, index]
        return frame.assign(n_truncated=self.n_truncated, n_unknown=self.n_unknown)


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
        _check(self.logits, (len(self.labels),), "logits")

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
        _check(self.hidden, (n_layers, n_directions, n_pos, n_units), "hidden")
        _check(self.gates, (n_layers, n_directions, n_pos, len(self.gate_names), n_units), "gates")
        if self.cell is not None:
            _check(self.cell, self.hidden.shape, "cell")
        if self.running_logits is not None:
            _check(self.running_logits, (n_pos, len(self.labels)), "running_logits")

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
        names = np.array([*self.words, ""])
        frame = pd.DataFrame(
            {
                "layer": layer,
                "direction": np.array(self.directions)[direction],
                "pos": pos,
                "token": np.array(self.tokens)[pos],
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
        _check(self.hidden, (self.hidden.shape[0], n_pos, self.hidden.shape[2]), "hidden")
        n_layers, n_heads = self.attn_pattern.shape[:2]
        _check(self.attn_pattern, (n_layers, n_heads, n_pos, n_pos), "attn_pattern")
        if self.running_logits is not None:
            _check(self.running_logits, (len(self.words), len(self.labels)), "running_logits")

    @property
    def running_logits_by_word(self) -> np.ndarray | None:
        """Running verdict after each word; shape [word, class]."""
        return self.running_logits

    def to_frame(self) -> Any:
        """One row for each layer, position and unit."""
        import pandas as pd

        layer, pos, unit = (axis.ravel() for axis in np.indices(self.hidden.shape))
        tokens = np.array(self.tokens)[pos]
        return pd.DataFrame({"layer": layer, "pos": pos, "token": tokens, "unit": unit, "hidden": self.hidden.ravel()})


@dataclass(frozen=True)
class Evaluation(Exportable):
    """How well one model does on labelled texts.

    Attributes:
        accuracy, macro_f1: Shares in [0, 1].
        ece: Expected calibration error over ten equal-width bins of confidence, in [0, 1] (Guo et al. 2017).
        confusion: Counts, shape [true class, predicted class].
        predictions: The verdicts behind it.
        true: Class index of each text; shape [text].
        groups: Accuracy by any grouping of the rows, such as `phenomenon`; share in [0, 1] by name, by group.
        pairs_right: Share of minimal pairs judged right on both sides, over all and by phenomenon; empty without
            pairs.
    """

    model: str
    dataset: str
    labels: tuple[str, ...]
    accuracy: float
    macro_f1: float
    ece: float
    confusion: np.ndarray
    predictions: Predictions
    true: np.ndarray
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pairs_right: Mapping[str, float] = field(default_factory=dict)
    unit: ClassVar[str] = "share"

    def __post_init__(self) -> None:
        _check(self.confusion, (len(self.labels), len(self.labels)), "confusion")

    def arrays(self) -> dict[str, np.ndarray]:
        """Metrics, confusion, true classes, logits and texts."""
        own = {name: np.asarray(getattr(self, name)) for name in ("accuracy", "macro_f1", "ece", "confusion", "true")}
        return own | {"logits": self.predictions.logits, "texts": np.array(self.predictions.texts)}

    def to_frame(self) -> Any:
        """One row for each text: text, true and predicted label, probabilities."""
        return self.predictions.to_frame().assign(true=[self.labels[index] for index in self.true])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _check(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """A result with the wrong shape, or with numbers that are none, is never handed out."""
    if array.shape != shape:
        raise AssertionError(f"{name} has shape {array.shape}, expected {shape}")
    check_finite(array, name)


def check_finite(array: np.ndarray, name: str) -> None:
    """Refuse numbers that are none, in words a person can act on.

    Raises:
        InvalidInputError: If any entry is infinite or NaN.
    """
    if not np.isfinite(array).all():
        raise InvalidInputError(
            f"The model gives numbers that are not finite ({name}). Its weights are probably broken (NaN); "
            "train it again with a smaller learning rate, or load another checkpoint."
        )
