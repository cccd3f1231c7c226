"""The vanishing lab: small networks learn a generated task with a chosen lag, side by side."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.commands._traces import number, plain
from explorer_core.errors import InvalidInputError
from explorer_core.lab.spec import KNOBS
from explorer_core.palette import family_label
from explorer_core.results import LabResult, finding_of

ABOUT = {
    "label": "Lab",
    "sentence": "Train tiny RNNs, GRUs and LSTMs on a task with a lag, and see over which lag each learns, and why.",
    "examples": (
        "lab",
        "lab --task adding --lags 5,20 --families rnn,lstm --out adding.npz",
        "lab --lags 10,40,100 --gate-biases 0,2,5 --seeds 5 --steps 400 --price",
    ),
    "order": 70,
}
_FLAGS = {"n_units": "--units", "n_seeds": "--seeds"}  # where a flag is not the knob's name
_LISTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "families": (str, "rnn, gru, lstm, with commas between"),
    "lags": (int, "steps to remember over, 1 to 200, with commas between; each lag has networks of its own"),
    "gate_biases": (
        float,
        "what the biases of forget (LSTM) and update gates (GRU) start from, with commas between; families are "
        "compared at the largest; a list that begins with a minus is written --gate-biases=-1,0",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every setting of the lab, and where to save."""
    parser.add_argument("--spec", metavar="FILE", help="settings as JSON, as the app gives them; the flags change them")
    for name, (_, said) in _LISTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="A,B", help=said)
    for name, knob in KNOBS.items():
        flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
        bounds = ", ".join(map(str, knob.choices)) or f"{knob.low} to {knob.high}"
        if name == "orthogonal":
            parser.add_argument("--no-orthogonal", dest=name, action="store_false", default=None,
                                help="leave out the networks that start from orthogonal recurrent weights")  # fmt: skip
            continue
        kind = str if knob.choices else int if isinstance(knob.default, int) else float
        parser.add_argument(flag, dest=name, type=kind, metavar="X", help=f"{knob.help} {bounds}")
    parser.add_argument("--price", action="store_true", help="say what it would cost, and train nothing")
    parser.add_argument("--out", metavar="PATH", help="save every array (.npz), or a row for each measurement (.csv)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """What came out, as plain values; shares are in [0, 1].

    Raises:
        InvalidInputError: If a setting is not allowed, or the lab would take too long.
    """
    _inputs.check_target(args.out)
    spec = spec_of(args)
    price = api.price_lab(spec)
    found: dict[str, Any] = {"spec": spec.to_plain(), "price": dataclasses.asdict(price)}
    if args.price:
        return found
    result = api.run_lab(spec, progress=_output.progress_line(f"Training {price.n_networks:,} networks"))
    found |= {"chance": result.chance, "settings": describe(result), "finding": list(finding_of(result))}
    return found | ({"saved": _inputs.save(result, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """A row for each start with its median accuracy at each lag, one with its gradients, and what that says."""
    if "settings" not in found:
        return str(found["price"]["sentence"])
    if "saved" in found:
        return "\n".join([f"Saved to {found['saved']}", *found["finding"]])
    lags = [f"lag {lag}" for lag in found["spec"]["lags"]]
    names = [f"{family_label(row['family'])}, {row['start']}".replace("−", "-") for row in found["settings"]]
    blocks = [f"Right answers (chance is {number(found['chance'])}), median over seeds:", "accuracy"]
    blocks += ["", "Gradient at the first step over that at the last, before learning:", "grad_share_untrained"]
    blocks += ["", "The same after learning:", "grad_share_trained", ""]
    tables = {
        quantity: _output.table(
            ["start", *lags],
            [
                [name, *(number(one[quantity]) for one in row["lags"])]
                for name, row in zip(names, found["settings"], strict=True)
            ],
        )
        for quantity in ("accuracy", "grad_share_untrained", "grad_share_trained")
    }
    return "\n".join([*(tables.get(block, block) for block in blocks), *found["finding"]])


def spec_of(args: argparse.Namespace) -> api.LabSpec:
    """The spec a person asked for: what they left out is as suggested for the task.

    Raises:
        InvalidInputError: If a setting is not allowed.
        NotFoundError: If there is no such file of settings.
    """
    if args.spec is None:
        spec = api.LabSpec.suggested(args.task or KNOBS["task"].default)
    else:
        spec = api.LabSpec.from_json(_inputs.existing_file(args.spec).read_text(encoding="utf-8", errors="replace"))
    given = {name: getattr(args, name) for name in KNOBS if getattr(args, name) is not None}
    for name, (kind, said) in _LISTS.items():
        if (text := getattr(args, name)) is not None:
            try:
                given[name] = tuple(kind(part.strip()) for part in text.split(","))
            except ValueError as error:
                flag = f"--{name.replace('_', '-')}"
                raise InvalidInputError(f"{flag} is {text[:60]!r}; expected: {said}.") from error
    return dataclasses.replace(spec, **given)


def describe(result: LabResult) -> list[dict[str, Any]]:
    """One entry for each kind of network, with the median over seeds, and every seed, at each lag."""
    shares = result.grad_share
    return [
        {
            "family": setting.family,
            "gate_bias": setting.gate_bias,
            "orthogonal": setting.is_orthogonal,
            "start": setting.start,
            "learned_lag": result.learned_lag(row),
            "lags": [
                {
                    "lag": lag,
                    "accuracy": _median(result.final_accuracy[row, place]),
                    "accuracy_by_seed": plain(result.final_accuracy[row, place]),
                    "grad_share_untrained": _median(shares[row, place, :, 0]),
                    "grad_share_trained": _median(shares[row, place, :, 1]),
                    "n_diverged": int((result.diverged[row, place] >= 0).sum()),
                }
                for place, lag in enumerate(result.spec.lags)
            ],
        }
        for row, setting in enumerate(result.settings)
    ]


def _median(values: np.ndarray) -> float | None:
    """Median over seeds, of those that are numbers."""
    there = values[~np.isnan(values)]
    return float(np.median(there)) if len(there) else None
