"""From the bias to the logit, word by word: a waterfall over the ledger of an LSTM."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.results import LstmLedger
from explorer_core.views import _waterfall
from explorer_core.views._waterfall import SORTS, Step

ABOUT = {
    "label": "From bias to logit",
    "sentence": "The bias and what each word added, one after the other, up to the logit of the class.",
    "how": "From the bias at the top, each bar begins where the one above ended and moves the sum by what its word "
    "added, down to the logit; words that moved it least share a bar, and a number in brackets is the place of a word "
    "that occurs more than once.",
    "does_not_show": "The order in which the network decided: for a text read once, all of this is settled only at "
    "the end.",
    "formula": "logit = b + Σₜ sₜ, sₜ = w · (share of the pooled hidden state of word t)",
    "source": "Murdoch and Szlam 2017, Automatic rule extraction from long short term memory networks",
    "needs": "cell",
    "order": 41,
}

MAX_WORDS = 15  # words with a bar of their own


def steps(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS) -> tuple[Step, ...]:
    """The bias, every word or those that added or took most, and what is left, in the order they are drawn.

    Args:
        ledger: From `api.lstm_ledger`.
        sort: `reading order`, or `size`, the largest first.
        most: Entries (words and special tokens) with a bar of their own.

    Raises:
        InvalidInputError: If there is no such order.
    """
    scores, entries = ledger.entry_scores, ledger.entries  # [direction, entry]
    chosen, rest = _waterfall.choose(np.abs(scores.sum(0)), sort, most)
    bias = np.zeros(len(scores))
    bias[0] = ledger.bias[ledger.target]
    rows = [("bias", bias, True), *((_name(ledger, index), scores[:, index], False) for index in chosen.tolist())]
    if len(rest):
        kind = "words" if entries.is_word[rest].all() else "entries"
        rows.append((f"the other {len(rest):,} {kind}", scores[:, rest].sum(1), False))
    return _waterfall.chain(rows)


def render(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS, height: int | None = None) -> go.Figure:
    """Bars from the bias to the logit, from top to bottom.

    Args:
        ledger: From `api.lstm_ledger`.
        sort: `reading order` or `size`.
        most: Words with a bar of their own.
        height: Height of the figure in pixels; left out, as many as the bars need.
    """
    found = steps(ledger, sort=sort, most=most)
    return _waterfall.draw(found, ledger.labels, ledger.target, directions=ledger.directions, height=height)


def alt_text(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS) -> str:
    """The figure in words: every bar with its number."""
    return _waterfall.told(steps(ledger, sort=sort, most=most), "bias", ledger.labels[ledger.target])


def _name(ledger: LstmLedger, index: int) -> str:
    """The word, with its place where it stands more than once in the text."""
    word = int(ledger.entries.word[index])
    return ledger.entries.names[index] if word < 0 else _waterfall.placed(ledger.words, word, word)
