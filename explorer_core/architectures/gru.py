"""Gated recurrent unit (Cho et al. 2014, Learning phrase representations using RNN encoder-decoder)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer_core.architectures._recurrent import RecurrentConfig, RecurrentForSequenceClassification, register

ABOUT = {
    "label": "GRU",
    "sentence": "One state with two gates: how much of the past to use, and how much of it to keep.",
    "paper": "Cho et al. 2014, Learning phrase representations using RNN encoder-decoder",
    "kind": "recurrent",
    "model_types": ("unrolled-gru",),
    "bidirectional": False,
    "gates": ("reset", "update", "candidate"),
    "has_cell": False,
    "color": "#009E73",
    "dash": "dashdot",
    "order": 20,
}


class GruConfig(RecurrentConfig):
    """Sizes of a GRU classifier."""

    model_type = "unrolled-gru"


class GruForSequenceClassification(RecurrentForSequenceClassification):
    """Text classifier over `torch.nn.GRU`: h = (1 - update) * candidate + update * h_before."""

    config_class = GruConfig
    kernel = nn.GRU
    gate_names = ("reset", "update", "candidate")

    @staticmethod
    def gate_values(vectors: Tensor, hidden_before: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """Reset r, update z and candidate n as PyTorch defines them, shape [..., 3, unit].

        n = tanh(W x + b + r * (U h + b')): the reset gate acts after the recurrent product.
        """
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        from_input = nn.functional.linear(vectors, weight_ih, bias_ih).unflatten(-1, (3, -1))  # [..., 3, unit]
        from_state = nn.functional.linear(hidden_before, weight_hh, bias_hh).unflatten(-1, (3, -1))
        switches = torch.sigmoid(from_input[..., :2, :] + from_state[..., :2, :])
        candidate = torch.tanh(from_input[..., 2, :] + switches[..., 0, :] * from_state[..., 2, :])
        return torch.cat([switches, candidate.unsqueeze(-2)], dim=-2)


register(GruConfig, GruForSequenceClassification)
