"""The chain rule at one unit and one word: what arrives from the next step, and what comes from above.

The story: a gradient walked back through a whole text is, at every step, a short sum. Each term is a number of the two
traces (states and gradients) times a number of the weights. Here the sum of one unit at one word is worked out again
from those, in float64 and apart from the walk, so that it can be read, checked, and found to come out.

LSTM:  ∂y/∂c = ∂y/∂c₊₁ × f₊₁ + ∂y/∂h × o × (1 − tanh² c)
       ∂y/∂h = Σ over i₊₁, f₊₁, g₊₁, o₊₁ of (Uᵀ ∂y/∂a₊₁) + what comes from above
GRU:   ∂y/∂h = ∂y/∂h₊₁ × z₊₁ + Σ over r₊₁, z₊₁, n₊₁ of (Uᵀ ∂y/∂a₊₁) + what comes from above
RNN:   ∂y/∂h = Uᵀ (∂y/∂h₊₁ × (1 − h₊₁²)) + what comes from above

a is what goes into a gate before its non-linearity, U the recurrent weights of that gate. From above come the head and
the pooling, or the layer above at the same word (Werbos 1990, Backpropagation through time; Hochreiter and Schmidhuber
1997; Cho et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import check_index
from explorer_core.results import Equation, GradientStep, GradientTrace, RecurrentTrace, softmax
from explorer_core.results.unit_steps import Part
from explorer_core.tracing import _kernel
from explorer_core.tracing._arrays import read_ids

_LETTERS = {"input": "i", "forget": "f", "candidate": "g", "output": "o", "reset": "r", "update": "z"}


@dataclass(frozen=True)
class _Step:
    """One step of one layer and direction: which, and the traces and weights its numbers come from."""

    model: LoadedModel
    trace: RecurrentTrace
    gradients: GradientTrace
    layer: int
    direction: int
    unit: int
    pos: int

    @property
    def after(self) -> int | None:
        """Position read next, if there is one."""
        found = self.pos + (-1 if self.direction else 1)
        return found if 0 <= found < len(self.trace.tokens) else None

    @property
    def before(self) -> int | None:
        """Position read before, if there is one."""
        found = self.pos + (1 if self.direction else -1)
        return found if 0 <= found < len(self.trace.tokens) else None

    def at(self, name: str, pos: int | None) -> float:
        """A state or gate of the unit; zero before the text begins."""
        values = self.trace.quantities()[name]
        return 0.0 if pos is None else float(values[self.layer, self.direction, pos, self.unit])

    def grad(self, name: str, pos: int | None) -> float:
        """The gradient by a state or gate of the unit; zero where nothing is read any more."""
        values = self.gradients.quantities()[name]
        return 0.0 if pos is None else float(values[self.layer, self.direction, pos, self.unit])


@torch.inference_mode()
def trace_gradient_step(
    model: LoadedModel,
    text: str,
    trace: RecurrentTrace,
    gradients: GradientTrace,
    *,
    layer: int,
    direction: int,
    unit: int,
    word: int,
) -> GradientStep:
    """The sums of one unit where its direction has just read a word; see `api.trace_gradient_step`."""
    _check(model, text, trace, gradients, layer=layer, direction=direction, unit=unit, word=word)
    step = _Step(model, trace, gradients, layer, direction, unit, int(trace.pos_of_words(direction)[word]))
    make = _lstm if trace.cell is not None else _gru if trace.gate_names else _rnn
    equations = make(step)
    terms = [(f"{one.symbol}: {name}", value) for one in equations for name, value in _terms(one)]
    return GradientStep(
        model=trace.model,
        architecture=trace.architecture,
        labels=trace.labels,
        fingerprint=trace.fingerprint,
        reading=trace.reading,
        of=gradients.of,
        target=gradients.target,
        layer=layer,
        direction=direction,
        unit=unit,
        word=word,
        pos=step.pos,
        pos_after=step.after,
        equations=equations,
        names=tuple(name for name, _ in terms),
        values=np.array([value for _, value in terms]),
    )


def _check(
    model: LoadedModel, text: str, trace: RecurrentTrace, gradients: GradientTrace, *, word: Any, **place: Any
) -> None:
    if not isinstance(trace, RecurrentTrace):
        raise IncompatibleError("Only a recurrent network has a chain of steps; this is no trace of one.")
    for given in (trace, gradients):
        if model.fingerprint != given.fingerprint:
            raise InvalidInputError(
                f"This trace is of {given.model[:60]!r}, not of {model.name[:60]!r}; give the model that was traced."
            )
        if given.reading.text != text:
            raise InvalidInputError("This trace is of another text; leave it out, and the text is read anew.")
    n_layers, n_directions, _, n_units = trace.hidden.shape
    sizes = {"layer": n_layers, "direction": n_directions, "unit": n_units, "word": len(trace.words)}
    for name, value in {**place, "word": word}.items():
        check_index(name, value, sizes[name])


# The sums -----------------------------------------------------------------------------------------------------------


def _lstm(step: _Step) -> tuple[Equation, ...]:
    cell, shown = step.at("cell", step.pos), step.at("output", step.pos)
    by_cell = (
        (("∂y/∂c₊₁", step.grad("cell", step.after), False), ("f₊₁", _gate_after(step, "forget"), True)),
        (
            ("∂y/∂h", step.grad("hidden", step.pos), False),
            ("o", shown, True),
            ("(1 − tanh² c)", float(_slope_of_tanh(np.float64(cell))), True),
        ),
    )
    kept = (
        ("∂y/∂c", step.grad("cell", step.pos), False),
        ("c₋₁", step.at("cell", step.before), False),
    )
    return (
        _equation("∂y/∂c", step.grad("cell", step.pos), by_cell),
        _equation("∂y/∂h", step.grad("hidden", step.pos), (*_through_gates(step), _from_above(step))),
        _equation("∂y/∂f", step.grad("forget", step.pos), (kept,)),
    )


def _gru(step: _Step) -> tuple[Equation, ...]:
    past = (("∂y/∂h₊₁", step.grad("hidden", step.after), False), ("z₊₁", _gate_after(step, "update"), True))
    apart = step.at("hidden", step.before) - step.at("candidate", step.pos)
    kept = (("∂y/∂h", step.grad("hidden", step.pos), False), ("(h₋₁ − n)", apart, False))
    return (
        _equation("∂y/∂h", step.grad("hidden", step.pos), (past, *_through_gates(step), _from_above(step))),
        _equation("∂y/∂z", step.grad("update", step.pos), (kept,)),
    )


def _rnn(step: _Step) -> tuple[Equation, ...]:
    terms: list[tuple[tuple[str, float, bool], ...]] = []
    if step.after is not None:
        weight = _weights(step.model, step.layer, step.direction)[1][:, step.unit]  # from this unit to every other
        slope = _slopes(step, step.layer, step.direction, step.after)["hidden"]
        grad = step.gradients.grad_hidden[step.layer, step.direction, step.after].astype(np.float64)
        shares = weight * grad * slope
        most = int(np.abs(shares).argmax())
        terms = [
            (
                (f"∂y/∂h₊₁[{most}]", float(grad[most]), False),
                (f"(1 − h₊₁²[{most}])", float(slope[most]), True),
                (f"U[{most}, {step.unit}]", float(weight[most]), False),
            )
        ]
        if len(shares) > 1:
            name = f"{len(shares) - 1} other units"
            terms.append(((name, float(np.delete(shares, most).sum()), False),))
    return (_equation("∂y/∂h", step.grad("hidden", step.pos), (*terms, _from_above(step))),)


def _gate_after(step: _Step, name: str) -> float:
    return 0.0 if step.after is None else step.at(name, step.after)


def _through_gates(step: _Step) -> list[tuple[tuple[str, float, bool], ...]]:
    """What comes back through each gate of the next step, which read this state."""
    names = {name: _LETTERS[name] for name in step.trace.gate_names}
    if step.trace.cell is None:
        names["candidate"] = "n"
    found = dict.fromkeys(names, 0.0)
    if step.after is not None:
        entered = _entered(step, step.layer, step.direction, step.after, by_state=True)
        weight = _weights(step.model, step.layer, step.direction)[1]
        for (name, grad), block in zip(entered.items(), np.split(weight, len(entered)), strict=True):
            found[name] = float(block[:, step.unit] @ grad)
    return [((f"through {letter}₊₁", found[name], False),) for name, letter in names.items()]


def _from_above(step: _Step) -> tuple[tuple[str, float, bool], ...]:
    """What reaches the state of this word from the layer above, or from the head through the pooling."""
    n_layers, _, _, n_units = step.trace.hidden.shape
    column = step.direction * n_units + step.unit
    if step.layer == n_layers - 1:
        return (("from the head", _from_head(step, column), False),)
    total = 0.0
    for direction in range(len(step.trace.directions)):
        entered = _entered(step, step.layer + 1, direction, step.pos, by_state=False)
        weight = _weights(step.model, step.layer + 1, direction)[0][:, column]
        total += float(weight @ np.concatenate(list(entered.values())))
    return ((f"from layer {step.layer + 2}", total, False),)


def _from_head(step: _Step, column: int) -> float:
    """One unit's share of what the head sends back, as the pooling deals it out."""
    module: Any = step.model.module
    grad = float(_grad_of_logits(step.gradients) @ module.classifier.weight[:, column].double().cpu().numpy())
    n_pos = len(step.trace.tokens)
    if step.trace.pooling == "last":
        end = 0 if step.direction else n_pos - 1
        return grad if step.pos == end else 0.0
    if step.trace.pooling == "mean":
        return grad / n_pos
    line = step.trace.hidden[-1, step.direction, :, step.unit]
    is_highest = line == line.max()
    return grad / int(is_highest.sum()) if is_highest[step.pos] else 0.0


def _grad_of_logits(gradients: GradientTrace) -> np.ndarray:
    """Derivative of the number in question by the logits, shape [class]."""
    grad = np.zeros(len(gradients.labels))
    if gradients.of == "logit":
        grad[gradients.target] = 1
        return grad
    grad = softmax(gradients.logits.astype(np.float64))
    grad[gradients.target] = 0
    grad[gradients.target] = -grad.sum()  # 1 minus a probability near 1 would have no digits left
    return grad


# What goes into a gate ----------------------------------------------------------------------------------------------


def _entered(step: _Step, layer: int, direction: int, pos: int, *, by_state: bool) -> dict[str, np.ndarray]:
    """Gradient of what goes into each block before its non-linearity at a position, each of shape [unit].

    The candidate of a GRU takes its recurrent half through the reset gate, which `by_state` asks for.
    """
    found = {}
    for name, slope in _slopes(step, layer, direction, pos).items():
        grad = step.gradients.quantities()[name][layer, direction, pos].astype(np.float64)
        found[name] = grad * slope
    if by_state and "reset" in found:
        found["candidate"] *= step.trace.quantities()["reset"][layer, direction, pos].astype(np.float64)
    return found


def _slopes(step: _Step, layer: int, direction: int, pos: int) -> dict[str, np.ndarray]:
    """Slope of each block's non-linearity at a position, each of shape [unit]."""
    trace = step.trace
    if not trace.gate_names:
        return {"hidden": _slope_of_tanh(_risen(step, layer, direction, pos))}
    found = {}
    for index, name in enumerate(trace.gate_names):
        gate = trace.gates[layer, direction, pos, index].astype(np.float64)
        found[name] = 1 - gate**2 if name == "candidate" else gate * (1 - gate)
    return found


def _slope_of_tanh(values: Any) -> Any:
    """1 - tanh(x)^2 to full precision, also where the tanh saturates."""
    fall = np.exp(-2 * np.abs(values))
    return 4 * fall / (1 + fall) ** 2


def _risen(step: _Step, layer: int, direction: int, pos: int) -> np.ndarray:
    """What goes into the tanh of a vanilla RNN: the slope taken from h itself has few digits where it saturates."""
    trace, rnn = step.trace, step.model.module.rnn
    weight_ih, weight_hh = _weights(step.model, layer, direction)
    if layer:
        read = trace.hidden[layer - 1, :, pos].ravel()
    else:
        ids = read_ids(step.model, trace.reading)[:, pos]
        read = step.model.module.get_input_embeddings()(ids)[0].double().cpu().numpy()
    before = pos + (1 if direction else -1)
    is_first = not 0 <= before < len(trace.tokens)
    state = np.zeros(len(weight_hh)) if is_first else trace.hidden[layer, direction, before]
    risen = weight_ih @ read.astype(np.float64) + weight_hh @ state.astype(np.float64)
    for bias in _kernel.weights_of(rnn, layer, direction)[2:]:
        risen = risen + bias.double().cpu().numpy()
    return risen


def _weights(model: LoadedModel, layer: int, direction: int) -> tuple[np.ndarray, np.ndarray]:
    """Input and recurrent weights of one layer and direction, shape [block * unit, width] and [block * unit, unit]."""
    weight_ih, weight_hh = _kernel.weights_of(model.module.rnn, layer, direction)[:2]
    return weight_ih.double().cpu().numpy(), weight_hh.double().cpu().numpy()


# Equations ----------------------------------------------------------------------------------------------------------


def _equation(symbol: str, left: float, terms: Any) -> Equation:
    """`symbol = term + term + ...`, each term a product of named numbers `(text, value, is a share of 0 to 1)`."""
    parts: list[Part] = []
    worked: dict[int, float] = {}
    right = 0.0
    for number, factors in enumerate(terms):
        if parts:
            parts.append(Part("+"))
        group = number if len(factors) > 1 else None
        product = float(np.prod([value for _, value, _ in factors]))
        right += product
        if group is not None:
            worked[group] = product
        for index, (text, value, is_share) in enumerate(factors):
            if index:
                parts.append(Part("×", None, group))
            parts.append(Part(text, value, group, is_share))
    return Equation(symbol, left, tuple(parts), worked, right)


def _terms(equation: Equation) -> list[tuple[str, float]]:
    """Every factor and every product of an equation by its name."""
    found = [(part.text, part.value) for part in equation.parts if part.value is not None]
    for group, value in equation.worked.items():
        factors = [part.text for part in equation.parts if part.group == group and part.value is not None]
        found.append((" × ".join(factors), value))
    return found
