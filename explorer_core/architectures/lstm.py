"""Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import initialization as init

from explorer_core.architectures._recurrent import RecurrentConfig, RecurrentForSequenceClassification, register

ABOUT = {
    "label": "LSTM",
    "sentence": "A cell that is added to rather than rewritten, with gates that write, keep and show it.",
    "paper": "Hochreiter and Schmidhuber 1997, Long short-term memory; Gers et al. 2000, Learning to forget",
    "kind": "recurrent",
    "model_types": ("unrolled-lstm",),
    "bidirectional": False,
    "gates": ("input", "forget", "candidate", "output"),
    "has_cell": True,
    "color": "#0072B2",
    "dash": "solid",
    "order": 30,
}


class LstmConfig(RecurrentConfig):
    """Sizes of an LSTM classifier."""

    model_type = "unrolled-lstm"


class LstmForSequenceClassification(RecurrentForSequenceClassification):
    """Text classifier over `torch.nn.LSTM`: c = forget * c_before + input * candidate, h = output * tanh(c)."""

    config_class = LstmConfig
    kernel = nn.LSTM
    gate_names = ("input", "forget", "candidate", "output")
    has_cell = True

    @staticmethod
    def gate_values(vectors: Tensor, hidden_before: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """Input i, forget f, candidate g, output o in PyTorch's order, shape [..., 4, unit]."""
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        gates = nn.functional.linear(vectors, weight_ih, bias_ih + bias_hh)  # [..., 4 * unit]
        gates.view(-1, len(weight_hh)).addmm_(hidden_before.reshape(-1, weight_hh.shape[1]), weight_hh.t())
        gates = gates.unflatten(-1, (4, -1))
        # in place and over whole arrays: a strided tanh takes eight times as long as a copy and a contiguous one
        candidate = gates[..., 2, :].clone(memory_format=torch.contiguous_format).tanh_()
        gates.sigmoid_()
        gates[..., 2, :] = candidate
        return gates

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """As the shared start, with a forget bias of one (Jozefowicz et al. 2015): the cell keeps at first."""
        super()._init_weights(module)
        if isinstance(module, nn.LSTM):
            for name, bias in module.named_parameters():
                if name.startswith("bias_ih"):
                    init.ones_(bias[module.hidden_size : 2 * module.hidden_size])


register(LstmConfig, LstmForSequenceClassification)
