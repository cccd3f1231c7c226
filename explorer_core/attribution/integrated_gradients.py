"""Integrated gradients: the slope of the logit, added up on the way from a baseline to the text.

Points are placed by Gauss and Legendre and doubled until the scores add up to the move of the logit within a stated
share of it, or the budget is spent. That says the integral is right; it does not say that the straight way through
vectors that are no words is a fair question to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients

from explorer_core.attribution._captum import own_vectors
from explorer_core.attribution._scorer import BASELINE, Scorer, Scores
from explorer_core.numerals import number
from explorer_core.params import Knob
from explorer_core.results.attributions import SMALL_MOVE
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Integrated gradients",
    "sentence": "The slope of the logit added up on the way from a baseline to the text: it sums to the logit's move.",
    "source": "Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks",
    "signed": True,
    "complete": True,
    "unit": "logit",
    "gradients": True,
    "price": "8 to 256 passes and their gradients, as many as the stated gap needs",
    "order": 10,
}
FIRST_POINTS = 8
KNOBS = (
    BASELINE,
    Knob("tolerance", "Gap allowed", "Share of the move of the logit that may be missing.", 0.01, 1e-4, 0.5, 0.001),
    Knob("max_points", "Points at most", "Points of the last, finest round.", 256, FIRST_POINTS, 4_096, 1),
)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return min(4 * FIRST_POINTS, 2 * int(knobs["max_points"]))


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Integrated gradients from a baseline, with as many points as the allowed gap needs."""
    baseline = scorer.baseline(knobs["baseline"])
    with torch.no_grad():
        start = float(scorer.of_vectors(baseline)[0])
    move = scorer.value - start
    n_points, largest, notes = FIRST_POINTS, int(knobs["max_points"]), []
    scorer.expect(2 * largest)
    method = IntegratedGradients(scorer.of_vectors)
    while True:
        with own_vectors(scorer) as vectors:
            found = method.attribute(
                vectors, baseline, n_steps=n_points, method="gausslegendre", internal_batch_size=scorer.n_at_once
            )
        scores = to_numpy(found.detach()[0]).sum(-1, dtype=float)
        gap = abs(float(scores.sum()) - move)
        if gap <= knobs["tolerance"] * abs(move) or n_points >= largest:
            break
        n_points = min(2 * n_points, largest)
    if gap > knobs["tolerance"] * abs(move):
        notes.append(
            f"The scores miss {number(gap)} logits of the move with {n_points} points, which is all that was allowed. "
            "Allow more points, or take another baseline."
        )
    if abs(move) < SMALL_MOVE:
        notes.append(
            f"From this baseline to the text the logit moves by {number(move, signed=True)} only: there is little to "
            "share out, and words that cancel each other can look large. Try another baseline."
        )
    notes.append(f"{n_points} points.")
    return Scores(tokens=np.asarray(scores), baseline=str(knobs["baseline"]), baseline_value=start, notes=tuple(notes))
