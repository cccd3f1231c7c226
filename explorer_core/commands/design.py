"""Networks designed side by side: train all of them on the same rows, and compare with what came out before."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.commands._traces import number
from explorer_core.designs.spec import KNOBS, DesignSpec, Network
from explorer_core.errors import InvalidInputError
from explorer_core.results import DesignResult

ABOUT = {
    "label": "Design",
    "sentence": "Train two to six networks on the same rows, in the same order and for as many steps, side by side.",
    "examples": (
        "design --name by-family --networks rnn:64,gru:64,lstm:64",
        "design --name by-size --networks lstm:16,lstm:64,lstm:64:2 --epochs 3 --n-seeds 3 --price",
        "design --spec design.json --against result.json",
        "design --resume by-family",
        "design --list",
    ),
    "order": 15,
}
_MAX_BYTES = 2**20
_NETWORK_FIELDS = ("family", "hidden_size", "num_layers", "pooling", "embeddings")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train, or which design to show, and where to save."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--spec", metavar="FILE", help="a design as JSON, as the app gives it; the flags change it")
    what.add_argument("--resume", metavar="NAME", help="go on with a design that was broken off")
    what.add_argument("--show", metavar="NAME", help="show a kept design, and train nothing")
    what.add_argument("--list", action="store_true", help="list the kept designs, the newest first")
    parser.add_argument("--name", help="of the design; 1 to 30 lower-case letters, digits and hyphens")
    parser.add_argument(
        "--networks", metavar="A,B",
        help="two to six, with commas between: FAMILY[:UNITS[:LAYERS[:POOLING[:VECTORS]]]], such as lstm:64:2",
    )  # fmt: skip
    _inputs.add_data(parser, None)
    for name, knob in KNOBS.items():
        flag = f"--{name.replace('_', '-')}"
        if knob.choices == (False, True):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=knob.help)
            continue
        bounds = ", ".join(map(str, knob.choices)) or f"{knob.low:,} to {knob.high:,}"
        parser.add_argument(
            flag, dest=name, type=type(knob.default), metavar="X",
            help=f"{knob.help} {bounds}; default: {knob.default}.".replace("%", "%%"),
        )  # fmt: skip
    parser.add_argument("--price", action="store_true", help="say what it would cost, and train nothing")
    parser.add_argument("--against", metavar="FILE", help="a result.json of a bundle to compare with")
    parser.add_argument("--out", metavar="PATH", help="save what came out (.csv, .npz), or a bundle (.zip)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """What came out, as plain values.

    Raises:
        InvalidInputError: If it is not said what to train, or a setting is not allowed.
        NotFoundError: If there is no such file or design.
    """
    _inputs.check_target(args.out, (*_inputs.RESULT_ENDINGS, ".zip"))
    if args.list:
        return {"designs": [_listed(job) for job in api.list_designs()]}
    before = None if args.against is None else _read_against(_inputs.existing_file(args.against))
    if args.show:
        return described(api.design_result(args.show), args.out, before)
    if args.resume:
        doing = f"Training {args.resume}"
        return described(api.continue_design(args.resume, progress=_output.progress_line(doing)), args.out, before)
    spec = spec_of(args)
    if args.price:
        return {"spec": spec.to_plain(), "price": dataclasses.asdict(api.price_design(spec))}
    doing = f"Training {len(spec.runs())} models"
    return described(api.run_design(spec, progress=_output.progress_line(doing)), args.out, before)


def render(found: dict[str, Any]) -> str:
    """A row for each run, what is the same for all, and how it compares."""
    if "designs" in found:
        if not found["designs"]:
            return "No design is kept. Train one with: design --name my-design --networks rnn,lstm"
        rows = [[one["name"], one["state"], ", ".join(one["networks"])] for one in found["designs"]]
        return _output.table(["design", "state", "networks"], rows)
    if "runs" not in found:
        return str(found["price"]["sentence"])
    head = ["model", "parameters", "steps", "accuracy", "95 % interval", "trained in", "against"]
    rows = [
        [
            one["name"],
            f"{one['n_params']:,}",
            f"{one['n_steps']:,}",
            _shown(one["accuracy"]),
            f"{_shown(one['accuracy_low'])} to {_shown(one['accuracy_high'])}",
            "–" if one["train_s"] is None else f"{one['train_s']:.0f} s",
            one.get("against", "–"),
        ]
        for one in found["runs"]
    ]
    kept = f"Saved to {found['saved']}" if "saved" in found else f"Kept as {found['spec']['name']}"
    return "\n\n".join([_output.table(head, rows), *found["said"], kept])


def spec_of(args: argparse.Namespace) -> DesignSpec:
    """The design a person asked for.

    Raises:
        InvalidInputError: If a setting is not allowed, or name or networks are missing.
        NotFoundError: If there is no such file.
    """
    given: dict[str, Any] = {name: getattr(args, name) for name in ("name", *KNOBS) if getattr(args, name) is not None}
    if args.networks is not None:
        given["networks"] = tuple(_network(text) for text in args.networks.split(","))
    if args.data is not None or args.text_column or args.label_column or args.data_option:
        given["data"] = _inputs.data_spec(args)
    if args.spec is None:
        if "name" not in given or "networks" not in given:
            raise InvalidInputError("What to train? Give --spec FILE, --resume NAME, or a --name and --networks.")
        return DesignSpec(**given)
    path = _inputs.existing_file(args.spec)
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInputError(f"{path.name[:60]} is larger than 1 MiB; a design is a short JSON file.")
    spec = dataclasses.replace(DesignSpec.from_json(path.read_text("utf-8", "replace")), **given)
    return spec if "data" in given else _beside(spec, path.parent)


def described(result: DesignResult, out: str | None, before: dict[str, Any] | None) -> dict[str, Any]:
    """A design as plain values, compared with an earlier one and saved where that was asked for."""
    found = result.to_plain()
    if before is not None:
        for row in found["runs"]:
            row["against"] = _compared(row, before)
    said = {
        "steps": (result.has_same_steps, "All made as many steps.", "They made different numbers of steps."),
        "order": (
            result.has_same_order, "All read the same rows in the same order.",
            "They read the same rows, but not all in the same order.",
        ),
    }  # fmt: skip
    found["said"] = [yes if is_so else no for is_so, yes, no in said.values() if is_so is not None]
    if out is None:
        return found
    if out.endswith(".zip"):
        return found | {"saved": str(api.reproduce_design(Path(out).expanduser(), result.name))}
    return found | {"saved": _inputs.save(result, out)}


def _network(text: str) -> Network:
    """A network from `FAMILY:UNITS:LAYERS:POOLING:VECTORS`, of which only the family is needed.

    Raises:
        InvalidInputError: If a part is not allowed.
    """
    parts = [part.strip() for part in text.split(":")]
    if len(parts) > len(_NETWORK_FIELDS):
        raise InvalidInputError(f"{text[:60]!r} has too many parts; FAMILY:UNITS:LAYERS:POOLING:VECTORS is expected.")
    values: dict[str, Any] = dict(zip(_NETWORK_FIELDS, parts, strict=False))
    for name in ("hidden_size", "num_layers"):
        if name in values:
            if not values[name].isascii() or not values[name].isdigit():
                raise InvalidInputError(f"{values[name][:40]!r} in {text[:60]!r} is no whole number.")
            values[name] = int(values[name][:9])
    return Network(**values)


def _beside(spec: DesignSpec, folder: Path) -> DesignSpec:
    """The data of a bundle lie beside its design."""
    path = spec.data.options.get("path") if spec.data.source == "local_file" else None
    if not isinstance(path, str) or Path(path).is_absolute() or not (folder / path).is_file():
        return spec
    options = {**spec.data.options, "path": str((folder / path).resolve())}
    return dataclasses.replace(spec, data=api.DataSpec("local_file", options))


def _read_against(path: Path) -> dict[str, Any]:
    """Runs of an earlier result by what they are: place and seed.

    Raises:
        InvalidInputError: If the file is no result of a design.
    """
    problem = f"{path.name[:60]} is no result of a design; the result.json of a bundle is expected."
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInputError(problem)
    try:
        plain = json.loads(path.read_text("utf-8", "replace"))
        runs = {_ending(row["name"], plain["spec"]["name"]): row for row in plain["runs"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInputError(problem) from error
    return {"runs": runs}


def _compared(row: dict[str, Any], before: dict[str, Any]) -> str:
    """How one run compares with the one before."""
    name = row["name"]
    earlier = next((one for ending, one in before["runs"].items() if ending and name.endswith(ending)), None)
    if earlier is None:
        return "not there"
    if row["fingerprint"] and row["fingerprint"] == earlier.get("fingerprint"):
        return "the same weights"
    old, new = earlier.get("accuracy"), row["accuracy"]
    if not isinstance(old, int | float) or new is None:
        return "no accuracy to compare"
    return f"accuracy {new - old:+.3f}".replace("-", "−")


def _ending(run: str, design: str) -> str:
    return run[len(design) :] if run.startswith(f"{design}-") else ""


def _shown(value: float | None) -> str:
    return "–" if value is None else number(value)


def _listed(job: Any) -> dict[str, Any]:
    return {"name": job.name, "state": job.status.state, "networks": list(job.spec.labels())}
