"""Some texts of like length that are explained together."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer_core.attribution import _scorer
from explorer_core.loaded import LoadedModel
from explorer_core.text import Reading
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._broken import refuse_broken


@dataclass(frozen=True)
class BatchScores:
    """What a method found in a batch.

    Attributes:
        tokens: Of every text the score of each token, float array [pos].
        logits: Verdicts over the texts, shape [text, class].
        baseline: As in `Scores`.
        baseline_values: Logit of the baseline of each text, shape [text].
    """

    tokens: tuple[np.ndarray, ...]
    logits: np.ndarray
    baseline: str = ""
    baseline_values: np.ndarray | None = None


class Batch:
    """Texts of one network, padded on the right where a method asks for their word vectors.

    Args:
        model: The network.
        readings: The texts.
        target: Index of the class explained; `None` for the predicted one of each text.
    """

    def __init__(self, model: LoadedModel, readings: Sequence[Reading], target: int | None) -> None:
        self.model, self.readings, self.target = model, readings, target
        self.lengths = np.array([len(reading.token_ids) for reading in readings])

    def targets(self, logits: np.ndarray) -> np.ndarray:
        """Class explained in each text; int array [text]."""
        return logits.argmax(1) if self.target is None else np.full(len(logits), self.target)

    @functools.cached_property
    def mask(self) -> Tensor:
        """1 where a text has a token, int tensor [text, pos]."""
        is_there = np.arange(self.lengths.max()) < self.lengths[:, None]
        with torch.inference_mode(False):  # autograd may meet it
            return torch.from_numpy(is_there.astype(np.int64)).to(self.model.device)

    @functools.cached_property
    def vectors(self) -> Tensor:
        """Word vectors, shape [text, pos, width]."""
        ids = np.full(tuple(self.mask.shape), self.model.module.config.pad_token_id or 0, dtype=np.int64)
        for row, reading in enumerate(self.readings):
            ids[row, : self.lengths[row]] = reading.token_ids
        with torch.inference_mode():
            found = self.model.module.get_input_embeddings()(torch.from_numpy(ids).to(self.model.device))
        return found.clone()

    def logits_of(self, vectors: Tensor) -> Tensor:
        """Logits, shape [text, class], of other word vectors of the texts; differentiable."""
        return _scorer.read_vectors(self.model, vectors, self.mask)

    def read(self) -> np.ndarray:
        """Logits of the texts themselves.

        Raises:
            InvalidInputError: If the network gives numbers that are not finite.
        """
        with torch.inference_mode():
            found = to_numpy(self.logits_of(self.vectors))
        refuse_broken(self.model, found)
        return found
