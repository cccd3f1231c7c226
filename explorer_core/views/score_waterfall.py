"""From the baseline's logit to the text's, word by word: a waterfall over scores that promise to add up."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import IncompatibleError
from explorer_core.results import WordAttribution
from explorer_core.views import _waterfall
from explorer_core.views._waterfall import SORTS, Step

ABOUT = {
    "label": "From baseline to logit",
    "sentence": "The logit of the baseline and what each word added, one after the other, up to the text's logit.",
    "how": "From the baseline at the top, each bar begins where the one above ended and moves the sum by the score of "
    "its word, down to the logit of the text; in a long text the words with the smallest scores share a bar, and the "
    "last step, the gap, is what the scores leave unexplained.",
    "does_not_show": "An order in which anything happened: the words are set one after the other for the eye, and the "
    "same scores make the same sum in any order.",
    "formula": "logit(text) = logit(baseline) + Σ scores + gap",
    "source": "Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks (completeness)",
    "order": 61,
}
MAX_WORDS = 40  # words with a bar of their own
GAP = "gap"


def steps(
    found: WordAttribution, *, sort: str = SORTS[0], tokens: bool = False, most: int = MAX_WORDS
) -> tuple[Step, ...]:
    """The baseline, the words, what is left of them, the special tokens and the gap, in the order they are drawn.

    The steps sum to the logit of the text: the gap is what the scores miss of the move, with its sign turned round.

    Args:
        found: From `api.attribute`, by a complete method.
        sort: `reading order`, or `size`, the largest first.
        tokens: Whether each token has a step instead of each word, where the method scores tokens.
        most: Words or tokens with a bar of their own.

    Raises:
        IncompatibleError: If the scores do not promise to add up.
        InvalidInputError: If there is no such order.
    """
    if not found.complete or found.baseline_value is None:
        raise IncompatibleError(f"Scores by {found.method} do not promise to add up, so they build no waterfall.")
    of_tokens = tokens and found.token_scores is not None
    names, scores = (found.reading.tokens, found.token_scores) if of_tokens else (found.words, found.scores)
    assert scores is not None
    chosen, rest = _waterfall.choose(np.abs(scores), sort, most)
    rows = [(_start(found), found.baseline_value)]
    rows += [(_waterfall.placed(names, index, index), float(scores[index])) for index in chosen.tolist()]
    if len(rest):
        rows.append((f"{len(rest):,} other {'tokens' if of_tokens else 'words'}", float(scores[rest].sum())))
    if not of_tokens and found.token_scores is not None:
        special = found.token_scores[found.reading.word_of_token < 0]
        if len(special):
            rows.append(("special tokens", float(special.sum())))
    rows.append((GAP, found.value - sum(value for _, value in rows)))
    last = len(rows) - 1
    return _waterfall.chain([(name, np.array([value]), at in (0, last)) for at, (name, value) in enumerate(rows)])


def render(
    found: WordAttribution,
    *,
    sort: str = SORTS[0],
    tokens: bool = False,
    most: int = MAX_WORDS,
    height: int | None = None,
) -> go.Figure:
    """Bars from the logit of the baseline to that of the text, from top to bottom.

    Args:
        found: From `api.attribute`, by a complete method.
        sort: `reading order` or `size`.
        tokens: Whether each token has a step instead of each word, where the method scores tokens.
        most: Words or tokens with a bar of their own.
        height: Height of the figure in pixels; left out, as many as the bars need.

    Raises:
        IncompatibleError: If the scores do not promise to add up.
    """
    made = steps(found, sort=sort, tokens=tokens, most=most)
    return _waterfall.draw(made, found.labels, found.target, height=height)


def alt_text(found: WordAttribution, *, sort: str = SORTS[0], tokens: bool = False, most: int = MAX_WORDS) -> str:
    """The figure in words: every bar with its number."""
    return _waterfall.told(steps(found, sort=sort, tokens=tokens, most=most), "baseline", found.target_label)


def _start(found: WordAttribution) -> str:
    """Name of the baseline, said to be one where its name is a bare word."""
    return found.baseline if " " in found.baseline else f"baseline: {found.baseline}"
