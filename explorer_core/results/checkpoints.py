"""One network at several moments of its training: what it made of a text, and of pairs that differ by a small edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, Exportable, check_array, softmax
from explorer_core.text import Reading


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a run after some step.

    Attributes:
        step: Steps of the optimiser done.
        epoch: Passes over the training rows done; with a fraction where a run was cancelled inside one.
        folder: Where it lies.
        problem: Why it cannot be read, as a sentence; empty where it can.
    """

    step: int
    epoch: float
    folder: Path
    problem: str = ""


@dataclass(frozen=True)
class CheckpointTrace(Exportable):
    """The same text read by a network as it was at several checkpoints, in the order of their steps.

    Attributes:
        model, architecture, labels: Which run this was.
        fingerprints: Of the weights of each checkpoint.
        reading: Words, tokens and the map between them.
        target: Class whose logit is differentiated.
        step, epoch: When each checkpoint was saved; int array and array [checkpoint].
        running_logits: Logits after each word; shape [checkpoint, word, class].
        grad_norm: L2 norm of the derivative of the target logit of the whole text by the vectors of each word's tokens;
            shape [checkpoint, word].
        state_names: What `state_mean` is about: the gates, `hidden` for a network without gates, nothing for a BERT.
        state_mean: Mean over the units after each word, of a gate's value, of the size of a candidate or of a hidden
            state; in [0, 1], shape [checkpoint, layer, direction, word, state].
        strength: L2 norm of the derivative of the target logit after word t by the vectors of word s, shape
            [checkpoint, word t, word s], zero above the diagonal; `None` where it was not asked for.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprints: tuple[str, ...]
    reading: Reading
    target: int
    step: np.ndarray
    epoch: np.ndarray
    running_logits: np.ndarray
    grad_norm: np.ndarray
    state_names: tuple[str, ...]
    state_mean: np.ndarray
    strength: np.ndarray | None = None

    def __post_init__(self) -> None:
        n_checkpoints, n_words = len(self.step), len(self.words)
        check_array(self.epoch, (n_checkpoints,), "epoch")
        check_array(self.running_logits, (n_checkpoints, n_words, len(self.labels)), "running_logits")
        check_array(self.grad_norm, (n_checkpoints, n_words), "grad_norm")
        front = self.state_mean.shape[1:3]
        check_array(self.state_mean, (n_checkpoints, *front, n_words, len(self.state_names)), "state_mean")
        if self.strength is not None:
            check_array(self.strength, (n_checkpoints, n_words, n_words), "strength")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were read; shape [word]."""
        return self.reading.words

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis; empty for a BERT."""
        return DIRECTIONS[: self.state_mean.shape[2]] if self.state_names else ()

    @property
    def running_probs(self) -> np.ndarray:
        """Softmax of `running_logits`; shape [checkpoint, word, class]."""
        return softmax(self.running_logits)

    @property
    def word_steps(self) -> np.ndarray:
        """By how much each word moved the target logit: after it minus before it, the first word counted from 0; shape
        [checkpoint, word].
        """
        logits = self.running_logits[..., self.target].astype(np.float64)
        return np.diff(logits, axis=1, prepend=0.0)

    def changes(self, index: int) -> np.ndarray:
        """How `word_steps` differ from those of the checkpoint before, signed, in logits; 0 for the first; [word]."""
        steps = self.word_steps
        return steps[index] - steps[index - 1] if index else np.zeros(len(self.words))

    def to_frame(self) -> Any:
        """One row for each checkpoint and word."""
        import pandas as pd

        checkpoint, word = (axis.ravel() for axis in np.indices(self.grad_norm.shape))
        columns: dict[str, Any] = {
            "step": self.step[checkpoint],
            "epoch": self.epoch[checkpoint],
            "word_index": word,
            "word": np.array(self.words, dtype=object)[word],
        }
        for index, label in enumerate(self.labels):
            columns[f"logit_{label}"] = self.running_logits[..., index].ravel()
            columns[f"prob_{label}"] = self.running_probs[..., index].ravel()
        columns |= {"word_step": self.word_steps.ravel(), "grad_norm": self.grad_norm.ravel()}
        for layer in range(self.state_mean.shape[1]):
            for direction, way in enumerate(self.directions):
                for index, name in enumerate(self.state_names):
                    key = f"mean_{name}_layer_{layer + 1}_{way}"
                    columns[key] = self.state_mean[:, layer, direction, :, index].ravel()
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class PairHistory(Exportable):
    """Share of minimal pairs judged right on both sides, by phenomenon, as it grew over the checkpoints of a run.

    Attributes:
        model, dataset: Which run, and which pairs.
        fingerprints: Of the weights of each checkpoint.
        step, epoch: When each checkpoint was saved; int array and array [checkpoint].
        names: Phenomena, those with most pairs first; the first entry is `all`.
        n_pairs: Pairs of each; int array [phenomenon].
        n_right: Pairs judged right on both sides; int array [checkpoint, phenomenon].
        low, high: Ends of the 95 % interval of Wilson 1927 around each share, in [0, 1]; same shape.
    """

    model: str
    dataset: str
    fingerprints: tuple[str, ...]
    step: np.ndarray
    epoch: np.ndarray
    names: tuple[str, ...]
    n_pairs: np.ndarray
    n_right: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.step), len(self.names))
        check_array(self.n_pairs, (len(self.names),), "n_pairs")
        for name in ("n_right", "low", "high"):
            check_array(getattr(self, name), shape, name)
        assert (self.n_right <= self.n_pairs).all(), "more pairs right than there are"

    @property
    def share(self) -> np.ndarray:
        """Share of pairs judged right on both sides, in [0, 1]; shape [checkpoint, phenomenon]."""
        return self.n_right / self.n_pairs

    def learned(self, name: str) -> int | None:
        """Index of the first checkpoint from which on the interval of a phenomenon stays above one half; `None` where
        it does not.
        """
        is_above = self.low[:, self.names.index(name)] > 0.5
        stays = np.logical_and.accumulate(is_above[::-1])[::-1]
        return int(stays.argmax()) if stays.any() else None

    def to_frame(self) -> Any:
        """One row for each checkpoint and phenomenon."""
        import pandas as pd

        checkpoint, phenomenon = (axis.ravel() for axis in np.indices(self.n_right.shape))
        return pd.DataFrame(
            {
                "step": self.step[checkpoint],
                "epoch": self.epoch[checkpoint],
                "phenomenon": np.array(self.names, dtype=object)[phenomenon],
                "n_pairs": self.n_pairs[phenomenon],
                "n_right": self.n_right.ravel(),
                "share": self.share.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
            }
        )
