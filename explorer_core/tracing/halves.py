"""The two halves of a bidirectional network: what each has added to the logits by every word.

The classifier reads both halves side by side and is linear, so its weights fall into two blocks,

    logits = W_f pool(h_f) + W_b pool(h_b) + b,

and each block can be read on the way: after word t the forward half has pooled its states of words 0 to t, and the
backward half, which began at the end, those of words t to the last.
"""

from __future__ import annotations

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.results import BiLstmHalves
from explorer_core.text import read_text
from explorer_core.tracing import recurrent
from explorer_core.tracing._target import class_of
from explorer_core.tracing.ledger import classifier_of


def trace(model: LoadedModel, text: str, target: int | str | None) -> BiLstmHalves:
    """Both halves over one text; see `api.trace_halves`."""
    if model.kind != "recurrent" or not model.module.config.bidirectional:
        raise IncompatibleError(
            f"{model.name[:60]!r} does not read in two directions by separate halves, so there is nothing to divide. "
            "Choose a BiLSTM, or another recurrent model with bidirectional switched on."
        )
    reading = read_text(model.tokenizer, text, model.max_tokens)
    traced = recurrent.trace(model, reading, running=False, progress=None)
    weight, bias = classifier_of(model.module)
    forward, backward = shares(traced.hidden[-1], weight, traced.pooling)
    return BiLstmHalves(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=traced.logits,
        target=class_of(model.labels, target, traced.logits),
        pooling=traced.pooling,
        n_layers=len(traced.hidden),
        forward=forward,
        backward=backward,
        bias=bias,
    )


def shares(top: np.ndarray, weight: np.ndarray, pooling: str) -> tuple[np.ndarray, np.ndarray]:
    """What the forward and the backward half have added to the logits at every position, each of shape [pos, class].

    Args:
        top: Hidden states of the top layer, shape [direction, pos, unit].
        weight: Of the classifier, shape [direction, class, unit].
        pooling: `last`, `mean` or `max`.
    """
    forward = _pool_so_far(top[0], pooling) @ weight[0].T
    backward = _pool_so_far(top[1, ::-1], pooling)[::-1] @ weight[1].T
    return forward, backward


def _pool_so_far(states: np.ndarray, pooling: str) -> np.ndarray:
    """The states [pos, unit] up to each position, in the order given, pooled; float64."""
    states = states.astype(np.float64)
    if pooling == "mean":
        return states.cumsum(0) / np.arange(1, len(states) + 1)[:, None]
    return np.maximum.accumulate(states, axis=0) if pooling == "max" else states
