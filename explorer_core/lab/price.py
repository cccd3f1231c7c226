"""What a lab will cost, before the press. The constants were measured on two CPU cores."""

from __future__ import annotations

from explorer_core.errors import InvalidInputError
from explorer_core.lab.networks import BLOCKS
from explorer_core.lab.spec import LabSpec
from explorer_core.lab.tasks import TASKS
from explorer_core.results import LabPrice

MAX_S = 1_200.0
ROUND_S = 5e-4  # drawing a batch, clipping and Adam, once for each stack and step of learning
CALLS_S = {"rnn": 5e-5, "gru": 6e-5, "lstm": 5e-5}  # one position of a stack, however small it is
GATE_S = 1.8e-8  # one gate of one unit over one sequence, there and back
MULTIPLY_S = 8e-11  # one weight over one sequence, there and back
START_S = 1.0
_MEASURING = 1.15  # the checks on the way
_SHARED = 0.7  # what is left of the time of one thread where two share the work


def estimate(spec: LabSpec) -> LabPrice:
    """Seconds on two CPU cores, and networks."""
    per_step = sum(step_s(spec, family, lag, spec.n_seeds) for family in spec.families for lag in spec.lags)
    seconds = START_S + spec.steps * per_step * _MEASURING * _SHARED
    n_networks = spec.n_networks
    shown = f"{max(5 * round(seconds / 5), 2)} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    sentence = (
        f"{n_networks:,} small networks ({len(spec.settings)} kinds, {len(spec.lags)} "
        f"{'lags' if len(spec.lags) > 1 else 'lag'}, {spec.n_seeds} {'seeds' if spec.n_seeds > 1 else 'seed'}), "
        f"{spec.steps:,} steps each: about {shown} on two CPU cores. An estimate."
    )
    return LabPrice(seconds=round(seconds, 1), n_networks=n_networks, sentence=sentence)


def check(spec: LabSpec) -> None:
    """Refuse a lab nobody would wait for.

    Raises:
        InvalidInputError: If it would take longer than `MAX_S`.
    """
    found = estimate(spec)
    if found.seconds > MAX_S:
        raise InvalidInputError(
            f"This lab would take about {found.seconds / 60:,.0f} minutes; at most {MAX_S / 60:.0f} are allowed. Take "
            "fewer or shorter lags, fewer steps, seeds or units."
        )


def step_s(spec: LabSpec, family: str, lag: int, n_seeds: int) -> float:
    """Seconds of one step of learning of a family's networks of so many seeds, in one thread."""
    task = TASKS[spec.task]
    n_networks = n_seeds * sum(setting.family == family for setting in spec.settings)
    n_gates = BLOCKS[family] * spec.n_units
    per_sequence = n_gates * (GATE_S + MULTIPLY_S * (spec.n_units + task.width))
    return ROUND_S + (lag + task.n_beside) * (CALLS_S[family] + n_networks * spec.batch_size * per_sequence)
