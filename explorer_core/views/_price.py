"""What the pictures of prices share: how each network is drawn, and a logarithmic axis of times."""

from __future__ import annotations

import math

import numpy as np

from explorer_core.palette import SERIES, family_line
from explorer_core.results import PriceList
from explorer_core.views import _style

SYMBOLS, MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down"), "●■◆▲✚▼"
_FACTORS = {1: (1, 2, 5), 2: (1, 3), 3: (1,)}  # ticks within a power of ten, by powers of ten on the axis


def lines_of(prices: PriceList) -> list[tuple[str, str]]:
    """Colour and dash of each network: its family's, or where a family comes twice, a colour of a series."""
    families = [price.architecture for price in prices.prices]
    return [
        family_line(family) if families.count(family) == 1 else (SERIES[place % len(SERIES)], family_line(family)[1])
        for place, family in enumerate(families)
    ]


def limits_of(seconds: np.ndarray) -> tuple[float, float]:
    """Ends of an axis that holds some times, as exponents of ten of milliseconds."""
    exponents = np.log10(seconds * 1e3)
    room = 0.08 * max(float(np.ptp(exponents)), 0.5)
    return float(exponents.min()) - room, float(exponents.max()) + room


def time_axis(spec: _style.Spec, letter: str, title: str, limits: tuple[float, float]) -> None:
    """An axis over exponents of ten of milliseconds, with the milliseconds at its ticks."""
    low, high = limits
    span = min(max(math.ceil(high - low), 1), 3)
    values = [
        factor * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for factor in _FACTORS[span]
    ]
    shown = [value for value in values if low <= math.log10(value) <= high]
    if letter == "y":
        _style.value_axis(spec, title, limits=limits)
    _style.axis(spec, letter).update(
        title={"text": title, "standoff": 8, "font": {"color": _style.INK}}, range=[low, high],
        tickvals=[math.log10(value) for value in shown], ticktext=[f"{value:,g}" for value in shown],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
    )  # fmt: skip


def texts_together(prices: PriceList, batch: int) -> str:
    """The texts of a pass in words."""
    n_texts = int(prices.batches[batch])
    return "one text at a time" if n_texts == 1 else f"{n_texts:,} texts together"
