"""Several models over one text, on one axis of words."""

from __future__ import annotations

from collections.abc import Sequence

from explorer_core.results import (
    AlignedWords,
    GradientReach,
    GradientTrace,
    RunningVerdict,
    ScoreComparison,
    StateLines,
    TextComparison,
    WordAttribution,
)
from explorer_core.results import Reading as _Reading
from explorer_core.results import Trace as _Trace


def align_words(readings: Sequence[_Reading]) -> AlignedWords:
    """One axis for the words that several tokenizers read in a text; every word has one place on it.

    Args:
        readings: At least one, all of the same text; the `reading` of any trace.

    Raises:
        IncompatibleError: If they are of different texts.
    """
    from explorer_core.comparing import alignment

    return alignment.align(readings)


def compare_running(runnings: Sequence[RunningVerdict], target: int) -> TextComparison:
    """The running verdicts of several models over one text.

    Args:
        runnings: From `trace_running`, one of each model.
        target: Index of the class that is compared.

    Raises:
        IncompatibleError: If they are of different texts or classes.
        InvalidInputError: If there is none, or no such class.
    """
    from explorer_core.comparing import one_text

    return one_text.verdicts(runnings, target)


def compare_states_of_text(traces: Sequence[_Trace], quantity: str) -> StateLines:
    """One number a word for the states or gates of several models, read at the top layer, forward direction.

    Args:
        traces: From `trace_states`, one of each model.
        quantity: `move`, ||h_t - h_t-1|| / (||h_t|| + ||h_t-1||) from one word to the next, in [0, 1], the state before
            the first word being zero; `keep`, the mean over units of an LSTM's forget or a GRU's update gate, in
            [0, 1]; `write`, the mean of an LSTM's input gate, or of 1 less a GRU's update gate, in [0, 1]; `size`, the
            root mean square over the units of h. A BERT has only the last.

    Raises:
        IncompatibleError: If they are of different texts, or none of the models has such a quantity.
        InvalidInputError: If there is none, or no such quantity.
    """
    from explorer_core.comparing import one_text

    return one_text.states(traces, quantity)


def compare_scores(attributions: Sequence[WordAttribution]) -> ScoreComparison:
    """The scores several models give the words of a text by one method, and how alike they rank the words.

    Args:
        attributions: From `attribute`, one of each model, by the same method and settings.

    Raises:
        IncompatibleError: If they are of different texts, methods or settings.
        InvalidInputError: If there is none.
    """
    from explorer_core.comparing import one_text

    return one_text.scores(attributions)


def compare_reach(gradients: Sequence[GradientTrace]) -> GradientReach:
    """How much of each model's gradient lies how far back from the end of a text.

    Args:
        gradients: From `trace_gradients`, one of each model.

    Raises:
        IncompatibleError: If they are of different texts.
        InvalidInputError: If there is none.
    """
    from explorer_core.comparing import one_text

    return one_text.reach(gradients)
