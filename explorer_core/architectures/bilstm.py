"""Bidirectional LSTM (Graves and Schmidhuber 2005; Schuster and Paliwal 1997)."""

from __future__ import annotations

from explorer_core.architectures._recurrent import register
from explorer_core.architectures.lstm import LstmConfig, LstmForSequenceClassification

ABOUT = {
    "label": "BiLSTM",
    "sentence": "Two LSTMs: one reads from the first word, the other from the last; the verdict sees both.",
    "paper": "Graves and Schmidhuber 2005, Framewise phoneme classification with bidirectional LSTM",
    "kind": "recurrent",
    "model_types": ("unrolled-bilstm",),
    "bidirectional": True,
    "gates": ("input", "forget", "candidate", "output"),
    "has_cell": True,
    "color": "#CC79A7",
    "dash": "longdash",
    "order": 40,
}


class BiLstmConfig(LstmConfig):
    """Sizes of a bidirectional LSTM classifier; `hidden_size` units in each direction."""

    model_type = "unrolled-bilstm"
    bidirectional: bool = True


class BiLstmForSequenceClassification(LstmForSequenceClassification):
    """Text classifier over a bidirectional `torch.nn.LSTM`."""

    config_class = BiLstmConfig


register(BiLstmConfig, BiLstmForSequenceClassification)
