"""Recurrent classifiers of every shape, drawn by number, and how far a trace of them is from the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explorer_core.architectures.bilstm import BiLstmForSequenceClassification
from explorer_core.architectures.gru import GruForSequenceClassification
from explorer_core.architectures.lstm import LstmForSequenceClassification
from explorer_core.architectures.rnn import RnnForSequenceClassification
from explorer_core.tracing import _kernel, _prefixes
from tests.core import oracle

CLASSES = {
    "rnn": RnnForSequenceClassification,
    "gru": GruForSequenceClassification,
    "lstm": LstmForSequenceClassification,
    "bilstm": BiLstmForSequenceClassification,
}
N_CONFIGURATIONS = 200


@dataclass(frozen=True)
class Case:
    """A network and a padded batch: `vectors` [text, pos, width], `lengths` [text]; what stands beyond a length is
    noise, so a trace that reads it is found out."""

    module: Any
    vectors: torch.Tensor
    lengths: torch.Tensor

    def text(self, index: int) -> torch.Tensor:
        """Word vectors of one text without its padding, shape [pos, width]."""
        return self.vectors[index, : int(self.lengths[index])]


def build(family: str, *, seed: int = 0, dtype: torch.dtype = torch.float32, gain: float = 1.0, **sizes: Any) -> Any:
    """A classifier with seeded weights, uniform within gain / sqrt(unit), in eval mode."""
    model_class: Any = CLASSES[family]
    config = model_class.config_class(
        **{"vocab_size": 11, "embedding_size": 6, "hidden_size": 5, "num_labels": 2} | sizes
    )
    module = model_class(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            reach = 1.0 if name.startswith("embedding") else gain / config.hidden_size**0.5
            weight.copy_((torch.rand(weight.shape, generator=generator) * 2 - 1) * reach)
    return module.to(dtype).eval().requires_grad_(False)


def draw(number: int, dtype: torch.dtype = torch.float32) -> Case:
    """The case of a number: family, layers, directions, sizes, pooling, padding and batch all differ."""
    rng = np.random.default_rng(number)
    family = list(CLASSES)[number % len(CLASSES)]
    module = build(
        family,
        seed=number,
        dtype=dtype,
        gain=float(rng.choice([0.5, 1.0, 1.5])),
        embedding_size=int(rng.integers(1, 24)),
        hidden_size=int(rng.integers(1, 24)),
        num_layers=int(rng.integers(1, 4)),
        num_labels=int(rng.integers(2, 5)),
        pooling=str(rng.choice(["last", "mean", "max"])),
        dropout=0.5,
        **({} if family == "bilstm" else {"bidirectional": bool(rng.random() < 0.4)}),
    )
    n_texts, n_pos = int(rng.integers(1, 5)), int(rng.integers(1, 20))
    lengths = torch.from_numpy(rng.integers(1, n_pos + 1, n_texts))
    if rng.random() < 0.4:
        lengths[:] = n_pos
    vectors = torch.from_numpy(rng.normal(size=(n_texts, n_pos, module.config.embedding_size))).to(dtype)
    return Case(module, vectors, lengths)


def largest_difference(case: Case) -> float:
    """How far states, cells, gates and the running verdict of a case are from the oracle, anywhere in the batch."""
    traced = _kernel.trace_batch(case.module, case.vectors, case.lengths)
    worst = 0.0
    for index, n_pos in enumerate(case.lengths.tolist()):
        expected = oracle.read(case.module, case.text(index))
        pairs = [(traced.hidden, expected.hidden), (traced.gates, expected.gates)]
        if traced.cell is not None:
            pairs.append((traced.cell, expected.cell))
        for found, wanted in pairs:
            worst = max(worst, distance(found[index, :, :, :n_pos], wanted))
            assert not found[index, :, :, n_pos:].any()
        worst = max(
            worst, distance(running(case.module, case.text(index)), oracle.running(case.module, case.text(index)))
        )
    return worst


def running(module: Any, vectors: torch.Tensor, n_closing: int = 0) -> torch.Tensor:
    """Running logits of one text given as word vectors, shape [pos, class]."""
    with torch.inference_mode():
        states = _kernel.trace_batch(module, vectors[None])
        ends = np.arange(len(vectors) - n_closing)
        return _prefixes.read_recurrent(module, vectors, states, n_closing, ends)


def distance(found: torch.Tensor, wanted: np.ndarray) -> float:
    """Largest absolute difference; infinite if the shapes disagree."""
    if tuple(found.shape) != wanted.shape:
        return float("inf")
    return float(np.abs(found.numpy() - wanted).max(initial=0.0))
