"""What the measurements of an attribution share: the case, and copies of its network with shuffled weights."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from explorer_core.attribution import _explaining
from explorer_core.attribution._scorer import Scorer
from explorer_core.loaded import LoadedModel
from explorer_core.numerals import number
from explorer_core.progress import Progress
from explorer_core.results import ModelCard, WordAttribution
from explorer_core.tracing._arrays import to_numpy

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)  # of the words, taken away or kept


@dataclasses.dataclass
class Case:
    """What a line is measured on; `progress` is told the share of the line that is done, `card` is the one that the
    network's training wrote.
    """

    model: LoadedModel
    attribution: WordAttribution
    scorer: Scorer
    removal: str
    seed: int
    progress: Progress | None = None
    card: ModelCard | None = None

    @property
    def strength(self) -> np.ndarray:
        """How much each word speaks for the target, shape [word]; the size where a method has no sign."""
        return self.attribution.scores

    @functools.cached_property
    def effects(self) -> np.ndarray:
        """What the target's logit loses when each word is taken away, shape [word]."""
        return effects(self.scorer, self.removal)

    @property
    def has_effects(self) -> bool:
        """Whether `effects` have been measured."""
        return "effects" in vars(self)

    def tell(self, share: float) -> None:
        """Say how much of a line is done; may raise `CancelledError`."""
        if self.progress is not None:
            self.progress(min(share, 1.0))

    def again(self, model: LoadedModel, method: str = "", **more: Any) -> WordAttribution:
        """An attribution of the same text and class, by the same or another method."""
        knobs = dict(self.attribution.knobs) if not method else {}
        method = method or self.attribution.method
        text = self.attribution.reading.text
        return _explaining.explain(model, text, method, self.attribution.target, knobs | more)

    def probs(self, there: np.ndarray) -> np.ndarray:
        """Probability of the target, shape [n], with only some words there, bool array [n, word]."""
        given = torch.from_numpy(there).to(self.scorer.vectors.device)
        logits = to_numpy(self.scorer.all_of_presence(given, self.removal)).astype(float)
        target = self.attribution.target
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        return shifted[:, target] / shifted.sum(1)


def counts_of(n_words: int) -> list[int]:
    """How many words are taken away, or kept, for each of `SHARES`."""
    return sorted({max(1, round(share * n_words)) for share in SHARES})


def moved(drop: float) -> str:
    """A drop of a probability, in words."""
    return f"falls by {number(drop)}" if drop >= 0 else f"rises by {number(-drop)}"


def effects(scorer: Scorer, removal: str) -> np.ndarray:
    """What the target's logit loses when each word is taken away, shape [word]."""
    n_words = len(scorer.reading.words)
    there = torch.ones(n_words + 1, n_words, device=scorer.vectors.device)
    there[1:].fill_diagonal_(0)
    logits = to_numpy(scorer.of_presence(there, removal)).astype(float)
    return np.asarray(logits[0] - logits[1:])


def shuffled(model: LoadedModel, n_copies: int, seed: int) -> Iterator[LoadedModel]:
    """Copies of a network whose weights, all but the word vectors, are shuffled inside each tensor."""
    table = model.module.get_input_embeddings().weight
    for turn in range(n_copies):
        module = copy.deepcopy(model.module, {id(table): table})
        generator = torch.Generator().manual_seed((seed * 1_000_003 + turn) % 2**63)
        with torch.no_grad():
            for weight in module.parameters():
                if weight is not table:
                    order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
                    weight.copy_(weight.flatten()[order].view_as(weight))
        yield dataclasses.replace(model, module=module, fingerprint=f"{model.fingerprint}-{turn}")
