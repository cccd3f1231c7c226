"""The same text, read by one network as it was at several moments of its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer_core.errors import IncompatibleError, NotFoundError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import Checkpoint, CheckpointTrace, RecurrentTrace
from explorer_core.tracing import connectivity, gradients, running, states
from explorer_core.tracing._target import class_of

_SIGNED = frozenset({"candidate", "hidden"})  # of these the size is averaged


def trace(
    models: Mapping[Checkpoint, LoadedModel],
    text: str,
    target: int | str | None = None,
    *,
    with_connectivity: bool = True,
    progress: Progress | None = None,
) -> CheckpointTrace:
    """Verdicts, gradients, gates and connectivity of one text at every checkpoint; see `api.trace_checkpoints`."""
    moments = sorted(models, key=lambda one: one.step)
    if not moments:
        raise NotFoundError("There is no checkpoint to read the text with. Train a model for a few epochs first.")
    last = models[moments[-1]]
    chosen = class_of(last.labels, target, running.trace_running(last, text)[-1])
    logits, norms, means, strengths, names, readings = [], [], [], [], [], []
    for number, moment in enumerate(moments):
        model = models[moment]
        if model.labels != last.labels or model.architecture != last.architecture:
            raise IncompatibleError("The checkpoints are not of one run: their classes or families differ.")
        by_word, state_names, mean = _read(model, text)
        found = gradients.trace(model, text, chosen)
        logits.append(by_word)
        means.append(mean)
        names.append(state_names)
        norms.append(found.embedding_norm_by_word)
        readings.append(found.reading)
        if with_connectivity:
            strengths.append(connectivity.trace(model, text, chosen).strength)
        if progress is not None:
            progress((number + 1) / len(moments))
    if any(reading.words != readings[-1].words for reading in readings):
        raise IncompatibleError("The checkpoints are not of one run: they read this text as different words.")
    return CheckpointTrace(
        model=last.name.partition("@")[0],
        architecture=last.architecture,
        labels=last.labels,
        fingerprints=tuple(models[moment].fingerprint for moment in moments),
        reading=readings[-1],
        target=chosen,
        step=np.array([moment.step for moment in moments], dtype=int),
        epoch=np.array([moment.epoch for moment in moments], dtype=float),
        running_logits=np.stack(logits),
        grad_norm=np.stack(norms),
        state_names=names[-1],
        state_mean=np.stack(means),
        strength=np.stack(strengths) if strengths else None,
    )


def _read(model: LoadedModel, text: str) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Logits after every word [word, class]; gates or states in the mean over units [layer, direction, word, state]."""
    if model.kind != "recurrent":
        logits = running.trace_running(model, text)
        return logits, (), np.zeros((1, 1, len(logits), 0))
    traced: Any = states.trace(model, text, running=True)
    assert isinstance(traced, RecurrentTrace)
    names = traced.gate_names or ("hidden",)
    n_layers, n_directions = traced.hidden.shape[:2]
    means = np.zeros((n_layers, n_directions, len(traced.words), len(names)))
    for index, name in enumerate(names):
        values = traced.quantities()[name]
        sizes = np.abs(values) if name in _SIGNED else values
        for direction in range(n_directions):
            means[:, direction, :, index] = sizes[:, direction, traced.pos_of_words(direction)].mean(-1)
    by_word = traced.running_logits_by_word
    assert by_word is not None  # it was asked for
    return by_word, names, means
