"""An independent reading of the recurrent equations, in float64 NumPy, one word and one text at a time.

Written from the papers (Elman 1990; Cho et al. 2014; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et
al. 2000; Schuster and Paliwal 1997), with nothing of the code under test: no fused kernel, no batch, no padding. It
shares only the names of the weights, because they are what a trained network is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GATES = {"rnn": 0, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class OracleTrace:
    """`hidden`, `cell` [layer, direction, pos, unit], `gates` [layer, direction, pos, gate, unit], `logits` [class];
    backward entries stand at the word they read."""

    hidden: np.ndarray
    cell: np.ndarray | None
    gates: np.ndarray
    logits: np.ndarray


def read(module, vectors) -> OracleTrace:
    """One text, word vectors of shape [pos, width], through a classifier of any recurrent family, word by word."""
    rnn, config = module.rnn, module.config
    weights = {name: value.detach().cpu().double().numpy() for name, value in module.named_parameters()}
    family = {"RNN_TANH": "rnn", "GRU": "gru", "LSTM": "lstm"}[rnn.mode]
    n_directions = 2 if config.bidirectional else 1
    inputs = np.asarray(vectors, dtype=np.float64)
    n_pos, n_units = len(inputs), config.hidden_size
    shape = (config.num_layers, n_directions, n_pos)
    hidden, cell = np.zeros((*shape, n_units)), np.zeros((*shape, n_units))
    gates = np.zeros((*shape, GATES[family], n_units))
    for layer in range(config.num_layers):
        for direction in range(n_directions):
            end = f"l{layer}" + ("_reverse" if direction else "")
            w, u, b, d = (weights[f"rnn.{kind}_{end}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            h, c = np.zeros(n_units), np.zeros(n_units)
            for pos in reversed(range(n_pos)) if direction else range(n_pos):
                h, c, g = STEPS[family](inputs[pos], h, c, w, u, b, d)
                hidden[layer, direction, pos], cell[layer, direction, pos] = h, c
                gates[layer, direction, pos] = g
        inputs = np.concatenate(list(hidden[layer]), axis=-1)
    logits = _pool(hidden[-1], config.pooling) @ weights["classifier.weight"].T + weights["classifier.bias"]
    return OracleTrace(hidden, cell if family == "lstm" else None, gates, logits)


def running(module, vectors) -> np.ndarray:
    """Logits of every prefix, each read from nothing; shape [pos, class]."""
    return np.stack([read(module, vectors[: stop + 1]).logits for stop in range(len(vectors))])


def _rnn_step(x, h, c, w, u, b, d):
    return np.tanh(w @ x + b + u @ h + d), c, np.zeros((0, len(h)))


def _gru_step(x, h, c, w, u, b, d):
    (w_r, w_z, w_n), (u_r, u_z, u_n) = np.split(w, 3), np.split(u, 3)
    (b_r, b_z, b_n), (d_r, d_z, d_n) = np.split(b, 3), np.split(d, 3)
    r = _sigmoid(w_r @ x + b_r + u_r @ h + d_r)
    z = _sigmoid(w_z @ x + b_z + u_z @ h + d_z)
    n = np.tanh(w_n @ x + b_n + r * (u_n @ h + d_n))
    return (1 - z) * n + z * h, c, np.stack([r, z, n])


def _lstm_step(x, h, c, w, u, b, d):
    i, f, g, o = np.split(w @ x + b + u @ h + d, 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, np.stack([i, f, g, o])


STEPS = {"rnn": _rnn_step, "gru": _gru_step, "lstm": _lstm_step}


def _sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _pool(top, pooling):
    """One vector [direction * unit] from the top layer's states [direction, pos, unit]."""
    if pooling == "last":
        return np.concatenate([top[0, -1], *top[1:, 0]])
    return np.concatenate(list(top.mean(1) if pooling == "mean" else top.max(1)))
