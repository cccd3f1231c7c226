"""One model, two texts: words aligned, and what the edit moved in verdict, states and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer_core.attribution import _explaining
from explorer_core.edits import word_columns
from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import RecurrentTrace, TextChange, TextRead, TransformerTrace, softmax
from explorer_core.tracing import running, states

Trace = RecurrentTrace | TransformerTrace


def compare(
    model: LoadedModel,
    texts: tuple[str, str],
    target: int | str | None,
    method: str,
    knobs: Mapping[str, Any],
    *,
    with_running: bool,
    progress: Progress | None,
) -> TextChange:
    """Read both texts and compare; see `api.compare_texts`."""
    first = _read(model, texts[0], target, method, knobs, with_running, _part(progress, 0.0))
    chosen = first.attribution.target
    second = _read(model, texts[1], chosen, method, knobs, with_running, _part(progress, 0.5))
    return change_of(first, second)


def change_of(first: TextRead, second: TextRead) -> TextChange:
    """What moved between two readings by one model; the second is read as an edit of the first.

    Raises:
        IncompatibleError: If they are of different models, classes, methods or settings.
    """
    _check_alike(first, second)
    both = (first, second)
    one, two = (each.trace.reading for each in both)
    columns = np.array(word_columns(one.words, two.words), dtype=np.int64).reshape(-1, 2)
    target = first.attribution.target
    by_word = [each.running_logits for each in both]
    logits = probs = None
    if by_word[0] is not None and by_word[1] is not None:
        known = [np.asarray(rows, dtype=float) for rows in by_word if rows is not None]
        logits = _on_columns(columns, [rows[:, target] for rows in known])
        probs = _on_columns(columns, [softmax(rows)[:, target] for rows in known])
    layers, directions = _axes(first.trace)
    distance, turn = _apart(first.trace, second.trace, columns)
    scored = first.attribution
    return TextChange(
        model=scored.model,
        architecture=scored.architecture,
        labels=scored.labels,
        fingerprint=scored.fingerprint,
        reading=one,
        other=two,
        columns=columns,
        target=target,
        logits=np.stack([each.attribution.logits for each in both]).astype(float),
        running_logits=logits,
        running_probs=probs,
        layers=layers,
        directions=directions,
        state_distance=distance,
        state_turn=turn,
        method=scored.method,
        unit=scored.unit,
        signed=scored.signed,
        scores=_on_columns(columns, [each.attribution.scores for each in both]),
        knobs=dict(scored.knobs),
    )


def _read(
    model: LoadedModel,
    text: str,
    target: int | str | None,
    method: str,
    knobs: Mapping[str, Any],
    with_running: bool,
    progress: Progress | None,
) -> TextRead:
    trace = states.trace(model, text, running=False)
    logits = running.trace_running(model, text) if with_running else None
    return TextRead(trace, _explaining.explain(model, text, method, target, dict(knobs), progress), logits)


def _part(progress: Progress | None, start: float) -> Progress | None:
    """Half of the whole progress, from a start on."""
    return None if progress is None else lambda share: progress(start + share / 2)


def _on_columns(columns: np.ndarray, values: Sequence[np.ndarray]) -> np.ndarray:
    """Values of the words of both texts, each [word], on the columns; shape [2, column], NaN where there is no word."""
    found = np.full((2, len(columns)), np.nan)
    for side, of_words in enumerate(values):
        there = columns[:, side] >= 0
        found[side, there] = of_words[columns[there, side]]
    return found


def _axes(trace: Trace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of layers, counted from the words up, and of directions."""
    if isinstance(trace, RecurrentTrace):
        return tuple(f"layer {at + 1}" for at in range(len(trace.hidden))), trace.directions
    return ("embedding", *(f"layer {at}" for at in range(1, len(trace.hidden)))), ("",)


def _apart(first: Trace, second: Trace, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the states after aligned words are apart and turned against each other, both [layer, direction, column];
    see `TextChange`.
    """
    in_both = (columns >= 0).all(1)
    ones, twos = _after_words(first)[:, :, columns[in_both, 0]], _after_words(second)[:, :, columns[in_both, 1]]
    shape = (*ones.shape[:2], len(columns))
    distance, turn = np.full(shape, np.nan), np.full(shape, np.nan)
    norms = [np.linalg.norm(each, axis=-1) for each in (ones, twos)]
    mean = (norms[0] + norms[1]) / 2
    gap = np.linalg.norm(ones - twos, axis=-1)
    distance[..., in_both] = np.divide(gap, mean, out=np.zeros_like(gap), where=mean > 0)
    is_turned = (norms[0] > 0) & (norms[1] > 0)
    units = [
        np.divide(each, norm[..., None], out=np.zeros_like(each), where=is_turned[..., None])
        for each, norm in zip((ones, twos), norms, strict=True)
    ]
    turn[..., in_both] = ((units[0] - units[1]) ** 2).sum(-1) / 2  # 1 - cos, and exactly 0 where they are the same
    return distance, turn


def _after_words(trace: Trace) -> np.ndarray:
    """Hidden states after each word, shape [layer, direction, word, unit]."""
    if isinstance(trace, RecurrentTrace):
        ways = [trace.hidden[:, way][:, trace.pos_of_words(way)] for way in range(trace.hidden.shape[1])]
        return np.stack(ways, axis=1).astype(float)
    return trace.hidden[:, None, trace.reading.last_token_of_word].astype(float)


def _check_alike(first: TextRead, second: TextRead) -> None:
    one, two = first.attribution, second.attribution
    if one.fingerprint != two.fingerprint or type(first.trace) is not type(second.trace):
        raise IncompatibleError("The two texts were read by different models. Read both with one.")
    if (one.target, one.method, dict(one.knobs)) != (two.target, two.method, dict(two.knobs)):
        raise IncompatibleError("The two texts were scored for different classes, by different methods or settings.")
    for each in (first, second):
        if each.trace.reading.words != each.attribution.words:
            raise IncompatibleError("The states and the scores are of different texts.")
