"""Gradient over the words: how the logit would move if a state, a gate or a word vector were nudged."""

from __future__ import annotations

from pages._ui import cache_gradients, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Over the words",
    "question": "What does the verdict hang on?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}


def draw(look: Look) -> None:
    """Sizes of the gradients over the words."""
    found = cache_gradients.gradients(*look.key, look.target)
    take_away.offer("gradients", look, {"trace_gradients": (found, {"target": look.target})})
