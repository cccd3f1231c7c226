"""Numbers as a person reads them: three significant digits, the sign where it matters, a real minus."""

from __future__ import annotations

import math


def number(value: float, *, signed: bool = False, digits: int = 3) -> str:
    """A number with so many significant digits, such as `0.834`, `+1.20` or `−3.1e−05`.

    Args:
        value: Any number; not finite ones are named.
        signed: Whether a plus is shown.
        digits: Significant digits, at least 1. Trailing zeros are kept: they say how exact the number is.
    """
    value = float(value)
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "infinite" if value > 0 else "−infinite"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")  # 9.999 is 10.0 before its size is judged
    size = math.floor(math.log10(abs(rounded)))
    is_plain = -4 <= size < digits + 3
    shown = f"{rounded:,.{max(digits - 1 - size, 0)}f}" if is_plain else f"{rounded:.{digits - 1}e}"
    return ("+" if signed and value > 0 else "") + shown.replace("-", "−")


def nice_limit(largest: float) -> float:
    """The smallest round number (1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten) that is not below a size."""
    if not largest > 0 or math.isinf(largest):
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
        if largest <= step * power * (1 + 1e-9):
            return float(f"{step * power:.2g}")
    return float(f"{10.0 * power:.2g}")


def axis_limit(largest: float) -> float:
    """A round number a little above a size, for the end of an axis that follows its data."""
    step = nice_limit(largest) / 10
    return max(math.ceil(largest * 1.04 / step), 1) * step


def percent(share: float) -> str:
    """A share in [0, 1] in per cent with two digits; only what is exactly none of it is 0 %."""
    return "0 %" if share == 0 else f"{number(100 * share, digits=2)} %" if share < 0.9995 else "100 %"
