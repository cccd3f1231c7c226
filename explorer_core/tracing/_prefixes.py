"""The running verdict: what the network would say if the text stopped there.

A network that reads one way has already been in every one of these states, so its head reads them off, exactly. A
network that also reads backwards, and a BERT, would have read something else had the text stopped earlier: for them
every prefix is read anew, in batches of like length.

A prefix ends the way the tokenizer would end it: special tokens that close the whole text close each prefix too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.progress import Progress
from explorer_core.tracing import _kernel
from explorer_core.tracing._kernel import BatchStates

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification
    from explorer_core.text import Reading

TOKEN_BUDGET = 8_192  # tokens read in one batch of prefixes: bounds the memory, about 50 MiB at 384 wide
PADDING_BUDGET = 128  # padded tokens allowed in one batch: about what one more batch would cost


def closing(reading: Reading) -> int:
    """Number of special tokens after the last word."""
    return len(reading.token_ids) - 1 - int(np.flatnonzero(reading.word_of_token >= 0)[-1])


def read_recurrent(
    module: RecurrentForSequenceClassification,
    vectors: Tensor,
    states: BatchStates,
    n_closing: int,
    ends: np.ndarray,
    progress: Progress | None = None,
) -> Tensor:
    """Logits if the text stopped at each of some positions, shape [end, class].

    Args:
        module: A recurrent classifier.
        vectors: Word vectors of one text, shape [pos, width].
        states: Its trace, a batch of one.
        n_closing: Special tokens at its end, which end every prefix too.
        ends: Positions to stop at, in ascending order and before the closing tokens; int array [end].
        progress: Called with the share done, in [0, 1]; may raise.
    """
    if not module.config.bidirectional:
        pooled = _pool_forward(module, vectors, states, n_closing, ends)
    elif module.config.num_layers > 1:
        pooled = _reread(module, vectors, n_closing, ends, progress, backward_only=False)
    else:  # one layer: the forward half of every prefix is known
        forward = _pool_forward(module, vectors, states, n_closing, ends)
        backward = _reread(module, vectors, n_closing, ends, progress, backward_only=True)
        pooled = torch.cat([forward, backward], dim=-1)
    return module.classifier(pooled)


def _pool_forward(
    module: RecurrentForSequenceClassification, vectors: Tensor, states: BatchStates, n_closing: int, ends: np.ndarray
) -> Tensor:
    """What the head would be given of the forward states if the text stopped at each end; shape [end, unit]."""
    rnn, pooling = module.rnn, module.config.pooling
    top = states.hidden[0, -1, 0, : len(vectors) - n_closing]  # [pos, unit]
    stop = torch.from_numpy(ends).to(top.device)
    after = top.new_empty(len(ends), 0, top.shape[-1])  # [end, step, unit]: states over the closing tokens
    if n_closing:
        # a prefix is closed from the state it ended in: one batch over the ends, started from h_t and c_t
        tail = vectors[len(top) :].expand(len(ends), -1, -1).contiguous()
        kept = [each for each in (states.hidden, states.cell) if each is not None]
        before = tuple(each[0, :, 0].index_select(1, stop) for each in kept)  # [layer, end, unit]
        layer, direction = (0, 0) if rnn.bidirectional else (None, None)
        after, _ = _kernel.run_kernel(
            rnn, tail, None, n_texts=len(ends), before=before, layer=layer, direction=direction
        )
    if pooling == "last":
        return after[:, -1] if n_closing else top[stop]
    if pooling == "max":
        highest = top.cummax(0).values[stop]
        return torch.maximum(highest, after.amax(1)) if n_closing else highest
    # sums in double: over thousands of words a running float32 sum drifts away from the model's own mean
    wide = top.dtype if top.device.type == "mps" else torch.float64
    total = top.to(wide).cumsum(0)[stop] + after.to(wide).sum(1)
    return (total / (stop + 1 + n_closing)[:, None]).to(top.dtype)


def _reread(
    module: RecurrentForSequenceClassification,
    vectors: Tensor,
    n_closing: int,
    ends: np.ndarray,
    progress: Progress | None,
    *,
    backward_only: bool,
) -> Tensor:
    """What the head would be given if the text stopped at each end, read anew; shape [end, direction * unit].

    With `backward_only`, for a network of one layer, only the backward half is read and given.
    """
    rnn, n_open = module.rnn, len(vectors) - n_closing
    n_words, n_read = ends + 1, ends + 1 + n_closing  # tokens of each prefix, without and with the closing ones
    layer, direction = (0, 1) if backward_only else (None, None)
    pooled = vectors.new_empty(len(ends), rnn.hidden_size * (1 if backward_only else 2))
    n_done = 0
    for chunk in _batches(n_read, padding_budget=None):  # packed below: no padding is ever read
        lengths, step = n_read[chunk, None], np.arange(n_read[chunk[0]])
        is_read = step < lengths  # [prefix, step]
        place = lengths - 1 - step if backward_only else np.broadcast_to(step, is_read.shape)  # place in the prefix
        source = np.where(place < n_words[chunk, None], place, place + n_open - n_words[chunk, None])  # in the text
        token = torch.from_numpy(source.T[is_read.T]).to(vectors.device)  # step by step, as a PackedSequence has it
        sizes = torch.from_numpy(is_read.sum(0))
        states, final = _kernel.run_kernel(
            rnn, vectors[token], sizes, n_texts=len(chunk), layer=layer, direction=direction
        )
        if module.config.pooling == "last":
            rows = final[-1:] if backward_only else final[-2:]  # [direction, prefix, unit]
            rows = rows.transpose(0, 1).flatten(1)
        else:
            padded = states.new_zeros(len(step), len(chunk), states.shape[-1])
            padded[torch.from_numpy(is_read.T).to(states.device)] = states
            rows = module.pool(padded.transpose(0, 1), torch.from_numpy(lengths[:, 0]).to(states.device))
        pooled[torch.from_numpy(chunk).to(pooled.device)] = rows
        n_done += int(lengths.sum())
        if progress is not None:
            progress(n_done / int(n_read.sum()))
    return pooled


def read_transformer(module: Any, reading: Reading, logits: Tensor, progress: Progress | None = None) -> Tensor:
    """Logits of a BERT-family network over the first k + 1 words, each prefix with its special tokens.

    Args:
        module: A sequence classifier.
        reading: The text as its tokenizer reads it.
        logits: The verdict over the whole text, shape [class]: the last row.
        progress: Called with the share done, in [0, 1]; may raise.

    Returns:
        Shape [word, class].
    """
    ids = torch.from_numpy(reading.token_ids).to(logits.device)
    n_closing = closing(reading)
    n_read = reading.last_token_of_word[:-1] + 1 + n_closing  # the whole text has been read already
    rows: list[Tensor] = [logits] * len(reading.words)
    n_all, n_done = int(n_read.sum()), 0
    for chunk in _batches(n_read, padding_budget=PADDING_BUDGET):
        lengths = torch.from_numpy(n_read[chunk]).to(ids.device)
        step = torch.arange(int(lengths[0]), device=ids.device)
        is_word = step < (lengths - n_closing)[:, None]  # [prefix, step]
        is_read = step < lengths[:, None]
        where = torch.where(is_word, step, step + len(ids) - lengths[:, None])
        batch = torch.where(is_read, ids[where.clamp(max=len(ids) - 1)], _pad_id(module))
        given = module(input_ids=batch, attention_mask=is_read.long()).logits  # [prefix, class]
        for prefix, row in zip(chunk, given, strict=True):
            rows[prefix] = row
        n_done += int(n_read[chunk].sum())
        if progress is not None:
            progress(n_done / n_all)
    return torch.stack(rows)


def _pad_id(module: Any) -> int:
    """The id of padding: masked everywhere, but RoBERTa counts its positions by it."""
    return module.config.pad_token_id or 0


def _batches(n_read: np.ndarray, padding_budget: int | None) -> Iterator[np.ndarray]:
    """Indices of the prefixes of each batch, longest first, within the budgets of tokens and of padding."""
    order = np.argsort(-n_read, kind="stable")
    first = 0
    while first < len(order):
        longest = int(n_read[order[first]])
        last, padding = first + 1, 0
        while last < len(order) and (last + 1 - first) * longest <= TOKEN_BUDGET:
            padding += longest - int(n_read[order[last]])
            if padding_budget is not None and padding > padding_budget:
                break
            last += 1
        yield order[first:last]
        first = last
