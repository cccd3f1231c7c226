"""A stack of small recurrent networks of one family that learn side by side, with exact gradients in closed form.

The story: a network of sixteen units is so small that a library spends its time on calling, not on computing, and a lab
trains a hundred of them. So all networks of one family that read texts of one length are stacked, every array gets the
axis `network` in front, and one step of all of them is one product and a handful of vector operations in NumPy. The way
back is written out as well (Werbos 1990, Backpropagation through time): it needs what the way forward left behind and
nothing else, and the gradient of every state, which the lab is about, falls out on the way to those of the weights.

The equations are those of `torch.nn.RNN`, `GRU` and `LSTM`, and so are the order of the gates and the names of the
weights (LSTM: i, f, g, o; GRU: r, z, n). Nothing here is shared between threads, and no random generator but the one
that is given is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BLOCKS = {"rnn": 1, "gru": 3, "lstm": 4}  # blocks of `unit` rows in the recurrent weights
KEEPS = {"gru": 1, "lstm": 1}  # block of the gate that keeps the state: update, forget
Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Passed:
    """What a stack computed while it read, with everything the way back needs; a row is one sequence.

    Attributes:
        inputs: What was read, shape [pos, network or 1, width, row].
        gates: After their non-linearity, shape [pos, network, block, unit, row]; of an RNN what its tanh was given.
        hidden: h_t, shape [pos, network, unit, row], as the two below.
        cell: c_t before its tanh; `None` without one.
        shown: tanh(c_t) of an LSTM; of a GRU what the reset gate lets through, W_hn h_(t-1) + b_hn; else `None`.
        outputs: What the head says at the last `n_out` positions, shape [answer, network, out, row].
    """

    inputs: np.ndarray
    gates: np.ndarray
    hidden: np.ndarray
    cell: np.ndarray | None
    shown: np.ndarray | None
    outputs: np.ndarray


@dataclass(frozen=True)
class Walked:
    """Gradients of one number for each network.

    Attributes:
        weights: With respect to each weight, in its shape.
        state: Total derivative with respect to the state that is carried from step to step, c_t of an LSTM and h_t
            otherwise, through all later steps (and of c_t through h_t of the same step); shape [pos, network,
            unit, row].
    """

    weights: Weights
    state: np.ndarray


def build(
    family: str,
    rngs: Sequence[np.random.Generator],
    *,
    width: int,
    n_units: int,
    n_out: int,
    orthogonal: Sequence[bool],
    keep_bias: Sequence[float],
    dtype: Any = np.float32,
) -> Weights:
    """Fresh weights of a stack, one network for each generator.

    Input and head weights are Glorot's and biases zero, as in the families of the explorer; recurrent weights are
    uniform within 1 / sqrt(unit), which is PyTorch's default, or orthogonal block by block (Saxe et al. 2014). Networks
    whose generators are alike differ in nothing but what is asked for.

    Args:
        family: `rnn`, `gru` or `lstm`.
        rngs: One for each network.
        width: Numbers read at each step.
        n_units: Units.
        n_out: Outputs of the head.
        orthogonal: Which networks get orthogonal recurrent weights.
        keep_bias: What the biases of the gate that keeps the state start from (LSTM: forget; GRU: update).
        dtype: float32, or float64 for a check.

    Returns:
        `weight_ih` [network, block * unit, width], `weight_hh` [network, block * unit, unit], `bias_ih` and `bias_hh`
        [network, block * unit], `head_weight` [network, out, unit], `head_bias` [network, out].
    """
    n_blocks = BLOCKS[family]
    found: dict[str, list[np.ndarray]] = {"weight_ih": [], "weight_hh": [], "bias_ih": [], "head_weight": []}
    for rng, is_orthogonal, bias in zip(rngs, orthogonal, keep_bias, strict=True):
        inputs = [_uniform(rng, (n_units, width), np.sqrt(6 / (n_units + width))) for _ in range(n_blocks)]
        head = _uniform(rng, (n_out, n_units), np.sqrt(6 / (n_units + n_out)))  # before what may differ
        recurrent = [_recurrent(rng, n_units, is_orthogonal) for _ in range(n_blocks)]
        start = np.zeros((n_blocks, n_units))
        if family in KEEPS:
            start[KEEPS[family]] = bias
        for name, value in (("weight_ih", np.concatenate(inputs)), ("weight_hh", np.concatenate(recurrent)),
                            ("bias_ih", start.ravel()), ("head_weight", head)):  # fmt: skip
            found[name].append(value)
    weights = {name: np.stack(values).astype(dtype) for name, values in found.items()}
    zeros = {"bias_hh": weights["bias_ih"].shape, "head_bias": weights["head_weight"].shape[:2]}
    return weights | {name: np.zeros(shape, dtype) for name, shape in zeros.items()}


def read(family: str, weights: Weights, inputs: np.ndarray, n_answers: int, room: Passed | None = None) -> Passed:
    """Everything a stack computes over one batch.

    Args:
        family: `rnn`, `gru` or `lstm`.
        weights: From `build`.
        inputs: Shape [pos, network, width, row], or [pos, 1, width, row] where all read the same.
        n_answers: At how many positions, the last ones, the head answers.
        room: What an earlier reading of the same sizes gave, to be written over: new memory takes as long to be had
            from the system as it takes to fill.
    """
    weight, recurrent = weights["weight_ih"], weights["weight_hh"]
    n_pos, n_rows = len(inputs), inputs.shape[3]
    n_networks, _, n_units = recurrent.shape
    bias = weights["bias_ih"] if family == "gru" else weights["bias_ih"] + weights["bias_hh"]
    if room is None:
        gates = np.empty((n_pos, n_networks, BLOCKS[family], n_units, n_rows), inputs.dtype)
        hidden = np.empty((n_pos, n_networks, n_units, n_rows), inputs.dtype)
        cell = np.empty_like(hidden) if family == "lstm" else None
        shown = np.empty_like(hidden) if family != "rnn" else None
    else:
        gates, hidden, cell, shown = room.gates, room.hidden, room.cell, room.shown
    before, cell_before = np.zeros_like(hidden[0]), np.zeros_like(hidden[0])
    for pos in range(n_pos):
        now, after = gates[pos].reshape(n_networks, -1, n_rows), hidden[pos]
        np.matmul(weight, inputs[pos], out=now)
        now += bias[:, :, None]
        if family == "rnn":
            now += recurrent @ before
            np.tanh(now, out=after)
        elif family == "gru":
            assert shown is not None
            _step_gru(now, recurrent @ before + weights["bias_hh"][:, :, None], before, shown[pos], after)
        else:
            assert cell is not None and shown is not None
            now += recurrent @ before
            _step_lstm(now, cell_before, cell[pos], shown[pos], after)
            cell_before = cell[pos]
        before = after
    outputs = weights["head_weight"] @ hidden[n_pos - n_answers :]
    outputs += weights["head_bias"][:, :, None]
    return Passed(inputs, gates, hidden, cell, shown, outputs)


def walk_back(family: str, weights: Weights, passed: Passed, grad_outputs: np.ndarray) -> Walked:
    """Gradients from those of the outputs.

    Args:
        family: `rnn`, `gru` or `lstm`.
        weights: As given to `read`.
        passed: What it found.
        grad_outputs: Derivative of the number in question by the outputs, in their shape.
    """
    hidden, inputs = passed.hidden, passed.inputs
    n_pos, n_answers = len(hidden), len(grad_outputs)
    grad = {name: np.zeros_like(value) for name, value in weights.items()}
    back, head = (np.ascontiguousarray(weights[name].swapaxes(1, 2)) for name in ("weight_hh", "head_weight"))
    states = np.empty_like(hidden)
    entered = np.empty_like(passed.gates[0])  # [network, block, unit, row]: by what each gate adds up
    from_state = np.empty_like(entered) if family == "gru" else entered  # by the recurrent half of that
    flat, flat_state = (each.reshape(len(each), -1, each.shape[-1]) for each in (entered, from_state))
    nothing = np.zeros_like(hidden[0])
    arrived, kept = nothing.copy(), nothing.copy()  # from the step after, by way of h and by way of c
    for pos in reversed(range(n_pos)):
        answer = pos - (n_pos - n_answers)
        before = hidden[pos - 1] if pos else nothing
        if answer >= 0:
            arrived += head @ grad_outputs[answer]
            grad["head_weight"] += grad_outputs[answer] @ hidden[pos].swapaxes(1, 2)
            grad["head_bias"] += grad_outputs[answer].sum(2)
        states[pos] = arrived
        if family == "rnn":
            np.multiply(hidden[pos], hidden[pos], out=flat)
            np.subtract(1, flat, out=flat)
            flat *= arrived
        elif family == "gru":
            assert passed.shown is not None
            kept = _back_gru(passed.gates[pos], passed.shown[pos], before, arrived, entered, from_state)
        else:
            assert passed.cell is not None and passed.shown is not None
            cell_before = passed.cell[pos - 1] if pos else nothing
            kept = _back_lstm(passed.gates[pos], passed.shown[pos], cell_before, arrived, kept, states[pos], entered)
        grad["weight_ih"] += flat @ inputs[pos].swapaxes(1, 2)
        grad["weight_hh"] += flat_state @ before.swapaxes(1, 2)
        grad["bias_ih"] += flat.sum(2)
        grad["bias_hh"] += flat_state.sum(2)
        arrived = back @ flat_state
        if family == "gru":
            arrived += kept
    return Walked(grad, states)


# One step -----------------------------------------------------------------------------------------------------------


def _step_gru(
    now: np.ndarray, from_state: np.ndarray, before: np.ndarray, through: np.ndarray, after: np.ndarray
) -> None:
    """The state (1 - z) n + z h_before with n = tanh(W x + r (U h_before + b)); `now` becomes r, z, n."""
    n_units = before.shape[1]
    sigmoids, candidate = now[:, : 2 * n_units], now[:, 2 * n_units :]
    sigmoids += from_state[:, : 2 * n_units]
    _sigmoid(sigmoids)
    through[...] = from_state[:, 2 * n_units :]
    candidate += sigmoids[:, :n_units] * through
    np.tanh(candidate, out=candidate)
    np.subtract(before, candidate, out=after)
    after *= sigmoids[:, n_units:]
    after += candidate


def _back_gru(
    gates: np.ndarray,
    through: np.ndarray,
    before: np.ndarray,
    arrived: np.ndarray,
    entered: np.ndarray,
    from_state: np.ndarray,
) -> np.ndarray:
    """Fill in both gradients; returns what goes past the gates to the state before."""
    reset, update, candidate = (gates[:, block] for block in range(3))
    renewed = entered[:, 2]
    np.multiply(candidate, candidate, out=renewed)
    np.subtract(1, renewed, out=renewed)
    renewed *= 1 - update
    renewed *= arrived
    np.multiply(renewed, reset, out=from_state[:, 2])
    entered[:, 0] = from_state[:, 2] * (1 - reset) * through
    kept = arrived * update
    entered[:, 1] = (before - candidate) * kept * (1 - update)
    from_state[:, :2] = entered[:, :2]
    return kept


def _step_lstm(
    now: np.ndarray, cell_before: np.ndarray, cell: np.ndarray, shown: np.ndarray, after: np.ndarray
) -> None:
    """Cell f c_before + i g and state o tanh(c); `now` becomes i, f, g, o."""
    n_units = cell.shape[1]
    write, forget, candidate, output = (now[:, each * n_units : (each + 1) * n_units] for each in range(4))
    _sigmoid(now[:, : 2 * n_units])
    np.tanh(candidate, out=candidate)
    _sigmoid(output)
    np.multiply(write, candidate, out=cell)
    cell += forget * cell_before
    np.tanh(cell, out=shown)
    np.multiply(output, shown, out=after)


def _back_lstm(
    gates: np.ndarray,
    shown: np.ndarray,
    cell_before: np.ndarray,
    arrived: np.ndarray,
    kept: np.ndarray,
    grad_cell: np.ndarray,
    entered: np.ndarray,
) -> np.ndarray:
    """Fill in the gradient of the cell and of what enters the gates; returns what is kept for the cell before."""
    write, forget, candidate, output = (gates[:, block] for block in range(4))
    np.multiply(shown, shown, out=grad_cell)
    np.subtract(1, grad_cell, out=grad_cell)
    grad_cell *= output
    grad_cell *= arrived
    grad_cell += kept
    np.multiply(gates, gates, out=entered)
    np.subtract(gates, entered, out=entered)  # slopes of the sigmoids
    slope = entered[:, 2]
    np.multiply(candidate, candidate, out=slope)
    np.subtract(1, slope, out=slope)
    entered[:, 0] *= candidate
    entered[:, 1] *= cell_before
    slope *= write
    entered[:, :3] *= grad_cell[:, None]
    entered[:, 3] *= shown * arrived
    return grad_cell * forget


# Small parts --------------------------------------------------------------------------------------------------------


def _sigmoid(values: np.ndarray) -> None:
    """In place, by way of tanh, which no number overflows."""
    values *= 0.5
    np.tanh(values, out=values)
    values += 1
    values *= 0.5


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> np.ndarray:
    return rng.uniform(-bound, bound, shape)


def _recurrent(rng: np.random.Generator, n_units: int, is_orthogonal: bool) -> np.ndarray:
    """One block of recurrent weights, shape [unit, unit]."""
    if not is_orthogonal:
        return _uniform(rng, (n_units, n_units), 1 / np.sqrt(n_units))
    turned, triangle = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    return turned * np.sign(np.diagonal(triangle))  # so that every orthogonal matrix is as likely
