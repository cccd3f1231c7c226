"""What the two halves of a bidirectional network are worth by themselves.

The classifier is linear and reads both pooled halves side by side, logits = W_f f + W_b b + c. Two questions are asked
of it. What would each half decide alone: the other half's part of the vector is replaced by its mean over reference
texts, or by zero. What does a half make of the order of the words it has read: it reads its past in another order while
the other half reads the text as it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer_core import prediction
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import HalfHonesty
from explorer_core.text import Reading, read_text
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._target import class_of
from explorer_core.tracing.ledger import classifier_of

FILLS = ("mean", "zero")
MAX_COUNTED = 1_000_000
_BATCH_TOKENS = 8_192
_COUNT = Knob("n_orders", "Orders", "Orders of the words that are tried.", 30, 1, 500, 1)


def compare(
    model: LoadedModel, text: str, target: int | str | None, fill: str, references: Sequence[str], n_orders: int,
    seed: int, progress: Progress | None,
) -> HalfHonesty:  # fmt: skip
    """Both halves held apart over one text; see `api.compare_halves`."""
    check_fits(model)
    if fill not in FILLS:
        raise InvalidInputError(f"The half that is left out is filled with {str(fill)[:60]!r}; allowed: mean, zero.")
    _COUNT.check(n_orders), SEED.check(seed)
    report = progress or (lambda share: None)
    report(0.0)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    instead = _mean_of(model, references, report) if fill == "mean" else np.zeros((2, model.module.rnn.hidden_size))
    weight, bias = classifier_of(model.module)
    ids = reading.token_ids
    orders = [orders_of(reading, direction, n_orders, seed) for direction in (0, 1)]
    rows = np.concatenate([ids[None], *(ids[order] for order in orders)])
    found = pooled(model, rows, lambda share: report(0.5 + 0.5 * share))  # [row, direction, unit]
    whole, (forward, backward) = found[0], np.split(found[1:], [len(orders[0])])
    logits = judge(whole, weight, bias)
    refuse_broken(model, logits)
    shuffled = [
        judge(np.stack([forward[:, 0], np.broadcast_to(whole[1], forward[:, 1].shape)], 1), weight, bias),
        judge(np.stack([np.broadcast_to(whole[0], backward[:, 0].shape), backward[:, 1]], 1), weight, bias),
    ]
    n_movable = len(np.unique(reading.word_of_token[reading.word_of_token >= 0])) - 1
    n_other = math.factorial(n_movable) if n_movable < 11 else MAX_COUNTED
    alone = ((whole[0], instead[1]), (instead[0], whole[1]))
    report(1.0)
    return HalfHonesty(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=logits,
        target=class_of(model.labels, target, logits),
        pooling=model.module.config.pooling,
        n_layers=model.module.rnn.num_layers,
        fill=fill,
        n_references=len(references) if fill == "mean" else 0,
        alone=np.stack([judge(np.stack(pair), weight, bias) for pair in alone]),
        shuffled=np.stack(shuffled),
        n_orders=min(n_other, MAX_COUNTED),
        is_every_order=n_other <= n_orders,
        seed=seed,
    )


def check_fits(model: LoadedModel) -> None:
    """Whether a network has two halves.

    Raises:
        IncompatibleError: If it does not read in both directions by separate units.
    """
    if model.kind != "recurrent" or not model.module.config.bidirectional:
        raise IncompatibleError(
            f"{model.name[:60]!r} does not read in two directions by separate halves, so there is nothing to hold "
            "apart. Choose a BiLSTM, or another recurrent model with bidirectional switched on."
        )


def orders_of(reading: Reading, direction: int, n_orders: int, seed: int) -> np.ndarray:
    """Positions of a text in other orders of its words, shape [order, pos]; tokens of a word stay together.

    The word that a half reads last keeps its place: for the forward half (0) the last of the text, for the backward
    half (1) the first. Special tokens keep theirs. Where there are no more orders than asked for, each comes once, the
    one of the text among them; a text of one or two words has no other.
    """
    n_words = len(reading.words)
    groups = [np.flatnonzero(reading.word_of_token == word) for word in range(n_words)]
    read = [group for group in groups if len(group)]
    movable = list(range(1, len(read))) if direction else list(range(len(read) - 1))
    if len(movable) < 2:
        return np.zeros((0, len(reading.token_ids)), dtype=np.int64)
    if len(movable) < 10 and math.factorial(len(movable)) <= n_orders:
        drawn: list[Sequence[int]] = list(itertools.permutations(movable))
    else:
        generator = np.random.default_rng((seed, direction))
        drawn = [generator.permutation(movable).tolist() for _ in range(n_orders)]
    places = np.flatnonzero(reading.word_of_token >= 0)  # of all tokens that belong to words, in the text's order
    orders = np.tile(np.arange(len(reading.token_ids)), (len(drawn), 1))
    for row, order in enumerate(drawn):
        whole = [0, *order] if direction else [*order, len(read) - 1]
        orders[row, places] = np.concatenate([read[word] for word in whole])
    return orders


@torch.inference_mode()
def pooled(model: LoadedModel, rows: np.ndarray, progress: Progress) -> np.ndarray:
    """What the classifier is given of each half, float64 [row, direction, unit]; texts of one length, [row, pos]."""
    module: Any = model.module
    step = max(_BATCH_TOKENS // rows.shape[1], 1)
    found = []
    for start in range(0, len(rows), step):
        progress(start / len(rows))
        vectors = module.embedding(torch.from_numpy(rows[start : start + step]).to(model.device))  # [row, pos, width]
        found.append(module.pool(module.run_kernel(vectors, None), None).double().cpu().numpy())
    return np.concatenate(found).reshape(len(rows), 2, -1)


@torch.inference_mode()
def _mean_of(model: LoadedModel, references: Sequence[str], report: Progress) -> np.ndarray:
    """Pooled halves averaged over texts; float64 [direction, unit].

    Raises:
        InvalidInputError: If there is no text, or none can be read.
    """
    module: Any = model.module
    ids = [row for row in prediction.read_ids(model, list(references), may_skip=True).ids if row]
    if not ids:
        raise InvalidInputError("There is no text to average a half over. Give some, or fill it with zero.")
    total, n_done = np.zeros(2 * module.rnn.hidden_size), 0
    for batch in prediction.batch_by_length([len(row) for row in ids]):
        report(0.5 * n_done / len(ids))
        given = prediction.pad([ids[row] for row in batch], model)
        lengths = given["attention_mask"].sum(1)
        states = module.run_kernel(module.embedding(given["input_ids"]), lengths)
        total += module.pool(states, lengths).double().sum(0).cpu().numpy()
        n_done += len(batch)
    return (total / len(ids)).reshape(2, -1)


def judge(halves: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Logits [..., class] of pooled halves [..., direction, unit]; `weight` is [direction, class, unit]."""
    return np.einsum("...du,dcu->...c", halves, weight) + bias
