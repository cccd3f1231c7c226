"""The ledger of an LSTM and the halves of a bidirectional network: how exact their sums are, and what they cost."""

from __future__ import annotations

import numpy as np

from bench._row import Row, ratio
from bench.bench_tracing import build_model, text_of
from explorer_core import api
from explorer_core.loaded import LoadedModel
from tests.core import random_ledgers


def measure() -> list[Row]:
    """Distance of every sum to the float64 oracle, and the time of a ledger beside that of the trace it is made of."""
    return [*_sums(), _halves(), *_times()]


def _sums() -> list[Row]:
    worst = np.max([random_ledgers.largest_differences(case) for case in random_ledgers.lstms()], axis=0)
    over = f"{random_ledgers.N_CONFIGURATIONS} random LSTMs and BiLSTMs"
    names = ("written x kept to the cell", "shares to the pooled state", "shares and bias to the logits")
    return [Row(f"word ledger, {name}, {over}", 1e-5, float(each), "") for name, each in zip(names, worst, strict=True)]


def _halves() -> Row:
    worst = max(random_ledgers.halves_difference(case) for case in random_ledgers.two_way())
    return Row(
        f"both halves and bias to the logits, {random_ledgers.N_CONFIGURATIONS} random networks", 1e-5, worst, ""
    )


def _times() -> list[Row]:
    model = build_model("lstm")
    return [_time(model, n_tokens, n_rounds) for n_tokens, n_rounds in ((100, 100), (1_500, 15))]


def _time(model: LoadedModel, n_tokens: int, n_rounds: int) -> Row:
    text = text_of(model.tokenizer, n_tokens)
    return ratio(
        f"whole api.lstm_ledger of {n_tokens:,} tokens, 128 units, over api.trace_states",
        2.0,
        lambda: api.lstm_ledger(model, text),
        lambda: api.trace_states(model, text, running=False),
        n_rounds,
    )
