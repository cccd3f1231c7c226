"""Wrong, and very sure of it."""

from explorer_core.reasons._ranked import Ask, Ranked, ranked

ABOUT = {
    "label": "Most confident mistakes",
    "sentence": "Texts with a label that the model judges wrong, the largest probability of the wrong verdict first.",
    "order": 10,
    "value": "confidence",
    "needs": "labels",
    "cost": "none",
}


def rank(ask: Ask) -> Ranked:
    """Mistakes by the probability of what was decided for."""
    rows = ask.labelled[~ask.judged.is_right[ask.model, ask.labelled]]
    return ranked(rows, ask.judged.confidence[ask.model, rows])
