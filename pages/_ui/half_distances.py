"""How fast the gradient falls, in words: where it halves, what is left of it at the far end, and that of others."""

from __future__ import annotations

from explorer_core.numerals import number
from explorer_core.results import JacobianTrace
from pages._ui import messages


def sentence_of(own: JacobianTrace, untrained: JacobianTrace, other: JacobianTrace | None) -> str:
    """How far back each network's gradient reaches, as Markdown."""
    label = messages.quoted(own.target_label)
    n_words, (end, far) = len(own.words), ends(own)
    if n_words == 1:
        return "One word has been read, so there is no way back to measure. Give a longer text."
    said = f"Going back from {messages.quoted(own.words[end])}, the gradient of the logit of {label} by the "
    said += f"{_state(own)} **{fall_of(own, 'grad_norm')}**; in the same network untrained it "
    said += fall_of(untrained, "grad_norm")
    if other is not None:
        said += f"; that of {messages.plain(other.model)} by its {_state(other)} {fall_of(other, 'grad_norm')}"
    back = f"{n_words - 1} {'word' if n_words == 2 else 'words'} back"
    said += f". At {messages.quoted(own.words[far])}, {back}, **{left_of(own, 'grad_norm')}** of it is left"
    others = [f"{left_of(untrained, 'grad_norm')} untrained"]
    if other is not None:
        others.append(f"{left_of(other, 'grad_norm')} in {messages.plain(other.model)}")
    return f"{said}, {' and '.join(others)}."


def fall_of(trace: JacobianTrace, quantity: str) -> str:
    """When a line first lies below half of its value at the end, or what it does instead."""
    values, back = trace.quantities()[quantity], trace.half_distance[quantity]
    at_end, at_far = float(values[trace.end]), float(values[trace.pos_of_words][ends(trace)[1]])
    if at_end == 0:
        return "is zero at the end already"
    if back is None:
        grows = f"; it grows to {number(at_far / at_end)} times its value" if at_far > at_end else ""
        return f"does not halve within these {len(trace.words)} words{grows}"
    if back == 0:
        return "has halved at the last word already"
    return "halves within one word" if back == 1 else f"halves within {back} words"


def left_of(trace: JacobianTrace, quantity: str) -> str:
    """Share of a line's value at the end that arrives at the word farthest from it, in percent."""
    values = trace.quantities()[quantity]
    at_end, at_far = float(values[trace.end]), float(values[trace.pos_of_words][ends(trace)[1]])
    return "nothing" if at_end == 0 or at_far == 0 else f"{number(100 * at_far / at_end)}\u00a0%"


def ends(trace: JacobianTrace) -> tuple[int, int]:
    """The word at which the direction ends, and the one farthest from it."""
    last = len(trace.words) - 1
    return (0, last) if trace.direction else (last, 0)


def _state(trace: JacobianTrace) -> str:
    return "hidden state" if trace.cell_norm is None else "cell"
