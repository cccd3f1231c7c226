"""What exact tracing costs, against the network's own forward pass in the same run."""

from __future__ import annotations

import tracemalloc
from typing import Any

import torch

from bench._row import Row, ratio
from explorer_core import api, settings
from explorer_core.loaded import LoadedModel
from explorer_core.tracing import _kernel
from explorer_core.training.spec import TrainingSpec
from tests.core import random_networks

SENTENCE = "The plot takes a while to find its feet , but once it does the film is warm , funny and never dull . "


def measure() -> list[Row]:
    """Rows of DESIGN section 6: time over a plain forward pass, memory over length, distance to the oracle."""
    return [
        _states_and_gates("states and gates, 1 x 128 tokens, 128 units, over plain nn.LSTM", 2.2, 1, 128, 128, 300),
        _states_and_gates("states and gates, 64 x 256 tokens, 256 units, over plain nn.LSTM", 4.0, 64, 256, 256, 7),
        _whole_text(build_model("lstm"), 4.0),
        *_long_text(),
        _oracle(),
    ]


def build_model(family: str, **sizes: Any) -> LoadedModel:
    """An untrained network of a family over the pretrained vocabulary, as training would start it."""
    from explorer_core.architectures import _building

    spec = TrainingSpec(name="bench", family=family, **sizes)
    module, tokenizer = _building.build(spec, ("negative", "positive"), [SENTENCE])
    module = module.eval().requires_grad_(False)
    kind, limit = ("transformer", 512) if family == "bert" else ("recurrent", settings.MAX_RECURRENT_TOKENS)
    return LoadedModel("bench", family, kind, ("negative", "positive"), module, tokenizer, "cpu", "0" * 16, limit)


def text_of(tokenizer: Any, n_tokens: int) -> str:
    """A text of just so many tokens, the sentence over and over."""
    words = (SENTENCE * (n_tokens // 15 + 1)).split()
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if len(tokenizer(" ".join(words[:middle])).input_ids) <= n_tokens else (low, middle - 1)
        )
    return " ".join(words[:low])


def _states_and_gates(quantity: str, bar: float, n_texts: int, n_pos: int, n_units: int, n_rounds: int) -> Row:
    module = random_networks.build("lstm", embedding_size=384, hidden_size=n_units)
    vectors = torch.randn(n_texts, n_pos, 384, generator=torch.Generator().manual_seed(0))
    lengths = torch.full((n_texts,), n_pos)

    def plain() -> Any:
        with torch.inference_mode():
            return module.rnn(vectors)

    return ratio(quantity, bar, lambda: _kernel.trace_batch(module, vectors, lengths), plain, n_rounds)


def _whole_text(model: LoadedModel, bar: float) -> Row:
    text = text_of(model.tokenizer, 128)

    def plain() -> Any:
        with torch.inference_mode():
            return model.module(**model.tokenizer(text, return_tensors="pt", return_token_type_ids=False))

    return ratio(
        "whole api.trace_states of a 128-token text, over tokenising and the model's own forward",
        bar,
        lambda: api.trace_states(model, text),
        plain,
        n_rounds=200,
    )


def _long_text() -> list[Row]:
    """Memory of a trace over its length: the arrays themselves grow linearly, and nothing else may grow faster."""
    model = build_model("lstm")
    peaks = {}
    for n_tokens in (1_024, 2_048, 4_096):
        text = text_of(model.tokenizer, n_tokens)
        peaks[n_tokens] = _peak_mib(lambda text=text: api.trace_states(model, text))
        n_read = len(api.trace_states(model, text, running=False).tokens)
    per_token_kib = peaks[4_096] * 1024 / 4_096
    note = ", ".join(f"{n_tokens:,}: {mib:.3g} MiB" for n_tokens, mib in peaks.items())
    return [
        Row("tokens of the longest text traced without an error", 4_096, n_read, unit="tokens", at_least=True),
        Row(
            "memory of a trace, 4,096 over 1,024 tokens (linear: 4)",
            4.4,
            peaks[4_096] / peaks[1_024],
            note=f"{note}; {per_token_kib:.3g} KiB a token",
        ),
    ]


def _peak_mib(call: Any) -> float:
    """Most memory held at once by a call, torch's and Python's together, beyond what was held before."""
    call()
    tracemalloc.start()
    try:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            call()
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    held = peak = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return (python + peak) / 2**20


def _oracle() -> Row:
    worst = max(
        random_networks.largest_difference(random_networks.draw(number))
        for number in range(random_networks.N_CONFIGURATIONS)
    )
    quantity = f"difference to a float64 hand-unrolled cell, {random_networks.N_CONFIGURATIONS} random configurations"
    return Row(quantity, 1e-5, worst, unit="")
