"""Attention rollout: attention followed from [CLS] down through all layers to the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer_core.attribution._scorer import Scorer, Scores
from explorer_core.params import Knob
from explorer_core.tracing import attention, transformer

ABOUT = {
    "label": "Attention rollout",
    "sentence": "The share of [CLS]'s attention that reaches the word through all layers: where it looks, not why.",
    "source": "Abnar and Zuidema 2020, Quantifying attention flow in transformers",
    "needs": "transformer",
    "signed": False,
    "complete": False,
    "unit": "share of attention",
    "gradients": False,
    "price": "one pass",
    "order": 100,
}
KNOBS: tuple[Knob, ...] = ()


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Row of [CLS] of the rollout over words; the rest of it, up to 1, lies on special tokens."""
    traced = transformer.trace(scorer.model, scorer.reading, running=False, progress=None)
    summary = attention.summarise(traced)
    shares = summary.reading_of_text
    return Scores(words=shares[summary.word_of_entry >= 0].astype(float))
