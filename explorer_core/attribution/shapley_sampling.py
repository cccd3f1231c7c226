"""Shapley values by sampling: what a word adds when it joins the others, averaged over chance orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captum.attr import ShapleyValueSampling

from explorer_core.attribution._captum import N_ROUNDS, in_rounds, without_words, words_there
from explorer_core.attribution._scorer import REMOVAL, Scorer, Scores
from explorer_core.params import SEED, Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Shapley sampling",
    "sentence": "What the logit gains when the word joins the others, averaged over chance orders in which they come.",
    "source": "Castro, Gómez and Tejada 2009, Polynomial calculation of the Shapley value based on sampling",
    "signed": True,
    "complete": True,
    "unit": "logit",
    "gradients": False,
    "price": "samples times words passes",
    "order": 70,
}
KNOBS = (REMOVAL, Knob("n_samples", "Samples", "Chance orders.", 25, N_ROUNDS, 5_000, 5), SEED)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return int(knobs["n_samples"]) * n_words


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Mean gain of each word over chance orders, from no word to all."""
    removal, there = scorer.removal(knobs["removal"]), words_there(scorer)
    start = without_words(scorer, removal)
    scorer.expect(int(knobs["n_samples"]) * (there.shape[1] + 1))
    method = ShapleyValueSampling(lambda rows: scorer.of_presence(rows, removal))

    def draw(n_samples: int) -> Any:
        with torch.no_grad():
            found = method.attribute(there, baselines=0.0, n_samples=n_samples, perturbations_per_eval=scorer.n_at_once)
        return to_numpy(found[0]).astype(float)

    mean, error = in_rounds(draw, int(knobs["n_samples"]), int(knobs["seed"]))
    return Scores(words=mean, standard_error=error, baseline=f"no word there ({removal})", baseline_value=start)
