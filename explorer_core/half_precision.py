"""Half-precision states: how they are rounded, and compared with a threshold bit by bit.

Read as whole numbers, the bits of a float16 rise with its value from zero upwards, and fall below zero, where the
sign bit is set. So a column is compared without turning it into floats, 32 values in one instruction.
"""

from __future__ import annotations

import numpy as np

LARGEST = 65_504.0  # of a float16
_SIGN = 0x8000


def to_half(values: np.ndarray) -> np.ndarray:
    """The values rounded to float16; those beyond its range become its ends."""
    return np.clip(values, -LARGEST, LARGEST).astype(np.float16)


def at_least(values: np.ndarray, threshold: float) -> np.ndarray:
    """Whether finite float16 values are at or above a threshold; bool array of the same shape.

    Agrees with `values.astype(float) >= threshold` for every threshold, zeros of either sign included.
    """
    if threshold > LARGEST:
        return np.zeros(values.shape, dtype=bool)
    limit = np.float16(max(threshold, -LARGEST))
    if float(limit) < threshold:
        limit = np.nextafter(limit, np.float16(np.inf))  # the smallest half that is not below the threshold
    if limit > 0:
        return values.view(np.int16) >= limit.view(np.int16)  # what is negative has negative bits
    return values.view(np.uint16) <= _SIGN | int(abs(limit).view(np.uint16))
