"""A logarithmic axis that hides nothing: zeros have a line of their own, and the floor of the number format is said.

Values are placed by their exponent on an ordinary axis, so that labels and lines of `_style` stand where they should.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer_core.numerals import number
from explorer_core.views import _style
from explorer_core.views._style import Spec

_MOST_TICKS = 7
_ROOM = 0.06  # of the span, above and below


@dataclass(frozen=True)
class LogScale:
    """Where values stand.

    Attributes:
        low, high: Exponents of ten at the ends of the axis.
        first: Exponent from which labels are drawn; below it there are zeros only.
        zero: Where zeros stand; `None` if there are none.
        floor: Smallest number the format holds to full precision.
        precision: Name of the format, such as `float32`.
    """

    low: float
    high: float
    first: float
    zero: float | None
    floor: float
    precision: str

    @property
    def has_floor(self) -> bool:
        """Whether the axis reaches down to the floor."""
        return math.log10(self.floor) >= self.first

    def place(self, values: np.ndarray) -> np.ndarray:
        """Exponent of each value, and the place of zeros for those that are zero."""
        is_zero = values == 0
        found = np.log10(np.where(is_zero, 1.0, values))
        return found if self.zero is None else np.where(is_zero, self.zero, found)


def scale_of(lines: Sequence[np.ndarray], floor: float, precision: str) -> LogScale:
    """A scale that holds every value of some lines, all of them zero or positive.

    Args:
        lines: The values.
        floor: Smallest number their format holds to full precision; the axis reaches it where values come near.
        precision: Name of that format.
    """
    values = np.concatenate([np.ravel(line) for line in lines])
    positive = values[values > 0]
    low, high = (float(np.log10(positive.min())), float(np.log10(positive.max()))) if len(positive) else (-1.0, 0.0)
    if low < math.log10(floor) + 1:
        low = min(low, math.log10(floor))
    span = max(high - low, 1.0)
    middle = (low + high) / 2
    low, high = middle - span * (0.5 + _ROOM), middle + span * (0.5 + _ROOM)
    if not (values == 0).any():
        return LogScale(low, high, low, None, floor, precision)
    zero = low - 0.07 * span
    return LogScale(zero - 0.05 * span, high, low, zero, floor, precision)


def log_axis(spec: Spec, scale: LogScale, title: str) -> None:
    """Make the y axis logarithmic, mark zero and floor, and say above the plot where the floor is."""
    _style.value_axis(spec, title, limits=(scale.low, scale.high))
    ticks = _ticks(scale.first, scale.high)
    axis = _style.axis(spec, "y")
    axis["range"] = [scale.low, scale.high]
    axis["tickvals"] = [exponent for exponent, _ in ticks]
    axis["ticktext"] = [text for _, text in ticks]
    if scale.zero is not None:
        axis["tickvals"].insert(0, scale.zero)
        axis["ticktext"].insert(0, "0")
        _style.reference_line(spec, scale.zero)
    where = ", the dotted line" if scale.has_floor else ", below this axis"
    if scale.has_floor:
        _style.reference_line(spec, math.log10(scale.floor))
    spec["layout"]["annotations"].append(
        {
            "x": 1,
            "y": 1,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "right",
            "yanchor": "bottom",
            "showarrow": False,
            "text": f"floor of {scale.precision}: {number(scale.floor)}{where}"
            + ("; ○ is exactly 0" if scale.zero is not None else ""),
            "font": {"size": 12, "color": _style.INK},
            "opacity": 0.75,
        }
    )


def log_line(scale: LogScale, x: np.ndarray, values: np.ndarray, name: str, color: str, dash: str = "solid") -> Spec:
    """One line on a logarithmic axis, with a ring at every zero and the numbers themselves in the tooltip."""
    line = _style.line(
        x, scale.place(values), name, color, dash,
        customdata=[number(value) for value in values.tolist()], hovertemplate="%{customdata}",
    )  # fmt: skip
    is_zero = values == 0
    if is_zero.any():
        line["mode"] = "lines+markers"
        line["marker"] = {
            "size": np.where(is_zero, 7, 0 if len(values) > 1 else 6),
            "symbol": "circle-open",
            "color": color,
        }
    return line


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Exponents with their labels: 1, 2 and 5 within two powers of ten, else whole powers, thinned."""
    if high - low < 2:
        steps = [(factor, power) for power in range(math.floor(low), math.ceil(high)) for factor in (1, 2, 5)]
        found = [(power + math.log10(factor), factor * 10.0**power) for factor, power in steps]
        return [(exponent, _label(value)) for exponent, value in found if low <= exponent <= high]
    powers = range(math.ceil(low), math.floor(high) + 1)
    every = max(1, math.ceil(len(powers) / _MOST_TICKS))
    return [(float(power), _label(10.0**power)) for power in powers if power % every == 0]


def _label(value: float) -> str:
    """A value of few digits, such as `0.02` or `5 × 10⁻⁷`."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    factor, power = f"{value:.0e}".split("e")
    shown = f"10<sup>{int(power)}</sup>".replace("-", "−")
    return shown if factor == "1" else f"{factor} × {shown}"
