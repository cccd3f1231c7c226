"""The vanishing lab: small networks that learn a generated task side by side."""

from __future__ import annotations

from collections.abc import Callable

from explorer_core.lab.spec import LAG_BOUNDS, LabSpec
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.results import LabExample, LabPrice, LabResult


def run_lab(
    spec: LabSpec | None = None,
    *,
    progress: Progress | None = None,
    watch: Callable[[LabResult], None] | None = None,
) -> LabResult:
    """Who learns a task over which lag, and how much of the gradient reached the first step before and after.

    Every family, start and lag of the spec has networks of its own, several seeds each; they differ in nothing else
    and read the same sequences. Gradients are exact, in closed form through time. Everything is drawn from generators
    made from `spec.seed`; the global ones are left alone.

    Args:
        spec: What to train; left out, the default, on which the families come apart within a minute.
        progress: See `Progress`; asked some times a second, so that a lab can be cancelled at any moment.
        watch: Given the lab as it stands, each time all networks have been measured.

    Raises:
        InvalidInputError: If the lab would take longer than twenty minutes.
    """
    from explorer_core.lab import run

    return run.run(spec or LabSpec(), progress, watch)


def price_lab(spec: LabSpec) -> LabPrice:
    """Estimated seconds of a lab on two CPU cores and the number of its networks, before the press.

    Raises:
        InvalidInputError: If it would take longer than twenty minutes, which `run_lab` refuses.
    """
    from explorer_core.lab import price

    price.check(spec)
    return price.estimate(spec)


def lab_example(task: str, lag: int, seed: int = 0) -> LabExample:
    """One sequence of a task of the lab with its answer, to be checked by eye; the same for the same seed.

    Raises:
        InvalidInputError: If there is no such task, or the lag or seed is not allowed.
    """
    from explorer_core.lab import tasks
    from explorer_core.lab.spec import KNOBS

    low, high = LAG_BOUNDS
    Knob("lag", "Lag", "Steps to remember over.", low, low, high).check(lag)
    return tasks.example(KNOBS["task"].check(task), lag, KNOBS["seed"].check(seed))
