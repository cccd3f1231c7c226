"""Which units of one layer are on throughout a span of words: the pattern that a corpus is searched for."""

from __future__ import annotations

import numpy as np

from explorer_core.half_precision import at_least, to_half
from explorer_core.results import RecurrentTrace, TransformerTrace


def states_after_words(
    trace: RecurrentTrace | TransformerTrace, layer: int, direction: int, quantity: str
) -> np.ndarray:
    """One quantity of one layer after every word, rounded as the states of a corpus are; float16 [word, unit].

    Args:
        trace: From `api.trace_states`.
        layer: Layer, from 0; of a BERT 0 is the embedding.
        direction: 0 forward, 1 backward.
        quantity: `hidden`, `cell` or the name of a gate.
    """
    if isinstance(trace, RecurrentTrace):
        return to_half(trace.quantities()[quantity][layer, direction][trace.pos_of_words(direction)])
    return to_half(trace.hidden[layer, trace.reading.last_token_of_word])


def units_on(
    values: np.ndarray, span: tuple[int, int], threshold: float, *, off_before: bool = False, off_after: bool = False
) -> np.ndarray:
    """Whether each unit is at a threshold or above throughout a span of words; bool array [unit].

    Args:
        values: Finite, float16 [word, unit].
        span: First and last word, both within.
        threshold: Any number.
        off_before: Whether it must also be below at the word before; it is where the text begins.
        off_after: The same of the word after.
    """
    first, last = span
    is_on = at_least(values, threshold)
    fits: np.ndarray = np.logical_and.reduce(is_on[first : last + 1])
    if off_before and first > 0:
        fits &= ~is_on[first - 1]
    if off_after and last + 1 < len(is_on):
        fits &= ~is_on[last + 1]
    return fits
