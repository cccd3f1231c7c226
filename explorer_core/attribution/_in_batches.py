"""Scores of the words of many texts, in their order: side by side where the method can, else one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from explorer_core import registry
from explorer_core.attribution import _explaining, _scorer
from explorer_core.attribution._batch import Batch
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import WordAttribution
from explorer_core.text import Reading, read_text
from explorer_core.tracing import states
from explorer_core.tracing._target import class_of

_AT_ONCE = 512  # texts read and sorted together
_TEXTS = 128  # of one batch at most


def can_batch(method: str) -> bool:
    """Whether a method explains many texts at once."""
    return hasattr(registry.load("attribution", method), "explain_batch")


def default_method(model: LoadedModel) -> str:
    """The method to take over many texts: signed, and of those that explain many at once the first that is complete,
    else the first.
    """
    found = []
    for name, about in registry.describe("attribution").items():
        if about.extra["signed"] and can_batch(name) and _fits(name, model):
            found.append((not about.extra["complete"], name))
    return min(found, key=lambda one: one[0])[1]


def explain_texts(
    model: LoadedModel,
    texts: Sequence[str],
    method: str,
    target: int | str | None,
    knobs: Mapping[str, Any],
    progress: Progress | None = None,
) -> Iterator[tuple[int, WordAttribution | InvalidInputError]]:
    """Place and scores of every text, in their order; see `api.attribute_texts`."""
    module = registry.load("attribution", method)
    about = registry.describe("attribution")[method]
    states.check_kind(model)
    _explaining.check_fits(about, model)
    used = _explaining.check_knobs(about, module.KNOBS, knobs)
    index = None if target is None else class_of(model.labels, target, np.zeros(1))
    report = progress or (lambda share: None)
    for start in range(0, len(texts), _AT_ONCE):
        readings = [_read(model, text) for text in texts[start : start + _AT_ONCE]]
        if can_batch(method):
            yield from enumerate(_side_by_side(model, readings, method, index, used, start, len(texts), report), start)
            continue
        for place, reading in enumerate(readings, start):
            report(place / len(texts))
            if isinstance(reading, Reading):
                yield place, _explaining.explain(model, texts[place], method, index, knobs, None)
            else:
                yield place, reading
    report(1.0)


def _side_by_side(
    model: LoadedModel, readings: Sequence[Reading | InvalidInputError], method: str, target: int | None,
    knobs: Mapping[str, Any], start: int, n_all: int, report: Progress,
) -> list[WordAttribution | InvalidInputError]:  # fmt: skip
    """Scores of texts that are batched by length."""
    module, about = registry.load("attribution", method), registry.describe("attribution")[method]
    found: list[Any] = list(readings)
    n_done = 0
    for rows in _batches(readings, _scorer.TOKENS_AT_ONCE[model.kind]):
        report((start + n_done) / n_all)
        some: list[Any] = [readings[row] for row in rows]
        scores = module.explain_batch(batch := Batch(model, some, target))
        targets = batch.targets(scores.logits)
        for place, row in enumerate(rows):
            reading, tokens, chosen = some[place], scores.tokens[place], int(targets[place])
            owner = reading.word_of_token
            found[row] = WordAttribution(
                model=model.name,
                architecture=model.architecture,
                labels=model.labels,
                fingerprint=model.fingerprint,
                reading=reading,
                logits=scores.logits[place],
                target=chosen,
                method=method,
                unit=about.extra["unit"],
                signed=about.extra["signed"],
                complete=about.extra["complete"],
                baseline=scores.baseline,
                scores=np.bincount(owner[owner >= 0], tokens[owner >= 0], len(reading.words)),
                token_scores=tokens,
                standard_error=None,
                value=float(scores.logits[place, chosen]),
                baseline_value=None if scores.baseline_values is None else float(scores.baseline_values[place]),
                n_passes=1,
                knobs=dict(knobs),
                notes=reading.notes,
            )
        n_done += len(rows)
    return found


def _batches(readings: Sequence[Reading | InvalidInputError], n_tokens: int) -> Iterator[list[int]]:
    """Rows of like length, the longest first, those that cannot be read left out."""
    lengths = {row: len(one.token_ids) for row, one in enumerate(readings) if isinstance(one, Reading)}
    order = sorted(lengths, key=lambda row: -lengths[row])
    start = 0
    while start < len(order):
        n_rows = min(max(n_tokens // lengths[order[start]], 1), _TEXTS)
        yield order[start : start + n_rows]
        start += n_rows


def _read(model: LoadedModel, text: str) -> Reading | InvalidInputError:
    try:
        return read_text(model.tokenizer, text, model.max_tokens)
    except InvalidInputError as error:
        return error


def _fits(method: str, model: LoadedModel) -> bool:
    needs = registry.describe("attribution")[method].extra.get("needs")
    if needs == "transformer":
        return model.kind == "transformer"
    return needs != "cell" or bool(getattr(model.module, "has_cell", False))
