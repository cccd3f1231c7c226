"""Verdicts and states of one text, and what follows from them without asking the network again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer_core.progress import Progress
from explorer_core.results import (
    AttentionSummary,
    Evaluation,
    GateSaturation,
    LayerSimilarity,
    LayerVerdicts,
    Predictions,
    RecurrentTrace,
    RunningVerdict,
    TransformerTrace,
    UnitOrder,
    UnitStep,
)
from explorer_core.training.spec import DataSpec

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.loaded import LoadedModel


def predict(model: LoadedModel, texts: Sequence[str], *, progress: Progress | None = None) -> Predictions:
    """Verdicts over texts, batched by length.

    Raises:
        InvalidInputError: If a text is empty or too long; the message names its number.
    """
    from explorer_core import prediction

    return prediction.predict(model, texts, progress=progress)


def evaluate(
    model: LoadedModel,
    dataset: DataSpec | LabelledTexts,
    *,
    split: str = "test",
    progress: Progress | None = None,
) -> Evaluation:
    """Accuracy, macro F1, calibration, confusion, and pairs judged right on both sides, on one split of a data set."""
    from explorer_core import evaluation

    return evaluation.evaluate(model, dataset, split, progress=progress)


def trace_states(
    model: LoadedModel, text: str, *, running: bool = True, progress: Progress | None = None
) -> RecurrentTrace | TransformerTrace:
    """Hidden state, cell state, gates and the running verdict of a recurrent network; hidden states, attention and
    the running verdict of a BERT.

    Args:
        model: From `load_model`.
        text: The text, as typed.
        running: Whether to read the verdict after every word. Nearly free for a network that reads one way; a BiLSTM
            and a BERT read every prefix anew, which grows with the square of the length.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If the text has no words, or too many characters.
    """
    from explorer_core.tracing import states

    return states.trace(model, text, running=running, progress=progress)


def running_verdict(model: LoadedModel, text: str, *, progress: Progress | None = None) -> np.ndarray:
    """Logits after every word without states or gates, shape [word, class]; the last row is the whole text's."""
    from explorer_core.tracing import running

    return running.trace_running(model, text, progress=progress)


def trace_running(model: LoadedModel, text: str, *, progress: Progress | None = None) -> RunningVerdict:
    """`running_verdict` as a result with its words, which can be saved."""
    from explorer_core.tracing import running

    return running.trace_verdict(model, text, progress=progress)


def trace_unit_step(
    model: LoadedModel,
    text: str,
    *,
    layer: int = 0,
    direction: int = 0,
    unit: int = 0,
    word: int = 0,
    trace: RecurrentTrace | None = None,
) -> UnitStep:
    """The equations of one unit at one word, with every number in them.

    Args:
        model: A recurrent network from `load_model`.
        text: The text, as typed.
        layer: From 0.
        direction: 0 forward, 1 backward.
        unit: From 0.
        word: From 0; of a word of several tokens, its last step.
        trace: From `trace_states` of this model and text, if there is one; else the text is read.

    Returns:
        An LSTM's c = f × c₋₁ + i × g and h = o × tanh(c), a GRU's n and h, or an RNN's h. `c₋₁` and `h₋₁` belong to
        the token read before, which may lie in the same word. Both sides of each equation agree to 1e-6, or to as
        many digits as float32 has where a cell is large.

    Raises:
        InvalidInputError: If there is no such layer, direction, unit or word, or the trace is of something else.
        IncompatibleError: If the model is not recurrent.
    """
    from explorer_core.tracing import unit_step

    traced: Any = trace_states(model, text, running=False) if trace is None else trace
    return unit_step.trace_unit_step(model, text, traced, layer=layer, direction=direction, unit=unit, word=word)


def order_units(
    trace: RecurrentTrace,
    how: str = "similarity",
    *,
    layer: int = 0,
    direction: int = 0,
    target: int | str | None = None,
) -> UnitOrder:
    """The units of one layer and direction in an order that shows what they have in common; no value changes.

    Args:
        trace: From `trace_states`.
        how: `stored`, `similarity` (clustering, alike units side by side), `verdict` (correlation of the hidden state
            with the running margin of the target class, largest first) or `memory` (half-life from the gate that
            keeps, longest first).
        layer: From 0.
        direction: 0 forward, 1 backward.
        target: Class by index or label, for `verdict`; left out, the predicted one.

    Raises:
        InvalidInputError: If there is no such order, layer, direction or class.
        IncompatibleError: If the order needs a running verdict or a gate that this trace does not have.
    """
    from explorer_core import unit_order
    from explorer_core.tracing._target import class_of

    index = class_of(trace.labels, target, trace.logits)
    return unit_order.order_units(trace, how, layer=layer, direction=direction, target=index)


def gate_saturation(trace: RecurrentTrace) -> GateSaturation:
    """For every unit, the share of words at which each gate is below 0.1 and above 0.9 (Karpathy et al. 2015).

    Returns:
        `left` and `right`, shares in [0, 1] of shape [layer, direction, gate, unit]. A vanilla RNN has no gates: the
        shares of its hidden state below −0.9 and above 0.9 are given under the name `hidden`.
    """
    from explorer_core import saturation

    return saturation.gate_saturation(trace)


def compare_layers(trace: RecurrentTrace | TransformerTrace, *, centred: bool = False) -> LayerSimilarity:
    """How alike a BERT's vectors of words are: to each other in every layer, and each to itself one layer up. No torch
    model is needed, only a trace.

    Args:
        trace: From `trace_states`.
        centred: Whether the mean vector of the text's words is subtracted first, in every layer by itself: without it
            nearly all cosines are high (Ethayarajh 2019).

    Returns:
        `between_words`, shape [layer + 1, word, word], and `to_next_layer`, shape [layer, word]: cosines in [-1, 1].

    Raises:
        IncompatibleError: If the trace is not of a BERT.
    """
    from explorer_core.tracing import layers

    return layers.compare(trace, centred=centred)


def trace_layer_verdicts(model: LoadedModel, text: str) -> LayerVerdicts:
    """What a BERT's own head would say of the hidden states of every layer.

    The head was trained on the last layer's output only: what it makes of earlier layers is not what the network
    believed there (nostalgebraist 2020; Belrose et al. 2023).

    Returns:
        `logits`, shape [layer + 1, class]; entry 0 is the embedding, the last row the network's verdict.

    Raises:
        IncompatibleError: If the network is no BERT, DistilBERT, RoBERTa or ELECTRA.
        InvalidInputError: If the text has no words, or too many characters.
    """
    from explorer_core.tracing import layers

    return layers.trace_verdicts(model, text)


def summarise_attention(trace: RecurrentTrace | TransformerTrace) -> AttentionSummary:
    """Attention of a BERT between words, every head in a few numbers, and attention rollout. No model is needed, only
    a trace.

    Attention is not attribution: what a head looks at is not what the verdict rests on.

    Returns:
        `word_pattern`, shape [layer, head, query entry, key entry], rows sum to 1 (an entry is a word or a special
        token); `entropy` in bits, `distance` in words and `shares`, by [layer, head]; `rollout` (Abnar and Zuidema
        2020), shape [layer, query entry, key entry].

    Raises:
        IncompatibleError: If the trace is not of a BERT.
    """
    from explorer_core.tracing import attention

    return attention.summarise(trace)
