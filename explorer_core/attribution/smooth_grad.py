"""SmoothGrad: the gradient averaged over noisy copies of the text, so that a kink next to it counts less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from captum.attr import NoiseTunnel, Saliency

from explorer_core.attribution._captum import N_ROUNDS, own_vectors
from explorer_core.attribution._scorer import Scorer, Scores
from explorer_core.params import SEED, Knob
from explorer_core.results.gradients import by_word, norm_of
from explorer_core.seeding import seeded
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "SmoothGrad",
    "sentence": "The length of the mean gradient over copies of the text with noise on every word's vector.",
    "source": "Smilkov et al. 2017, SmoothGrad: removing noise by adding noise",
    "signed": False,
    "complete": False,
    "unit": "logit per unit of word vector",
    "gradients": True,
    "price": "as many passes and gradients as samples",
    "order": 50,
}
KNOBS = (
    Knob("n_samples", "Samples", "Noisy copies of the text.", 50, N_ROUNDS, 5_000, 5),
    Knob(
        "noise", "Noise", "Standard deviation, as a share of that of the text's word vectors.", 0.15, 0.001, 2.0, 0.01
    ),
    SEED,
)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return int(knobs["n_samples"])


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """L2 norm, over the tokens of a word together, of the mean gradient; its error by leaving each round out."""
    n_each = max(int(knobs["n_samples"]) // N_ROUNDS, 1)
    spread = float(knobs["noise"]) * float(scorer.vectors.float().std())
    scorer.expect(n_each * N_ROUNDS)
    tunnel = NoiseTunnel(Saliency(scorer.of_vectors))
    with seeded(int(knobs["seed"])):
        rounds = []
        for _ in range(N_ROUNDS):
            with own_vectors(scorer) as vectors:
                found = tunnel.attribute(
                    vectors, nt_samples=n_each, nt_samples_batch_size=scorer.n_at_once, stdevs=spread, abs=False
                )
            rounds.append(to_numpy(found.detach()[0]))
    drawn = np.stack(rounds).astype(float)  # [round, pos, width]
    norms = norm_of(drawn.mean(0))
    left_out = np.stack([by_word(norm_of(np.delete(drawn, at, 0).mean(0)), scorer.reading) for at in range(N_ROUNDS)])
    error = np.sqrt((N_ROUNDS - 1) * left_out.var(0))  # jackknife
    return Scores(tokens=norms, words=by_word(norms, scorer.reading), standard_error=error)
