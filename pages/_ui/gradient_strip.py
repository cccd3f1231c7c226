"""The text on the page Gradients: under each word, how strongly the logit hangs on it."""

from __future__ import annotations

import numpy as np

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.text import visible
from pages._ui import cache_gradients, linked, strip
from pages._ui.look import Look

GROUP = "gradients"  # elements that choose a word together
STRIP = "gradients_strip"
CHARTS: tuple[str, ...] = ()  # keys of charts over words, which show a line at the chosen word


def draw(look: Look) -> int | None:
    """The text with the size of the gradient under each word; returns the chosen word."""
    found = cache_gradients.gradients(*look.key, look.target)
    sizes = found.embedding_norm_by_word
    top = float(sizes.max(initial=0.0)) or 1.0
    label = visible(found.target_label)[:60]
    scale = strip.Scale(
        0.0, top, 0.0, f"Bars: size of the gradient of the logit of {label} by the word's vector (L2 norm)",
        palette.PURPLE, palette.PURPLE,
    )  # fmt: skip
    return strip.word_strip(
        STRIP, found.words, sizes, scale=scale, group=GROUP, reading=found.reading, token_values=found.embedding_norm,
        headline=strip.Headline(
            label=found.target_label, value=f"logit {number(found.value, signed=True)}",
            color=palette.class_colors(found.labels)[found.target],
        ),
        notes=found.reading.notes, selected=int(np.argmax(sizes)), charts=CHARTS,
    )  # fmt: skip


def chosen_word(look: Look) -> int | None:
    """The word chosen last in this text, at first the one the logit hangs on most."""
    found = cache_gradients.gradients(*look.key, look.target)
    return linked.chosen_word(GROUP, found.words, int(np.argmax(found.embedding_norm_by_word)))
