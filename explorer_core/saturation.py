"""How often each gate stands nearly closed or nearly open in a text (Karpathy, Johnson and Li 2015).

A gate at 0 or 1 passes no gradient and decides like a switch; one that stays between blends. Karpathy and colleagues
drew, for every unit, the share of time its gate is left-saturated (below 0.1) against right-saturated (above 0.9).
A network without gates has its tanh instead: it is saturated where |h| is above 0.9.
"""

from __future__ import annotations

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.results import GateSaturation, RecurrentTrace

LOW, HIGH = 0.1, 0.9
NOT_SWITCHES = frozenset({"candidate"})  # behind a tanh, between -1 and 1


def switches(trace: RecurrentTrace) -> tuple[str, ...]:
    """Names of what is counted: the gates between 0 and 1, or `hidden` where there are none."""
    return tuple(name for name in trace.gate_names if name not in NOT_SWITCHES) or ("hidden",)


def gate_saturation(trace: RecurrentTrace) -> GateSaturation:
    """For every unit, the share of words at which each gate is nearly closed and at which it is nearly open.

    Args:
        trace: From `api.trace_states`.

    Returns:
        Shares over the words of this text; a network without gates is counted below −0.9 and above 0.9 of its hidden
        state.

    Raises:
        IncompatibleError: If the trace is not of a recurrent network.
    """
    if not isinstance(trace, RecurrentTrace):
        raise IncompatibleError("Only a recurrent network has gates that saturate; this is the trace of another.")
    names = switches(trace)
    low = LOW if trace.gate_names else -HIGH
    n_layers, n_directions, _, n_units = trace.hidden.shape
    shape = (n_layers, n_directions, len(names), n_units)
    left, right = np.zeros(shape), np.zeros(shape)
    for index, name in enumerate(names):
        values = trace.quantities()[name]
        for direction in range(n_directions):
            at_words = values[:, direction, trace.pos_of_words(direction)]  # [layer, word, unit]
            left[:, direction, index] = (at_words < low).mean(1)
            right[:, direction, index] = (at_words > HIGH).mean(1)
    return GateSaturation(
        trace.model, trace.architecture, trace.fingerprint, trace.reading, names, left, right, low, HIGH
    )
