"""One text, every chosen model: verdicts on one axis, a strip each, and where each of them decided."""

from __future__ import annotations

from pages._ui import compared, figures, verdicts
from pages._ui.compared import Desk

SECTION = {
    "label": "This text",
    "question": "How does each network read this text?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}


def draw(desk: Desk) -> None:
    """Verdicts and strips."""
    if not compared.needs(desk, 1, "their verdicts word by word."):
        return
    verdicts.draw(desk.text, desk.names)
    figures.how_to_read("running_verdict")
