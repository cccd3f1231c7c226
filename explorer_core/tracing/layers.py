"""A BERT from layer to layer: how alike its vectors are, and its own head over the hidden states of every layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.results import LayerSimilarity, LayerVerdicts, Trace, TransformerTrace
from explorer_core.text import read_text
from explorer_core.tracing import transformer
from explorer_core.tracing._arrays import read_ids, to_numpy


def compare(trace: Trace, *, centred: bool = False) -> LayerSimilarity:
    """Cosines between words in every layer, and of every word from layer to layer; see `api.compare_layers`.

    Raises:
        IncompatibleError: If the trace is not of a BERT.
    """
    if not isinstance(trace, TransformerTrace):
        raise IncompatibleError(
            "Only a BERT gives every word a vector in every layer; this is another network's trace."
        )
    vectors = trace.hidden[:, trace.reading.last_token_of_word].astype(np.float64)  # [layer + 1, word, unit]
    if centred:
        vectors = vectors - vectors.mean(1, keepdims=True)
    return LayerSimilarity(
        model=trace.model,
        architecture=trace.architecture,
        fingerprint=trace.fingerprint,
        reading=trace.reading,
        is_centred=centred,
        between_words=_narrow(_between(vectors), trace.hidden),
        to_next_layer=_narrow(cosine(vectors[:-1], vectors[1:]), trace.hidden),
    )


def cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine of two vectors along the last axis, in [-1, 1]; 0 where either has length zero."""
    return np.clip(np.einsum("...u,...u->...", _unit_length(one), _unit_length(other)), -1.0, 1.0)


@torch.inference_mode()
def trace_verdicts(model: LoadedModel, text: str) -> LayerVerdicts:
    """Logits of the network's head over the hidden states of every layer; see `api.trace_layer_verdicts`.

    Raises:
        IncompatibleError: If the network is no BERT, or its head is of no known kind.
        InvalidInputError: If the text has no words, or the network gives numbers that are not finite.
    """
    if model.kind != "transformer":
        raise IncompatibleError(f"{model.name[:60]!r} is no BERT: only a BERT's head can be put on every layer.")
    reading = read_text(model.tokenizer, text, model.max_tokens)
    ids = read_ids(model, reading)  # [text = 1, pos]
    twin = transformer.recording_twin(model.module)
    given = twin(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
    first = torch.stack([hidden[0, :1] for hidden in given.hidden_states])  # [layer + 1, pos = 1, unit]
    return LayerVerdicts(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(_read_head(model, first)),
    )


def _read_head(model: LoadedModel, hidden: Tensor) -> Tensor:
    """Logits of the network's own head over the first token; `hidden` has shape [layer + 1, pos, unit].

    The parts are called in the order of the library's own forward pass, without its dropout.
    """
    module: Any = model.module
    family = module.config.model_type
    if family == "bert":
        return module.classifier(module.bert.pooler(hidden))
    if family == "distilbert":
        return module.classifier(torch.relu(module.pre_classifier(hidden[:, 0])))
    if family in ("roberta", "electra"):  # their dropout is in the head itself, and off in eval mode
        return module.classifier(hidden)
    raise IncompatibleError(
        f"The head of {model.name[:60]!r} ({str(family)[:40]}) cannot be put on single layers. "
        "Choose a BERT, DistilBERT, RoBERTa or ELECTRA classifier."
    )


def _between(vectors: np.ndarray) -> np.ndarray:
    """Cosine of every pair of words in every layer; [layer + 1, word, unit] gives [layer + 1, word, word]."""
    directions = _unit_length(vectors)
    return np.clip(directions @ directions.transpose(0, 2, 1), -1.0, 1.0)


def _unit_length(vectors: np.ndarray) -> np.ndarray:
    largest = np.abs(vectors).max(-1, keepdims=True, initial=0.0)
    scaled = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)  # squares stay in range
    lengths = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 0)


def _narrow(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    return values.astype(like.dtype)
