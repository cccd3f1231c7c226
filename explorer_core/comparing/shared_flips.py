"""The fewest words that, taken away or swapped, turn each of several models: every choice of one and of two is tried.

A word is taken away as in `api.find_flips`, so that the numbers agree. Words are swapped as the minimal pairs of the
starter corpus swap them, and "not" is put in or taken out: Gardner et al. 2020, Evaluating Models' Local Decision
Boundaries via Contrast Sets, with edits found by search instead of by experts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
import torch

from explorer_core import prediction
from explorer_core.attribution import _explaining, _scorer
from explorer_core.comparing import suggestions
from explorer_core.comparing._shared_words import n_left_out, shared_places
from explorer_core.comparing.suggestions import Change
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.results import DELETE, SWAP, FlipsPrice, SharedFlips
from explorer_core.text import read_text
from explorer_core.tracing import states
from explorer_core.tracing._arrays import to_numpy

BUDGET = Knob("budget", "Budget", "Edited texts each model reads at most.", 6_000, 100, 1_000_000, 100)
MOST_TOGETHER = 2
MOST_SHOWN = 50
_BATCH = 512
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True)
class _Edit:
    """One choice: a kind, the words changed, and the changes themselves where words are swapped."""

    kind: str
    places: tuple[int, ...]
    described: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """What is tried: the words, the single swaps with the word each is about, and how many go together."""

    words: tuple[str, ...]
    place: np.ndarray
    left_out: np.ndarray
    swaps: tuple[tuple[Change, int], ...]
    n_tried: dict[str, int]
    n_readings: int


def find(
    models: Sequence[LoadedModel], text: str, removal: str, budget: int, progress: Progress | None = None
) -> SharedFlips:
    """The smallest edits that turn each model; see `api.find_shared_flips`."""
    _scorer.REMOVAL.check(removal)
    plan = _plan(models, text, budget)
    report = _Report(progress, len(models) * max(plan.n_readings, 1))
    logits, removals, by_model = [], [], []
    for index, model in enumerate(models):
        scorer = _scorer.make(model, read_text(model.tokenizer, text, model.max_tokens), None, None)
        how = scorer.removal(removal)
        logits.append(np.asarray(scorer.logits, dtype=float))
        removals.append(how)
        parts = [np.zeros((0, len(model.labels)))]
        for size in range(1, plan.n_tried[DELETE] + 1):
            parts += list(_deleted(scorer, plan, index, how, size, report))
        for size in range(1, plan.n_tried[SWAP] + 1):
            parts += list(_swapped(model, text, plan, size, report))
        by_model.append(np.concatenate(parts))
    whole, edited = np.stack(logits), np.stack(by_model)
    kept = _choose(plan, whole, edited)
    edits = dict(_numbered(plan, set(kept)))
    rows = [edits[at] for at in kept]
    return SharedFlips(
        models=tuple(model.name for model in models),
        architectures=tuple(model.architecture for model in models),
        fingerprints=tuple(model.fingerprint for model in models),
        labels=models[0].labels,
        text=text,
        words=plan.words,
        left_out=plan.left_out,
        logits=whole,
        removals=tuple(removals),
        kinds=tuple(row.kind for row in rows),
        described=tuple(row.described for row in rows),
        places=_padded([row.places for row in rows]),
        edited=edited[:, kept],
        n_tried=plan.n_tried,
        n_possible={DELETE: len(plan.words), SWAP: len(plan.swaps)},
        n_readings=plan.n_readings,
    )


def price(models: Sequence[LoadedModel], text: str, budget: int) -> FlipsPrice:
    """What `find` costs; see `api.price_shared_flips`."""
    plan = _plan(models, text, budget)
    seconds = 0.0
    for model in models:
        once = _explaining.price(model, text, "leave_one_out", {})
        seconds += once.seconds / max(once.n_passes, 1) * plan.n_readings
    return FlipsPrice(plan.n_readings, seconds, plan.n_tried)


# What is tried ------------------------------------------------------------------------------------------------------


def _plan(models: Sequence[LoadedModel], text: str, budget: int) -> _Plan:
    BUDGET.check(budget)
    if not models:
        raise InvalidInputError("There is no model to turn. Give at least one.")
    if any(model.labels != models[0].labels for model in models):
        raise IncompatibleError("The models have different classes. Choose models that decide between the same ones.")
    for model in models:
        states.check_kind(model)
    readings = [read_text(model.tokenizer, text, model.max_tokens) for model in models]
    place = shared_places(readings)
    spans = [tuple(readings[0].word_spans[at].tolist()) for at in place[0]]
    starts = {start: at for at, (start, _) in enumerate(spans)}
    ends = {end: at for at, (_, end) in enumerate(spans)}
    words = tuple(readings[0].words[at] for at in place[0])
    found = []
    for change in (*suggestions.negations(text), *suggestions.swaps(text)):
        at = ends.get(change.end) if change.is_insertion else starts.get(change.start)
        if at is not None and ends.get(change.end) == at:
            found.append((change, at))
    swaps = [chosen[0] for chosen in _together(found, 1, len(words))]
    n_tried, n_left = {DELETE: 0, SWAP: 0}, budget
    for size in range(1, MOST_TOGETHER + 1):
        for kind, n_single in ((DELETE, len(words)), (SWAP, len(swaps))):
            n_choices = (
                math.comb(n_single, size) if kind == DELETE else sum(1 for _ in _together(swaps, size, len(words)))
            )
            if n_tried[kind] == size - 1 and n_choices <= n_left and size <= n_single:
                n_tried[kind] = size
                n_left -= n_choices
    return _Plan(words, place, n_left_out(readings, place), tuple(swaps), n_tried, budget - n_left)


def _together(swaps: Sequence[tuple[Change, int]], size: int, n_words: int) -> Iterator[tuple[tuple[Change, int], ...]]:
    """Choices of so many swaps of different words that leave a word to read."""
    for chosen in combinations(swaps, size):
        if len({at for _, at in chosen}) == size and sum(not change.after for change, _ in chosen) < n_words:
            yield chosen


def _numbered(plan: _Plan, wanted: set[int]) -> Iterator[tuple[int, _Edit]]:
    """The edits of some numbers, in the order in which they are read."""
    number = 0
    for size in range(1, plan.n_tried[DELETE] + 1):
        for places in combinations(range(len(plan.words)), size):
            if number in wanted:
                yield number, _Edit(DELETE, places, " · ".join(f"− {plan.words[at]}" for at in places))
            number += 1
    for size in range(1, plan.n_tried[SWAP] + 1):
        for chosen in _together(plan.swaps, size, len(plan.words)):
            if number in wanted:
                changes = tuple(change for change, _ in chosen)
                described = " · ".join(map(_described, changes))
                yield number, _Edit(SWAP, tuple(at for _, at in chosen), described, changes)
            number += 1


def _described(change: Change) -> str:
    if change.is_insertion:
        return f"{change.before} + {change.after}"
    return f"{change.before} → {change.after}" if change.after else f"− {change.before}"


# Reading ------------------------------------------------------------------------------------------------------------


class _Report:
    """Counts readings of all models for the progress."""

    def __init__(self, progress: Progress | None, n_all: int) -> None:
        self.progress, self.n_all, self.n_done = progress, n_all, 0

    def add(self, n_read: int) -> None:
        self.n_done += n_read
        if self.progress is not None:
            self.progress(min(self.n_done / self.n_all, 1.0))


def _deleted(
    scorer: _scorer.Scorer, plan: _Plan, index: int, removal: str, size: int, report: _Report
) -> Iterator[np.ndarray]:
    """Logits without each choice of so many words, in parts [choice, class]."""
    choices = combinations(range(len(plan.words)), size)
    while chunk := list(islice(choices, _BATCH)):
        there = torch.ones(len(chunk), len(scorer.reading.words), device=scorer.vectors.device)
        for row, words in enumerate(chunk):
            there[row, plan.place[index, list(words)]] = 0
        yield to_numpy(scorer.all_of_presence(there, removal)).astype(float)
        report.add(len(chunk))


def _swapped(model: LoadedModel, text: str, plan: _Plan, size: int, report: _Report) -> Iterator[np.ndarray]:
    """Logits of the text with each choice of so many swaps, in parts [choice, class]."""
    choices = _together(plan.swaps, size, len(plan.words))
    while chunk := list(islice(choices, _TEXTS_AT_ONCE)):
        edited = [suggestions.apply_changes(text, [change for change, _ in chosen]) for chosen in chunk]
        yield prediction.predict(model, edited).logits.astype(float)
        report.add(len(chunk))


# Choosing -----------------------------------------------------------------------------------------------------------


def _choose(plan: _Plan, whole: np.ndarray, edited: np.ndarray) -> list[int]:
    """Numbers of the edits that are kept, those that turn most models first."""
    n_models, n_edits = edited.shape[:2]
    predicted = whole.argmax(-1)
    margins = np.stack([_margins(edited[at], int(predicted[at])) for at in range(n_models)])  # [model, edit]
    turned = edited.argmax(-1) != predicted[:, None]
    kinds, sizes = _kinds_and_sizes(plan, n_edits)
    worst = margins.max(0)
    kept: set[int] = set()
    for kind in (DELETE, SWAP):
        kept |= _smallest(turned.all(0) & (kinds == kind), sizes, worst)
        for at in range(n_models):
            kept |= _smallest(turned[at] & (kinds == kind), sizes, margins[at])
    lowest = margins.min(0)
    return sorted(kept, key=lambda at: (-int(turned[:, at].sum()), int(sizes[at]), worst[at], lowest[at], at))


def _smallest(found: np.ndarray, sizes: np.ndarray, margins: np.ndarray) -> set[int]:
    """The edits found of the fewest words, those of the lowest margin."""
    if not found.any():
        return set()
    places = np.flatnonzero(found & (sizes == sizes[found].min()))
    return set(places[np.argsort(margins[places], kind="stable")][:MOST_SHOWN].tolist())


def _margins(logits: np.ndarray, predicted: int) -> np.ndarray:
    """Logit of the class decided for before, less the largest of the others; shape [edit]."""
    found: np.ndarray = logits[:, predicted] - np.delete(logits, predicted, axis=1).max(1)
    return found


def _kinds_and_sizes(plan: _Plan, n_edits: int) -> tuple[np.ndarray, np.ndarray]:
    counts: list[tuple[str, int, int]] = []
    counter: dict[str, Callable[[int], int]] = {
        DELETE: lambda size: math.comb(len(plan.words), size),
        SWAP: lambda size: sum(1 for _ in _together(plan.swaps, size, len(plan.words))),
    }
    for kind in (DELETE, SWAP):
        counts += [(kind, size, counter[kind](size)) for size in range(1, plan.n_tried[kind] + 1)]
    kinds = np.array([kind for kind, _, count in counts for _ in range(count)], dtype=object)
    sizes = np.array([size for _, size, count in counts for _ in range(count)], dtype=np.int64)
    assert len(kinds) == n_edits
    return kinds, sizes


def _padded(places: Sequence[tuple[int, ...]]) -> np.ndarray:
    rows = [(*one, *[-1] * (MOST_TOGETHER - len(one))) for one in places]
    return np.array(rows, dtype=np.int64).reshape(-1, MOST_TOGETHER)
