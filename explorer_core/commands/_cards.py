"""Model cards as plain values and as text."""

from __future__ import annotations

from typing import Any

from explorer_core.commands import _output
from explorer_core.errors import NotFoundError
from explorer_core.results import ModelCard


def find(name: str, cards: tuple[ModelCard, ...]) -> ModelCard:
    """The card of the model with that name.

    Raises:
        NotFoundError: If no model has it; the message names some that there are.
    """
    for card in cards:
        if card.name == name:
            return card
    known = ", ".join(card.name for card in cards[:8])
    raise NotFoundError(f"There is no model {name[:60]!r}. {f'Known: {known}.' if known else 'There are none yet.'}")


def entry(card: ModelCard) -> dict[str, Any]:
    """A card as plain values for JSON."""
    names = ("name", "architecture", "status", "n_params", "size_mib", "trained_on", "created", "fingerprint")
    return {name: getattr(card, name) for name in (*names, "is_starter")} | {
        "labels": list(card.labels),
        "metrics": {name: float(value) for name, value in card.metrics.items()},
        "notes": list(card.notes),
    }


def render(card: dict[str, Any]) -> str:
    """A card, one fact a line."""
    metrics = [(name.replace("_", " "), _output.number(value)) for name, value in card["metrics"].items()]
    return _output.facts(
        [
            ("name", card["name"]),
            ("family", card["architecture"]),
            ("status", card["status"]),
            ("labels", ", ".join(card["labels"])),
            ("parameters", f"{card['n_params']:,}"),
            ("size", f"{card['size_mib']:.1f} MiB"),
            ("trained on", card["trained_on"]),
            ("created", card["created"]),
            *metrics,
            *(("note", note) for note in card["notes"]),
        ]
    )
