"""Integrated gradients: the slope of the logit, added up on the way from a baseline to the text.

The way is cut into panels with a few points each, placed by Gauss and Legendre. A panel can be checked by itself: what
it adds up to must be the move of the logit from its beginning to its end. Where the sum over all panels misses the
whole move by more than the stated share, the panels that miss most are halved, so that points go where the way bends
and none is thrown away but those of a panel that is halved. That says the integral is right; it does not say that the
straight way through vectors that are no words is a fair question to ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    "price": "6 to 256 passes and their gradients, as many as the stated gap needs",
    "order": 10,
}
POINTS = 6  # of one panel
KNOBS = (
    BASELINE,
    Knob("tolerance", "Gap allowed", "Share of the move of the logit that may be missing.", 0.01, 1e-4, 0.5, 0.001),
    Knob("max_points", "Points at most", "Points of all panels, those that were halved too.", 256, POINTS, 4_096, 1),
)


@dataclass(frozen=True)
class Panel:
    """A piece of the way, from the share `begin` of it to `end`.

    Attributes:
        logits: At its beginning and at its end.
        scores: What each token added between them, shape [pos].
    """

    begin: float
    end: float
    logits: tuple[float, float]
    scores: np.ndarray

    @property
    def gap(self) -> float:
        """What the scores sum to, less the move of the logit."""
        return float(self.scores.sum()) - (self.logits[1] - self.logits[0])


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return min(3 * POINTS, int(knobs["max_points"])) + 2


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Integrated gradients from a baseline, with as many points as the allowed gap needs."""
    baseline = scorer.baseline(knobs["baseline"])
    with torch.no_grad():
        start = float(scorer.of_vectors(baseline)[0])
    move, largest = scorer.value - start, int(knobs["max_points"])
    allowed = float(knobs["tolerance"]) * abs(move)
    scorer.expect(largest)
    panels = _walk(scorer, baseline, [(0.0, 1.0)], {0.0: start, 1.0: scorer.value})
    n_points = POINTS
    while abs(sum(panel.gap for panel in panels)) > allowed:
        panels.sort(key=lambda panel: abs(panel.gap))
        missed = np.cumsum([abs(panel.gap) for panel in panels])
        n_kept = min(int((missed <= allowed / 2).sum()), len(panels) - 1)
        n_kept = max(n_kept, len(panels) - (largest - n_points) // (2 * POINTS))
        if n_kept >= len(panels):
            break
        halved, panels = panels[n_kept:], panels[:n_kept]
        panels += _walk(scorer, baseline, *_halves(scorer, baseline, halved))
        n_points += 2 * POINTS * len(halved)
    notes, gap = [], abs(sum(panel.gap for panel in panels))
    if gap > allowed:
        notes.append(
            f"The scores miss {number(gap)} logits of the move with {n_points} points, and no more were allowed. "
            "Allow more points, or take another baseline."
        )
    if abs(move) < SMALL_MOVE:
        notes.append(
            f"From this baseline to the text the logit moves by {number(move, signed=True)} only: there is little to "
            "share out, and words that cancel each other can look large. Try another baseline."
        )
    notes.append(f"{n_points} points.")
    scores = np.sum([panel.scores for panel in panels], axis=0)
    return Scores(tokens=scores, baseline=str(knobs["baseline"]), baseline_value=start, notes=tuple(notes))


def _halves(
    scorer: Scorer, baseline: torch.Tensor, panels: Sequence[Panel]
) -> tuple[list[tuple[float, float]], dict[float, float]]:
    """The two halves of each panel, and the logits at their ends."""
    middles = [(panel.begin + panel.end) / 2 for panel in panels]
    with torch.no_grad():
        read = to_numpy(scorer.of_vectors(_on_the_way(scorer, baseline, middles)))
    logits = {panel.begin: panel.logits[0] for panel in panels} | {panel.end: panel.logits[1] for panel in panels}
    logits |= {middle: float(value) for middle, value in zip(middles, read, strict=True)}
    pieces = [
        piece
        for panel, middle in zip(panels, middles, strict=True)
        for piece in ((panel.begin, middle), (middle, panel.end))
    ]
    return pieces, logits


def _walk(
    scorer: Scorer, baseline: torch.Tensor, pieces: Sequence[tuple[float, float]], logits: Mapping[float, float]
) -> list[Panel]:
    """Captum's integrated gradients over each piece of the way, several pieces in one batch."""
    method, found = IntegratedGradients(scorer.of_vectors), []
    n_together = max(scorer.n_at_once // POINTS, 1)
    at_once = scorer.n_at_once if scorer.n_at_once < POINTS else None
    for part in range(0, len(pieces), n_together):
        some = pieces[part : part + n_together]
        with own_vectors(scorer, _on_the_way(scorer, baseline, [end for _, end in some])) as ends:
            scores = method.attribute(
                ends, _on_the_way(scorer, baseline, [begin for begin, _ in some]),
                n_steps=POINTS, method="gausslegendre", internal_batch_size=at_once,
            )  # fmt: skip
        sums = to_numpy(scores.detach()).sum(-1, dtype=float)  # [piece, pos]
        found += [
            Panel(begin, end, (logits[begin], logits[end]), row) for (begin, end), row in zip(some, sums, strict=True)
        ]
    return found


def _on_the_way(scorer: Scorer, baseline: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
    """Word vectors at shares of the way from the baseline to the text, shape [share, pos, width]."""
    at = torch.tensor(shares, dtype=baseline.dtype, device=baseline.device)[:, None, None]
    return torch.lerp(baseline, scorer.vectors, at)
