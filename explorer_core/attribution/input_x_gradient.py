"""Gradient times input: what the logit would lose, to first order, if a word's vector went to zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captum.attr import InputXGradient

from explorer_core.attribution._batch import Batch, BatchScores
from explorer_core.attribution._captum import own_vectors
from explorer_core.attribution._scorer import Scorer, Scores
from explorer_core.params import Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Input × gradient",
    "sentence": "What the logit would lose, by its slope here, if the word's vector went to zero.",
    "source": "Shrikumar, Greenside and Kundaje 2017, Learning important features through propagating activation "
    "differences",
    "signed": True,
    "complete": False,
    "unit": "logit",
    "gradients": True,
    "price": "one pass and its gradient",
    "order": 40,
}
KNOBS: tuple[Knob, ...] = ()


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """The word vector times the derivative of the logit by it."""
    with own_vectors(scorer) as vectors:
        found = InputXGradient(scorer.of_vectors).attribute(vectors)
    return Scores(tokens=to_numpy(found.detach()[0]).sum(-1, dtype=float), baseline="zero, to first order")


def explain_batch(batch: Batch) -> BatchScores:
    """As `explain`, of many texts at once."""
    logits = batch.read()
    targets = batch.targets(logits)
    with torch.inference_mode(False), torch.enable_grad():
        vectors = batch.vectors.detach().clone().requires_grad_()
        classes = torch.from_numpy(targets).to(vectors.device)
        found = InputXGradient(batch.logits_of).attribute(vectors, target=classes)
    scores = to_numpy(found.detach()).sum(-1, dtype=float)  # [text, pos]
    tokens = tuple(row[:length] for row, length in zip(scores, batch.lengths, strict=True))
    return BatchScores(tokens, logits, baseline="zero, to first order")
