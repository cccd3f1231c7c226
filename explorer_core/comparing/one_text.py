"""Several models over one text: verdicts, states, gates and gradients, all on one axis of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.comparing._settings import asked
from explorer_core.comparing.alignment import align
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import (
    GradientReach,
    GradientTrace,
    RecurrentTrace,
    RunningVerdict,
    ScoreComparison,
    StateLines,
    TextComparison,
    Trace,
    TransformerTrace,
    WordAttribution,
)

QUANTITIES = ("move", "keep", "write", "size")
_KEEP = {"forget": 1, "update": 1}  # gates near 1 that leave the state as it was
_WRITE = {"input": 1, "update": -1}  # an update gate writes as much as it does not keep


def verdicts(runnings: Sequence[RunningVerdict], target: int) -> TextComparison:
    """Running verdicts on one axis; see `api.compare_running`."""
    first = _first(runnings)
    if any(one.labels != first.labels for one in runnings):
        raise IncompatibleError("The models tell different classes apart. Compare those with the same classes.")
    aligned = align([one.reading for one in runnings])
    logits = np.stack([_carried(aligned.last(index, one.running_logits)) for index, one in enumerate(runnings)])
    return TextComparison(
        models=tuple(one.model for one in runnings),
        architectures=tuple(one.architecture for one in runnings),
        fingerprints=tuple(one.fingerprint for one in runnings),
        labels=first.labels,
        target=target,
        aligned=aligned,
        running_logits=logits.astype(np.float64),
        logits=np.stack([one.logits for one in runnings]),
    )


def states(traces: Sequence[Trace], quantity: str) -> StateLines:
    """One number a word for the states of each model; see `api.compare_states_of_text`."""
    _first(traces)
    if quantity not in QUANTITIES:
        raise InvalidInputError(f"The quantities are {', '.join(QUANTITIES)}, not {quantity!r}.")
    found = [(trace, values_of(trace, quantity)) for trace in traces]
    fitting = [(trace, values) for trace, values in found if values is not None]
    if not fitting:
        raise IncompatibleError(f"None of these models has the quantity {quantity!r}.")
    aligned = align([trace.reading for trace, _ in fitting])
    return StateLines(
        models=tuple(trace.model for trace, _ in fitting),
        architectures=tuple(trace.architecture for trace, _ in fitting),
        aligned=aligned,
        quantity=quantity,
        values=np.stack([aligned.last(index, values) for index, (_, values) in enumerate(fitting)]).astype(np.float64),
        left_out=tuple(trace.model for trace, values in found if values is None),
    )


def values_of(trace: Trace, quantity: str) -> np.ndarray | None:
    """A quantity of the top layer after each word of a trace, shape [word]; `None` where there is no such thing."""
    if isinstance(trace, TransformerTrace):
        at = trace.hidden[-1, trace.reading.last_token_of_word].astype(np.float64)
        return np.sqrt((at**2).mean(-1)) if quantity == "size" else None
    assert isinstance(trace, RecurrentTrace)
    pos = trace.pos_of_words()
    hidden = trace.hidden[-1, 0].astype(np.float64)
    if quantity == "size":
        return np.sqrt((hidden[pos] ** 2).mean(-1))
    if quantity == "move":
        before = np.vstack([np.zeros((1, hidden.shape[-1])), hidden[pos[:-1]]])
        moved = np.linalg.norm(hidden[pos] - before, axis=-1)
        whole = np.linalg.norm(hidden[pos], axis=-1) + np.linalg.norm(before, axis=-1)
        return np.divide(moved, whole, out=np.zeros_like(moved), where=whole > 0)
    for gate, sign in (_KEEP if quantity == "keep" else _WRITE).items():
        if gate in trace.gate_names:
            mean = trace.gates[-1, 0, :, trace.gate_names.index(gate)].astype(np.float64)[pos].mean(-1)
            return mean if sign > 0 else 1.0 - mean
    return None


def reach(gradients: Sequence[GradientTrace]) -> GradientReach:
    """How far back the gradient of each model reaches; see `api.compare_reach`."""
    _first(gradients)
    aligned = align([one.reading for one in gradients])
    sizes = [aligned.sum(index, one.embedding_norm_by_word) for index, one in enumerate(gradients)]
    return GradientReach(
        models=tuple(one.model for one in gradients),
        architectures=tuple(one.architecture for one in gradients),
        aligned=aligned,
        targets=np.array([one.target for one in gradients], dtype=np.int64),
        sizes=np.stack(sizes).astype(np.float64),
    )


def scores(attributions: Sequence[WordAttribution]) -> ScoreComparison:
    """Scores by one method on one axis; see `api.compare_scores`."""
    first = attributions[0] if attributions else None
    if first is None:
        raise InvalidInputError("There is nothing to compare: give the scores of one model or more.")
    if any((one.method, asked(one)) != (first.method, asked(first)) for one in attributions):
        raise IncompatibleError("The scores were found by different methods or settings. Compare those of one method.")
    aligned = align([one.reading for one in attributions])
    found = np.stack([aligned.sum(index, one.scores) for index, one in enumerate(attributions)])
    return ScoreComparison(
        models=tuple(one.model for one in attributions),
        architectures=tuple(one.architecture for one in attributions),
        aligned=aligned,
        method=first.method,
        unit=first.unit,
        signed=first.signed,
        targets=np.array([one.target for one in attributions], dtype=np.int64),
        scores=found,
        taus=_taus(found if first.signed else np.abs(found)),
    )


def _taus(ranked: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of every two rows over the columns both have."""
    from scipy.stats import kendalltau

    found = np.eye(len(ranked))
    for one in range(len(ranked)):
        for other in range(one):
            both = np.isfinite(ranked[one]) & np.isfinite(ranked[other])
            tau = float(kendalltau(ranked[one, both], ranked[other, both]).statistic) if both.sum() > 1 else 0.0
            found[one, other] = found[other, one] = tau if np.isfinite(tau) else 0.0
    return found


def _carried(logits: np.ndarray) -> np.ndarray:
    """The verdict after words of which nothing was read, between the first and the last that were: as it was before."""
    read = np.flatnonzero(np.isfinite(logits).all(-1))
    newest = np.searchsorted(read, np.arange(len(logits)), side="right") - 1
    inside = (newest >= 0) & (np.arange(len(logits)) <= read[-1])
    found = np.full_like(logits, np.nan)
    found[inside] = logits[read[newest[inside]]]
    return found


def _first(given: Sequence[Trace] | Sequence[GradientTrace]) -> Trace | GradientTrace:
    if not given:
        raise InvalidInputError("There is nothing to compare: give the results of one model or more.")
    return given[0]
