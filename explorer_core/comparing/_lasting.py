"""How many words an effect lasts, where some texts end before it does.

A text that ends while the effect is still there says only that it lasted so long at least: such a length is censored.
The estimate that uses both kinds is that of Kaplan and Meier 1958, Nonparametric estimation from incomplete
observations.
"""

from __future__ import annotations

import numpy as np

HALF = 0.5  # of its largest value: what an effect must keep to last


def lengths_of(effect: np.ndarray) -> tuple[int, bool, int]:
    """How many words after the change an effect lasts, whether it was seen to fall, and the word of its peak.

    Args:
        effect: Difference of two running verdicts after the last changed word (entry 0) and after every word that
            follows; shape [word].

    Returns:
        The last word, counted from the last changed one, up to which the effect stays at or above half of its largest
        value from the peak on; -1 where it is never above zero. `False` where the text ended before it fell.
    """
    peak = int(effect.argmax())
    if effect[peak] <= 0:
        return -1, False, -1
    below = np.flatnonzero(effect[peak:] < HALF * effect[peak])
    if not len(below):
        return len(effect) - 1, False, peak
    return peak + int(below[0]) - 1, True, peak


def counts(lasted: np.ndarray, fell: np.ndarray, n_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every effect, whether it is watched, and whether it falls, in the step to each word; bool arrays
    [effect, word], words 1 to `n_words`.

    Args:
        lasted: From `lengths_of`; shape [effect]; those of -1 are in no step.
        fell: Whether each was seen to fall.
        n_words: Words after the change.
    """
    step = np.arange(n_words)  # from word `step` to the next
    watched = (lasted[:, None] > step) | ((lasted[:, None] == step) & fell[:, None])
    return watched, watched & (lasted[:, None] == step)


def survival(n_watched: np.ndarray, n_fallen: np.ndarray) -> np.ndarray:
    """Share of effects that last at least so many words; shape [..., word + 1], the first entry is 1.

    Behind the last word at which any is watched the share stays as it is (Gill 1980, Censoring and stochastic
    integrals).

    Args:
        n_watched: Effects that are watched in the step to each word; shape [..., word].
        n_fallen: Those of them that fall in it.
    """
    keeps = 1 - np.divide(n_fallen, n_watched, out=np.zeros(np.shape(n_watched)), where=np.asarray(n_watched) > 0)
    ones = np.ones((*np.shape(keeps)[:-1], 1))
    return np.concatenate([ones, np.cumprod(keeps, axis=-1)], axis=-1)
