"""The words of one text that several tokenizers read, brought onto one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.results import AlignedWords
from explorer_core.text import Reading, split_words


def align(readings: Sequence[Reading]) -> AlignedWords:
    """One axis for the words of several readings of a text.

    A word of the axis is the smallest stretch of the text that cuts no word of any reading: where one tokenizer joins
    what another parts, it is the joined one. Words that nobody read (beyond a limit, or dropped) have their place too.

    Args:
        readings: At least one, all of the same text.

    Raises:
        IncompatibleError: If they are of different texts.
    """
    text = readings[0].text
    if any(reading.text != text for reading in readings):
        raise IncompatibleError("These are of different texts. Compare what models make of one text.")
    spans = {tuple(span) for span in split_words(text)}
    spans |= {(int(start), int(end)) for reading in readings for start, end in reading.word_spans}
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    edges = np.array(merged, dtype=np.int64).reshape(-1, 2)
    places = tuple(np.searchsorted(edges[:, 0], reading.word_spans[:, 0], side="right") - 1 for reading in readings)
    return AlignedWords(text, tuple(text[start:end] for start, end in merged), edges, places)
