"""The words that several models read of one text: tokenizers cut and join differently, places in the text do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.text import Reading


def shared_places(readings: Sequence[Reading]) -> np.ndarray:
    """Where each word that all read as the same characters stands among the words of each; int array [reading, word].

    Raises:
        IncompatibleError: If they are of different texts, or have no word in common.
    """
    if any(reading.text != readings[0].text for reading in readings):
        raise IncompatibleError("These are of different texts. Compare what models make of one text.")
    index = [{tuple(span): at for at, span in enumerate(one.word_spans.tolist())} for one in readings]
    shared = [span for span in index[0] if all(span in other for other in index[1:])]
    if not shared:
        raise IncompatibleError("The models read no word of this text alike. Choose another text, or other models.")
    return np.array([[places[span] for span in shared] for places in index], dtype=np.int64)


def n_left_out(readings: Sequence[Reading], places: np.ndarray) -> np.ndarray:
    """How many words of each reading are not among the shared ones; int array [reading]."""
    return np.array([len(one.words) - places.shape[1] for one in readings], dtype=np.int64)
