"""The fewest words whose absence turns a verdict: pairs and triples are tried as far as a budget goes, then greedily.

The answer is about the network, not about a method: it is what every method's largest scores can be held against.
Minimal sets of words that decide: Li, Monroe and Jurafsky 2016, Understanding neural networks through representation
erasure, with exhaustive search in place of their learned one.
"""

from __future__ import annotations

import math
from itertools import combinations, islice

import numpy as np
import torch

from explorer_core.attribution import _scorer
from explorer_core.attribution._scorer import REMOVAL, Scorer
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.results import Flips
from explorer_core.results.flips import MOST_KEPT
from explorer_core.text import read_text
from explorer_core.tracing import states
from explorer_core.tracing._arrays import to_numpy

EXACT_WORDS = 3  # so many words together are tried in every choice
_BATCH = 512
BUDGET = Knob("budget", "Budget", "Texts read at most.", 6_000, 100, 1_000_000, 100)


def find(model: LoadedModel, text: str, removal: str, budget: int, progress: Progress | None = None) -> Flips:
    """The smallest deletions of words that turn the verdict; see `api.find_flips`."""
    REMOVAL.check(removal)
    BUDGET.check(budget)
    states.check_kind(model)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    scorer = _scorer.make(model, reading, None, progress)
    search = _Search(scorer, scorer.removal(removal), budget)
    n_words, found, is_exact, n_tried = len(reading.words), [], True, 0
    for size in range(1, min(EXACT_WORDS, n_words) + 1):
        if math.comb(n_words, size) > budget - search.n_read:
            is_exact = False
            break
        n_tried = size
        found = search.every(size)
        if found:
            break
    if not found and n_words > EXACT_WORDS:
        is_exact = False
        found, n_tried = search.greedily()
    found.sort(key=lambda one: one[1])
    kept = found[:MOST_KEPT]
    n_together = len(kept[0][0]) if kept else 0
    return Flips(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=scorer.logits,
        removal=search.removal,
        deletions=np.array([words for words, _, _ in kept], dtype=np.int64).reshape(len(kept), n_together),
        margins=np.array([margin for _, margin, _ in kept]),
        new_labels=np.array([label for _, _, label in kept], dtype=np.int64),
        is_exact=is_exact,
        n_tried=n_tried,
        n_passes=search.n_read + 1,
    )


Found = list[tuple[tuple[int, ...], float, int]]


class _Search:
    """Reads texts with words taken away, and keeps count of them."""

    def __init__(self, scorer: Scorer, removal: str, budget: int) -> None:
        self.scorer, self.removal, self.budget, self.n_read = scorer, removal, budget, 0
        self.n_words = len(scorer.reading.words)

    def every(self, size: int) -> Found:
        """All choices of so many words that turn the verdict."""
        choices = combinations(range(self.n_words), size)
        found: Found = []
        while chunk := list(islice(choices, _BATCH)):
            margins, labels = self._without(chunk)
            found += [(chunk[at], float(margins[at]), int(labels[at])) for at in np.flatnonzero(margins < 0).tolist()]
        return found

    def greedily(self) -> tuple[Found, int]:
        """Words taken away one after the other, each time the one that lowers the margin most; and how many."""
        gone: tuple[int, ...] = ()
        while len(gone) < self.n_words and self.n_read + self.n_words - len(gone) <= self.budget:
            choices = [(*gone, word) for word in range(self.n_words) if word not in gone]
            margins, labels = self._without(choices)
            best = int(margins.argmin())
            gone = choices[best]
            if margins[best] < 0:
                return [(tuple(sorted(gone)), float(margins[best]), int(labels[best]))], len(gone)
        return [], len(gone)

    def _without(self, choices: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
        """Margin of the class decided for and the class decided for now, without the words of each choice."""
        there = torch.ones(len(choices), self.n_words, device=self.scorer.vectors.device)
        for row, words in enumerate(choices):
            there[row, list(words)] = 0
        logits = to_numpy(self.scorer.all_of_presence(there, self.removal)).astype(float)
        self.n_read += len(choices)
        if self.scorer.progress is not None:
            self.scorer.progress(min(self.n_read / self.budget, 1.0))
        predicted = int(self.scorer.logits.argmax())
        others = np.delete(logits, predicted, axis=1)
        return logits[:, predicted] - others.max(1), logits.argmax(1)
