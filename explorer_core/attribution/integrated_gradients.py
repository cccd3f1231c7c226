"""Integrated gradients: the slope of the logit, added up on the way from a baseline to the text.

The way is cut into panels with a few points each, placed by Gauss and Legendre. A look ahead, which needs no gradients,
says where the logit moves: where it does so evenly one panel will do, else the cuts are put closer where it moves more.
A panel can be checked by itself: what it adds up to must be the move of the logit from its beginning to its end. Where
the sum over all panels misses the whole move by more than the stated share, the panels that miss most are halved, so
that points go where the way bends and none is thrown away but those of a panel that is halved. That says the integral
is right; it does not say that the straight way through vectors that are no words is a fair question to ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    "price": "8 passes to look ahead, 6 to 512 with their gradients, as many as the stated gap needs",
    "order": 10,
}
POINTS = 6  # of one panel
AHEAD = np.linspace(0.0, 1.0, 9)  # where the logit is read first; with fewer the cuts fall worse, and cost more
STEEP, WINDING = 0.3, 1.2  # share of all that moves in one step, and that over the whole move, from which on it is cut
N_PANELS = 3
KEPT_BACK = 0.98  # of the allowed gap; the rest is for the rounding of whoever adds up anew
NARROWEST = 2.0**-20  # of the way; what moves within less is a jump for all that can be computed in single precision
KNOBS = (
    BASELINE,
    Knob("tolerance", "Gap allowed", "Share of the move of the logit that may be missing.", 0.01, 1e-4, 0.5, 0.001),
    Knob("max_points", "Points at most", "Points of all panels, those that were halved too.", 512, POINTS, 4_096, 1),
)


@dataclass(frozen=True, eq=False)
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
    def is_narrow(self) -> bool:
        """Whether it is too narrow to be halved."""
        return self.end - self.begin < NARROWEST

    @property
    def gap(self) -> float:
        """What the scores sum to, less the move of the logit."""
        return float(self.scores.sum()) - (self.logits[1] - self.logits[0])


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return min(N_PANELS * POINTS, int(knobs["max_points"])) + len(AHEAD) - 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Integrated gradients from a baseline, with as many points as the allowed gap needs."""
    baseline = scorer.baseline(knobs["baseline"])
    largest = int(knobs["max_points"])
    scorer.expect(count_passes(0, knobs))
    ahead = np.append(_read(scorer, baseline, AHEAD[:-1]), scorer.value)
    start, move = float(ahead[0]), scorer.value - float(ahead[0])
    allowed = KEPT_BACK * float(knobs["tolerance"]) * abs(move)
    cuts = first_cuts(ahead) if largest >= N_PANELS * POINTS else np.array([0.0, 1.0])
    scorer.expect(POINTS * (len(cuts) - 1))
    found = _walk(scorer, baseline, cuts)
    logits = np.array([start, *[np.nan] * (len(cuts) - 2), scorer.value])
    if abs(found.sum() - move) > allowed:  # only then it matters which panel misses how much
        logits[1:-1] = _read(scorer, baseline, cuts[1:-1])
    panels = [
        Panel(*ends, logits=pair, scores=row)
        for ends, pair, row in zip(pairwise(cuts), pairwise(logits), found, strict=True)
    ]
    n_points = POINTS * len(panels)
    while abs(_total(panels) - move) > allowed:
        halved = to_halve(panels, allowed, (largest - n_points) // (2 * POINTS))
        if not halved:
            break
        panels = [panel for panel in panels if panel not in halved]
        middles = [(panel.begin + panel.end) / 2 for panel in halved]
        scorer.expect((2 * POINTS + 1) * len(halved))
        for panel, middle, logit in zip(halved, middles, _read(scorer, baseline, middles), strict=True):
            before, after = _walk(scorer, baseline, [panel.begin, middle, panel.end])
            panels.append(Panel(panel.begin, middle, (panel.logits[0], logit), before))
            panels.append(Panel(middle, panel.end, (logit, panel.logits[1]), after))
        n_points += 2 * POINTS * len(halved)
    notes, gap = [], abs(_total(panels) - move)
    if gap > allowed:
        notes.append(_why_missed(panels, gap, allowed, n_points))
    if abs(move) < SMALL_MOVE:
        notes.append(
            f"From this baseline to the text the logit moves by {number(move, signed=True)} only: there is little to "
            "share out, and words that cancel each other can look large. Try another baseline."
        )
    notes.append(f"{n_points} points.")
    scores = np.sum([panel.scores for panel in panels], axis=0)
    return Scores(tokens=scores, baseline=str(knobs["baseline"]), baseline_value=start, notes=tuple(notes))


def _total(panels: Sequence[Panel]) -> float:
    return float(sum(panel.scores.sum() for panel in panels))


def to_halve(panels: Sequence[Panel], allowed: float, n_most: int) -> list[Panel]:
    """The fewest panels that miss all but half of the allowed gap, at most so many; none that is too narrow."""
    wide = sorted((panel for panel in panels if not panel.is_narrow), key=lambda panel: abs(panel.gap))
    missed = np.cumsum([abs(panel.gap) for panel in wide])
    n_kept = int((missed <= allowed / 2).sum())
    if len(wide) == len(panels):
        n_kept = min(n_kept, len(wide) - 1)  # the sum is missed, so at least one
    return wide[max(n_kept, len(wide) - n_most) :]


def _why_missed(panels: Sequence[Panel], gap: float, allowed: float, n_points: int) -> str:
    jumps = [panel for panel in panels if panel.is_narrow and abs(panel.gap) > allowed / 2]
    if not jumps:
        return (
            f"The scores miss {number(gap)} logits of the move with {n_points} points, and no more were allowed. "
            "Allow more points, or take another baseline."
        )
    where = ", ".join(
        f"at {100 * panel.begin:.3g} % of the way by {number(panel.logits[1] - panel.logits[0], signed=True)}"
        for panel in jumps[:3]
    )
    return (
        f"The logit jumps on the way from this baseline, {where}: there the network tips from one state into another, "
        "and no number of points can share that out. Take another baseline."
    )


def first_cuts(ahead: np.ndarray) -> np.ndarray:
    """Where the way is cut at first, ends included, from the logits at `AHEAD`.

    Between two cuts lies the same sum of way and movement, half and half.
    """
    steps = np.abs(np.diff(ahead))
    moved = float(steps.sum())
    if not moved or (steps.max() <= STEEP * moved and moved <= WINDING * abs(ahead[-1] - ahead[0])):
        return np.array([0.0, 1.0])
    passed = np.append(0.0, np.cumsum(steps / moved + np.diff(AHEAD)))
    return np.interp(np.linspace(0.0, passed[-1], N_PANELS + 1), passed, AHEAD)


def _read(scorer: Scorer, baseline: torch.Tensor, places: Sequence[float] | np.ndarray) -> np.ndarray:
    """The logit at shares of the way, shape [place]."""
    if not len(places):
        return np.zeros(0)
    with torch.no_grad():
        return to_numpy(scorer.of_vectors(_on_the_way(scorer, baseline, places))).astype(float)


def _walk(scorer: Scorer, baseline: torch.Tensor, ends: Sequence[float] | np.ndarray) -> np.ndarray:
    """Captum's integrated gradients over the panels between neighbouring ends, several panels in one batch; what each
    token adds, shape [panel, pos].
    """
    method, found = IntegratedGradients(scorer.of_vectors), []
    places = _on_the_way(scorer, baseline, ends)
    n_together = max(scorer.n_at_once // POINTS, 1)
    at_once = scorer.n_at_once if scorer.n_at_once < POINTS else None
    for part in range(0, len(ends) - 1, n_together):
        last = min(part + n_together, len(ends) - 1)
        with own_vectors(scorer, places[part + 1 : last + 1]) as given:
            scores = method.attribute(
                given, places[part:last], n_steps=POINTS, method="gausslegendre", internal_batch_size=at_once
            )
        found.append(to_numpy(scores.detach()).sum(-1, dtype=float))
    return np.concatenate(found)


def _on_the_way(scorer: Scorer, baseline: torch.Tensor, shares: Sequence[float] | np.ndarray) -> torch.Tensor:
    """Word vectors at shares of the way from the baseline to the text, shape [share, pos, width]."""
    at = torch.as_tensor(np.asarray(shares), dtype=baseline.dtype, device=baseline.device)[:, None, None]
    return torch.lerp(baseline, scorer.vectors, at)
