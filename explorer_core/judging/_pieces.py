"""Long texts in pieces. The pieces of a text, in order, are the whole text: no character is lost."""

from __future__ import annotations

import regex

from explorer_core.judging.spec import TextsSpec
from explorer_core.text import split_words

# A sentence ends behind . ! ? … with what closes it, where a blank and no small letter follows; behind an ideographic
# full stop; and at a blank line. A full stop behind a single letter or a usual short form ends none.
_END = regex.compile(
    r"(?:(?<!\b\p{L})(?<!\b(?:Mr|Mrs|Ms|Dr|St|vs|No|Prof|Jr|Sr|etc))\.+|[!?…]+\.*)[\"'”’»)\]]*\s+(?=[^\s\p{Ll}])"
    r"|[。！？]+[」』”’）]*\s*(?=\S)"
    r"|\s*\n\s*\n\s*(?=\S)",
    regex.VERSION1,
)

Span = tuple[int, int]


def cut(text: str, spec: TextsSpec) -> list[Span]:
    """Start and end, in characters, of every piece of a text, in order.

    Sentences follow each other without a gap; windows overlap as asked; with `cut` there is one piece, which ends
    after so many words; with `whole` it is the text.
    """
    if spec.long == "whole":
        return [(0, len(text))]
    if spec.long == "sentence":
        ends = [match.end() for match in _END.finditer(text)]
        return list(zip([0, *ends], [*ends, len(text)], strict=True))
    words = split_words(text)
    if len(words) <= spec.n_words:
        return [(0, len(text))]
    if spec.long == "cut":
        return [(0, words[spec.n_words - 1][1])]
    step = spec.n_words - spec.n_overlap
    firsts = range(0, max(len(words) - spec.n_overlap, 1), step)
    return [
        (words[first][0] if first else 0, words[last][0] if (last := first + spec.n_words) < len(words) else len(text))
        for first in firsts
    ]
