"""Orders in which the units of a layer can be drawn: as stored, alike units side by side, by what they have to do with
the verdict, or by how long they remember.

The numbers of a network's units mean nothing, so a map in the stored order looks like noise. Sorting the rows shows
the groups there are; it changes no value.

- *similarity*: each unit is one long row of all its quantities after all words, every quantity scaled to a standard
  deviation of one; average-linkage clustering on Euclidean distances, leaves in the order that brings neighbours
  closest (Bar-Joseph, Gifford and Jaakkola 2001, Fast optimal leaf ordering for hierarchical clustering).
- *verdict*: Pearson correlation over words of the unit's hidden state with the running margin of the target class,
  its logit minus the mean of the others.
- *memory*: mean natural logarithm of the gate that keeps (forget of an LSTM, update of a GRU), told as the half-life
  ln(1/2) / mean: after so many tokens half of what was written would be left.
"""

from __future__ import annotations

import numpy as np

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.params import check_index
from explorer_core.results import RecurrentTrace, UnitOrder

ORDERS = ("stored", "similarity", "verdict", "memory")
MAX_OPTIMAL_UNITS = 512  # beyond, the leaves stay as the clustering leaves them: the best order grows with the cube
_KEEPERS = ("forget", "update")  # gates that multiply the state before
_FLAT = 1e-7  # a spread below this share of the size is rounding of float32, not movement


def possible_orders(trace: RecurrentTrace) -> tuple[str, ...]:
    """The orders that mean something for a trace: no memory without a gate that keeps, no verdict that was not read."""
    found = ["stored", "similarity"]
    if trace.running_logits is not None:
        found.append("verdict")
    if keeping_gate(trace):
        found.append("memory")
    return tuple(found)


def order_units(
    trace: RecurrentTrace, how: str, *, layer: int = 0, direction: int = 0, target: int | None = None
) -> UnitOrder:
    """The units of one layer and direction in an order.

    Args:
        trace: From `api.trace_states`.
        how: `stored`, `similarity`, `verdict` (largest correlation first) or `memory` (longest first). Units without
            a value come last, in the stored order.
        layer: From 0.
        direction: 0 forward, 1 backward.
        target: Index of the class, for `verdict`; left out, the predicted one.

    Raises:
        InvalidInputError: If there is no such order, layer, direction or class; the message names what there is.
        IncompatibleError: If the order needs a running verdict or a gate that this trace does not have.
    """
    if not isinstance(trace, RecurrentTrace):
        raise IncompatibleError("Only the units of a recurrent network are put in order; this is the trace of another.")
    n_layers, n_directions = trace.hidden.shape[:2]
    for name, value, size in (("layer", layer, n_layers), ("direction", direction, n_directions)):
        check_index(name, value, size)
    if how not in ORDERS:
        raise InvalidInputError(f"Units cannot be ordered by {str(how)[:60]!r}; allowed: {', '.join(ORDERS)}.")
    if how == "similarity":
        return UnitOrder(how, _by_similarity(trace, layer, direction), None)
    if how == "verdict":
        return _by_verdict(trace, layer, direction, int(trace.logits.argmax()) if target is None else target)
    if how == "memory":
        return _by_memory(trace, layer, direction)
    return UnitOrder(how, np.arange(trace.hidden.shape[-1]), None)


def margin(logits: np.ndarray, target: int) -> np.ndarray:
    """Logit of one class minus the mean of the others; shape [...] from logits [..., class]."""
    others = np.delete(logits, target, axis=-1)
    return logits[..., target] - others.mean(-1) if others.shape[-1] else logits[..., target]


def keeping_gate(trace: RecurrentTrace) -> str | None:
    """Name of the gate that multiplies the state before: forget, update, or none."""
    return next((name for name in _KEEPERS if name in trace.gate_names), None)


def half_life(keep: np.ndarray) -> np.ndarray:
    """ln(1/2) / mean(ln keep) along the first axis, in tokens: after so many, half would be left.

    A gate that rounds to 1 counts as the largest number below it, so the result is finite.
    """
    info = np.finfo(keep.dtype)
    return np.log(0.5) / np.log(np.clip(keep, info.tiny, 1 - info.epsneg).astype(np.float64)).mean(0)


def _by_similarity(trace: RecurrentTrace, layer: int, direction: int) -> np.ndarray:
    pos = trace.pos_of_words(direction)
    blocks = [_scaled(values[layer, direction, pos].astype(np.float64)) for values in trace.quantities().values()]
    rows = np.concatenate(blocks).T  # [unit, quantity * word]
    if len(rows) < 3:
        return np.arange(len(rows))
    from scipy.cluster import hierarchy  # a second to import: only who asks for this order waits for it

    distances = _distances(rows)
    tree = hierarchy.linkage(distances, "average")
    if len(rows) <= MAX_OPTIMAL_UNITS:
        tree = hierarchy.optimal_leaf_ordering(tree, distances)
    order = hierarchy.leaves_list(tree).astype(np.intp)
    ends = rows[order[[0, -1]]].mean(1)
    return order if ends[0] >= ends[1] else order[::-1]  # of the two directions, the one with larger values on top


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values about their mean, with a standard deviation of one; what does not move stays zero."""
    centred = values - values.mean()
    spread = centred.std()
    return centred / spread if spread > _FLAT * max(np.abs(values).max(), 1e-30) else np.zeros_like(centred)


def _distances(rows: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs, in scipy's condensed form; one matrix product instead of a loop of pairs."""
    sizes = (rows**2).sum(1)
    squares = sizes[:, None] + sizes[None, :] - 2 * rows @ rows.T
    above = np.triu_indices(len(rows), k=1)
    return np.sqrt(np.maximum(squares[above], 0.0))


def _by_verdict(trace: RecurrentTrace, layer: int, direction: int, target: int) -> UnitOrder:
    logits = trace.running_logits_by_word
    if logits is None:
        raise IncompatibleError(
            "Units are ordered by the verdict only where the verdict after every word was read; trace the text with "
            "running=True."
        )
    if not 0 <= target < len(trace.labels):
        raise InvalidInputError(f"There is no class {target}; classes run from 0 to {len(trace.labels) - 1}.")
    states = trace.hidden[layer, direction, trace.pos_of_words(direction)].astype(np.float64)  # [word, unit]
    value = correlations(states, margin(logits.astype(np.float64), target))
    name = f"correlation with the margin of {trace.labels[target]}"
    return UnitOrder("verdict", _falling(value), value, name)


def correlations(columns: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pearson correlation of every column [word, unit] with one series [word]; NaN where either does not move."""
    a, b = columns - columns.mean(0), other - other.mean()
    sizes, size = np.sqrt((a**2).sum(0)), np.sqrt((b**2).sum())
    moves = (sizes > _FLAT * np.sqrt((columns**2).sum(0))) & (size > _FLAT * np.sqrt((other**2).sum()))
    found = np.full(columns.shape[1], np.nan)
    found[moves] = np.clip((b @ a[:, moves]) / (sizes[moves] * size), -1, 1)
    return found


def _by_memory(trace: RecurrentTrace, layer: int, direction: int) -> UnitOrder:
    gate = keeping_gate(trace)
    if gate is None:
        raise IncompatibleError(
            "A vanilla RNN has no gate that keeps its state, so its units have no half-life; choose another order."
        )
    value = half_life(trace.quantities()[gate][layer, direction])  # every position: a gate acts once a token
    return UnitOrder("memory", _falling(value), value, f"half-life from the {gate} gate", "tokens")


def _falling(value: np.ndarray) -> np.ndarray:
    """Units from the largest value to the smallest, those without one last; equal ones as stored."""
    return np.argsort(np.where(np.isnan(value), np.inf, -value), kind="stable")
