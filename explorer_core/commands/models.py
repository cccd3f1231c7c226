"""List the models, or show the card of one."""

from __future__ import annotations

import argparse
from typing import Any

from explorer_core import api
from explorer_core.commands import _cards, _output
from explorer_core.errors import InvalidInputError

ABOUT = {
    "label": "Models",
    "sentence": "List the models there are, or show one: sizes, labels, data, metrics.",
    "examples": ("models", "models show starter-lstm", "models list --json"),
    "order": 20,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` or `show NAME`."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "show"), help="default: list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the model to show")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Cards of all models, or of the one that was named."""
    cards = api.list_models()
    if args.action == "list":
        if args.name:
            raise InvalidInputError(f"`models list` takes no name; `models show {args.name[:60]}` shows one model.")
        return {"models": [_cards.entry(card) for card in cards]}
    if not args.name:
        raise InvalidInputError("Which model? `models show NAME`; `models` lists the names.")
    return {"model": _cards.entry(_cards.find(args.name, cards))}


def render(found: dict[str, Any]) -> str:
    """A table of models, or one card."""
    if "model" in found:
        return _cards.render(found["model"])
    if not found["models"]:
        return "There are no models yet. `python -m explorer_core train --starter` trains the five starters."
    rows = [
        (
            card["name"],
            card["architecture"],
            card["status"],
            _output.share(card["metrics"]["accuracy"]) if "accuracy" in card["metrics"] else "-",
            f"{card['n_params']:,}",
            f"{card['size_mib']:.1f}",
            ", ".join(card["labels"]),
            card["trained_on"],
        )
        for card in found["models"]
    ]
    header = ("name", "family", "status", "accuracy", "parameters", "MiB", "labels", "trained on")
    return _output.table(header, rows)
