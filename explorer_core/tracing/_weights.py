"""Gradients of the weights of a recurrent classifier, from a walk back that was made (`_backward`).

What enters the gates of a step is a sum over what was read and over the state before, so the gradient of a weight
matrix is one product over all positions of all texts: of the gradients before the non-linearities with what came in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from explorer_core.tracing._backward import BatchGradients
from explorer_core.tracing._factors import before, wide
from explorer_core.tracing._kernel import BatchStates

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification


@torch.inference_mode()
def weight_gradients(
    module: RecurrentForSequenceClassification,
    states: BatchStates,
    vectors: Tensor,
    lengths: Tensor | None,
    grads: BatchGradients,
    grad_logits: Tensor,
) -> dict[str, Tensor]:
    """Gradient by every weight behind the word vectors, summed over the texts, by the name it has in the module.

    Args:
        module: A recurrent classifier; nothing of it is changed.
        states: What `_kernel.trace_batch` found for these texts.
        vectors: The word vectors it was given, shape [text, pos, width].
        lengths: Positions that are read of each text; left out, all are.
        grads: What `_backward.backward_batch` found.
        grad_logits: What it was given, shape [text, class].
    """
    rnn = module.rnn
    found: dict[str, Tensor] = {}
    for layer in range(rnn.num_layers):
        inputs = wide(states.hidden[:, layer - 1].transpose(1, 2).flatten(2) if layer else vectors)
        for direction in range(2 if rnn.bidirectional else 1):
            end = f"l{layer}" + ("_reverse" if direction else "")
            hidden = wide(states.hidden[:, layer, direction])
            entered, from_state = _entered(rnn.mode, states, grads, layer, direction)  # [text, pos, block * unit]
            found[f"rnn.weight_ih_{end}"] = _product(entered, inputs)
            found[f"rnn.weight_hh_{end}"] = _product(from_state, before(hidden, direction))
            if rnn.bias:
                found[f"rnn.bias_ih_{end}"] = entered.sum((0, 1))
                found[f"rnn.bias_hh_{end}"] = from_state.sum((0, 1))
    pooled = module.pool(wide(states.top), lengths)  # [text, direction * unit]
    found["classifier.weight"] = wide(grad_logits).t() @ pooled
    found["classifier.bias"] = wide(grad_logits).sum(0)
    return found


@torch.inference_mode()
def embedding_gradient(module: RecurrentForSequenceClassification, ids: Tensor, grads: BatchGradients) -> Tensor:
    """Gradient by the rows of the embedding that were read, shape [row, width], one for each different id.

    As in `nn.Embedding`, the row of the padding gets none.
    """
    rows, place = ids.unique(return_inverse=True)
    width = grads.vectors.shape[-1]
    found = grads.vectors.new_zeros(len(rows), width).index_add_(0, place.ravel(), grads.vectors.reshape(-1, width))
    return found if module.embedding.padding_idx is None else found[rows != module.embedding.padding_idx]


def _entered(
    mode: str, states: BatchStates, grads: BatchGradients, layer: int, direction: int
) -> tuple[Tensor, Tensor]:
    """Gradients before the non-linearities, by what the input adds and by what the state adds; a GRU's reset gate acts
    on the latter half of its candidate.
    """
    if mode == "RNN_TANH":
        hidden = wide(states.hidden[:, layer, direction])
        both = grads.hidden[:, layer, direction] * (1 - hidden * hidden)
        return both, both
    gates = wide(states.gates[:, layer, direction])  # [text, pos, gate, unit]
    slopes = gates * (1 - gates)
    slopes[:, :, 2] = 1 - gates[:, :, 2] * gates[:, :, 2]  # of the candidate, behind a tanh
    by_input = grads.gates[:, layer, direction] * slopes
    if mode == "LSTM":
        return by_input.flatten(2), by_input.flatten(2)
    by_state = by_input.clone()
    by_state[:, :, 2] *= gates[:, :, 0]
    return by_input.flatten(2), by_state.flatten(2)


def _product(entered: Tensor, came_in: Tensor) -> Tensor:
    return entered.flatten(0, 1).t() @ came_in.flatten(0, 1)
