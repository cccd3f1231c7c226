"""LIME: a sparse linear model fitted to texts with words taken away, those like the text counting most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnLasso
from captum.attr import Lime

from explorer_core.attribution._captum import in_rounds, words_there
from explorer_core.attribution._scorer import REMOVAL, Scorer, Scores
from explorer_core.params import SEED, Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "LIME",
    "sentence": "Weights of a sparse linear model of what the logit does when chance words are taken away.",
    "source": "Ribeiro, Singh and Guestrin 2016, Why should I trust you?",
    "signed": True,
    "complete": False,
    "unit": "logit",
    "gradients": False,
    "price": "as many passes as samples",
    "order": 90,
}
KNOBS = (
    REMOVAL,
    Knob("n_samples", "Samples", "Texts with chance words taken away.", 500, 50, 20_000, 50),
    Knob("alpha", "Sparseness", "Weight of the penalty on the size of the weights.", 0.001, 1e-6, 1.0, 0.001),
    SEED,
)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return int(knobs["n_samples"])


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Weights of the sparse linear model, the mean of several fits to samples of their own."""
    removal, there = scorer.removal(knobs["removal"]), words_there(scorer)
    scorer.expect(int(knobs["n_samples"]))
    method = Lime(
        lambda rows: scorer.of_presence(rows, removal),
        interpretable_model=SkLearnLasso(alpha=float(knobs["alpha"])),
        similarity_func=_likeness,
    )

    def draw(n_samples: int) -> np.ndarray:
        with torch.no_grad():
            found = method.attribute(there, baselines=0.0, n_samples=n_samples, perturbations_per_eval=scorer.n_at_once)
        return to_numpy(found[0]).astype(float)

    mean, error = in_rounds(draw, int(knobs["n_samples"]), int(knobs["seed"]))
    return Scores(words=mean, standard_error=error, baseline=f"word taken away ({removal})")


def _likeness(original: Any, perturbed: Any, there: torch.Tensor, **more: Any) -> float:
    """exp(-d² / 0.25²) of the cosine distance between the words there and all words, as LIME has it for texts."""
    kept = float(there.float().mean())
    return float(np.exp(-((1 - np.sqrt(kept)) ** 2) / 0.25**2))
