"""How far back learning reaches: gradients through time, Jacobians of the state, and which word each verdict rests on.

A gradient says how the number would move if a state were nudged. It does not say what the network remembers: a state
can hold a word that the verdict does not depend on at this point, and the reverse (Zucchet and Orvieto 2024, Recurrent
neural networks: vanishing and exploding gradients are not the end of the story).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, Exportable, check_array, check_finite
from explorer_core.results.traces import Trace
from explorer_core.text import Reading


def norm_of(values: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """L2 norm, summed up in double precision: the square of a small float32 is no float32."""
    return np.sqrt(np.square(values, dtype=np.float64).sum(axis))


@dataclass(frozen=True)
class GradientTrace(Trace):
    """Total derivative of one number with respect to everything a network computed while it read a text.

    "Total" means through every path: with respect to h_t through all later steps of its layer, through the layers
    above and through the pooling; with respect to c_t through h_t of the same step and through c_(t+1).

    Attributes:
        of: `logit`, or `loss`: cross entropy in nats.
        target: Index of the class whose logit, or whose loss as the right label, is differentiated.
        value: That logit or loss.
        grad_hidden: Recurrent network: shape [layer, direction, pos, unit], backward entries aligned to the word they
            read. BERT: shape [layer + 1, pos, unit]; entry 0 is the embedding layer's output, entry k that of layer k.
        grad_cell: With respect to c_t before its tanh, shape as `grad_hidden`; `None` for networks without a cell.
        grad_gates: With respect to the gates after their non-linearity, shape [layer, direction, pos, gate, unit];
            the gate axis is `gate_names` (empty for the vanilla RNN); `None` for a BERT.
        grad_embedding: With respect to the word vectors (for a BERT before positions are added), shape [pos, width].
        gate_names: LSTM: input, forget, candidate, output; GRU: reset, update, candidate.
    """

    of: str
    target: int
    value: float
    grad_hidden: np.ndarray
    grad_cell: np.ndarray | None
    grad_gates: np.ndarray | None
    grad_embedding: np.ndarray
    gate_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        n_pos, (*front, _, n_units) = len(self.tokens), self.grad_hidden.shape
        check_array(self.grad_hidden, (*front, n_pos, n_units), "grad_hidden")
        check_array(self.grad_embedding, (n_pos, self.grad_embedding.shape[-1]), "grad_embedding")
        if self.grad_cell is not None:
            check_array(self.grad_cell, self.grad_hidden.shape, "grad_cell")
        if self.grad_gates is not None:
            check_array(self.grad_gates, (*front, n_pos, len(self.gate_names), n_units), "grad_gates")
        check_finite(np.asarray(self.value), self.of)

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def is_recurrent(self) -> bool:
        """Whether the states have a direction, as those of a recurrent network do."""
        return self.grad_gates is not None

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis; empty for a BERT."""
        return DIRECTIONS[: self.grad_hidden.shape[1]] if self.is_recurrent else ()

    @property
    def hidden_norm(self) -> np.ndarray:
        """L2 norm of `grad_hidden` over units; shape [layer, direction, pos], of a BERT [layer + 1, pos]."""
        return norm_of(self.grad_hidden)

    @property
    def cell_norm(self) -> np.ndarray | None:
        """L2 norm of `grad_cell` over units; shape [layer, direction, pos]."""
        return None if self.grad_cell is None else norm_of(self.grad_cell)

    @property
    def gate_norm(self) -> np.ndarray | None:
        """L2 norm of `grad_gates` over units; shape [layer, direction, pos, gate]."""
        return None if self.grad_gates is None else norm_of(self.grad_gates)

    @property
    def embedding_norm(self) -> np.ndarray:
        """L2 norm of `grad_embedding`; shape [pos]."""
        return norm_of(self.grad_embedding)

    @property
    def embedding_norm_by_word(self) -> np.ndarray:
        """L2 norm with respect to all word vectors of a word's tokens together; shape [word]."""
        return by_word(self.embedding_norm, self.reading)

    @property
    def floor(self) -> float:
        """Smallest number the gradients can hold to full precision; what is below has lost digits, or is zero."""
        return float(np.finfo(self.grad_hidden.dtype).tiny)

    def pos_of_words(self, direction: int = 0) -> np.ndarray:
        """Position at which a direction has just read each word, int array [word]: its last token, or its first for
        the backward direction.
        """
        return self.reading.last_token_of_word if direction == 0 else self.reading.first_token_of_word

    def quantities(self) -> dict[str, np.ndarray]:
        """Every gradient by what it is with respect to, each of the shape of `grad_hidden`: hidden, cell, gates."""
        found = {"hidden": self.grad_hidden}
        if self.grad_cell is not None:
            found["cell"] = self.grad_cell
        if self.grad_gates is not None:
            found |= {name: self.grad_gates[..., index, :] for index, name in enumerate(self.gate_names)}
        return found

    def to_frame(self) -> Any:
        """One row for each layer, direction, position and unit, with a column for every gradient."""
        import pandas as pd

        *front, pos, unit = (axis.ravel() for axis in np.indices(self.grad_hidden.shape))
        columns: dict[str, Any] = {"layer": front[0]}
        if self.is_recurrent:
            columns["direction"] = np.array(self.directions)[front[1]]
        words = np.array([*self.words, ""], dtype=object)[self.word_of_token[pos]]
        columns |= {"pos": pos, "token": np.array(self.tokens, dtype=object)[pos], "word": words, "unit": unit}
        return pd.DataFrame(columns | {f"grad_{name}": each.ravel() for name, each in self.quantities().items()})


@dataclass(frozen=True)
class JacobianTrace(Trace):
    """How the last state of one layer and direction depends on every earlier one, through its own recurrence only.

    T is the last position the direction reads: the last one forward, the first one backward. Paths through other
    layers, through the other direction and through the pooling are left out of the Jacobians; `grad_norm` alone is
    the total derivative of the target logit, through all of them.

    Attributes:
        layer, direction: Which was asked for; `layer` counts from 0.
        norm: `spectral` (largest singular value) or `frobenius`.
        target: Class whose logit `grad_norm` is about.
        hidden_norm: Norm of d h_T / d h_t, shape [pos]. For an LSTM h_t is nudged alone and c_t left as it is.
        cell_norm: Norm of d h_T / d c_t, through h_t of the same step too, shape [pos]; `None` without a cell.
        grad_norm: L2 norm of the total derivative of the target logit by c_t (without a cell: by h_t), shape [pos].
        kept_mean, kept_max: The promise: product of the forget gates (GRU: update gates) of all steps after t, mean
            over units and largest, in [0, 1], shape [pos]; what d c_T / d c_t would be if the gates did not depend on
            the state. `None` for an RNN.
        spectral_radius: Largest absolute eigenvalue of the Jacobian of one step, d s_t / d s_(t-1), shape [pos], with
            s = (h, c) for an LSTM and h otherwise. Below 1 everywhere does not promise that the product shrinks: the
            steps differ and are not normal. `None` when it was not asked for.
        singular_values: Singular values of that Jacobian, descending, shape [pos, n] with n = 2 * unit for an LSTM
            and n = unit otherwise. `None` when they were not asked for.
        untrained_seed: Seed of the fresh weights, of a network as it was before training (`api.untrained_twin`); name
            and fingerprint are then those of the trained one. `None` for the network itself.
    """

    layer: int
    direction: int
    norm: str
    target: int
    hidden_norm: np.ndarray
    cell_norm: np.ndarray | None
    grad_norm: np.ndarray
    kept_mean: np.ndarray | None
    kept_max: np.ndarray | None
    spectral_radius: np.ndarray | None
    singular_values: np.ndarray | None
    untrained_seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("hidden_norm", "cell_norm", "grad_norm", "kept_mean", "kept_max", "spectral_radius"):
            values = getattr(self, name)
            if values is not None:
                check_array(values, (len(self.tokens),), name)
        if self.singular_values is not None:
            check_array(self.singular_values, (len(self.tokens), self.singular_values.shape[-1]), "singular_values")

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def end(self) -> int:
        """T, the last position this direction reads."""
        return 0 if self.direction else len(self.tokens) - 1

    @property
    def floor(self) -> float:
        """Smallest number `grad_norm` can hold to full precision, in float32; what is below has lost digits, or is
        zero. The norms of the Jacobians are exact far below it.
        """
        return float(np.finfo(np.float32).tiny)

    @property
    def pos_of_words(self) -> np.ndarray:
        """Position at which this direction has just read each word; int array [word]."""
        return self.reading.first_token_of_word if self.direction else self.reading.last_token_of_word

    @property
    def half_distance(self) -> dict[str, int | None]:
        """Words back from the last one read at which a norm first lies below half of its value there, for
        `hidden_norm`, `cell_norm`, `grad_norm`, `kept_mean` and `kept_max`; `None` where it never does.
        """
        names = ("hidden_norm", "cell_norm", "grad_norm", "kept_mean", "kept_max")
        return {name: self._half_distance(getattr(self, name)) for name in names if getattr(self, name) is not None}

    def _half_distance(self, values: np.ndarray) -> int | None:
        back = values[self.pos_of_words][:: 1 if self.direction else -1]  # from the last word read
        below = np.flatnonzero(back < values[self.end] / 2)
        return int(below[0]) if len(below) else None

    def quantities(self) -> dict[str, np.ndarray]:
        """Every line over positions by name, each of shape [pos]."""
        found = {
            "hidden_norm": self.hidden_norm,
            "cell_norm": self.cell_norm,
            "grad_norm": self.grad_norm,
            "kept_mean": self.kept_mean,
            "kept_max": self.kept_max,
            "spectral_radius": self.spectral_radius,
        }
        if self.singular_values is not None:
            found |= {"largest_singular": self.singular_values[:, 0], "smallest_singular": self.singular_values[:, -1]}
        return {name: values for name, values in found.items() if values is not None}

    def to_frame(self) -> Any:
        """One row for each position, with a column for every norm."""
        import pandas as pd

        pos = np.arange(len(self.tokens))
        words = np.array([*self.words, ""], dtype=object)[self.word_of_token]
        return pd.DataFrame(
            {"pos": pos, "token": np.array(self.tokens, dtype=object), "word": words} | self.quantities()
        )


@dataclass(frozen=True)
class Connectivity(Exportable):
    """Which words each verdict along the way rests on: the gradient of every prefix's logit by each of its words.

    Attributes:
        target: Class whose logit is differentiated.
        strength: L2 norm of the derivative of the target logit after word t by the word vectors of word s, all tokens
            of the word together; shape [word t, word s], zero above the diagonal, in logit per unit of word vector.
        model, architecture, labels, fingerprint: Which network this was.
        reading: Words, tokens and the map between them.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    target: int
    strength: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.strength, (len(self.words), len(self.words)), "connectivity")
        assert not np.triu(self.strength, 1).any(), "a verdict rests on a word after it"

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    def to_frame(self) -> Any:
        """One row for each prefix and each word in it: where the text stopped, the word, and the strength."""
        import pandas as pd

        stop, word = np.tril_indices(len(self.words))
        names = np.array(self.words, dtype=object)
        return pd.DataFrame(
            {
                "stop": stop,
                "stop_word": names[stop],
                "pos_word": word,
                "word": names[word],
                "strength": self.strength[stop, word],
            }
        )


def by_word(norms: np.ndarray, reading: Reading) -> np.ndarray:
    """L2 norm over the tokens of each word, from norms by token [..., pos]; shape [..., word]."""
    total = np.zeros((*norms.shape[:-1], len(reading.words)))
    is_word = reading.word_of_token >= 0
    for pos in np.flatnonzero(is_word):
        total[..., reading.word_of_token[pos]] += np.square(norms[..., pos])
    return np.sqrt(total)
