"""Which words the verdict rests on at every point of a text: the gradient of each prefix's logit by each of its words.

The story: a network that reads one way has one set of states for all prefixes. So one walk back is enough: it carries
a gradient for every prefix at once, and a prefix joins when the walk comes to the word it stops at. A network that
also reads backwards, and a BERT, would have read something else had the text stopped earlier: for them every prefix
is read anew, in batches of like length. So are prefixes that a tokenizer would close with special tokens.

The map of connectivity of Madsen 2019, Visualizing memorization in RNNs (Distill), for every prefix at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.loaded import LoadedModel
from explorer_core.results import Connectivity
from explorer_core.text import Reading, read_text
from explorer_core.tracing import _kernel, _prefixes, states
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._backward import backward_batch
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._factors import Factors, factors_of, wide
from explorer_core.tracing._prefixes import Progress
from explorer_core.tracing._target import class_of

_TOKENS_OF_KIND = {"recurrent": 4_096, "transformer": 1_024}
"""Tokens of one batch of prefixes: bounds the memory, about 400 MiB for a six-layer BERT with its graph."""


def trace(
    model: LoadedModel, text: str, target: int | str | None = None, progress: Progress | None = None
) -> Connectivity:
    """Connectivity of one text; see `api.trace_connectivity`."""
    states.check_kind(model)
    class_of(model.labels, 0 if target is None else target, np.zeros(1))  # refused before anything is read
    reading = read_text(model.tokenizer, text, model.max_tokens)
    with torch.inference_mode():
        ids = read_ids(model, reading)
        vectors = model.module.get_input_embeddings()(ids)[0]  # [pos, width]
        logits = model.module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    refuse_broken(model, to_numpy(logits))
    chosen = class_of(model.labels, target, to_numpy(logits))
    is_one_way = model.kind == "recurrent" and not model.module.config.bidirectional
    if is_one_way and not _prefixes.closing(reading):
        strength = walk_all(model.module, vectors, reading, chosen, progress)
    else:
        strength = reread_all(model, vectors, reading, chosen, progress)
    refuse_broken(model, strength)
    return Connectivity(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        target=chosen,
        strength=strength,
    )


@torch.inference_mode()
def walk_all(module: Any, vectors: Tensor, reading: Reading, target: int, progress: Progress | None) -> np.ndarray:
    """Strength of every word in every prefix of a network that reads one way, shape [prefix, word]; one walk back."""
    ends = reading.last_token_of_word
    traced = _kernel.trace_batch(module, vectors[None, : int(ends[-1]) + 1])
    factors = [
        factors_of(module, traced, vectors[None, : int(ends[-1]) + 1], None, layer=layer, direction=0)
        for layer in range(module.rnn.num_layers)
    ]
    pooled = _Pooled(module, wide(traced.top[0]), ends, target)
    walks = [_RowsOfLayer(each, len(ends)) for each in reversed(factors)]  # from the top
    total = np.zeros((len(ends), len(reading.words)))
    n_done, n_all = 0, int((ends + 1).sum())
    for pos in range(int(ends[-1]), -1, -1):
        first = int(np.searchsorted(ends, pos))  # prefixes that have read this position
        grad = pooled.grad_at(pos, first)
        for walk in walks:
            grad = walk.step(pos, first, grad)
        word = int(reading.word_of_token[pos])
        if word >= 0:
            total[first:, word] += _squared(grad)
        n_done += len(ends) - first
        if progress is not None:
            progress(n_done / n_all)
    return np.sqrt(total)


class _Pooled:
    """What the pooling of every prefix sends back to the top layer's state at one position."""

    def __init__(self, module: Any, top: Tensor, ends: np.ndarray, target: int) -> None:
        self.pooling = module.config.pooling
        self.weight = wide(module.classifier.weight.detach())[target]  # [unit]
        self.top = top
        self.ends = ends
        self.n_read = torch.from_numpy(ends + 1).to(top)
        if self.pooling == "max":
            stops = torch.from_numpy(ends).to(top.device)
            highest = top.cummax(0).values
            is_new = torch.cat([torch.ones_like(top[:1], dtype=torch.bool), highest[1:] > highest[:-1]])
            # among those that share the maximum since it was last passed, each gets its share, as torch.amax deals out
            ties = (top == highest).to(top).cumsum(0)
            before = torch.where(is_new, ties - 1, 0).cummax(0).values
            self.highest, self.n_ties = highest[stops], (ties - before)[stops]  # [prefix, unit]

    def grad_at(self, pos: int, first: int) -> Tensor:
        """Shape [prefix from `first` on, unit]."""
        n_rows = len(self.ends) - first
        if self.pooling == "mean":
            return self.weight / self.n_read[first:, None]
        if self.pooling == "max":
            is_highest = self.top[pos] == self.highest[first:]
            return is_highest * (self.weight / self.n_ties[first:])
        grad = self.top.new_zeros(n_rows, len(self.weight))
        if self.ends[first] == pos:
            grad[0] = self.weight
        return grad


class _RowsOfLayer:
    """The walk back through one layer, with one row for every prefix; rows join as the walk reaches their end."""

    def __init__(self, factors: Factors, n_rows: int) -> None:
        self.into, self.weight_ih, self.weight_hh = factors.into[0], factors.weight_ih, factors.weight_hh
        self.keep, self.show, self.out, self.candidate = (
            None if each is None else each[0] for each in (factors.keep, factors.show, factors.out, factors.candidate)
        )
        n_units = factors.weight_hh.shape[1]
        self.back = self.weight_hh.new_zeros(n_rows, n_units)
        self.kept = torch.zeros_like(self.back)  # of the cell; used by an LSTM only
        self.entered = self.weight_hh.new_empty(n_rows, len(factors.weight_hh) // n_units, n_units)

    def step(self, pos: int, first: int, above: Tensor) -> Tensor:
        """Gradients by what the layer reads at a position, shape [row, width], from those that come from above."""
        back, entered = self.back[first:], self.entered[first:]
        hidden = back.add_(above)
        flat = entered.flatten(1)
        if self.show is not None:
            assert self.out is not None and self.keep is not None
            cell = self.kept[first:].addcmul_(hidden, self.show[pos])
            torch.mul(cell.unsqueeze(1), self.into[pos], out=entered[:, :3])
            torch.mul(hidden, self.out[pos], out=entered[:, 3])
            torch.mm(flat, self.weight_hh, out=back)
            cell.mul_(self.keep[pos])
            return flat @ self.weight_ih
        torch.mul(hidden.unsqueeze(1), self.into[pos], out=entered)
        by_state = flat @ self.weight_hh
        if self.candidate is not None:
            torch.mul(hidden, self.candidate[pos], out=entered[:, 2])
        read = flat @ self.weight_ih
        if self.keep is not None:
            by_state.addcmul_(hidden, self.keep[pos])
        back.copy_(by_state)
        return read


def reread_all(
    model: LoadedModel, vectors: Tensor, reading: Reading, target: int, progress: Progress | None
) -> np.ndarray:
    """Strength of every word in every prefix, each prefix read anew, shape [prefix, word]."""
    n_closing = _prefixes.closing(reading)
    n_read = reading.last_token_of_word + 1 + n_closing
    n_words, n_pos = len(reading.words), len(vectors)
    total = np.zeros((n_words, n_words))
    n_done = 0
    back = _back_recurrent if model.kind == "recurrent" else _back_transformer
    for chunk in _batches(n_read, _TOKENS_OF_KIND[model.kind]):
        lengths, step = n_read[chunk, None], np.arange(n_read[chunk[0]])
        source = np.where(step < lengths - n_closing, step, np.minimum(step + n_pos - lengths, n_pos - 1))
        batch = vectors[torch.from_numpy(source).to(vectors.device)]  # [prefix, step, width]
        squared = _squared(back(model.module, batch, torch.from_numpy(lengths[:, 0]), target))  # [prefix, step]
        word = reading.word_of_token[source]
        row, place = np.nonzero((word >= 0) & (step < lengths))
        np.add.at(total, (chunk[row], word[row, place]), squared[row, place])
        n_done += int(lengths.sum())
        if progress is not None:
            progress(n_done / int(n_read.sum()))
    return np.sqrt(total)


@torch.inference_mode()
def _back_recurrent(module: Any, vectors: Tensor, lengths: Tensor, target: int) -> Tensor:
    traced = _kernel.trace_batch(module, vectors, lengths)
    grad = vectors.new_zeros(len(vectors), len(module.classifier.weight))
    grad[:, target] = 1
    return backward_batch(module, traced, vectors, lengths, grad).vectors


def _back_transformer(module: Any, vectors: Tensor, lengths: Tensor, target: int) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        vectors = vectors.clone().requires_grad_()
        mask = torch.arange(vectors.shape[1], device=vectors.device) < lengths.to(vectors.device)[:, None]
        logits = module(inputs_embeds=vectors, attention_mask=mask.long()).logits
        return torch.autograd.grad(logits[:, target].sum(), vectors)[0]


def _squared(grad: Tensor) -> np.ndarray:
    """Squared L2 norm over the last axis, in double precision: the square of a small float32 is no float32."""
    values = to_numpy(grad).astype(np.float64)
    return np.einsum("...w,...w->...", values, values)


def _batches(n_read: np.ndarray, n_tokens: int) -> Iterator[np.ndarray]:
    """Indices of the prefixes of each batch, longest first, padded to its longest within the budget."""
    order = np.argsort(-n_read, kind="stable")
    while len(order):
        n_rows = max(n_tokens // int(n_read[order[0]]), 1)
        yield order[:n_rows]
        order = order[n_rows:]
