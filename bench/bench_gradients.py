"""What exact gradients cost, against plain forward and backward passes of `nn.LSTM` in the same run."""

from __future__ import annotations

import copy
import statistics
from typing import Any

import torch

from bench._row import Row, compare, ratio
from bench.bench_tracing import SENTENCE, build_model
from explorer_core import api
from explorer_core.tracing import _kernel
from explorer_core.tracing._backward import backward_batch
from tests.core import random_networks
from tests.core.tracing.test_gradients_backward import largest_relative


def measure() -> list[Row]:
    """Rows of the issue: time over plain forward and backward, maps and norms in milliseconds, distance to autograd."""
    model = build_model("lstm")
    return [
        _gradients("gradients, 1 x 128 tokens, 128 units, over plain nn.LSTM forward + backward", 3.0, 1, 100),
        _gradients("gradients, 32 x 128 tokens, 128 units, over plain nn.LSTM forward + backward", 2.0, 32, 9),
        _alone("whole api.trace_gradients of 100 words, LSTM, 128 units", None, lambda: _gradients_of(model, 100)),
        _alone("connectivity of 100 words, LSTM, 128 units", 150, lambda: _connectivity_of(model, 100)),
        _alone("connectivity of 300 words, LSTM, 128 units", 1_000, lambda: _connectivity_of(model, 300), n_rounds=3),
        _alone("spectral norms of dh_T/dh_t and dh_T/dc_t, 100 words", None, lambda: _norms_of(model, "spectral")),
        _alone("Frobenius norms of dh_T/dh_t and dh_T/dc_t, 100 words", None, lambda: _norms_of(model, "frobenius")),
        *_oracle(),
    ]


def _gradients(quantity: str, bar: float, n_texts: int, n_rounds: int) -> Row:
    module = random_networks.build("lstm", embedding_size=384, hidden_size=128)
    vectors = torch.randn(n_texts, 128, 384, generator=torch.Generator().manual_seed(0))
    lengths, grad = torch.full((n_texts,), 128), torch.eye(2)[1].expand(n_texts, 2)
    trained = copy.deepcopy(module).train().requires_grad_(True)
    inputs = vectors.clone().requires_grad_()

    def plain() -> Any:
        logits = trained.classifier(trained.rnn(inputs)[0][:, -1])
        logits[:, 1].sum().backward()
        inputs.grad = None
        trained.zero_grad(set_to_none=True)

    def ours() -> Any:
        states = _kernel.trace_batch(module, vectors, lengths)
        return backward_batch(module, states, vectors, lengths, grad)

    return ratio(quantity, bar, ours, plain, n_rounds)


def _alone(quantity: str, bar: float | None, call: Any, n_rounds: int = 9) -> Row:
    seconds, _ = compare(call, lambda: None, n_rounds)
    return Row(quantity, bar, statistics.median(seconds) * 1e3, unit="ms", note=f"fastest {seconds[0] * 1e3:.3g} ms")


def _text(n_words: int) -> str:
    words = [word for word in SENTENCE.split() if word.isalpha()]
    return " ".join((words * (n_words // len(words) + 1))[:n_words])


def _gradients_of(model: Any, n_words: int) -> Any:
    return api.trace_gradients(model, _text(n_words))


def _connectivity_of(model: Any, n_words: int) -> Any:
    return api.trace_connectivity(model, _text(n_words))


def _norms_of(model: Any, norm: str) -> Any:
    return api.trace_jacobians(model, _text(100), norm=norm, spectrum=False)


def _oracle() -> list[Row]:
    rows = []
    for dtype, bar in ((torch.float64, 1e-5), (torch.float32, 1e-4)):
        worst = max(
            largest_relative(random_networks.draw(number, dtype), number, [0])
            for number in range(random_networks.N_CONFIGURATIONS)
        )
        name = str(dtype).removeprefix("torch.")
        quantity = (
            f"gradients against float64 autograd over a hand-unrolled cell, {random_networks.N_CONFIGURATIONS} random "
            f"configurations, {name}, relative at the worst position"
        )
        rows.append(Row(quantity, bar, worst, unit=""))
    return rows
