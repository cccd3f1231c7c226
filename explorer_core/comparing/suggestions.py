"""Small edits of a text that are worth trying: a word less, a "not" more or less, and a word the corpus swaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer_core.comparing._corpus_edits import NOT, corpus_edits
from explorer_core.text import split_words

# Words after which an English sentence takes its "not"; the corpus knows more.
_AUXILIARIES = frozenset(
    "am are can could did do does had has have is may might must shall should was were will would".split()  # noqa: SIM905
)
_SHORT = {"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"}
_CONTRACTED = ("n't", "n’t")
_CLOSING = frozenset(".,;:!?)…")  # stand close to the word before


@dataclass(frozen=True)
class Change:
    """One word put in, taken out or replaced.

    Attributes:
        kind: `drop`, `negate` or `swap`.
        start, end: The characters that go; the same where a word is put in.
        before: The word that goes, or after which a word is put in.
        after: The word that comes; empty where a word is taken out.
    """

    kind: str
    start: int
    end: int
    before: str
    after: str

    @property
    def is_insertion(self) -> bool:
        """Whether nothing goes."""
        return self.start == self.end

    def apply(self, text: str) -> str:
        """The text with this change."""
        return apply_changes(text, [self])


def apply_changes(text: str, changes: Sequence[Change]) -> str:
    """The text with changes that do not touch; blanks beside a word that goes become one."""
    for change in sorted(changes, key=lambda one: one.start, reverse=True):
        head, tail = text[: change.start], text[change.end :]
        if change.is_insertion:
            text = f"{head} {change.after}{tail}"
        elif change.after:
            text = f"{head}{change.after}{tail}"
        else:
            joined = head.rstrip() if not tail or tail[0].isspace() or tail[0] in _CLOSING else head
            text = f"{joined}{tail}" if joined.strip() else tail.lstrip()
    return text


def negations(text: str) -> tuple[Change, ...]:
    """Every place where a negation can be taken away or put in: "not" and "n't" go, and "not" comes after the words
    that take it in English or took it in a pair of the corpus (twice at least).
    """
    found = []
    spans = split_words(text)
    words = [text[start:end] for start, end in spans]
    usual = {word for word, count in corpus_edits().before_not.items() if count > 1 and word.isalpha()}
    for at, ((start, end), word) in enumerate(zip(spans, words, strict=True)):
        small = word.lower()
        following = words[at + 1].lower() if at + 1 < len(words) else ""
        plain = _without_not(word)
        if small == NOT:
            found.append(Change("negate", start, end, word, ""))
        elif plain:
            found.append(Change("negate", start, end, word, plain))
        elif (small in _AUXILIARIES or small in usual) and following != NOT:
            found.append(Change("negate", end, end, word, NOT))
    return tuple(found)


def swaps(text: str) -> tuple[Change, ...]:
    """Every word of the text for which a pair of the corpus has another, with each of those, the commonest of every
    word first. Words that differ by a contracted "not" are among the negations.
    """
    known = corpus_edits().swaps
    found = []
    for start, end in split_words(text):
        word = text[start:end]
        for rank, other in enumerate(known.get(word.lower(), ())):
            if NOT != word.lower() != _without_not(other) and _without_not(word) != other:
                after = other.capitalize() if word.istitle() else other
                found.append((rank, start, Change("swap", start, end, word, after)))
    return tuple(change for _, _, change in sorted(found, key=lambda one: one[:2]))


def suggest(text: str, spans: np.ndarray | None, scores: np.ndarray | None, most: int) -> tuple[Change, ...]:
    """The edits offered for a text, at most so many of a kind; see `api.suggest_edits`."""
    drops: tuple[Change, ...] = ()
    if spans is not None and scores is not None and len(spans) > 1:
        order = np.argsort(-np.abs(scores), kind="stable")[:most]
        places = [tuple(spans[at].tolist()) for at in order]
        drops = tuple(Change("drop", start, end, text[start:end], "") for start, end in places)
    return (*drops, *negations(text)[:most], *swaps(text)[:most])


def _without_not(word: str) -> str:
    """The word without its contracted negation; empty if it has none."""
    small = word.lower().replace("’", "'")
    if small in _SHORT:
        return _SHORT[small].capitalize() if word[:1].isupper() else _SHORT[small]
    ending = next((one for one in _CONTRACTED if small.endswith("n't") and word.lower().endswith(one)), "")
    return word[: -len(ending)] if ending and len(word) > len(ending) else ""
