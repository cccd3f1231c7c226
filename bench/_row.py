"""One measured promise, and how it is timed."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        quantity: What was measured, over what.
        bar: Largest (or smallest, see `at_least`) value that keeps the promise; `None` for a number that is only
            printed.
        measured: What it came to; NaN when it could not be measured, with the reason in `note`.
        unit: Shown behind both numbers, such as `x` for a ratio.
        at_least: Whether the bar is a lower bound.
        note: The absolute numbers behind a ratio, or why there is none.
    """

    quantity: str
    bar: float | None
    measured: float
    unit: str = "x"
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`kept`, `missed`, `not measured`, or nothing where there is no bar."""
        if self.measured != self.measured:
            return "not measured"
        if self.bar is None:
            return ""
        return "kept" if (self.measured >= self.bar if self.at_least else self.measured <= self.bar) else "missed"


def compare(
    ours: Callable[[], Any], reference: Callable[[], Any], n_rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds of every run of two calls, taken turn by turn so that a busy machine slows both alike; sorted."""
    times: tuple[list[float], list[float]] = ([], [])
    for call in (ours, reference):
        call()
        call()
    gc.collect()
    gc.disable()  # a collection in the middle of one call would be charged to it
    try:
        for _ in range(n_rounds):
            for call, seconds in zip((ours, reference), times, strict=True):
                start_s = time.perf_counter()
                call()
                seconds.append(time.perf_counter() - start_s)
    finally:
        gc.enable()
    return tuple(sorted(times[0])), tuple(sorted(times[1]))


def ratio(quantity: str, bar: float, ours: Callable[[], Any], reference: Callable[[], Any], n_rounds: int = 50) -> Row:
    """A row that says how many times as long our call takes as the reference, by the medians of many runs.

    The ratio of the fastest runs stands beside it: far below the median, it says that the machine was busy.
    """
    ours_s, reference_s = compare(ours, reference, n_rounds)
    middle_s, of_s = statistics.median(ours_s), statistics.median(reference_s)
    note = f"{middle_s * 1e3:.3g} ms over {of_s * 1e3:.3g} ms; fastest runs {ours_s[0] / reference_s[0]:.3g}x"
    return Row(quantity, bar, middle_s / of_s, note=note)
