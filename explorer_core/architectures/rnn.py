"""Vanilla recurrent network: h_t = tanh(W x_t + U h_(t-1) + b) (Elman 1990, Finding structure in time)."""

from __future__ import annotations

from torch import Tensor, nn

from explorer_core.architectures._recurrent import RecurrentConfig, RecurrentForSequenceClassification, register

ABOUT = {
    "label": "RNN",
    "sentence": "One state, rewritten through a tanh at every word: the network that forgets.",
    "paper": "Elman 1990, Finding structure in time",
    "kind": "recurrent",
    "model_types": ("unrolled-rnn",),
    "bidirectional": False,
    "gates": (),
    "has_cell": False,
    "color": "#E69F00",
    "dash": "dot",
    "order": 10,
}


class RnnConfig(RecurrentConfig):
    """Sizes of a vanilla recurrent classifier."""

    model_type = "unrolled-rnn"


class RnnForSequenceClassification(RecurrentForSequenceClassification):
    """Text classifier over `torch.nn.RNN` with tanh. It has no gates and no cell."""

    config_class = RnnConfig
    kernel = nn.RNN

    @staticmethod
    def gate_values(vectors: Tensor, hidden_before: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """An empty gate axis, shape [..., 0, unit]: a vanilla network has none."""
        return hidden_before.new_empty(*hidden_before.shape[:-1], 0, hidden_before.shape[-1])


register(RnnConfig, RnnForSequenceClassification)
