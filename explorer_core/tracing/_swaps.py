"""One text with each of its words taken away, read again: states at the word and at the end, and the verdict.

A network that reads one way has been in the state before the swapped word already, so it reads on from there, with
the fused kernel alone: half the tokens, and no gates. So does each half of a network of one layer that reads both ways.
With more layers the upper ones see what the halves below make of all words, and every swapped text is read whole.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from explorer_core.progress import Progress
from explorer_core.tracing import _kernel, _prefixes
from explorer_core.tracing._kernel import BatchStates

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification


@dataclass(frozen=True)
class Swaps:
    """Words of one text, each to be taken away in a text of its own.

    Attributes:
        vectors: Word vectors of the text, shape [pos, width].
        first, last: Where each word's tokens begin and end, int arrays [word]; ascending.
        unknown: The vector read in place of each of its tokens, shape [width]; `None` to leave them out.
    """

    vectors: Tensor
    first: np.ndarray
    last: np.ndarray
    unknown: Tensor | None


@dataclass(frozen=True)
class SwappedStates:
    """What the swaps made of the states: `step`, right at the word, and `end`, each hidden and, of an LSTM, cell, of
    shape [word, layer, direction, unit]; `logits` [word, class].
    """

    step: tuple[Tensor, ...]
    end: tuple[Tensor, ...]
    logits: Tensor


def read_swaps(
    module: RecurrentForSequenceClassification, swaps: Swaps, states: BatchStates, progress: Progress | None = None
) -> SwappedStates:
    """States and verdict of a text with each of its words taken away.

    Args:
        module: A recurrent classifier; never changed.
        swaps: At least one word.
        states: Trace of the text as it is, a batch of one.
        progress: Called with the share done, in [0, 1]; may raise.
    """
    read = read_on if can_read_on(module) else read_whole
    return read(module, swaps, states, progress)


def can_read_on(module: RecurrentForSequenceClassification) -> bool:
    """Whether each half of a network has been in the states before a swapped word: it reads one way, or has one
    layer, whose halves know nothing of each other.
    """
    return module.config.num_layers == 1 or not module.config.bidirectional


def read_whole(
    module: RecurrentForSequenceClassification, swaps: Swaps, states: BatchStates, progress: Progress | None = None
) -> SwappedStates:
    """As `read_swaps`, every swapped text from its first token, by any network."""
    n_pos, n_words = len(swaps.vectors), len(swaps.first)
    table = swaps.vectors if swaps.unknown is None else torch.cat([swaps.vectors, swaps.unknown[None]])
    parts, pos = [], np.arange(n_pos)
    for chunk in _chunks(np.full(n_words, n_pos)):
        first, last = swaps.first[chunk, None], swaps.last[chunk, None]  # [text, 1]
        if swaps.unknown is None:
            lengths = (n_pos - 1 - last + first)[:, 0]
            source = np.minimum(np.where(pos < first, pos, pos + last - first + 1), n_pos - 1)
            source = source[:, : max(int(lengths.max()), 1)]
            steps = np.concatenate([first - 1, first], axis=1)  # read by the next word forward, and backward
        else:
            lengths = np.full(len(first), n_pos)
            source = np.where((pos >= first) & (pos <= last), n_pos, pos)
            steps = np.concatenate([last, first], axis=1)
        traced = _kernel.trace_batch(module, table[put_on(source, table)], put_on(lengths, table))
        ends = np.stack([lengths - 1, np.where(lengths > 0, 0, -1)], axis=1)
        kept = [each for each in (traced.hidden, traced.cell) if each is not None]
        logits = module.classifier(module.pool(traced.top, put_on(lengths, table)))
        parts.append((*(pick(each, at) for at in (steps, ends) for each in kept), logits))
        _report(progress, (int(chunk[-1]) + 1) / n_words)
    *found, logits = (torch.cat(each) for each in zip(*parts, strict=True))
    half = len(found) // 2
    return SwappedStates(tuple(found[:half]), tuple(found[half:]), logits)


def read_on(
    module: RecurrentForSequenceClassification, swaps: Swaps, states: BatchStates, progress: Progress | None = None
) -> SwappedStates:
    """As `read_swaps`, each half from the state that the swapped word found, by a network that `can_read_on`."""
    n_halves = states.hidden.shape[2]
    halves = []
    for direction in range(n_halves):
        kept = [
            each[0, :, direction] for each in (states.hidden, states.cell) if each is not None
        ]  # [layer, pos, unit]
        half = _Half(module, swaps, kept, direction) if n_halves > 1 else _Half(module, swaps, kept, None)
        halves.append(half.read(functools.partial(_report_part, progress, direction, n_halves)))
    step, end = (
        tuple(torch.stack([half[place][index] for half in halves], 2) for index in range(len(halves[0][place])))
        for place in (0, 1)
    )
    logits = module.classifier(torch.cat([pooled for _, _, pooled in halves], dim=-1))
    return SwappedStates(step, end, logits)


class _Half:
    """One direction of a network that reads every swapped text on from where the word was."""

    def __init__(
        self, module: RecurrentForSequenceClassification, swaps: Swaps, kept: list[Tensor], direction: int | None
    ) -> None:
        self.module, self.is_turned = module, direction == 1
        self.place = {} if direction is None else {"layer": 0, "direction": direction}
        if self.is_turned:  # a text read backwards is the turned text read forwards
            n_pos = len(swaps.vectors)
            turned = swaps.vectors.flip(0)
            swaps = Swaps(turned, n_pos - 1 - swaps.last[::-1], n_pos - 1 - swaps.first[::-1], swaps.unknown)
            kept = [each.flip(1) for each in kept]
        found = put_on(swaps.first, swaps.vectors)
        self.swaps, self.pool = swaps, _Pool(module, kept[0][-1], swaps)
        self.before = tuple(  # [layer, word, unit]
            torch.cat([each.new_zeros(each.shape[0], 1, each.shape[2]), each], 1)[:, found] for each in kept
        )

    def read(self, progress: Progress) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Tensor]:
        """States right at each word and at the end, [word, layer, unit], and what the head is given, [word, unit]."""
        step = self.before if self.swaps.unknown is None else self._read_unknown(self.swaps.unknown)
        end = self._read_rest(step, progress)
        found = (*step, *end, self.pool.pooled(end[0][-1])[None])
        *states, pooled = (each.transpose(0, 1).flip(0) if self.is_turned else each.transpose(0, 1) for each in found)
        return tuple(states[: len(step)]), tuple(states[len(step) :]), pooled[:, 0]

    def _read_unknown(self, unknown: Tensor) -> tuple[Tensor, ...]:
        """States after the unknown tokens that stand for each word."""
        n_tokens = self.swaps.last - self.swaps.first + 1
        step = tuple(each.clone() for each in self.before)
        for size in np.unique(n_tokens):
            words = put_on(np.flatnonzero(n_tokens == size), unknown)
            data = unknown.expand(len(words), int(size), -1).contiguous()  # [text, step, width]
            read = self._run(data, None, self.before, step, words)
            is_read = torch.ones(int(size), len(words), dtype=torch.bool)
            self.pool.add(read.transpose(0, 1).flatten(0, 1), is_read, words)
        return step

    def _read_rest(self, step: tuple[Tensor, ...], progress: Progress) -> tuple[Tensor, ...]:
        """States at the end, from those right at each word."""
        end, swaps = tuple(each.clone() for each in step), self.swaps
        n_left = len(swaps.vectors) - 1 - swaps.last  # tokens after the word; descending
        n_done = 0
        for chunk in _chunks(n_left):
            chunk = chunk[n_left[chunk] > 0]  # after the last word there may be nothing
            if len(chunk):
                pos = np.arange(n_left[chunk[0]])[:, None]
                is_read = pos < n_left[chunk]  # [step, text]
                source = (swaps.last[chunk] + 1 + pos)[is_read]  # step by step, as a PackedSequence has it
                data, words = swaps.vectors[put_on(source, swaps.vectors)], put_on(chunk, swaps.vectors)
                read = self._run(data, torch.from_numpy(is_read.sum(1)), step, end, words)
                self.pool.add(read, put_on(is_read, swaps.vectors), words)
                n_done += len(source)
            progress(n_done / int(n_left.sum()) if n_done else 1.0)
        return end

    def _run(
        self, data: Tensor, sizes: Tensor | None, start: tuple[Tensor, ...], into: tuple[Tensor, ...], words: Tensor
    ) -> Tensor:
        """Read on from some words' states, and put their final states in place; returns the top layer's states."""
        before = tuple(each[:, words] for each in start)
        read, finals = _kernel.run_to_end(self.module.rnn, data, sizes, n_texts=len(words), before=before, **self.place)
        for whole, part in zip(into, finals, strict=True):
            whole[:, words] = part
        return read


class _Pool:
    """Mean or maximum over a swapped text: that of the part before the word, and what is read after it."""

    def __init__(self, module: RecurrentForSequenceClassification, top: Tensor, swaps: Swaps) -> None:
        self.how, first = module.config.pooling, put_on(swaps.first, top)  # `top` has shape [pos, unit]
        if self.how == "mean":
            wide = top.dtype if top.device.type == "mps" else torch.float64  # a long float32 sum drifts
            zero = top.new_zeros(1, top.shape[1], dtype=wide)
            self.so_far = torch.cat([zero, top.to(wide).cumsum(0)])[first]  # [word, unit]
        elif self.how == "max":
            lowest = top.new_full((1, top.shape[1]), -torch.inf)
            self.so_far = torch.cat([lowest, top.cummax(0).values])[first]
        dropped = 0 if swaps.unknown is not None else swaps.last - swaps.first + 1
        self.n_read = put_on(np.broadcast_to(len(top) - dropped, swaps.first.shape), top)

    def add(self, states: Tensor, is_read: Tensor, words: Tensor) -> None:
        """Take in states [token, unit] that stand where `is_read` [step, text] is true, of some of the words."""
        if self.how == "last":
            return
        empty = 0.0 if self.how == "mean" else -torch.inf
        padded = states.new_full((*is_read.shape, states.shape[-1]), empty)
        padded[is_read.to(states.device)] = states
        if self.how == "mean":
            self.so_far[words] += padded.to(self.so_far.dtype).sum(0)
        else:
            self.so_far[words] = torch.maximum(self.so_far[words], padded.amax(0))

    def pooled(self, final: Tensor) -> Tensor:
        """What the head is given, shape [word, unit]; `final` is the top layer's state at the end."""
        if self.how == "last":
            return final
        if self.how == "mean":
            return (self.so_far / self.n_read.clamp(min=1)[:, None]).to(final.dtype)
        return self.so_far.masked_fill((self.n_read == 0)[:, None], 0.0)


def pick(states: Tensor, pos: np.ndarray) -> Tensor:
    """States at a position of each text for each direction, [text, layer, direction, unit], from [text, layer,
    direction, pos, unit]; -1, or the place after the last, is the zero a reading begins with.
    """
    n_texts, _, n_directions, n_pos, _ = states.shape
    at = put_on(pos[:, :n_directions], states)  # [text, direction]
    is_there = (at >= 0) & (at < n_pos)
    text, direction = torch.meshgrid(
        torch.arange(n_texts, device=at.device), torch.arange(n_directions, device=at.device), indexing="ij"
    )
    found = states.transpose(1, 2)[text, direction, :, at.clamp(0, n_pos - 1)]  # [text, direction, layer, unit]
    return (found * is_there[..., None, None]).transpose(1, 2)


def _chunks(n_read: np.ndarray) -> Iterator[np.ndarray]:
    """Indices of the texts of each batch, in order, within the budget of tokens; none is longer than the first."""
    first = 0
    while first < len(n_read):
        size = max(_prefixes.TOKEN_BUDGET // max(int(n_read[first]), 1), 1)
        yield np.arange(first, min(first + size, len(n_read)))
        first += size


def put_on(values: np.ndarray, where: Tensor) -> Tensor:
    """An array on the device of a tensor."""
    return torch.from_numpy(np.array(values)).to(where.device)


def _report(progress: Progress | None, share: float) -> None:
    if progress is not None:
        progress(share)


def _report_part(progress: Progress | None, n_done: int, n_parts: int, share: float) -> None:
    _report(progress, (n_done + share) / n_parts)
