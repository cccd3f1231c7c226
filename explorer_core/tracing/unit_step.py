"""One unit at one word: its equations with every number in them.

The story: a trace holds what came out of each gate. What went in, W x + b from the word and U h₋₁ + b′ from the state
before, is one row of each weight matrix times a vector, worked out here for the one unit asked for, in float64 from
the network's own float32. Both sides of each equation then differ only by the rounding of the network's kernel.

LSTM:  c = f × c₋₁ + i × g,  h = o × tanh(c)  (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000)
GRU:   n = tanh(W x + b + r × (U h₋₁ + b′)),  h = (1 − z) × n + z × h₋₁  (Cho et al. 2014, in PyTorch's form: the
       reset gate acts after the recurrent product)
RNN:   h = tanh(W x + b + U h₋₁ + b′)  (Elman 1990)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import check_index
from explorer_core.results import Equation, RecurrentTrace, UnitStep
from explorer_core.results.unit_steps import Part
from explorer_core.tracing import _kernel
from explorer_core.tracing._arrays import read_ids

_FROM_WORD, _FROM_STATE = "W x + b", "U h₋₁ + b′"


@torch.inference_mode()
def trace_unit_step(
    model: LoadedModel, text: str, trace: RecurrentTrace, *, layer: int, direction: int, unit: int, word: int
) -> UnitStep:
    """The equations of one unit where its direction has just read a word; see `api.trace_unit_step`."""
    _check(model, text, trace, layer=layer, direction=direction, unit=unit, word=word)
    pos = int(trace.pos_of_words(direction)[word])
    found = pos + (1 if direction else -1)
    before = found if 0 <= found < len(trace.tokens) else None
    values = _values(trace, layer, direction, unit, pos, before)
    from_word, from_state = _inputs(model, trace, layer, direction, unit, pos, before)
    blocks = trace.gate_names or ("hidden",)
    return UnitStep(
        model=trace.model,
        architecture=trace.architecture,
        fingerprint=trace.fingerprint,
        reading=trace.reading,
        layer=layer,
        direction=direction,
        unit=unit,
        word=word,
        pos=pos,
        pos_before=before,
        names=tuple(values),
        values=np.array(list(values.values())),
        blocks=blocks,
        from_word=from_word,
        from_state=from_state,
        equations=_equations(
            {name: float(value) for name, value in values.items()},
            dict(zip(blocks, zip(from_word.tolist(), from_state.tolist(), strict=True), strict=True)),
        ),
    )


def _check(model: LoadedModel, text: str, trace: RecurrentTrace, *, word: Any, **place: Any) -> None:
    if not isinstance(trace, RecurrentTrace):
        raise IncompatibleError("Only recurrent networks take steps from word to word; this is no trace of one.")
    if model.fingerprint != trace.fingerprint:
        raise InvalidInputError(
            f"This trace is of {trace.model[:60]!r}, not of {model.name[:60]!r}; give the model that was traced."
        )
    if trace.reading.text != text:
        raise InvalidInputError("This trace is of another text; leave it out, and the text is read anew.")
    n_layers, n_directions, _, n_units = trace.hidden.shape
    sizes = {"layer": n_layers, "direction": n_directions, "unit": n_units, "word": len(trace.words)}
    for name, value in {**place, "word": word}.items():
        check_index(name, value, sizes[name])


def _values(
    trace: RecurrentTrace, layer: int, direction: int, unit: int, pos: int, before: int | None
) -> dict[str, np.floating[Any]]:
    """Every number of the step that the trace holds, in its own precision."""
    zero = trace.hidden.dtype.type(0)
    found = {}
    for name, states in trace.quantities().items():
        line = states[layer, direction, :, unit]
        found[name] = line[pos]
        if name in ("hidden", "cell"):
            found[f"{name}_before"] = zero if before is None else line[before]
    return found


def _inputs(
    model: LoadedModel, trace: RecurrentTrace, layer: int, direction: int, unit: int, pos: int, before: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """W x + b and U h₋₁ + b′ of each block of one unit, in float64; shape [block] each."""
    rnn = model.module.rnn
    n_units = trace.hidden.shape[-1]
    rows = slice(unit, None, n_units)  # one row of every block
    weights = _kernel.weights_of(rnn, layer, direction)
    weight_ih, weight_hh = (each[rows].double().cpu().numpy() for each in weights[:2])
    bias_ih, bias_hh = (
        (each[rows].double().cpu().numpy() for each in weights[2:]) if rnn.bias else (np.zeros(len(weight_ih)),) * 2
    )
    if layer:
        read = trace.hidden[layer - 1, :, pos].ravel()  # both directions of the layer below, side by side
    else:
        ids = read_ids(model, trace.reading)[:, pos]
        read = model.module.get_input_embeddings()(ids)[0].double().cpu().numpy()
    state = np.zeros(n_units) if before is None else trace.hidden[layer, direction, before]
    return weight_ih @ read.astype(np.float64) + bias_ih, weight_hh @ state.astype(np.float64) + bias_hh


def _equations(values: dict[str, float], inputs: dict[str, tuple[float, float]]) -> tuple[Equation, ...]:
    if "cell" in values:
        return _lstm(values)
    if "update" in values:
        return _gru(values, inputs)
    return _rnn(values, inputs)


def _lstm(at: dict[str, float]) -> tuple[Equation, ...]:
    kept, written = at["forget"] * at["cell_before"], at["input"] * at["candidate"]
    squeezed = math.tanh(at["cell"])
    times, c = Part("×"), at["cell"]
    return (
        Equation(
            "c",
            c,
            (
                *_product(0, ("f", at["forget"], True), ("c₋₁", at["cell_before"], False)),
                Part("+"),
                *_product(1, ("i", at["input"], True), ("g", at["candidate"], False)),
            ),
            {0: kept, 1: written},
            kept + written,
        ),
        Equation(
            "h",
            at["hidden"],
            (Part("o", at["output"], None, True), times, Part("tanh(", None, 0), Part("c", c, 0), Part(")", None, 0)),
            {0: squeezed},
            at["output"] * squeezed,
        ),
    )


def _gru(at: dict[str, float], inputs: dict[str, tuple[float, float]]) -> tuple[Equation, ...]:
    of_word, of_state = inputs["candidate"]
    inside = of_word + at["reset"] * of_state
    n, z = at["candidate"], at["update"]
    new, kept = (1 - z) * n, z * at["hidden_before"]
    return (
        Equation(
            "n",
            n,
            (
                Part("tanh("),
                Part(_FROM_WORD, of_word, 0),
                Part("+", None, 0),
                *_product(0, ("r", at["reset"], True), (f"({_FROM_STATE})", of_state, False)),
                Part(")"),
            ),
            {0: inside},
            math.tanh(inside),
        ),
        Equation(
            "h",
            at["hidden"],
            (
                *_product(0, ("(1 − z)", 1 - z, True), ("n", n, False)),
                Part("+"),
                *_product(1, ("z", z, True), ("h₋₁", at["hidden_before"], False)),
            ),
            {0: new, 1: kept},
            new + kept,
        ),
    )


def _rnn(at: dict[str, float], inputs: dict[str, tuple[float, float]]) -> tuple[Equation, ...]:
    of_word, of_state = inputs["hidden"]
    inside = of_word + of_state
    parts = (
        Part("tanh("),
        Part(_FROM_WORD, of_word, 0),
        Part("+", None, 0),
        Part(_FROM_STATE, of_state, 0),
        Part(")"),
    )
    return (Equation("h", at["hidden"], parts, {0: inside}, math.tanh(inside)),)


def _product(group: int, left: tuple[str, float, bool], right: tuple[str, float, bool]) -> tuple[Part, ...]:
    return (
        Part(left[0], left[1], group, left[2]),
        Part("×", None, group),
        Part(right[0], right[1], group, right[2]),
    )
