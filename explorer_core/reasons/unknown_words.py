"""Texts of which a network knows little."""

import numpy as np

from explorer_core.reasons._ranked import Ask, Ranked, ranked

ABOUT = {
    "label": "Most unknown words",
    "sentence": "Texts with words the model's vocabulary lacks, the largest share of unknown words first, then the "
    "largest number.",
    "order": 50,
    "value": "share unknown",
    "needs": "",
    "cost": "none",
}


def rank(ask: Ask) -> Ranked:
    """Texts by the share of their words that are unknown; those without any are left out."""
    n_unknown = ask.judged.n_unknown[ask.model]
    rows = ask.rows[n_unknown[ask.rows] > 0]
    share = np.minimum(n_unknown[rows] / np.maximum(ask.judged.table.n_words[rows], 1), 1.0)
    return ranked(rows, share, n_unknown[rows].astype(float))
