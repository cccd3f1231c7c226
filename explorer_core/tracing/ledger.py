"""The exact ledger of an LSTM: what each word wrote, how much of it was kept, and what it added to the verdict.

The story: the cell of an LSTM is a sum. Every step adds i g to it and multiplies what was there by the forget gate,
so with K(s, t) the product of the forget gates of the steps after s up to t,

    c_t = sum over s <= t of K(s, t) i_s g_s,

and each term belongs to one word. The hidden state is o tanh(c): not a sum, so the tanh has to be divided among the
terms. `proportional` gives each term the same factor, tanh(c) / c, which does not depend on the order of the terms.
`order` adds the terms in reading order and gives each one the step that tanh makes (Murdoch and Szlam 2017, Automatic
rule extraction from long short term memory networks). Both are exact: the parts sum to o tanh(c).

The pooled state is a weighted sum of hidden states (one, all, or for `max` another one for each unit), and the
classifier is linear, so the parts go through to the logits.

No step looks at all pairs of positions, except `order` with mean pooling. With a_t the weight of state t times
o_t tanh(c_t) / c_t, the proportional part of word s is i_s g_s R_s, where R_s = a_s + f_(s+1) R_(s+1). In `order`, the
terms up to s are c_s K(s, t) together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core import registry
from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.results import LstmLedger
from explorer_core.text import read_text
from explorer_core.tracing import recurrent
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._prefixes import Progress
from explorer_core.tracing._target import class_of

TANH_SHARE = Knob(
    "tanh_share", "Share of the tanh", "How tanh(c) is divided among the words.", "proportional",
    choices=("proportional", "order"),
)  # fmt: skip
_STRAIGHT = 1e-5  # below it tanh x is x to 3e-16


@dataclass(frozen=True)
class Books:
    """The arrays of a ledger; see `results.LstmLedger`."""

    written: np.ndarray
    kept: np.ndarray
    hidden_share: np.ndarray


def trace(
    model: LoadedModel, text: str, target: int | str | None, tanh_share: str, progress: Progress | None = None
) -> LstmLedger:
    """The ledger of one text; see `api.lstm_ledger`."""
    TANH_SHARE.check(tanh_share)
    check_cell(model)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    traced = recurrent.trace(model, reading, running=False, progress=None)
    assert traced.cell is not None
    weight, bias = classifier_of(model.module)
    books = keep_books(traced.gates, traced.hidden[-1], traced.pooling, tanh_share, progress)
    ends = [traced.cell[:, direction, -1 if direction == 0 else 0] for direction in range(len(traced.directions))]
    return LstmLedger(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=traced.logits,
        target=class_of(model.labels, target, traced.logits),
        tanh_share=tanh_share,
        pooling=traced.pooling,
        written=books.written,
        kept=books.kept,
        cell_end=np.stack(ends, axis=1).astype(np.float64),
        hidden_share=books.hidden_share,
        pooled=(traced.hidden[-1] * pool_weights(traced.hidden[-1], traced.pooling)).sum(1),
        weight=weight,
        logit_share=np.einsum("dpu,dcu->dpc", books.hidden_share, weight),
        bias=bias,
    )


def check_cell(model: LoadedModel) -> None:
    """Refuse a network without a cell.

    Raises:
        IncompatibleError: If it has none; the message names the families that have one.
    """
    if model.kind != "recurrent" or not model.module.has_cell:
        families = registry.describe("architectures").values()
        fitting = " or ".join(about.label for about in families if about.extra.get("has_cell"))
        raise IncompatibleError(
            f"{model.name[:60]!r} has no cell that words are written into, so there is no ledger of it. "
            f"Choose a model of the family {fitting}."
        )


def classifier_of(module: Any) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the classifier, shape [direction, class, unit], and its bias, shape [class]; float64."""
    weight = to_numpy(module.classifier.weight.detach()).astype(np.float64)
    bias = to_numpy(module.classifier.bias.detach()).astype(np.float64)
    halves = weight.reshape(len(weight), -1, module.rnn.hidden_size)  # [class, direction, unit]
    return np.ascontiguousarray(halves.swapaxes(0, 1)), bias


def keep_books(
    gates: np.ndarray, top: np.ndarray, pooling: str, tanh_share: str, progress: Progress | None = None
) -> Books:
    """Written, kept and shares of the pooled state, in float64.

    Args:
        gates: Input, forget, candidate and output of every position, shape [layer, direction, pos, 4, unit].
        top: Hidden states of the top layer, shape [direction, pos, unit].
        pooling: `last`, `mean` or `max`.
        tanh_share: `proportional` or `order`.
        progress: Called with the share done, in [0, 1], where all pairs of positions are looked at; may raise.
    """
    written = np.multiply(gates[:, :, :, 0], gates[:, :, :, 2], dtype=np.float64)
    forget = np.array(gates[:, :, :, 1], dtype=np.float64)
    kept = np.ones_like(written)
    for direction in range(written.shape[1]):
        steps = _in_reading_order(direction)
        later = forget[:, direction, steps][:, :0:-1]  # the last step first, without the first one
        kept[:, direction, steps][:, :-1] = np.cumprod(later, axis=1)[:, ::-1]
    weights = pool_weights(top, pooling)
    share = np.empty_like(weights)
    for direction in range(len(share)):
        steps = _in_reading_order(direction)
        own, keep = (np.ascontiguousarray(each[-1, direction, steps]) for each in (written, forget))
        gain = weights[direction, steps] * gates[-1, direction, steps, 3]
        if tanh_share == "proportional":
            share[direction, steps] = _proportional(own, keep, gain)
        elif pooling == "mean":
            share[direction, steps] = _by_order_mean(own, keep, gain, _part(progress, direction, len(share)))
        else:
            share[direction, steps] = _by_order(own, keep, gain)
    return Books(written, kept, share)


def pool_weights(top: np.ndarray, pooling: str) -> np.ndarray:
    """Weight of every state in the pooled one, shape [direction, pos, unit], of states of the same shape.

    For `max` it is 1 at the first position in the text where the unit is largest.
    """
    weights = np.zeros(top.shape)
    if pooling == "mean":
        weights[:] = 1 / top.shape[1]
    elif pooling == "max":
        np.put_along_axis(weights, top.argmax(1)[:, None], 1.0, axis=1)
    else:
        weights[0, -1] = 1.0
        weights[1:, 0] = 1.0
    return weights


def _part(progress: Progress | None, index: int, n_parts: int) -> Progress | None:
    """The progress of one of several equal parts."""
    return None if progress is None else lambda share: progress((index + share) / n_parts)


def _in_reading_order(direction: int) -> slice:
    return slice(None, None, -1) if direction else slice(None)


# One direction of the top layer from here on, in reading order. `written`, `forget` and `gain`, the weight of each
# state in the pooled one times its output gate, have shape [pos, unit].


def _proportional(written: np.ndarray, forget: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Every term of the cell times the same tanh(c) / c, summed over the states it is in."""
    cell = _cells(written, forget)
    slope = np.divide(np.tanh(cell), cell, out=np.ones_like(cell), where=cell != 0)
    return written * _sum_backwards(gain * slope, forget)


def _by_order(written: np.ndarray, forget: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The step that tanh makes at each word, when the terms of the cell are added in reading order; for the one state
    of each unit that is pooled.
    """
    cell = _cells(written, forget)
    read = gain != 0
    at = np.where(read.any(0), read.argmax(0), len(gain) - 1)  # [unit]
    once = np.zeros_like(gain)
    np.put_along_axis(once, at[None], 1.0, axis=0)
    sums = np.tanh(cell * _sum_backwards(once, forget))  # of the terms up to each step; zero beyond `at`
    share = np.diff(sums, axis=0, prepend=0.0)
    share[np.arange(len(gain))[:, None] > at] = 0.0
    return share * gain.sum(0)


def _by_order_mean(written: np.ndarray, forget: np.ndarray, gain: np.ndarray, progress: Progress | None) -> np.ndarray:
    """As `_by_order`, for the mean over all states: the sum over t of what the terms up to s reach, less what those
    before s do.
    """
    cell = _cells(written, forget)
    reached = _tanh_reached(cell, forget, gain, progress)
    reached[1:] += gain[:-1] * np.tanh(cell[:-1]) - reached[:-1]  # the right side is read before it is changed
    return reached


def _cells(written: np.ndarray, forget: np.ndarray) -> np.ndarray:
    """c_t = f_t c_(t-1) + i_t g_t."""
    cell = written.copy()
    for before, keep, now in zip(cell, forget[1:], cell[1:], strict=False):
        now += keep * before
    return cell


def _sum_backwards(values: np.ndarray, forget: np.ndarray) -> np.ndarray:
    """R_s = a_s + f_(s+1) R_(s+1), in place: the sum over t >= s of a_t K(s, t)."""
    for index in range(len(values) - 2, -1, -1):
        values[index] += forget[index + 1] * values[index + 1]
    return values


def _tanh_reached(cell: np.ndarray, forget: np.ndarray, gain: np.ndarray, progress: Progress | None) -> np.ndarray:
    """The sum over t >= s of gain_t tanh(c_s K(s, t)), for every s.

    What is forgotten costs nothing: tanh x = x + (tanh x - x), the first part needs no pairs, and the second, about
    x^3 / 3, is gone long before x itself is.
    """
    reached = cell * _sum_backwards(gain.copy(), forget)
    terms = np.zeros_like(cell)
    start = 0
    for stop, (keep, now) in enumerate(zip(forget, gain, strict=True)):
        terms[start:stop] *= keep
        terms[stop] = cell[stop]
        alive = terms[start : stop + 1]
        bent = np.tanh(alive)
        bent -= alive
        bent *= now
        reached[start : stop + 1] += bent
        if stop % 32 == 31:
            is_bent = np.abs(alive).max(1) > _STRAIGHT
            start += int(is_bent.argmax()) if is_bent.any() else len(is_bent)
            if progress is not None:
                progress((stop + 1) / len(cell))
    return reached
