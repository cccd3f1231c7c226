"""Leave one out: what the logit loses when a word, or a window of words, is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captum.attr import Occlusion

from explorer_core.attribution._captum import words_there
from explorer_core.attribution._scorer import REMOVAL, Scorer, Scores
from explorer_core.params import Knob
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Leave one out",
    "sentence": "What the logit loses when the word is taken away and the rest is read again.",
    "source": "Li, Monroe and Jurafsky 2016, Understanding neural networks through representation erasure",
    "signed": True,
    "complete": False,
    "unit": "logit",
    "gradients": False,
    "price": "one pass for each word",
    "order": 20,
}
KNOBS = (
    REMOVAL,
    Knob("window", "Window", "Words taken away together; a word gets the mean over the windows it is in.", 1, 1, 10, 1),
)


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return n_words + 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """The logit of the text less that without the window, for every place of the window."""
    removal = scorer.removal(knobs["removal"])
    there = words_there(scorer)
    window = min(int(knobs["window"]), there.shape[1])
    scorer.expect(there.shape[1] - window + 2)
    with torch.no_grad():
        found = Occlusion(lambda rows: scorer.of_presence(rows, removal)).attribute(
            there, sliding_window_shapes=(window,), baselines=0.0, perturbations_per_eval=scorer.n_at_once
        )
    return Scores(words=to_numpy(found[0]).astype(float), baseline=f"word taken away ({removal})")
