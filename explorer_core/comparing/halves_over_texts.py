"""The two halves of a bidirectional network held apart over many labelled texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer_core import prediction
from explorer_core.comparing.halves import FILLS, check_fits, judge, orders_of
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED
from explorer_core.progress import Progress
from explorer_core.results import HalfScores
from explorer_core.text import read_text
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing.ledger import classifier_of


def score(
    model: LoadedModel, texts: Sequence[str], true: Sequence[int], fill: str, seed: int, progress: Progress | None
) -> HalfScores:
    """Every reader over every text; see `api.score_halves`."""
    check_fits(model)
    SEED.check(seed)
    if fill not in FILLS:
        raise InvalidInputError(f"The half that is left out is filled with {str(fill)[:60]!r}; allowed: mean, zero.")
    if not texts or len(texts) != len(true):
        raise InvalidInputError("Texts with a right class each are expected, at least one.")
    report = progress or (lambda share: None)
    own: list[list[int]] = []
    moved: tuple[list[list[int]], list[list[int]]] = ([], [])
    for number, text in enumerate(texts):
        report(0.4 * number / len(texts))
        reading = read_text(model.tokenizer, text, model.max_tokens)
        own.append(reading.token_ids.tolist())
        for direction in (0, 1):
            order = orders_of(reading, direction, 1, seed + number)
            moved[direction].append((reading.token_ids[order[0]] if len(order) else reading.token_ids).tolist())
    whole, forward, backward = (
        _pooled(model, ids, _part(report, 0.4 + 0.2 * place)) for place, ids in enumerate((own, *moved))
    )
    weight, bias = classifier_of(model.module)
    instead = whole.mean(0) if fill == "mean" else np.zeros(whole.shape[1:])
    readers = [
        whole, _with(whole, 1, instead[1]), _with(whole, 0, instead[0]), _with(whole, 0, forward[:, 0]),
        _with(whole, 1, backward[:, 1]),
    ]  # fmt: skip
    logits = np.stack([judge(halves, weight, bias) for halves in readers])
    refuse_broken(model, logits)
    report(1.0)
    classes = np.asarray(true, dtype=np.int64)
    return HalfScores(model.name, model.fingerprint, model.labels, tuple(texts), classes, fill, logits, seed)


def _part(report: Progress, before: float) -> Progress:
    return lambda share: report(before + 0.2 * share)


def _with(whole: np.ndarray, direction: int, half: np.ndarray) -> np.ndarray:
    """The pooled halves [text, direction, unit] with one of them replaced."""
    found = whole.copy()
    found[:, direction] = half
    return found


@torch.inference_mode()
def _pooled(model: LoadedModel, ids: Sequence[list[int]], report: Progress) -> np.ndarray:
    """What the classifier is given of each half, float64 [text, direction, unit]."""
    module: Any = model.module
    found = np.zeros((len(ids), 2, module.rnn.hidden_size))
    n_done = 0
    for batch in prediction.batch_by_length([len(row) for row in ids]):
        report(n_done / len(ids))
        given = prediction.pad([ids[row] for row in batch], model)
        lengths = given["attention_mask"].sum(1)
        states = module.run_kernel(module.embedding(given["input_ids"]), lengths)
        found[batch] = module.pool(states, lengths).double().cpu().numpy().reshape(len(batch), 2, -1)
        n_done += len(batch)
    return found
