"""An independent reading of the gradients: a recurrent network unrolled by hand in float64, left to autograd.

The torch twin of `oracle.py`, with nothing of the code under test: one word and one text at a time, the equations from
the papers, every state and gate a node of the graph that can be asked for its gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Unrolled:
    """Nodes of the graph by [layer][direction][pos]; `gates` holds a list of nodes for each position."""

    vectors: list[Tensor]
    hidden: list[list[list[Tensor]]]
    cell: list[list[list[Tensor]]]
    gates: list[list[list[list[Tensor]]]]
    logits: Tensor


@dataclass(frozen=True)
class OracleGradients:
    """`hidden`, `cell` [layer, direction, pos, unit], `gates` [layer, direction, pos, gate, unit], `vectors`
    [pos, width]; `cell` is `None` where there is none."""

    hidden: np.ndarray
    cell: np.ndarray | None
    gates: np.ndarray
    vectors: np.ndarray


def unroll(module: Any, vectors: Any) -> Unrolled:
    """One text, word vectors of shape [pos, width], word by word."""
    rnn, config = module.rnn, module.config
    weights = {name: value.detach().cpu().double() for name, value in module.named_parameters()}
    words = [torch.as_tensor(vector).detach().cpu().double().requires_grad_() for vector in vectors]
    n_units, n_pos = config.hidden_size, len(words)
    inputs, all_hidden, all_cell, all_gates = words, [], [], []
    for layer in range(config.num_layers):
        rows: tuple[list, list, list] = ([], [], [])
        for direction in range(2 if config.bidirectional else 1):
            end = f"l{layer}" + ("_reverse" if direction else "")
            own = [weights[f"rnn.{kind}_{end}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            h = c = torch.zeros(n_units, dtype=torch.float64)
            found: dict[int, tuple] = {}
            for pos in reversed(range(n_pos)) if direction else range(n_pos):
                h, c, gates = STEPS[rnn.mode](inputs[pos], h, c, *own)
                found[pos] = (h, c, gates)
            for kind, row in enumerate(rows):
                row.append([found[pos][kind] for pos in range(n_pos)])
        all_hidden.append(rows[0])
        all_cell.append(rows[1])
        all_gates.append(rows[2])
        inputs = [torch.cat([half[pos] for half in rows[0]]) for pos in range(n_pos)]
    pooled = POOLINGS[config.pooling](inputs, n_units)
    logits = weights["classifier.weight"] @ pooled + weights["classifier.bias"]
    return Unrolled(words, all_hidden, all_cell, all_gates, logits)


def gradients(module: Any, vectors: Any, value: Any) -> OracleGradients:
    """Total derivatives of `value(logits)`, a scalar tensor, by every node."""
    found = unroll(module, vectors)
    n_layers, n_directions, n_pos = len(found.hidden), len(found.hidden[0]), len(found.vectors)
    hidden = [node for layer in found.hidden for half in layer for node in half]
    gates = [node for layer in found.gates for half in layer for step in half for node in step]
    cell = [node for layer in found.cell for half in layer for node in half] if module.rnn.mode == "LSTM" else []
    nodes = [*hidden, *gates, *cell, *found.vectors]
    # a node behind the verdict (the backward half of a word before the one that is pooled) has no path: zero
    given = torch.autograd.grad(value(found.logits), nodes, allow_unused=True)
    values = [torch.zeros_like(node) if each is None else each for each, node in zip(given, nodes, strict=True)]
    rows = iter(np.stack([each.numpy() for each in values[: len(nodes) - n_pos]]) if values else [])
    n_units, n_gates = module.config.hidden_size, len(found.gates[0][0][0])
    shape = (n_layers, n_directions, n_pos)

    def take(n_rows: int, *more: int) -> np.ndarray:
        return np.array([next(rows) for _ in range(n_rows)]).reshape(*shape, *more, n_units)

    by_hidden = take(len(hidden))
    by_gates = take(len(gates), n_gates) if n_gates else np.zeros((*shape, 0, n_units))
    by_cell = take(len(cell)) if cell else None
    return OracleGradients(by_hidden, by_cell, by_gates, np.stack([each.numpy() for each in values[-n_pos:]]))


def _rnn_step(x, h, c, w, u, b, d):
    return torch.tanh(w @ x + b + u @ h + d), c, []


def _gru_step(x, h, c, w, u, b, d):
    (w_r, w_z, w_n), (u_r, u_z, u_n) = w.chunk(3), u.chunk(3)
    (b_r, b_z, b_n), (d_r, d_z, d_n) = b.chunk(3), d.chunk(3)
    r = torch.sigmoid(w_r @ x + b_r + u_r @ h + d_r)
    z = torch.sigmoid(w_z @ x + b_z + u_z @ h + d_z)
    n = torch.tanh(w_n @ x + b_n + r * (u_n @ h + d_n))
    return (1 - z) * n + z * h, c, [r, z, n]


def _lstm_step(x, h, c, w, u, b, d):
    i, f, g, o = (w @ x + b + u @ h + d).chunk(4)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    return o * torch.tanh(c), c, [i, f, g, o]


STEPS = {"RNN_TANH": _rnn_step, "GRU": _gru_step, "LSTM": _lstm_step}
POOLINGS = {
    "last": lambda states, n_units: torch.cat([states[-1][:n_units], states[0][n_units:]]),
    "mean": lambda states, n_units: torch.stack(states).mean(0),
    "max": lambda states, n_units: torch.stack(states).amax(0),
}
