"""One text through a recurrent network: every state and gate, and the verdict after every position."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.loaded import LoadedModel
from explorer_core.results import RecurrentTrace
from explorer_core.text import Reading
from explorer_core.tracing import _kernel, _prefixes
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._prefixes import Progress


@torch.inference_mode()
def trace(model: LoadedModel, reading: Reading, *, running: bool, progress: Progress | None) -> RecurrentTrace:
    """States, cells and gates of every position, and the verdict if the text stopped there."""
    module: Any = model.module
    vectors, states = _read(model, reading)
    logits = module.classifier(module.pool(states.top, None))[0]  # [class]: the forward pass itself, not a second one
    refuse_broken(model, to_numpy(logits))
    verdict = None
    if running:
        n_closing = _prefixes.closing(reading)
        ends = np.arange(len(reading.token_ids) - n_closing)
        verdict = _prefixes.read_recurrent(module, vectors[0], states, n_closing, ends, progress)
        if n_closing:
            verdict = torch.cat([verdict, logits.expand(n_closing, -1)])
    return RecurrentTrace(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(logits),
        hidden=to_numpy(states.hidden[0]),
        cell=None if states.cell is None else to_numpy(states.cell[0]),
        gates=to_numpy(states.gates[0]),
        gate_names=module.gate_names,
        running_logits=None if verdict is None else to_numpy(verdict),
        pooling=module.config.pooling,
    )


@torch.inference_mode()
def trace_running(model: LoadedModel, reading: Reading, progress: Progress | None) -> np.ndarray:
    """Logits if the text stopped after each word, shape [word, class]."""
    vectors, states = _read(model, reading)
    n_closing, ends = _prefixes.closing(reading), reading.last_token_of_word
    return to_numpy(_prefixes.read_recurrent(model.module, vectors[0], states, n_closing, ends, progress))


def _read(model: LoadedModel, reading: Reading) -> tuple[Tensor, _kernel.BatchStates]:
    """Word vectors [text = 1, pos, width] and everything computed from them."""
    ids = read_ids(model, reading)
    vectors = model.module.get_input_embeddings()(ids)
    return vectors, _kernel.trace_batch(model.module, vectors)
