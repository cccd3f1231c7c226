"""How strongly the logit hangs on each word: the length of its gradient by the word's vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer_core.attribution._scorer import Scorer, Scores
from explorer_core.params import Knob
from explorer_core.results.gradients import by_word, norm_of
from explorer_core.tracing._arrays import to_numpy

ABOUT = {
    "label": "Gradient norm",
    "sentence": "How far a small step of a word's vector could move the logit, whichever way.",
    "source": "Simonyan, Vedaldi and Zisserman 2014, Deep inside convolutional networks",
    "signed": False,
    "complete": False,
    "unit": "logit per unit of word vector",
    "gradients": True,
    "price": "one pass and its gradient",
    "order": 30,
}
KNOBS: tuple[Knob, ...] = ()


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """L2 norm of the derivative of the logit by all word vectors of a word together."""
    norms = norm_of(to_numpy(scorer.gradient(scorer.vectors))[0])
    return Scores(tokens=norms, words=by_word(norms, scorer.reading))
