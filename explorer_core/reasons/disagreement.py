"""Where networks say different things of the same words."""

from explorer_core.reasons._ranked import Ask, Ranked, ranked

ABOUT = {
    "label": "Models disagree most",
    "sentence": "Texts on which not all models decide alike, the widest gap first: over the classes, the largest "
    "probability any model gives less the smallest.",
    "order": 30,
    "value": "gap",
    "needs": "models",
    "cost": "none",
}


def rank(ask: Ask) -> Ranked:
    """Texts that are judged differently, by the gap between probabilities."""
    predicted = ask.judged.predicted[:, ask.rows]
    rows = ask.rows[(predicted != predicted[:1]).any(0)]
    probs = ask.judged.probs[:, rows]  # [model, text, class]
    gap = (probs.max(0) - probs.min(0)).max(-1)
    return ranked(rows, gap)
