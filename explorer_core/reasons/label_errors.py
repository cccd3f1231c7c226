"""Labels that a network contradicts with more than its usual confidence.

Confident learning: Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels,
section 3.1. A text counts as of class k if its probability of k reaches the mean such probability of the texts labelled
k, and is the largest among the classes that do; where that is not its label, the label is likely wrong.
"""

import numpy as np

from explorer_core.datasets._splitting import letters_of
from explorer_core.reasons._ranked import Ask, Ranked, ranked

ABOUT = {
    "label": "Likely label errors",
    "sentence": "Texts whose label the model contradicts confidently: another class reaches the mean probability that "
    "texts labelled so have, the largest lead over the probability of the label first.",
    "order": 60,
    "value": "lead",
    "needs": "labels",
    "cost": "none",
    "source": "Northcutt, Jiang and Chuang 2021, Confident Learning",
}


def rank(ask: Ask) -> Ranked:
    """Texts with likely wrong labels; thresholds are means over all labelled rows that may be listed."""
    rows = ask.labelled
    true, probs = ask.judged.true[rows], ask.judged.probs[ask.model, rows]
    likely = confident_classes(probs, true)
    wrong = np.flatnonzero((likely >= 0) & (likely != true))
    lead = probs[wrong, likely[wrong]] - probs[wrong, true[wrong]]
    found = ranked(rows[wrong], lead)
    class_of = dict(zip(rows[wrong].tolist(), likely[wrong].tolist(), strict=True))
    in_sample, notes = _in_sample(ask, rows)
    told = tuple(
        f"likely {ask.judged.labels[class_of[row]]}" + (", read in training" if row in in_sample else "")
        for row in found.rows.tolist()
    )
    return Ranked(found.rows, found.values, told, notes=notes)


def confident_classes(probs: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The class each text confidently is of, -1 where no class reaches its threshold; int array [text].

    Args:
        probs: Shape [text, class]; out of sample.
        true: Class index of each text by its label; int array [text].
    """
    n_classes = probs.shape[1]
    counts = np.bincount(true, minlength=n_classes)
    own = np.bincount(true, weights=probs[np.arange(len(true)), true], minlength=n_classes)
    with np.errstate(invalid="ignore"):
        thresholds = np.where(counts > 0, own / counts, np.inf)  # mean self-confidence of each class
    reached = np.where(probs >= thresholds, probs, -np.inf)
    return np.where(np.isfinite(reached).any(1), reached.argmax(1), -1)


def _in_sample(ask: Ask, rows: np.ndarray) -> tuple[frozenset[int], tuple[str, ...]]:
    """Rows the network was trained on, and what is said of them."""
    name = ask.judged.models[ask.model]
    if ask.trained_on is None:
        note = f"What {name} was trained on is not known here; if these texts were among it, their probabilities are "
        return frozenset(), (f"{note}not out of sample, and label errors it has learned by heart are missed.",)
    known = ask.trained_on
    found = frozenset(row for row in rows.tolist() if letters_of(ask.judged.table.texts[row]) in known)
    if not found:
        return found, (f"{name} was trained on none of these texts: its probabilities are out of sample.",)
    note = f"{name} was trained on {len(found):,} of these {len(rows):,} texts: their probabilities are not out of "
    return found, (f"{note}sample, and label errors it has learned by heart are missed.",)
