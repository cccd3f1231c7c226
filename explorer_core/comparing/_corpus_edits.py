"""Small edits of the starter corpus: words its minimal pairs put in each other's place, and where they put "not"."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from explorer_core import registry
from explorer_core.text import split_words

FEWEST = 2  # pairs in which two words stand for each other
MOST_SWAPS = 3  # words offered for one
NOT = "not"


@dataclass(frozen=True)
class CorpusEdits:
    """Edits that turn praise to blame in the corpus.

    Attributes:
        swaps: For each word in small letters, the words that stand in its place in at least two pairs, the commonest
            first; at most three.
        before_not: Words in small letters after which a pair puts "not", with how often it does.
    """

    swaps: Mapping[str, tuple[str, ...]]
    before_not: Mapping[str, int]


@functools.cache
def corpus_edits() -> CorpusEdits:
    """Read from the pairs once in a process."""
    corpus = registry.load("datasets", "starter").read({})
    members: dict[str, list[str]] = defaultdict(list)
    for name, text in zip(corpus.groups["pair"], corpus.texts, strict=True):
        if name:
            members[name].append(text)
    swaps: Counter[tuple[str, str]] = Counter()
    before_not: Counter[str] = Counter()
    for first, second in (tuple(texts) for texts in members.values() if len(texts) == 2):
        ones, twos = _words(first), _words(second)
        for _, start, end, other_start, other_end in SequenceMatcher(None, ones, twos, autojunk=False).get_opcodes():
            gone, come = ones[start:end], twos[other_start:other_end]
            if len(gone) == len(come) == 1 and gone != come:
                swaps[gone[0], come[0]] += 1
            elif sorted((gone, come)) == [[], [NOT]] and start and other_start:
                before_not[ones[start - 1]] += 1
    reversed_too = {*swaps, *((two, one) for one, two in swaps)}
    both = {(one, two): swaps[one, two] + swaps[two, one] for one, two in reversed_too}
    found: dict[str, list[str]] = defaultdict(list)
    for (one, two), count in sorted(both.items(), key=lambda item: (-item[1], item[0])):
        if count >= FEWEST and len(found[one]) < MOST_SWAPS:
            found[one].append(two)
    return CorpusEdits({one: tuple(twos) for one, twos in found.items() if twos}, dict(before_not))


def _words(text: str) -> list[str]:
    return [text[start:end].lower() for start, end in split_words(text)]
