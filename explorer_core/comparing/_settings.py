"""The settings by which scores of two networks are held to be found alike."""

from __future__ import annotations

from typing import Any

from explorer_core.results import WordAttribution


def asked(found: WordAttribution) -> dict[str, Any]:
    """The settings, but for how a word is taken away, which follows what each network has seen in training."""
    return {name: value for name, value in found.knobs.items() if name != "removal"}
