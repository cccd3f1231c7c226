"""Hidden states and attention of a BERT-family network, from its own forward pass.

The library records both only when asked, with hooks that stay on the module for good, and attention only when the
module runs "eager". A shared module is never changed, so the recording happens on a twin: the same weights (not a
copy of them) under modules of its own.
"""

from __future__ import annotations

import copy
import itertools
import threading
import weakref
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.results import TransformerTrace
from explorer_core.text import Reading
from explorer_core.tracing import _prefixes
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._prefixes import Progress

_TWINS: weakref.WeakKeyDictionary[nn.Module, nn.Module] = weakref.WeakKeyDictionary()
_TWINS_LOCK = threading.Lock()
ROW_SUM_TOLERANCE = 1e-3  # a dropped attention weight is off by far more
HALF_ROW_SUM_TOLERANCE = 0.05  # half precision rounds every weight of a row


@torch.inference_mode()
def trace(model: LoadedModel, reading: Reading, *, running: bool, progress: Progress | None) -> TransformerTrace:
    """Hidden states after every layer, attention of every head, and the running verdict.

    Raises:
        IncompatibleError: If the network does not hand out its attention.
    """
    twin = recording_twin(model.module)
    ids = read_ids(model, reading)  # [text = 1, pos]
    mask = torch.ones_like(ids)
    given = twin(input_ids=ids, attention_mask=mask, output_hidden_states=True, output_attentions=True)
    refuse_broken(model, to_numpy(given.logits[0]))
    patterns = check_patterns(given.attentions, model)
    verdict = None
    if running:
        verdict = to_numpy(_prefixes.read_transformer(model.module, reading, given.logits[0], progress))
    return TransformerTrace(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(given.logits[0]),
        hidden=to_numpy(torch.cat(given.hidden_states)),  # [layer + 1, pos, unit]
        attn_pattern=to_numpy(torch.cat(patterns)),  # [layer, head, query_pos, key_pos]
        running_logits=verdict,
    )


@torch.inference_mode()
def trace_running(model: LoadedModel, reading: Reading, progress: Progress | None) -> np.ndarray:
    """Logits after every word, shape [word, class]."""
    ids = read_ids(model, reading)
    logits = model.module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    return to_numpy(_prefixes.read_transformer(model.module, reading, logits, progress))


def recording_twin(module: Any) -> Any:
    """A module of its own over the same weight tensors, running eager; made once for each network."""
    with _TWINS_LOCK:
        twin = _TWINS.get(module)
        if twin is None or not _shares_weights(twin, module):
            shared = {id(tensor): tensor for tensor in itertools.chain(module.parameters(), module.buffers())}
            twin = copy.deepcopy(module, shared)
            twin.set_attn_implementation("eager")
            _TWINS[module] = twin
        return twin


def check_patterns(patterns: Any, model: LoadedModel) -> tuple[Tensor, ...]:
    """Attention of every layer, if the network really handed it out.

    Raises:
        IncompatibleError: If there is none, or its rows do not sum to 1.
    """
    n_layers = model.module.config.num_hidden_layers
    if not patterns or len(patterns) != n_layers:
        raise IncompatibleError(
            f"{model.name[:60]!r} does not hand out the attention of its {n_layers} layers. "
            "Choose a BERT, DistilBERT, RoBERTa or ELECTRA classifier."
        )
    for pattern in patterns:
        off = float((pattern.float().sum(-1) - 1).abs().max())
        is_half = pattern.dtype not in (torch.float32, torch.float64)
        if off > (
            HALF_ROW_SUM_TOLERANCE if is_half else ROW_SUM_TOLERANCE
        ):  # NaN passes here and is named by the result's own check
            raise IncompatibleError(
                f"The attention of {model.name[:60]!r} does not sum to 1 over what it looks at (off by {off:.2g}). "
                "Load the model again with dropout switched off."
            )
    return tuple(patterns)


def _shares_weights(twin: nn.Module, module: nn.Module) -> bool:
    """Whether a twin still stands over the very tensors of the network."""
    ours = itertools.chain(twin.parameters(), twin.buffers())
    theirs = itertools.chain(module.parameters(), module.buffers())
    return all(one is other for one, other in itertools.zip_longest(ours, theirs))
