"""Verdicts that almost were others."""

from explorer_core.reasons._ranked import Ask, Ranked

ABOUT = {
    "label": "Closest calls",
    "sentence": "All texts, the smallest margin first: the logit of the class decided for less the next largest.",
    "order": 20,
    "value": "margin",
    "needs": "",
    "cost": "none",
}


def rank(ask: Ask) -> Ranked:
    """Texts by rising margin."""
    margin = ask.judged.margin[ask.model, ask.rows]
    order = margin.argsort(kind="stable")
    return Ranked(ask.rows[order], margin[order])
