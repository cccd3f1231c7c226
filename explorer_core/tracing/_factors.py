"""The derivative of one step of a recurrent network, as numbers that are ready before the walk back begins.

A step back through a layer is linear in the gradient that arrives. Everything it is multiplied by depends on the traced
gates and states only, so it is computed over all positions at once:

    LSTM   grad c_t = grad h_t * show_t + grad c_(t+1) * keep_(t+1)            show = o (1 - tanh(c)^2), keep = f
           grad a_t = [grad c_t * into_t, grad h_t * out_t]                    a: before the non-linearities, i f g o
           grad h_(t-1) = W_hh^T grad a_t + what comes from above
    GRU    grad a_t = grad h_t * into_t                                        a: r, z, and the recurrent half of n
           grad h_(t-1) = W_hh^T grad a_t + grad h_t * keep_t + from above     keep = z
    RNN    grad a_t = grad h_t * into_t                                        into = 1 - h^2
           grad h_(t-1) = W_hh^T grad a_t + from above

(Hochreiter and Schmidhuber 1997; Gers et al. 2000; Cho et al. 2014 in PyTorch's form, where the reset gate acts after
the recurrent product; Werbos 1990, Backpropagation through time.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from explorer_core.tracing import _kernel
from explorer_core.tracing._kernel import BatchStates

if TYPE_CHECKING:
    from explorer_core.architectures._recurrent import RecurrentForSequenceClassification


@dataclass(frozen=True)
class Factors:
    """What a gradient is multiplied by on its way back through one layer and direction; see the equations above.

    Attributes:
        into: Shape [text, pos, block, unit]; the blocks are those of `weight_hh`, for an LSTM without the last.
        keep: Share of the state (LSTM: of the cell) kept past the gates, shape [text, pos, unit]; `None` for an RNN.
        show: LSTM only, shape [text, pos, unit].
        out: LSTM only, shape [text, pos, unit].
        candidate: GRU only: what the input half of the candidate is multiplied by, shape [text, pos, unit]. For the
            others input and state enter alike.
        gates: Derivative of the state (LSTM: of the cell, and for the output gate of the state) by each gate after its
            non-linearity, shape [text, pos, gate, unit].
        weight_ih, weight_hh: Shape [block * unit, width] and [block * unit, unit].
    """

    into: Tensor
    keep: Tensor | None
    show: Tensor | None
    out: Tensor | None
    candidate: Tensor | None
    gates: Tensor
    weight_ih: Tensor
    weight_hh: Tensor


def factors_of(
    module: RecurrentForSequenceClassification,
    states: BatchStates,
    vectors: Tensor,
    is_padding: Tensor | None,
    *,
    layer: int,
    direction: int,
) -> Factors:
    """Factors of one layer and direction; zero where there is no word, so that nothing flows out of padding.

    Args:
        module: A recurrent classifier.
        states: Its trace.
        vectors: The word vectors that were traced, shape [text, pos, width].
        is_padding: Which positions hold no word, bool tensor [text, pos]; `None` where all do.
        layer: Which.
        direction: Which.
    """
    rnn = module.rnn
    hidden, gates = wide(states.hidden[:, layer, direction]), wide(states.gates[:, layer, direction])
    weights = [wide(weight.detach()) for weight in _kernel.weights_of(rnn, layer, direction)]
    if rnn.mode == "LSTM":
        assert states.cell is not None
        return _lstm(gates, wide(states.cell[:, layer, direction]), direction, weights)
    if rnn.mode == "GRU":
        return _gru(gates, before(hidden, direction), rnn, weights, is_padding)
    inputs = wide(states.hidden[:, layer - 1].transpose(1, 2).flatten(2) if layer else vectors)
    weight_ih, weight_hh, *biases = weights
    risen = nn.functional.linear(inputs, weight_ih, torch.stack(biases).sum(0) if biases else None)
    slope = _shut(_slope_of_tanh(risen + before(hidden, direction) @ weight_hh.t()), is_padding)
    return Factors(slope.unsqueeze(2), None, None, None, None, gates, *weights[:2])


def before(values: Tensor, direction: int) -> Tensor:
    """The state each word found, shape [text, pos, unit]: zero at the start."""
    zero = values.new_zeros(values.shape[0], 1, values.shape[2])
    return torch.cat([values[:, 1:], zero] if direction else [zero, values[:, :-1]], dim=1)


def wide(values: Tensor) -> Tensor:
    """The values in float64 or float32; half precision is too coarse to walk back in, and NumPy has no bfloat16."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def _slope_of_tanh(values: Tensor) -> Tensor:
    """1 - tanh(x)^2 to full precision; taken from tanh(x) itself it has few digits left where the tanh saturates, and
    a network without gates multiplies these slopes word after word.
    """
    fall = (values.abs() * -2).exp()
    return 4 * fall / (1 + fall).square()


def _shut(slope: Tensor, is_padding: Tensor | None) -> Tensor:
    """The slope of a tanh, which a state of zero leaves open, shut where there is no word."""
    return slope if is_padding is None else slope.masked_fill(is_padding[..., None], 0.0)


def _lstm(gates: Tensor, cell: Tensor, direction: int, weights: list[Tensor]) -> Factors:
    shown = cell.tanh()
    write, forget, candidate, output = gates.unbind(2)
    by_gate = torch.stack([candidate, before(cell, direction), write, shown], dim=2)  # [text, pos, gate, unit]
    slopes = gates * (1 - gates)  # of the sigmoids
    torch.addcmul(candidate.new_ones(()), candidate, candidate, value=-1, out=slopes[:, :, 2])
    slopes *= by_gate
    show = output * _slope_of_tanh(cell)
    return Factors(slopes[:, :, :3], forget, show, slopes[:, :, 3], None, by_gate, *weights[:2])


def _gru(
    gates: Tensor, hidden_before: Tensor, rnn: nn.RNNBase, weights: list[Tensor], is_padding: Tensor | None
) -> Factors:
    weight_ih, weight_hh, *biases = weights
    reset, update, candidate = gates.unbind(2)
    from_state = nn.functional.linear(
        hidden_before, weight_hh[-rnn.hidden_size :], biases[1][-rnn.hidden_size :] if biases else None
    )  # [text, pos, unit]: what the reset gate lets through
    renewed = _shut((1 - update) * (1 - candidate * candidate), is_padding)
    by_gate = torch.stack([renewed * from_state, hidden_before - candidate, 1 - update], dim=2)
    into = torch.stack(
        [by_gate[:, :, 0] * reset * (1 - reset), by_gate[:, :, 1] * update * (1 - update), renewed * reset], dim=2
    )
    return Factors(into, update, None, None, renewed, by_gate, weight_ih, weight_hh)
