"""GradientSHAP: the slope of the logit at chance points between a baseline and the text with noise on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from captum.attr import GradientShap

from explorer_core.attribution._captum import N_ROUNDS, in_rounds, own_vectors
from explorer_core.attribution._scorer import BASELINE, Scorer, Scores
from explorer_core.params import SEED, Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "GradientSHAP",
    "sentence": "Integrated gradients by chance points with noise on the words: it adds up on average, not exactly.",
    "source": "Lundberg and Lee 2017, A unified approach to interpreting model predictions; Erion et al. 2021, "
    "Improving performance of deep learning models with axiomatic attribution priors",
    "signed": True,
    "complete": False,
    "unit": "logit",
    "gradients": True,
    "price": "as many passes and gradients as samples",
    "order": 60,
}
KNOBS = (
    BASELINE,
    Knob("n_samples", "Samples", "Chance points.", 50, N_ROUNDS, 5_000, 5),
    Knob("noise", "Noise", "Standard deviation, as a share of that of the text's word vectors.", 0.05, 0.0, 2.0, 0.01),
    SEED,
)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return int(knobs["n_samples"]) + 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Mean over chance points of the distance from the baseline times the gradient there."""
    baseline = scorer.baseline(knobs["baseline"])
    spread = float(knobs["noise"]) * float(scorer.vectors.float().std())
    with torch.no_grad():
        start = float(scorer.of_vectors(baseline)[0])
    scorer.expect(max(int(knobs["n_samples"]) // N_ROUNDS, 1) * N_ROUNDS)
    owner = scorer.reading.word_of_token
    n_words = len(scorer.reading.words)

    def draw(n_samples: int) -> np.ndarray:
        with own_vectors(scorer) as vectors:
            found = GradientShap(scorer.of_vectors).attribute(vectors, baseline, n_samples=n_samples, stdevs=spread)
        tokens = to_numpy(found.detach()[0]).sum(-1, dtype=float)
        words = np.bincount(owner[owner >= 0], tokens[owner >= 0], n_words)
        return np.concatenate([tokens, words])

    mean, error = in_rounds(draw, int(knobs["n_samples"]), int(knobs["seed"]))
    n_pos = len(owner)
    return Scores(
        tokens=mean[:n_pos], standard_error=error[n_pos:], baseline=str(knobs["baseline"]), baseline_value=start
    )
