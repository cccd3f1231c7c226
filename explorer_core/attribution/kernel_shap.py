"""Kernel SHAP: Shapley values as the weights of a linear model fitted to texts with words taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from captum.attr import KernelShap

from explorer_core.attribution._captum import N_ROUNDS, in_rounds, without_words, words_there
from explorer_core.attribution._scorer import REMOVAL, Scorer, Scores
from explorer_core.params import SEED, Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Kernel SHAP",
    "sentence": "Shapley values, read off a linear model fitted to texts from which chance words are taken away.",
    "source": "Lundberg and Lee 2017, A unified approach to interpreting model predictions",
    "signed": True,
    "complete": True,
    "unit": "logit",
    "gradients": False,
    "price": "as many passes as samples",
    "order": 80,
}
KNOBS = (
    REMOVAL,
    Knob("n_samples", "Samples", "Texts with chance words taken away, beside as many as there are words.", 200, 50,
         20_000, 50),
    SEED,
)  # fmt: skip


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return int(knobs["n_samples"]) + N_ROUNDS * (n_words + 2)


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Weights of the linear model, the mean of several fits to samples of their own."""
    removal, there = scorer.removal(knobs["removal"]), words_there(scorer)
    n_words = there.shape[1]
    start = without_words(scorer, removal)
    if n_words == 1:  # there is nothing to fit
        return Scores(words=np.array([scorer.value - start]), standard_error=np.zeros(1),
                      baseline=f"no word there ({removal})", baseline_value=start)  # fmt: skip
    scorer.expect(int(knobs["n_samples"]) + N_ROUNDS * (n_words + 2))
    method = KernelShap(lambda rows: scorer.of_presence(rows, removal))

    def draw(n_samples: int) -> np.ndarray:
        with torch.no_grad():
            found = method.attribute(
                there, baselines=0.0, n_samples=n_samples + n_words + 2, perturbations_per_eval=scorer.n_at_once
            )
        return to_numpy(found[0]).astype(float)

    mean, error = in_rounds(draw, int(knobs["n_samples"]), int(knobs["seed"]))
    return Scores(words=mean, standard_error=error, baseline=f"no word there ({removal})", baseline_value=start)
