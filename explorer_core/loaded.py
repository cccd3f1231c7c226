"""A network ready to be read: shared by many threads, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LoadedModel:
    """One network with its tokenizer.

    Attributes:
        name: The run's name, the folder's name or the Hub id.
        architecture: Family: `rnn`, `gru`, `lstm`, `bilstm` or `bert`.
        kind: `recurrent` or `transformer`.
        labels: Names of the classes, in the order of the logits.
        module: A torch `nn.Module` in eval mode with gradients of its weights switched off. Never change it.
        tokenizer: A fast Hugging Face tokenizer; never change it.
        device: `cpu`, `cuda` or `mps`.
        fingerprint: Digest of weights, config and tokenizer (hexadecimal), the key of every cache.
        max_tokens: Positions the network can read.
        notes: What a person should know, one sentence each.
    """

    name: str
    architecture: str
    kind: str
    labels: tuple[str, ...]
    module: Any
    tokenizer: Any
    device: str
    fingerprint: str
    max_tokens: int
    notes: tuple[str, ...] = ()
