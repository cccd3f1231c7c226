"""What the vanishing lab costs: the default lab as a person starts it, and one step of learning over torch's own."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn

from bench._row import Row, ratio
from explorer_core import api
from explorer_core.lab import networks
from explorer_core.lab.tasks import TASKS, loss_of

_MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
_N_NETWORKS, _N_UNITS, _N_ROWS, _LAG = 4, 16, 32, 40


def measure() -> list[Row]:
    """Seconds of the default lab, what it had been priced at, and gradients of four stacked networks over torch."""
    return [*_default(), *(_step(family) for family in _MODULES)]


def _default() -> list[Row]:
    spec = api.LabSpec()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    result = api.run_lab(spec)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    price = api.price_lab(spec)
    reach = [
        f"{setting.family} {result.learned_lag(row) or 0}"
        for row, setting in enumerate(result.settings)
        if not setting.is_orthogonal and setting.gate_bias in (None, spec.gate_bias)
    ]
    note = f"{cpu_s:.0f} s of CPU, priced at {price.seconds:.0f} s; lags learned: {', '.join(reach)}"
    return [Row(f"the default vanishing lab, {price.n_networks} networks", 60, took_s, unit="s", note=note)]


def _step(family: str) -> Row:
    task, rng = TASKS["first_token"], np.random.default_rng(0)
    batch = task.draw(rng, _LAG, _N_ROWS)
    weights = networks.build(
        family, [np.random.default_rng(each) for each in range(_N_NETWORKS)], width=task.width, n_units=_N_UNITS,
        n_out=task.n_out, orthogonal=(False,) * _N_NETWORKS, keep_bias=(1.0,) * _N_NETWORKS,
    )  # fmt: skip
    rnns: list[Any] = [_MODULES[family](task.width, _N_UNITS) for _ in range(_N_NETWORKS)]
    heads = [nn.Linear(_N_UNITS, task.n_out) for _ in rnns]
    inputs, answers = torch.from_numpy(batch.inputs).movedim(1, 2).contiguous(), torch.from_numpy(batch.answers[0])

    def ours() -> Any:
        passed = networks.read(family, weights, batch.inputs[:, None], 1)
        _, _, grad = loss_of(passed.outputs, batch.answers[:, None])
        return networks.walk_back(family, weights, passed, (grad / _N_ROWS).astype(np.float32))

    def plain() -> None:
        for rnn, head in zip(rnns, heads, strict=True):
            nn.functional.cross_entropy(head(rnn(inputs)[0][-1]), answers).backward()
            rnn.zero_grad()
            head.zero_grad()

    quantity = (
        f"gradients of {_N_NETWORKS} stacked {family} of {_N_UNITS} units, {_N_ROWS} sequences, lag {_LAG}, over plain "
        f"nn.{_MODULES[family].__name__} forward + backward, one after the other"
    )
    return ratio(quantity, 1.0, ours, plain, n_rounds=9)
