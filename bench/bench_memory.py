"""What it costs to measure memory: a text read again for every word, over the plain forward of all those texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench._row import Row, ratio
from bench.bench_tracing import SENTENCE, build_model
from explorer_core import api
from explorer_core.loaded import LoadedModel
from explorer_core.results import MemoryTrace
from explorer_core.tracing import _prefixes
from tests.core import oracle

LENGTHS = {30: (2.5, 20), 100: (1.2, 7), 300: (1.2, 3)}  # words: bar of the ratio, rounds
ORACLE_WORDS = 20


def measure() -> list[Row]:
    """Time over a plain forward of all swapped texts, and distance to the float64 hand-unrolled cell."""
    model = build_model("lstm")
    rows = [_over_forward(model, n_words, bar, n_rounds) for n_words, (bar, n_rounds) in LENGTHS.items()]
    return [*rows, _over_forward(build_model("bilstm"), 100, *LENGTHS[100]), _oracle()]


def text_of(n_words: int) -> str:
    """A text of so many words, the sentence over and over."""
    words = (SENTENCE * (n_words // len(SENTENCE.split()) + 1)).split()
    return " ".join(words[:n_words])


def _over_forward(model: LoadedModel, n_words: int, bar: float, n_rounds: int) -> Row:
    text = text_of(n_words)
    swapped = _swapped_ids(api.trace_memory(model, text), model.tokenizer.unk_token_id)
    size = max(_prefixes.TOKEN_BUDGET // swapped.shape[1], 1)

    def plain() -> Any:
        with torch.inference_mode():
            return [model.module(input_ids=part).logits for part in swapped.split(size)]

    quantity = (
        f"api.trace_memory, {n_words} words, {model.architecture}, 128 units, over the forward of its swapped texts"
    )
    return ratio(quantity, bar, lambda: api.trace_memory(model, text), plain, n_rounds)


def _swapped_ids(memory: MemoryTrace, unknown_id: int) -> torch.Tensor:
    """Every swapped text, ids [word, pos]."""
    reading = memory.reading
    is_word = reading.word_of_token[None] == np.arange(len(reading.words))[:, None]
    return torch.from_numpy(np.where(is_word, unknown_id, reading.token_ids[None]))


def _oracle() -> Row:
    """Largest distance of any state or logit change from that of two readings by the oracle, over all families."""
    worst = 0.0
    for family in ("rnn", "gru", "lstm", "bilstm"):
        model = build_model(family, hidden_size=32)
        for swap in ("unknown", "drop"):
            memory = api.trace_memory(model, text_of(ORACLE_WORDS), swap=swap)
            worst = max(worst, _largest_difference(model, memory, swap))
    quantity = f"swapped states and logits to a float64 hand-unrolled cell, {ORACLE_WORDS} words, four families"
    return Row(quantity, 1e-5, worst, unit="")


def _largest_difference(model: LoadedModel, memory: MemoryTrace, swap: str) -> float:
    table = model.module.get_input_embeddings().weight.double().numpy()
    ids, reading = memory.reading.token_ids, memory.reading
    plain, worst = oracle.read(model.module, table[ids]), 0.0
    for word in range(len(reading.words)):
        is_word = reading.word_of_token == word
        other = np.where(is_word, model.tokenizer.unk_token_id, ids) if swap == "unknown" else ids[~is_word]
        read = oracle.read(model.module, table[other])
        worst = max(worst, float(np.abs(read.logits - plain.logits - memory.logit_change[word]).max()))
        for direction in range(len(memory.directions)):
            end = -1 if direction == 0 else 0
            now, was = (getattr(each, memory.state)[:, direction, end] for each in (read, plain))
            worst = max(worst, float(np.abs(now - was - memory.end_change[:, direction, word]).max()))
    return worst
