"""What a design will cost, before the press: the sum of its runs."""

from __future__ import annotations

from explorer_core.designs.spec import DesignSpec
from explorer_core.results import DesignPrice
from explorer_core.training import price


def estimate(spec: DesignSpec) -> DesignPrice:
    """Seconds, steps and disk of all runs of a design.

    Raises:
        As `price.estimate` of a training.
    """
    found = [price.estimate(run) for run in spec.runs()]
    begin_s = (len(found) - 1) * price.START_S  # one process trains all of them: it is started once
    seconds = sum(one.seconds for one in found) - 0.8 * begin_s
    disk_mib = sum(one.disk_mib for one in found)
    shown = f"{max(5 * round(seconds / 5), 5)} s" if seconds < 180 else f"{seconds / 60:.0f} min"
    seeds = f", {spec.n_seeds} seeds each" if spec.n_seeds > 1 else ""
    slowest = max(range(len(found)), key=lambda place: found[place].seconds)
    share = found[slowest].seconds / sum(one.seconds for one in found)
    part = f", {share:.0%} of it for {spec.runs()[slowest].name}" if share > 0.5 and len(found) > 2 else ""
    return DesignPrice(
        round(seconds, 1), round(disk_mib, 1), found[0].n_rows, found[0].n_steps, len(found),
        f"{len(spec.networks)} networks{seeds}, all on the same {found[0].n_rows:,} rows for {found[0].n_steps:,} "
        f"steps: about {shown} on two CPU cores, less on a GPU{part}; {disk_mib:,.0f} MiB of disk. An estimate.",
    )  # fmt: skip
