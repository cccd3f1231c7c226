"""The slow lines of a trust card: other baselines, shuffled weights, captum's infidelity and sensitivity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max

from explorer_core.attribution._scorer import BASELINES
from explorer_core.attribution._trust_case import Case, shuffled
from explorer_core.errors import IncompatibleError
from explorer_core.numerals import number
from explorer_core.results import TrustLine, kendall_tau
from explorer_core.seeding import seeded

N_SAMPLES = 100  # of captum's infidelity
N_COPIES = 2  # with shuffled weights, on which the method is run anew


def baselines(case: Case) -> TrustLine | None:
    """How much the ranks depend on the baseline."""
    if "baseline" not in case.attribution.knobs:
        return None
    taus, flips, n_passes = [], np.zeros(len(case.strength), dtype=bool), 0
    for name in BASELINES:
        if name == case.attribution.baseline:
            continue
        try:
            other = case.again(case.model, baseline=name)
        except IncompatibleError:
            continue  # it has no such token
        taus.append(kendall_tau(case.attribution, other))
        flips |= (np.sign(other.scores) * np.sign(case.strength) < 0) & (np.abs(case.strength) > 0.01)
        n_passes += other.n_passes
    lowest = float(min(taus))
    verdict = "good" if lowest >= 0.6 else "doubtful" if lowest >= 0.2 else "bad"
    return TrustLine(
        "baselines", "Any baseline", lowest, "Kendall's tau", verdict,
        f"Over {len(taus)} other baselines the rank correlation is at least {number(lowest, signed=True)}; "
        f"{int(flips.sum())} of {len(flips)} words change sign.",
        "The baseline is a choice nobody can prove. Good if every other one ranks words alike (0.6), bad below 0.2.",
        n_passes,
    )  # fmt: skip


def randomised(case: Case) -> TrustLine:
    """How alike the attribution is on copies with shuffled weights."""
    return _on_shuffled(
        case, "randomised", "Weights matter", lambda scores: np.abs(scores),
        "Shuffled weights must change the answer. Word vectors stay, and a method that multiplies by them may look "
        "alike for that reason only. Good up to 0.3, bad from 0.7.",
    )  # fmt: skip


def without_multiplier(case: Case) -> TrustLine | None:
    """As `randomised`, for the gradient alone: what the method multiplies by the word vectors."""
    if case.attribution.method not in ("input_x_gradient", "integrated_gradients", "gradient_shap"):
        return None
    return _on_shuffled(
        case, "without_multiplier", "Weights matter, slope alone", lambda scores: scores,
        "The same without the multiplication by the word vectors: the gradient norm on shuffled weights.",
        method="gradient_norm",
    )  # fmt: skip


def infidelity(case: Case) -> TrustLine | None:
    """Captum's infidelity over words taken away at random: does the sum of their scores say how the logit moves?"""
    if not case.attribution.signed:
        return None
    words = torch.ones(1, len(case.strength))
    scores = torch.from_numpy(np.asarray(case.strength, dtype=np.float32))[None]

    def away(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gone = (torch.rand_like(inputs) < 0.2).float()
        return gone, inputs - gone

    with seeded(case.seed), torch.no_grad():
        found = captum_infidelity(
            lambda there: case.scorer.of_presence(there.to(case.scorer.vectors.device), case.removal).cpu(),
            away, words, scores, n_perturb_samples=N_SAMPLES, max_examples_per_batch=N_SAMPLES,
        )  # fmt: skip
    root = float(found[0]) ** 0.5
    return TrustLine(
        "infidelity", "Predicts the loss", root, "logits", "told",
        f"Where a fifth of the words go at random, the sum of their scores misses the move of the logit by "
        f"{number(root)} (root of captum's infidelity).",
        "A linear reading of a network that is not linear always misses something; compare methods, not texts.",
        N_SAMPLES,
    )  # fmt: skip


def sensitivity(case: Case) -> TrustLine | None:
    """Captum's largest change of the gradient-based scores when the word vectors are nudged."""
    if case.attribution.method not in ("gradient_norm", "input_x_gradient"):
        return None
    radius = 0.02 * float(case.scorer.vectors.abs().max())

    def explain(given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        (vectors,) = given
        slope = case.scorer.gradient(vectors)
        return (slope * vectors if case.attribution.method == "input_x_gradient" else slope,)

    with seeded(case.seed):
        found = float(sensitivity_max(explain, case.scorer.vectors.clone(), perturb_radius=radius)[0])
    verdict = "good" if found <= 0.2 else "doubtful" if found <= 1 else "bad"
    return TrustLine(
        "sensitivity", "Steady", found, "of its size", verdict,
        f"A nudge of every word vector by up to {number(radius)} changes the scores by up to {number(100 * found)} % "
        "of their size (captum's sensitivity).",
        "An answer that a nudge turns over is about the nudge. Good up to 20 %, bad beyond 100 %.",
        11,
    )  # fmt: skip


def _on_shuffled(
    case: Case, name: str, label: str, size: Callable[[np.ndarray], np.ndarray], means: str, method: str = ""
) -> TrustLine:
    own = case.again(case.model, method) if method else case.attribution
    own = dataclasses.replace(own, scores=size(own.scores))
    taus, n_passes = [], 0
    for twin in shuffled(case.model, N_COPIES, case.seed):
        other = case.again(twin, method)
        taus.append(kendall_tau(own, dataclasses.replace(other, scores=size(other.scores))))
        n_passes += other.n_passes
    mean = float(np.mean(taus))
    verdict = "good" if mean <= 0.3 else "doubtful" if mean <= 0.7 else "bad"
    return TrustLine(name, label, mean, "Kendall's tau", verdict,
                     f"On copies with shuffled weights the words are ranked with a correlation of "
                     f"{number(mean, signed=True)}.", means, n_passes)  # fmt: skip
