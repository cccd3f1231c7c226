"""A fresh network for training, the same for the same spec, labels and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification

from explorer_core import registry, settings
from explorer_core.architectures import _pretrained, _vocabulary
from explorer_core.architectures._quietly import quietly
from explorer_core.errors import InvalidInputError
from explorer_core.seeding import seeded
from explorer_core.training.spec import TrainingSpec

VECTOR_STD = 0.5
"""Spread the pretrained word vectors are brought to, all by one factor: as they come (0.06) a recurrent kernel, whose
weights start near one, hardly feels them and learns slowly."""


def build(spec: TrainingSpec, labels: tuple[str, ...], texts: Sequence[str]) -> tuple[Any, Any]:
    """A network of the spec's family with one output for each label, and its tokenizer.

    Args:
        spec: Family, sizes, vocabulary, embeddings and seed.
        labels: Names of the classes, in the order of the logits.
        texts: Training texts; a vocabulary is learned from them where the spec, or missing pretrained weights, ask
            for it. Give training rows only, or the vocabulary has seen the exam.

    Returns:
        The module (on the CPU, in float32) and a fast tokenizer. Weights depend on `spec.seed` alone; the global
        random generator is left as it was.

    Raises:
        InvalidInputError: If there are fewer than 2 or more than 20 labels, or the parts of the spec do not fit.
    """
    if not 2 <= len(labels) <= settings.MAX_LABELS or len(set(labels)) != len(labels):
        raise InvalidInputError(
            f"A classifier has 2 to {settings.MAX_LABELS} different labels; the data has {len(set(labels)):,}."
        )
    family = registry.load("architectures", spec.family)
    with seeded(spec.seed):
        return getattr(family, "build", _build_recurrent)(spec, labels, texts)


def _build_recurrent(spec: TrainingSpec, labels: tuple[str, ...], texts: Sequence[str]) -> tuple[Any, Any]:
    """A recurrent classifier, with word vectors of the pretrained model where the spec asks and they are there."""
    tokenizer = _vocabulary.build(spec, texts, special=False)
    tokenizer.model_max_length = settings.MAX_RECURRENT_TOKENS
    vectors = pretrained_vectors(allow_hub=True) if spec.embeddings != "scratch" else None  # [row, width]
    config = AutoConfig.for_model(
        f"unrolled-{spec.family}",
        vocab_size=len(tokenizer),
        embedding_size=spec.embedding_size if vectors is None else vectors.shape[1],
        hidden_size=spec.hidden_size,
        num_layers=spec.num_layers,
        pooling=spec.pooling,
        dropout=spec.dropout,
        freeze_embeddings=vectors is not None and spec.embeddings == "frozen",
        max_tokens=settings.MAX_RECURRENT_TOKENS,
        word_dropout=spec.word_dropout,
        pad_token_id=tokenizer.pad_token_id,
        unk_token_id=tokenizer.unk_token_id,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    return fresh_recurrent(config, vectors), tokenizer


def pretrained_vectors(*, allow_hub: bool) -> Tensor | None:
    """Word vectors of the pretrained model in the spread training begins with, shape [row, width]; `None` where there
    is no such model. It is fetched from the Hub only where that is allowed.
    """
    if _pretrained.find(allow_hub=allow_hub) is None:
        return None
    vectors = _pretrained.load_embeddings()
    return vectors * (VECTOR_STD / vectors.std())


def fresh_recurrent(config: Any, vectors: Tensor | None) -> Any:
    """A recurrent classifier with fresh weights from the generator the caller has seeded, and with the word vectors
    given, shape [row, width], if there are any.
    """
    with quietly():
        module = AutoModelForSequenceClassification.from_config(config)
    if vectors is not None:
        with torch.no_grad():
            module.get_input_embeddings().weight.copy_(vectors)
    return module
