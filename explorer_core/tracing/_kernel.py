"""States, cells and gates of a recurrent network, from its own fused kernel.

The story: a fused kernel (`torch.lstm`, `torch.gru`, `torch.rnn_tanh`) hands out the hidden state after every word
and keeps the rest to itself. But a gate depends only on the word and on the state before it, and both are known once
the kernel has run. So each layer is run by the fused kernel on its own slice of the weights, its gates then come from
one matrix product over all positions at once, and only the cell of an LSTM needs a walk over the words,

    c_t = forget_t * c_(t-1) + input_t * candidate_t,

which costs two vector operations a word. Nothing is unrolled through Python modules, and the hidden states are the
kernel's, bit for bit.

Backward halves are stored aligned to the words: index t holds the state after reading word t from the right, so the
state before it is at t + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification

_KERNELS: dict[str, Any] = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}


@dataclass(frozen=True)
class BatchStates:
    """Everything a recurrent network computed over a batch of texts; tensors on the device of the network.

    Attributes:
        hidden: h_t, shape [text, layer, direction, pos, unit]; backward entries are aligned to the word they read;
            zero beyond the end of a text.
        cell: c_t before its tanh, same shape; `None` for networks without a cell.
        gates: After their non-linearity, shape [text, layer, direction, pos, gate, unit]; zero beyond the end.
        top: Hidden states of the top layer as the head sees them, shape [text, pos, direction * unit].
    """

    hidden: Tensor
    cell: Tensor | None
    gates: Tensor
    top: Tensor


@torch.inference_mode()
def trace_batch(
    module: RecurrentForSequenceClassification, inputs_embeds: Tensor, lengths: Tensor | None = None
) -> BatchStates:
    """Hidden states, cells and gates of a batch of texts.

    Args:
        module: A recurrent classifier; its dropout is never applied, and nothing of it is changed.
        inputs_embeds: Word vectors, shape [text, pos, width], padded on the right.
        lengths: Positions that are read of each text, int tensor [text]; left out, all are. Padding changes nothing.
    """
    rnn = module.rnn
    n_texts, n_pos, _ = inputs_embeds.shape
    batch_sizes = order = is_padding = None
    data = vectors = inputs_embeds
    if lengths is not None and int(lengths.min()) < n_pos:
        packed = pack_padded_sequence(inputs_embeds, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        data, batch_sizes, order = packed.data, packed.batch_sizes, packed
        is_padding = torch.arange(n_pos, device=vectors.device) >= lengths.to(vectors.device)[:, None]  # [text, pos]
    hidden, cells, gates = [], [], []
    for layer in range(rnn.num_layers):
        data, _ = run_kernel(rnn, data, batch_sizes, layer=layer, n_texts=n_texts)
        states = data if order is None else _unpack(order, data, n_pos)  # [text, pos, direction * unit]
        if is_padding is not None:
            states = states.masked_fill(is_padding[..., None], 0.0)  # a text of no words was packed as one word
        halves = states.unflatten(-1, (-1, rnn.hidden_size)).unbind(2)
        for direction, half in enumerate(halves):
            layer_gates = module.gate_values(vectors, _before(half, direction), weights_of(rnn, layer, direction))
            if is_padding is not None:
                layer_gates = layer_gates.masked_fill(is_padding[..., None, None], 0.0)
            if module.has_cell:
                cells.append(_scan_cell(layer_gates, direction))
            hidden.append(half)
            gates.append(layer_gates)
        vectors = states
    shape = (rnn.num_layers, len(halves))
    return BatchStates(
        hidden=_stack(hidden, shape),
        cell=_stack(cells, shape) if cells else None,
        gates=_stack(gates, shape),
        top=states,
    )


def run_kernel(
    rnn: nn.RNNBase,
    data: Tensor,
    batch_sizes: Tensor | None,
    *,
    n_texts: int,
    layer: int | None = None,
    direction: int | None = None,
    before: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, Tensor]:
    """The fused kernel itself, over all of its layers, over one layer, or over one direction of a layer.

    A direction taken alone reads its data from left to right; turn the data round for the backward one.

    Args:
        rnn: The kernel's module; never changed.
        data: Shape [text, pos, width], or packed [token, width] with `batch_sizes`.
        batch_sizes: Texts still running at each step, as in a `PackedSequence`; `None` for a full batch.
        n_texts: Texts in the batch.
        layer: Which layer; `None` for all.
        direction: Which direction of the layer; `None` for all.
        before: States to start from, each [layer * direction, text, unit]; left out, zero.

    Returns:
        Hidden states in the layout of `data`, and the final hidden state, shape [layer * direction, text, unit].
    """
    states, (final, *_) = run_to_end(
        rnn, data, batch_sizes, n_texts=n_texts, layer=layer, direction=direction, before=before
    )
    return states, final


def run_to_end(
    rnn: nn.RNNBase,
    data: Tensor,
    batch_sizes: Tensor | None,
    *,
    n_texts: int,
    layer: int | None = None,
    direction: int | None = None,
    before: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `run_kernel`, with every final state: hidden and, of an LSTM, cell. They can be given as `before` again."""
    n_directions = 2 if rnn.bidirectional else 1
    n_layers = rnn.num_layers if layer is None else 1
    weights = list(rnn._flat_weights)
    if layer is not None and rnn.num_layers * n_directions > 1:
        if direction is None:
            weights = [each for index in range(n_directions) for each in weights_of(rnn, layer, index)]
        else:
            weights, n_directions = list(weights_of(rnn, layer, direction)), 1
    if before is None:
        zero = data.new_zeros(n_layers * n_directions, n_texts, rnn.hidden_size)
        before = (zero, zero) if rnn.mode == "LSTM" else (zero,)
    start = before if rnn.mode == "LSTM" else before[0]
    kernel, is_both = _KERNELS[rnn.mode], n_directions == 2
    if batch_sizes is None:
        states, *final = kernel(data, start, weights, rnn.bias, n_layers, 0.0, False, is_both, True)
    else:
        states, *final = kernel(data, batch_sizes, start, weights, rnn.bias, n_layers, 0.0, False, is_both)
    return states, tuple(final)


def weights_of(rnn: nn.RNNBase, layer: int, direction: int) -> tuple[Tensor, ...]:
    """`weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of one layer and direction."""
    each = 4 if rnn.bias else 2
    start = each * (layer * (2 if rnn.bidirectional else 1) + direction)
    return tuple(rnn._flat_weights[start : start + each])  # type: ignore[arg-type]


def _before(half: Tensor, direction: int) -> Tensor:
    """The state each word found, shape [text, pos, unit]: that of the word read before it, zero at the start."""
    zero = half.new_zeros(half.shape[0], 1, half.shape[2])
    return torch.cat([half[:, 1:], zero] if direction else [zero, half[:, :-1]], dim=1)


def _scan_cell(gates: Tensor, direction: int) -> Tensor:
    """c_t of every position, shape [text, pos, unit], from gates [text, pos, 4, unit] in the order i, f, g, o."""
    cell = gates[:, :, 0] * gates[:, :, 2]  # what each word writes; the walk adds what is kept
    forget, walk = gates[:, :, 1], cell
    if direction:
        forget, walk = forget.flip(1), cell.flip(1)
    if cell.device.type == "cpu" and cell.dtype in (torch.float32, torch.float64):
        _walk_numpy(forget.numpy(), walk.numpy())
    else:
        for keep, before, now in zip(forget.unbind(1)[1:], walk.unbind(1), walk.unbind(1)[1:], strict=False):
            now.addcmul_(keep, before)
    return walk.flip(1) if direction else cell


def _walk_numpy(forget: np.ndarray, cell: np.ndarray) -> None:
    """Turn writes into cells in place; NumPy spends a third of the time of torch on an operation this small."""
    if len(cell) == 1:
        forget, cell = forget[0], cell[0]  # [pos, unit]
    else:
        forget, cell = forget.swapaxes(0, 1), cell.swapaxes(0, 1)  # [pos, text, unit]
    kept, multiply, add = np.empty_like(cell[0]), np.multiply, np.add
    before = cell[0]
    for keep, now in zip(forget[1:], cell[1:], strict=True):
        multiply(keep, before, kept)
        add(now, kept, now)
        before = now


def _stack(parts: list[Tensor], shape: tuple[int, int]) -> Tensor:
    """Parts of shape [text, pos, ...], one for each layer and direction, as [text, layer, direction, pos, ...]."""
    if len(parts) == 1:
        return parts[0][:, None, None]  # no copy
    return torch.stack(parts, dim=1).unflatten(1, shape)


def _unpack(order: PackedSequence, data: Tensor, n_pos: int) -> Tensor:
    """Packed states [token, width] as [text, pos, width], in the order the texts came."""
    packed = PackedSequence(data, order.batch_sizes, order.sorted_indices, order.unsorted_indices)
    return pad_packed_sequence(packed, batch_first=True, total_length=n_pos)[0]
