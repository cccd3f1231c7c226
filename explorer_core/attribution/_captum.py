"""What captum needs from us: vectors it may mark, a network asked about words, samples drawn in several rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from explorer_core.attribution._scorer import Scorer
from explorer_core.seeding import seeded

N_ROUNDS = 5  # independent rounds of samples, whose spread is the standard error


@contextmanager
def own_vectors(scorer: Scorer, vectors: Tensor | None = None) -> Iterator[Tensor]:
    """A copy of the text's word vectors, shape [1, pos, width], or of others, in which captum may ask for gradients."""
    with torch.inference_mode(False), torch.enable_grad():
        yield (scorer.vectors if vectors is None else vectors).detach().clone().requires_grad_()


def words_there(scorer: Scorer) -> Tensor:
    """All words of the text there, shape [1, word]: what methods that take words away begin with."""
    return torch.ones(1, len(scorer.reading.words), device=scorer.vectors.device)


def without_words(scorer: Scorer, removal: str) -> float:
    """The logit with no word there."""
    return float(scorer.of_presence(torch.zeros_like(words_there(scorer)), removal)[0])


def in_rounds(draw: Callable[[int], np.ndarray], n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of several independent rounds of samples and its standard error, over the rounds, each of the shape drawn.

    Args:
        draw: Called with the samples of a round; draws from the global generators.
        n_samples: Of all rounds together; at least one a round is drawn.
        seed: Where the random numbers begin.
    """
    n_each = max(n_samples // N_ROUNDS, 1)
    with seeded(seed):
        rounds = np.stack([draw(n_each) for _ in range(N_ROUNDS)])
    return rounds.mean(0), rounds.std(0, ddof=1) / np.sqrt(N_ROUNDS)
