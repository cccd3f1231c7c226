"""Train one model, or all starters, in this process or as one of many."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from explorer_core import api, registry
from explorer_core.commands import _cards, _inputs, _output
from explorer_core.errors import InvalidInputError
from explorer_core.params import Knob
from explorer_core.training.spec import KNOBS, TrainingSpec

ABOUT = {
    "label": "Train",
    "sentence": "Train a model on labelled texts, or all the starters.",
    "examples": (
        "train --starter",
        "train --name my-lstm --family lstm --data reviews.csv --epochs 3",
        "train --name spam --data spam.csv --text-column message --label-column kind --vocabulary words "
        "--embeddings scratch",
        "train --spec spec.json --json",
        "train --resume my-lstm",
        "torchrun --nproc-per-node 2 -m explorer_core train --spec spec.json",
    ),
    "order": 10,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train, then a flag for every knob of a training spec."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--starter", action="store_true", help="train the starter models that are not ready")
    what.add_argument("--spec", metavar="FILE", help="a training spec as JSON; flags below go before its fields")
    what.add_argument("--resume", metavar="NAME", help="go on with a cancelled, failed or lost run")
    parser.add_argument("--name", help="what to call the model: lower-case letters, digits, hyphens")
    parser.add_argument("--family", help=f"{', '.join(registry.describe('architectures'))}; default: lstm")
    _inputs.add_data(parser, default=None)
    knobs = parser.add_argument_group("how to train", "Left out, a setting is that of the family's starter model.")
    for knob in KNOBS.values():
        add_knob(knobs, knob)


def add_knob(parser: Any, knob: Knob) -> None:
    """One flag; its bounds are checked by the spec, which names them in its message."""
    flag = f"--{knob.name.replace('_', '-')}"
    if knob.choices == (False, True):
        # a starter may have it on, so it can be switched off as well
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=knob.help)
        return
    allowed = ", ".join(map(str, knob.choices)) or f"{knob.low:,} to {knob.high:,}"
    own = {spec.family: getattr(spec, knob.name) for spec in api.starter_specs()}
    others = "".join(f", {family}: {value}" for family, value in own.items() if value != knob.default)
    text = f"{knob.help} Allowed: {allowed}; default: {knob.default}{others}.".replace("%", "%%")
    parser.add_argument(flag, type=type(knob.default), metavar="VALUE", help=text)


def run(args: argparse.Namespace) -> dict[str, Any] | None:
    """Train, and give the cards of what was trained; `None` in all processes but the first.

    Raises:
        InvalidInputError: If it is not said what to train, or a setting is not allowed.
    """
    given = given_fields(args)
    if (args.starter or args.resume) and given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InvalidInputError(f"{flags} cannot go with {'--starter' if args.starter else '--resume'}; leave it out.")
    if args.starter:
        names = api.train_starters(progress=_output.progress_line("Training the starters"))
    else:
        spec = api.training_spec(args.resume) if args.resume else spec_of(args.spec, given)
        doing = f"Training {spec.name}"
        names = (api.train(spec, resume=bool(args.resume), progress=_output.progress_line(doing)),)
    if not _output.is_first_process():
        return None  # the first process writes the model and its card
    cards = api.list_models()
    return {"trained": [_cards.entry(_cards.find(name, cards)) for name in names]}


def render(found: dict[str, Any]) -> str:
    """The card of each model that was trained."""
    if not found["trained"]:
        return "All starters are ready; nothing to train."
    return "\n\n".join(_cards.render(card) for card in found["trained"])


def given_fields(args: argparse.Namespace) -> dict[str, Any]:
    """Fields of a training spec that were set by flags."""
    fields = {name: getattr(args, name) for name in ("name", "family", *KNOBS) if getattr(args, name) is not None}
    if args.data is not None or args.text_column is not None or args.label_column is not None or args.data_option:
        fields["data"] = _inputs.data_spec(args)
    return fields


def spec_of(path: str | None, given: dict[str, Any]) -> TrainingSpec:
    """The spec of a file, with the fields that were given put over its own; or one of the given fields alone.

    Raises:
        NotFoundError: If there is no such file.
        InvalidInputError: If neither a spec nor a name was given, or a value is not allowed.
    """
    if path is None:
        if "name" not in given:
            raise InvalidInputError("What to train? Give --starter, --spec FILE, --resume NAME, or a --name and flags.")
        family = given.get("family", "lstm")
        base = next((spec for spec in api.starter_specs() if spec.family == family), TrainingSpec("model"))
        return dataclasses.replace(base, **given)
    return dataclasses.replace(read_spec(_inputs.existing_file(path)), **given)


def read_spec(path: Path) -> TrainingSpec:
    """A training spec from a JSON file.

    Raises:
        InvalidInputError: If it is too large, no text, or no spec.
    """
    if path.stat().st_size > 2**20:
        raise InvalidInputError(f"{path.name[:60]} is larger than 1 MiB; a training spec is a short JSON file.")
    try:
        return TrainingSpec.from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path.name[:60]} is not UTF-8 text; a training spec is a JSON file.") from error
