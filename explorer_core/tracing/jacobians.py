"""Vanishing and exploding, measured: how the last state of a layer depends on every earlier one.

The story: d h_T / d h_t is a product of one matrix for each step (Bengio, Simard and Frasconi 1994, Learning long-term
dependencies with gradient descent is difficult; Pascanu, Mikolov and Bengio 2013). Every one of them is known from the
traced gates, so the product is built once from the end to the start, one matrix product a step, and its norm is read
off at every position. An LSTM's cell offers a second way back, on which nothing but the forget gates is multiplied:
their product stands beside the norms as the promise the measured numbers can be held against.

The product is kept near 1 by powers of two, which are counted apart, so norms below the smallest float32 are exact.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.results import DIRECTIONS, JacobianTrace
from explorer_core.results.gradients import norm_of
from explorer_core.text import read_text
from explorer_core.tracing import gradients
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._factors import Factors, factors_of
from explorer_core.tracing._prefixes import Progress
from explorer_core.tracing._spectral import largest_singular

NORM = Knob("norm", "Norm", "Which norm of a Jacobian is taken.", "spectral", choices=("spectral", "frobenius"))
_CHUNK = 64  # positions whose Jacobians are held at once: 8 MiB of float32 at 128 units
_SPECTRUM_CHUNK = 4  # positions between two reports of progress
_TIMED_ROWS = 256  # of the matrix that is timed to say what a spectrum costs
_FAR = 2.0**20  # from 1: then the product is brought back to it


def trace(
    model: LoadedModel,
    text: str,
    *,
    layer: int = -1,
    direction: int = 0,
    norm: str = "spectral",
    target: int | str | None = None,
    spectrum: bool = True,
    progress: Progress | None = None,
) -> JacobianTrace:
    """Norms of the Jacobians of one layer and direction; see `api.trace_jacobians`."""
    NORM.check(norm)
    layer, direction = _check_place(model, layer, direction)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    vectors, traced, grads, logits, chosen = gradients.read_back(model, reading, target, "logit")
    of_state = grads.hidden if grads.cell is None else grads.cell
    with torch.inference_mode():
        factors = factors_of(model.module, traced, vectors, None, layer=layer, direction=direction)
        hidden_norm, cell_norm = product_norms(factors, direction, norm)
        kept = None if factors.keep is None else kept_after(to_numpy(factors.keep[0]), direction)
        radius, singular = _spectra(factors, progress) if spectrum else (None, None)
    grad_norm = norm_of(to_numpy(of_state[0, layer, direction]))
    refuse_broken(model, hidden_norm, cell_norm, grad_norm, singular)
    return JacobianTrace(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(logits),
        layer=layer,
        direction=direction,
        norm=norm,
        target=chosen,
        hidden_norm=hidden_norm,
        cell_norm=cell_norm,
        grad_norm=grad_norm,
        kept_mean=None if kept is None else kept.mean(-1),
        kept_max=None if kept is None else kept.max(-1),
        spectral_radius=radius,
        singular_values=singular,
    )


def product_norms(factors: Factors, direction: int, norm: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Norms of d h_T / d h_t and of d h_T / d c_t, float64 [pos] each; the second is `None` without a cell."""
    measure = largest_singular if norm == "spectral" else _frobenius
    n_pos, n_units = factors.into.shape[1], factors.weight_hh.shape[1]
    has_cell = factors.show is not None
    order = range(n_pos) if direction else range(n_pos - 1, -1, -1)
    by_hidden = torch.eye(n_units, dtype=factors.weight_hh.dtype, device=factors.weight_hh.device)
    by_cell = by_hidden * factors.show[0, order[0]] if factors.show is not None else None
    norms, exponent, exponents = np.zeros((2 if has_cell else 1, n_pos)), 0, np.zeros(n_pos)
    held: list[Tensor] = []
    for index, pos in enumerate(order):
        held += [by_hidden] if by_cell is None else [by_hidden, by_cell]
        exponents[pos] = exponent
        is_last = index == n_pos - 1
        if is_last or (index + 1) % _CHUNK == 0:
            rows = measure(to_numpy(torch.stack(held))).reshape(-1, len(norms))
            norms[:, list(order[index + 1 - len(rows) : index + 1])] = rows.T
            held = []
        if not is_last:
            by_hidden, by_cell = _one_back(factors, pos, order[index + 1], by_hidden, by_cell)
            size = float(by_hidden.abs().max())
            if by_cell is not None:
                size = max(size, float(by_cell.abs().max()))
            if size and math.isfinite(size) and not 1 / _FAR < size < _FAR:
                power = math.frexp(size)[1]
                exponent += power
                by_hidden = by_hidden * 2.0**-power
                by_cell = None if by_cell is None else by_cell * 2.0**-power
    norms *= np.exp2(exponents)
    return norms[0], norms[1] if has_cell else None


def _one_back(
    factors: Factors, pos: int, before: int, by_hidden: Tensor, by_cell: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """What d h_T is by the state at `before` from that by the state at `pos`, the step after it."""
    if by_cell is None:
        return by_hidden @ _by_state(factors, pos), None
    assert factors.show is not None and factors.keep is not None and factors.out is not None
    n_units = len(by_hidden)
    both = torch.cat([_by_state(factors, pos), factors.weight_hh[-n_units:]])  # [2 * unit, unit]
    back = torch.cat([by_cell, by_hidden * factors.out[0, pos]], dim=1) @ both
    return back, torch.addcmul(by_cell * factors.keep[0, pos], back, factors.show[0, before])


def _by_state(factors: Factors, pos: int) -> Tensor:
    """Jacobian d h_t / d h_(t-1) of a network without a cell, d c_t / d h_(t-1) of an LSTM; shape [unit, unit]."""
    into = factors.into[0, pos]  # [block, unit]
    blocks = factors.weight_hh.unflatten(0, (-1, into.shape[1]))[: len(into)]
    found = into[0, :, None] * blocks[0]
    for slope, block in zip(into[1:], blocks[1:], strict=True):
        found.addcmul_(slope[:, None], block)
    if factors.show is None and factors.keep is not None:
        found.diagonal().add_(factors.keep[0, pos])
    return found


def one_step(factors: Factors, pos: int) -> Tensor:
    """Jacobian d s_t / d s_(t-1) at one position, s = (h, c) for an LSTM and h otherwise; shape [n, n]."""
    by_hidden = _by_state(factors, pos)
    if factors.show is None:
        return by_hidden
    assert factors.keep is not None and factors.out is not None
    show, keep = factors.show[0, pos], factors.keep[0, pos]
    of_hidden = show[:, None] * by_hidden + factors.out[0, pos][:, None] * factors.weight_hh[-len(show) :]
    return torch.cat(
        [torch.cat([of_hidden, torch.diag(show * keep)], dim=1), torch.cat([by_hidden, torch.diag(keep)], dim=1)]
    )


def kept_after(keep: np.ndarray, direction: int) -> np.ndarray:
    """Product of the keep gates of all steps after each position, float64, of the shape [pos, unit] of `keep`."""
    turn = 1 if direction else -1
    walked = keep[::turn].astype(np.float64)
    return np.concatenate([np.ones_like(walked[:1]), np.cumprod(walked[:-1], axis=0)])[::turn]


def _spectra(factors: Factors, progress: Progress | None) -> tuple[np.ndarray, np.ndarray]:
    """Spectral radius [pos] and singular values [pos, n] of every step, in double precision."""
    n_pos = factors.into.shape[1]
    radii, singular = [], []
    for start in range(0, n_pos, _SPECTRUM_CHUNK):
        steps = range(start, min(start + _SPECTRUM_CHUNK, n_pos))
        matrices = torch.stack([one_step(factors, pos) for pos in steps]).cpu().double()
        singular.append(torch.linalg.svdvals(matrices).numpy())
        radii.append(torch.linalg.eigvals(matrices).abs().amax(-1).numpy())
        if progress is not None:
            progress(steps.stop / n_pos)
    return np.concatenate(radii), np.concatenate(singular)


def price_spectrum(model: LoadedModel, text: str) -> float:
    """Seconds the spectrum of a text takes here; see `api.price_spectrum`. The work grows with the cube of a side."""
    _check_place(model, 0, 0)
    n_pos = len(read_text(model.tokenizer, text, model.max_tokens).tokens)
    rnn = model.module.rnn
    n_rows = rnn.hidden_size * (2 if rnn.mode == "LSTM" else 1)
    n_timed = min(n_rows, _TIMED_ROWS)
    matrix = torch.from_numpy(np.random.default_rng(0).normal(size=(n_timed, n_timed)))
    began = time.perf_counter()
    torch.linalg.svdvals(matrix)
    torch.linalg.eigvals(matrix)
    return (time.perf_counter() - began) * (n_rows / n_timed) ** 3 * n_pos


def _frobenius(matrices: np.ndarray) -> np.ndarray:
    return norm_of(matrices, axis=(1, 2))


def _check_place(model: LoadedModel, layer: Any, direction: Any) -> tuple[int, int]:
    """The layer, counted from the bottom, and the direction."""
    if model.kind != "recurrent":
        raise IncompatibleError(
            f"{model.name[:60]!r} does not read word by word, so no state leads to the next. Choose a recurrent model."
        )
    n_layers, n_directions = model.module.rnn.num_layers, 2 if model.module.rnn.bidirectional else 1
    if isinstance(layer, bool) or not isinstance(layer, int) or not -n_layers <= layer < n_layers:
        raise InvalidInputError(
            f"The model has no layer {str(layer)[:20]}; its {n_layers} are counted from 0, or from -1 at the top."
        )
    if isinstance(direction, bool) or not isinstance(direction, int) or not 0 <= direction < n_directions:
        allowed = " or ".join(f"{index} ({DIRECTIONS[index]})" for index in range(n_directions))
        raise InvalidInputError(f"The model has no direction {str(direction)[:20]}; allowed: {allowed}.")
    return layer % n_layers, direction
