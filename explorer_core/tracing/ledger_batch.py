"""The ledger of many texts at once: what every token added to every logit of an LSTM.

The sums are those of `ledger`, with the tanh divided in proportion, walked over a batch of texts side by side. Beyond
the end of a text its gates are zero, so nothing is written there, nothing is kept, and padding changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer_core.loaded import LoadedModel
from explorer_core.text import Reading
from explorer_core.tracing import _kernel, ledger
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._broken import refuse_broken


@torch.inference_mode()
def token_shares(model: LoadedModel, readings: Sequence[Reading]) -> tuple[list[np.ndarray], np.ndarray]:
    """Shares of the logits of texts of like length; with the bias of a class, those of a text sum to its logit.

    Args:
        model: A network with a cell.
        readings: Texts that fit into memory together.

    Returns:
        Of every text the share of each token in each logit, float64 [pos, class], and the logits [text, class].

    Raises:
        IncompatibleError: If the network has no cell.
        InvalidInputError: If it gives numbers that are not finite.
    """
    ledger.check_cell(model)
    module: Any = model.module
    lengths = np.array([len(reading.token_ids) for reading in readings])
    ids = np.full((len(readings), lengths.max()), module.config.pad_token_id or 0, dtype=np.int64)
    for row, reading in enumerate(readings):
        ids[row, : lengths[row]] = reading.token_ids
    given = torch.from_numpy(lengths).to(model.device)
    vectors = module.get_input_embeddings()(torch.from_numpy(ids).to(model.device))
    states = _kernel.trace_batch(module, vectors, given)
    logits = to_numpy(module.classifier(module.pool(states.top, given)))
    refuse_broken(model, logits)
    gates, hidden = to_numpy(states.gates[:, -1]), to_numpy(states.hidden[:, -1])
    weight, _ = ledger.classifier_of(module)  # [direction, class, unit]
    total = np.zeros((ids.shape[1], len(readings), weight.shape[1]))
    for direction, to_class in enumerate(weight):
        pooled = _pool_weights(hidden[:, direction], lengths, module.config.pooling, direction)
        total += _shares(gates[:, direction], pooled, is_backward=direction == 1) @ to_class.T
    return [total[:length, row] for row, length in enumerate(lengths)], logits


def _pool_weights(top: np.ndarray, lengths: np.ndarray, pooling: str, direction: int) -> np.ndarray:
    """Weight of every state in the pooled one, zero beyond the end; of the shape of `top`, [text, pos, unit]."""
    weights = np.zeros(top.shape)
    is_read = np.arange(top.shape[1]) < lengths[:, None]  # [text, pos]
    if pooling == "mean":
        weights[:] = (is_read / lengths[:, None])[..., None]
    elif pooling == "max":
        seen = np.where(is_read[..., None], top, -np.inf)
        np.put_along_axis(weights, seen.argmax(1)[:, None], 1.0, axis=1)
    else:
        weights[np.arange(len(top)), 0 if direction else lengths - 1] = 1.0
    return weights


def _shares(gates: np.ndarray, pooled: np.ndarray, *, is_backward: bool) -> np.ndarray:
    """What each position added to the pooled state, [pos, text, unit], from one direction's [text, pos, 4, unit]."""
    steps = slice(None, None, -1) if is_backward else slice(None)
    enter, keep, offer, let = (
        np.ascontiguousarray(gates[:, steps, gate].swapaxes(0, 1), dtype=np.float64) for gate in range(4)
    )
    written = np.multiply(enter, offer, out=enter)
    cell = written.copy()
    for before, kept, now in zip(cell, keep[1:], cell[1:], strict=False):
        now += kept * before
    reach = np.divide(np.tanh(cell), cell, out=np.ones_like(cell), where=cell != 0)
    reach *= let
    reach *= pooled[:, steps].swapaxes(0, 1)
    for pos in range(len(reach) - 2, -1, -1):
        reach[pos] += keep[pos + 1] * reach[pos + 1]
    written *= reach
    return written[steps]
