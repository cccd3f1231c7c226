"""What a vanishing lab found, in sentences made from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.lab.spec import KEEP_GATES
from explorer_core.numerals import number
from explorer_core.palette import family_label
from explorer_core.results.lab import LEARNED, LabResult

FAINT = 1e-3  # share of the gradient below which hardly any of it reaches the first step


def finding_of(result: LabResult) -> tuple[str, ...]:
    """Who learned over which lag, what the start changed, what the gradient had said before, and what went wrong.

    Args:
        result: From `api.run_lab`, finished or not; of one that is not it is said how far it is.
    """
    if not result.n_checks_done:
        return ("Nothing has been measured yet.",)
    return (
        _families(result),
        *_failing(result),
        *_biases(result),
        *_orthogonal(result),
        *_gradients(result),
        *_diverged(result),
    )


def _row(result: LabResult, family: str, bias: float | None = None, *, is_orthogonal: bool = False) -> int:
    """Place of a kind on the setting axis; without a bias, the one at which families are compared."""
    wanted = None if family not in KEEP_GATES else result.spec.gate_bias if bias is None else bias
    settings = enumerate(result.settings)
    return next(
        row for row, one in settings
        if (one.family, one.gate_bias, one.is_orthogonal) == (family, wanted, is_orthogonal)
    )  # fmt: skip


def _reach(lag: int | None) -> str:
    return "over none of these lags" if lag is None else f"up to a lag of {lag}"


def _families(result: LabResult) -> str:
    """Over which lag each family learned."""
    parts = []
    for family in result.spec.families:
        row = _row(result, family)
        start = "" if result.settings[row].gate_bias is None else f" ({result.settings[row].start})"
        lag = result.learned_lag(row)
        reach = "over none of these lags" if lag is None else f"up to a lag of {lag}"
        parts.append(f"by the {family_label(family)}{start} {reach}")
    step, n_seeds = int(result.steps[result.n_checks_done - 1]), result.spec.n_seeds
    begin = f"After {step:,} steps" if result.is_finished else f"So far, after {step:,} of {result.spec.steps:,} steps,"
    middle = f" ({100 * LEARNED:.0f} % right{f' in the median of {n_seeds} seeds' * (n_seeds > 1)})"
    return f"{begin} the task is learned{middle} {_joined(parts)}; the longest lag is {result.spec.lags[-1]}."


def _failing(result: LabResult) -> list[str]:
    """At which lag some families fail where others hold."""
    reach = {family: result.learned_lag(_row(result, family)) or 0 for family in result.spec.families}
    least = min(reach.values())
    failing = [f"the {family_label(family)}" for family in reach if reach[family] == least]
    holding = [f"the {family_label(family)}" for family in reach if reach[family] > least]
    if not holding:
        return []
    lag = next(lag for lag in result.spec.lags if lag > least)
    fails, holds = "fails" if len(failing) == 1 else "fail", "holds" if len(holding) == 1 else "hold"
    return [f"At a lag of {lag} {_joined(failing)} {fails}, where {_joined(holding)} {holds}."]


def _biases(result: LabResult) -> list[str]:
    """What the bias of the gate that keeps the state changes."""
    biases = result.spec.gate_biases
    gated = [family for family in result.spec.families if family in KEEP_GATES]
    if len(biases) < 2 or not gated:
        return []
    parts = []
    starts = _joined([number_of(bias) for bias in biases])
    for family in gated:
        reach = [_lag(result.learned_lag(_row(result, family, bias))) for bias in biases]
        name, gate = family_label(family), KEEP_GATES[family]
        if len(set(reach)) == 1:
            parts.append(f"the {name} reaches {reach[0]} with every {gate} bias")
        else:
            parts.append(f"the {name} reaches {_joined(reach)} with {gate} bias {starts}")
    return [f"The gate that keeps: {'; '.join(parts)}."]


def _orthogonal(result: LabResult) -> list[str]:
    """What orthogonal recurrent weights change."""
    if not result.spec.orthogonal:
        return []
    moved: list[str] = []
    left: list[str] = []
    for family in result.spec.families:
        before, after = (_lag(result.learned_lag(_row(result, family, is_orthogonal=one))) for one in (False, True))
        name = f"the {family_label(family)}"
        if before == after:
            left.append(f"{name} at {after}")
        else:
            moved.append(f"{name} from {before} to {after}")
    said = [f"{verb} {_joined(parts)}" for verb, parts in (("take", moved), ("leave", left)) if parts]
    return [f"Orthogonal recurrent weights {' and '.join(said)}."]


def _gradients(result: LabResult) -> list[str]:
    """What reached the first step before learning, and who learned of those it did not reach."""
    share = result.grad_share[..., 0]  # [setting, lag, seed]
    if np.isnan(share).all():
        return []
    longest = [
        f"{number(float(np.nanmedian(share[row, -1])), digits=2)} for the {family_label(family)}"
        for family in result.spec.families
        for row in [_row(result, family)]
        if not np.isnan(share[row, -1]).all()
    ]
    said = []
    if longest:
        said.append(
            "Of the gradient at the last step, this share reached the first one before learning, at a lag of "
            f"{result.spec.lags[-1]}: {_joined(longest)}."
        )
    learned = np.nan_to_num(result.final_accuracy, nan=0.0) >= LEARNED
    is_faint = share < FAINT
    n_faint, n_other = int(is_faint.sum()), int((~is_faint).sum())
    if n_faint and n_other:
        said.append(
            f"Of the {n_faint:,} networks in which less than a thousandth reached it, "
            f"{int((learned & is_faint).sum()):,} learned; of the other {n_other:,}, "
            f"{int((learned & ~is_faint).sum()):,}."
        )
    return said


def _diverged(result: LabResult) -> list[str]:
    n_diverged = int((result.diverged >= 0).sum())
    if not n_diverged:
        return []
    row, lag, seed = (int(index) for index in np.argwhere(result.diverged >= 0)[0])
    setting = result.settings[row]
    which = f"{family_label(setting.family)}, {setting.start}, lag {result.spec.lags[lag]}, seed {seed}"
    network = "network" if n_diverged == 1 else "networks"
    return [
        f"{n_diverged:,} {network} of {result.spec.n_networks:,} diverged: the loss was no finite number any more "
        f"({'' if n_diverged == 1 else 'one of them: '}{which}, at step {int(result.diverged[row, lag, seed]):,}). A "
        "smaller learning rate or clipping helps."
    ]


def number_of(bias: float) -> str:
    """A bias as a person writes it."""
    return f"{bias:g}".replace("-", "−")


def _lag(lag: int | None) -> str:
    return "no lag" if lag is None else str(lag)


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
