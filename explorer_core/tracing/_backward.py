"""Gradients through time, walked back over the traced gates.

The story: the trace already holds every gate, so the derivative of each step is known before the walk begins
(`_factors`), and no graph has to be recorded. What remains to be done word by word is one product with the recurrent
weights and a handful of vector operations; everything else, the gradients of the gates, of the layer below and of the
word vectors, comes from products over all positions at once.

All gradients are total: the gradient of h_t collects what reaches the verdict through all later steps of its layer,
through the layers above and through the pooling; the gradient of an LSTM's c_t collects what goes through h_t of the
same step and what goes through c_(t+1). Backward halves are stored aligned to the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.tracing._factors import Factors, factors_of, wide
from explorer_core.tracing._kernel import BatchStates

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification

NUMPY_DEVICES = ("cpu",)  # where NumPy walks: a third of the time of torch on operations this small


@dataclass(frozen=True)
class BatchGradients:
    """Total derivative of one number a text with respect to everything the network computed; on its device.

    Attributes:
        hidden: With respect to h_t, shape [text, layer, direction, pos, unit]; backward entries are aligned to the
            word they read; zero beyond the end of a text.
        cell: With respect to c_t, same shape; `None` for networks without a cell.
        gates: With respect to the gates after their non-linearity, shape [text, layer, direction, pos, gate, unit].
        vectors: With respect to the word vectors, shape [text, pos, width].
    """

    hidden: Tensor
    cell: Tensor | None
    gates: Tensor
    vectors: Tensor


@torch.inference_mode()
def backward_batch(
    module: RecurrentForSequenceClassification,
    states: BatchStates,
    vectors: Tensor,
    lengths: Tensor | None,
    grad_logits: Tensor,
) -> BatchGradients:
    """Gradients of a batch of texts, from its trace.

    Args:
        module: A recurrent classifier; nothing of it is changed, and its dropout is never applied.
        states: What `_kernel.trace_batch` found for these texts.
        vectors: The word vectors it was given, shape [text, pos, width].
        lengths: Positions that are read of each text, int tensor [text]; left out, all are.
        grad_logits: Derivative of the number in question by the logits, shape [text, class].
    """
    rnn = module.rnn
    n_texts, n_pos, _ = vectors.shape
    n_directions = 2 if rnn.bidirectional else 1
    is_padding = None
    if lengths is not None and int(lengths.min()) < n_pos:
        is_padding = torch.arange(n_pos, device=vectors.device) >= lengths.to(vectors.device)[:, None]  # [text, pos]
    shape = (n_texts, rnn.num_layers, n_directions, n_pos)
    top = wide(states.top)
    grad_hidden = top.new_empty(*shape, rnn.hidden_size)
    grad_cell = None if states.cell is None else torch.empty_like(grad_hidden)
    grad_gates = top.new_empty(*shape, states.gates.shape[4], rnn.hidden_size)
    below = grad_of_top(module, top, is_padding, lengths, wide(grad_logits) @ wide(module.classifier.weight.detach()))
    for layer in reversed(range(rnn.num_layers)):
        halves = below.unflatten(-1, (n_directions, rnn.hidden_size)).unbind(2)
        read: list[Tensor] = []
        for direction, above in enumerate(halves):
            factors = factors_of(module, states, vectors, is_padding, layer=layer, direction=direction)
            hidden = grad_hidden[:, layer, direction]
            cell = None if grad_cell is None else grad_cell[:, layer, direction]
            hidden.copy_(above)
            entered = walk_back(factors, hidden, cell, direction)  # [text, pos, block * unit]
            if is_padding is not None:
                # a backward half walks on into the padding, where it finds the state before the first word
                hidden.masked_fill_(is_padding[..., None], 0.0)
                if cell is not None:
                    cell.masked_fill_(is_padding[..., None], 0.0)
            _by_gate(factors, hidden, cell, grad_gates[:, layer, direction])
            read.append(entered @ factors.weight_ih)
        below = read[0] if len(read) == 1 else read[0].add_(read[1])
    return BatchGradients(grad_hidden, grad_cell, grad_gates, below)


def grad_of_top(
    module: RecurrentForSequenceClassification,
    top: Tensor,
    is_padding: Tensor | None,
    lengths: Tensor | None,
    grad_pooled: Tensor,
) -> Tensor:
    """What the pooling sends back to the top layer's states, shape [text, pos, direction * unit].

    Where several positions share a maximum, each gets its share, as `torch.amax` deals it out.
    """
    n_texts, n_pos, width = top.shape
    pooling, grad = module.config.pooling, torch.zeros_like(top)
    if pooling == "last":
        if lengths is None:
            grad[:, -1] = grad_pooled
        else:
            text, last = torch.arange(n_texts, device=top.device), (lengths.to(top.device) - 1).clamp(min=0)
            grad[text, last] = grad_pooled
        if module.config.bidirectional:
            grad[..., width // 2 :] = 0.0
            grad[:, 0, width // 2 :] = grad_pooled[:, width // 2 :]
    elif pooling == "mean":
        count = top.new_full((n_texts, 1, 1), n_pos) if lengths is None else lengths.to(top)[:, None, None]
        grad += grad_pooled[:, None] / count.clamp(min=1)
    else:
        seen = top if is_padding is None else top.masked_fill(is_padding[..., None], -torch.inf)
        is_highest = seen == seen.amax(1, keepdim=True)
        grad = is_highest * (grad_pooled[:, None] / is_highest.sum(1, keepdim=True))
    return grad if is_padding is None else grad.masked_fill(is_padding[..., None], 0.0)


def walk_back(factors: Factors, hidden: Tensor, cell: Tensor | None, direction: int) -> Tensor:
    """Walk a gradient back through one layer and direction.

    Args:
        factors: Of the layer and direction.
        hidden: What comes from above, shape [text, pos, unit]; becomes the total gradient of h_t.
        cell: Of an LSTM: becomes the total gradient of c_t, same shape.
        direction: 0 reads from left to right, and is walked from right to left.

    Returns:
        Gradient of what the input weights add to, shape [text, pos, block * unit].
    """
    n_texts, n_pos, n_units = hidden.shape
    n_blocks = factors.into.shape[2] + (factors.out is not None)
    entered = hidden.new_empty(n_texts, n_pos, n_blocks, n_units)
    is_numpy = hidden.device.type in NUMPY_DEVICES
    steps = _numpy_steps if is_numpy else _torch_steps
    backend: Any = np if is_numpy else torch
    flat, weight = entered.flatten(2), factors.weight_hh.numpy() if is_numpy else factors.weight_hh
    if cell is not None:
        assert factors.show is not None and factors.out is not None and factors.keep is not None
        arrays = (hidden, cell, cell.unsqueeze(2), factors.show, factors.keep, factors.into, factors.out)
        parts = (entered[:, :, :3], entered[:, :, 3], flat)
        _walk_cell(backend, steps((*arrays, *parts), direction), weight)
        return flat
    keeps = None if factors.keep is None else steps((factors.keep,), direction)
    walked = steps((hidden, hidden.unsqueeze(2), factors.into, entered, flat), direction)
    _walk_state(backend, walked, keeps, weight)
    if factors.candidate is not None:
        torch.mul(hidden, factors.candidate, out=entered[:, :, 2])
    return flat


def _walk_cell(backend: Any, steps: list[list[Any]], weight: Any) -> None:
    """An LSTM, step by step from the last one it took; in place."""
    add, multiply = backend.add, backend.multiply
    product = np.dot if backend is np and steps[0][0].ndim == 1 else backend.matmul
    back, kept = backend.zeros_like(steps[0][0]), backend.zeros_like(steps[0][0])
    for hidden, cell, cells, show, keep, into, out, entered, entered_out, flat in zip(*steps, strict=True):
        add(hidden, back, out=hidden)
        multiply(hidden, show, out=cell)
        add(cell, kept, out=cell)
        multiply(cells, into, out=entered)
        multiply(hidden, out, out=entered_out)
        multiply(cell, keep, out=kept)
        product(flat, weight, out=back)


def _walk_state(backend: Any, steps: list[list[Any]], keeps: list[list[Any]] | None, weight: Any) -> None:
    """A GRU or an RNN, step by step from the last one it took; in place."""
    add, multiply = backend.add, backend.multiply
    product = np.dot if backend is np and steps[0][0].ndim == 1 else backend.matmul
    back, kept = backend.zeros_like(steps[0][0]), backend.zeros_like(steps[0][0])
    for index, (hidden, hiddens, into, entered, flat) in enumerate(zip(*steps, strict=True)):
        add(hidden, back, out=hidden)
        multiply(hiddens, into, out=entered)
        product(flat, weight, out=back)
        if keeps is not None:
            multiply(hidden, keeps[0][index], out=kept)
            add(back, kept, out=back)


def _numpy_steps(tensors: tuple[Tensor, ...], direction: int) -> list[list[np.ndarray]]:
    """Views of each step, in the order of the walk back; [text, ...], or [...] where there is one text only."""
    arrays = [each.numpy() for each in tensors]
    turn = 1 if direction else -1
    return [list((each[0] if len(each) == 1 else each.swapaxes(0, 1))[::turn]) for each in arrays]


def _torch_steps(tensors: tuple[Tensor, ...], direction: int) -> list[list[Tensor]]:
    """Views of each step, in the order of the walk back, each [text, ...]."""
    return [list(each.unbind(1)[:: 1 if direction else -1]) for each in tensors]


def _by_gate(factors: Factors, hidden: Tensor, cell: Tensor | None, into: Tensor) -> None:
    """Write the gradients of the gates after their non-linearity, shape [text, pos, gate, unit]."""
    if cell is None:
        torch.mul(factors.gates, hidden.unsqueeze(2), out=into)
    else:
        torch.mul(factors.gates[:, :, :3], cell.unsqueeze(2), out=into[:, :, :3])
        torch.mul(factors.gates[:, :, 3], hidden, out=into[:, :, 3])
