"""The sums a ledger promises, on random networks and against the float64 oracle; and the ledger by its definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from explorer_core.tracing import _kernel, halves, ledger
from tests.core import oracle, random_networks

N_CONFIGURATIONS = 200


def lstms() -> Iterator[random_networks.Case]:
    """So many random LSTM and BiLSTM cases: layers, directions, pooling, sizes, padding and batch all differ."""
    order = list(random_networks.CLASSES)
    has_cell = {order.index("lstm"), order.index("bilstm")}
    numbers = (number for number in range(10_000) if number % len(order) in has_cell)
    return (random_networks.draw(number) for _, number in zip(range(N_CONFIGURATIONS), numbers, strict=False))


def two_way() -> Iterator[random_networks.Case]:
    """So many random cases of any family that read in both directions."""
    drawn = (random_networks.draw(number) for number in range(10_000))
    both = (case for case in drawn if case.module.config.bidirectional)
    return (case for _, case in zip(range(N_CONFIGURATIONS), both, strict=False))


def largest_differences(case: random_networks.Case) -> np.ndarray:
    """How far the three sums of a ledger are from the oracle's cell, pooled state and logits, anywhere in a batch and
    however the tanh is divided; shape [3]."""
    worst = np.zeros(3)
    traced = _kernel.trace_batch(case.module, case.vectors, case.lengths)
    weight, bias = ledger.classifier_of(case.module)
    for index, n_pos in enumerate(case.lengths.tolist()):
        expected = oracle.read(case.module, case.text(index))
        assert expected.cell is not None
        gates, hidden = (each[index, :, :, :n_pos].numpy() for each in (traced.gates, traced.hidden))
        cells = np.stack([expected.cell[:, d, 0 if d else -1] for d in range(expected.cell.shape[1])], 1)
        for tanh_share in ledger.TANH_SHARE.choices:
            books = ledger.keep_books(gates, hidden[-1], case.module.config.pooling, tanh_share)
            sums = (
                ((books.written * books.kept).sum(2), cells),
                (books.hidden_share.sum(1), pooled(expected, case.module)),
                (np.einsum("dpu,dcu->c", books.hidden_share, weight) + bias, expected.logits),
            )
            worst = np.maximum(worst, [np.abs(found - wanted).max() for found, wanted in sums])
    return worst


def halves_difference(case: random_networks.Case) -> float:
    """How far both halves and the bias are from the oracle's logits, anywhere in a batch."""
    worst = 0.0
    traced = _kernel.trace_batch(case.module, case.vectors, case.lengths)
    weight, bias = ledger.classifier_of(case.module)
    for index, n_pos in enumerate(case.lengths.tolist()):
        top = traced.hidden[index, -1, :, :n_pos].numpy()
        forward, backward = halves.shares(top, weight, case.module.config.pooling)
        logits = oracle.read(case.module, case.text(index)).logits
        worst = max(worst, float(np.abs(forward[-1] + backward[0] + bias - logits).max()))
    return worst


def pooled(expected: oracle.OracleTrace, module: Any) -> np.ndarray:
    """What the oracle's classifier is given, shape [direction, unit]."""
    return oracle._pool(expected.hidden[-1], module.config.pooling).reshape(expected.hidden.shape[1], -1)


def defined(expected: oracle.OracleTrace, pooling: str, tanh_share: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Written, kept and the shares of the pooled state as the definitions say, one pair of positions at a time."""
    i, f, g, o = np.moveaxis(expected.gates, 3, 0)
    _, n_directions, n_pos, n_units = i.shape
    written, kept = i * g, np.ones(i.shape)
    share = np.zeros(i.shape[1:])
    for direction in range(n_directions):
        order = list(range(n_pos))[:: -1 if direction else 1]
        for step, pos in enumerate(order):
            for later in order[step + 1 :]:
                kept[:, direction, pos] *= f[:, direction, later]
        top = expected.hidden[-1, direction]
        for step, end in enumerate(order):
            if pooling == "last":
                weight = np.full(n_units, float(step == n_pos - 1))
            else:
                weight = np.full(n_units, 1 / n_pos) if pooling == "mean" else 1.0 * (top.argmax(0) == end)
            terms = []
            for first in range(step + 1):
                term = written[-1, direction, order[first]].copy()
                for later in order[first + 1 : step + 1]:
                    term *= f[-1, direction, later]
                terms.append(term)
            sums = np.cumsum(terms, axis=0)
            for index, term in enumerate(terms):
                if tanh_share == "proportional":
                    part = term * np.tanh(sums[-1]) / sums[-1]
                else:
                    part = np.tanh(sums[index]) - (np.tanh(sums[index - 1]) if index else 0)
                share[direction, order[index]] += weight * o[-1, direction, end] * part
    return written, kept, share
