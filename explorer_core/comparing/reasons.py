"""Where networks decide alike and go by other words.

Two networks may agree on every label and rank the words behind it in different orders; only texts on which both decide
for the same class say so, for there both explain the same thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from explorer_core.attribution import _in_batches, _over_texts
from explorer_core.comparing._shared_words import shared_places
from explorer_core.errors import ExplorerError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.results import Judgement, ReasonComparison, WordAttribution

N_TEXTS = Knob("n_texts", "Texts at most", "Texts drawn at random, where there are more.", 200, 2, 2_000, 50)
_MOST_WORDS = 300  # beyond, pairs of words take more memory than the library
FEWEST_WORDS = 3  # the ranks of two words are alike or turned round, and say nothing between
FEW, UNREADABLE = f"fewer than {FEWEST_WORDS} words that all models read", "nothing some model can read"
_WORK = {"recurrent": 1.0, "transformer": 20.0}  # of a text, about
_AT_ONCE = {"recurrent": 512, "transformer": 16}  # texts


def shared_methods(models: Sequence[LoadedModel]) -> tuple[str, ...]:
    """Methods that fit all networks, those that explain many texts at once first."""
    found = [name for name in _over_texts.fitting(models[0])
             if all(name in _over_texts.fitting(model) for model in models[1:])]  # fmt: skip
    return tuple(sorted(found, key=lambda name: not _in_batches.can_batch(name)))


def compare(
    models: Sequence[LoadedModel],
    judged: Judgement,
    method: str | None,
    *,
    n_texts: int = N_TEXTS.default,
    seed: int = 0,
    progress: Progress | None = None,
) -> ReasonComparison:
    """Kendall's tau of every pair of networks over the words of texts; see `api.compare_reasons`."""
    N_TEXTS.check(n_texts)
    methods = tuple(method or _in_batches.default_method(model) for model in models)
    for model, name in zip(models, methods, strict=True):
        _over_texts.check_methods(model, (name,), 1)
    places = np.sort(np.array(_over_texts.draw_order(len(judged), seed)[:n_texts], dtype=np.int64))
    texts = [judged.table.texts[place] for place in places]
    starts = np.cumsum([0.0, *(_WORK[model.kind] for model in models)])
    starts /= starts[-1]
    explained: list[list[WordAttribution | InvalidInputError]] = []
    for number, (model, name) in enumerate(zip(models, methods, strict=True)):

        def tell(share: float, start: float = starts[number], end: float = starts[number + 1]) -> None:
            if progress is not None:
                progress(float(start + (end - start) * share) * 0.99)

        explained.append(_explain(model, texts, name, tell))
    result = _finish(models, judged, methods, places, explained, seed)
    if progress is not None:
        progress(1.0)
    return result


def _explain(
    model: LoadedModel, texts: Sequence[str], method: str, tell: Progress
) -> list[WordAttribution | InvalidInputError]:
    """Scores of all texts, so many at once that a press on Cancel is heard within seconds."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # like lengths beside each other
    found: dict[int, WordAttribution | InvalidInputError] = {}
    size = _AT_ONCE[model.kind]
    for start in range(0, len(order), size):
        some = order[start : start + size]

        def part(share: float, start: int = start, n_texts: int = len(some)) -> None:
            tell((start + share * n_texts) / len(texts))

        explained = _in_batches.explain_texts(model, [texts[place] for place in some], method, None, {}, part)
        found |= {some[at]: one for at, one in explained}
    return [found[place] for place in range(len(texts))]


def _finish(
    models: Sequence[LoadedModel], judged: Judgement, methods: tuple[str, ...], places: np.ndarray,
    explained: Sequence[Sequence[WordAttribution | InvalidInputError]], seed: int,
) -> ReasonComparison:  # fmt: skip
    """Ranks compared over the words that all networks read."""
    left_out: Counter[str] = Counter()
    kept, taus, predicted, shares, n_words = [], [], [], [], []
    pairs = list(combinations(range(len(models)), 2))
    for row in range(len(places)):
        some = [of_model[row] for of_model in explained]
        found = [one for one in some if isinstance(one, WordAttribution)]
        words = _shared(found) if len(found) == len(some) else None
        if words is None or words.shape[1] < FEWEST_WORDS:
            left_out[UNREADABLE if words is None else FEW] += 1
            continue
        scores = [one.scores[at] for one, at in zip(found, words, strict=True)]
        labels = [one.target_label for one in found]
        kept.append(int(places[row]))
        n_words.append(words.shape[1])
        predicted.append([judged.labels.index(label) for label in labels])
        shares.append([thirds_of(one) for one in scores])
        every = taus_of(np.stack(scores), [one.signed for one in found])
        taus.append([every[pair] if labels[pair[0]] == labels[pair[1]] else np.nan for pair in pairs])
    if not kept:
        why = "; ".join(f"{n:,} with {reason}" for reason, n in left_out.items())
        raise InvalidInputError(f"No text is left to compare on: {why}. Give other texts.")
    at, tau = np.array(kept, dtype=np.int64), np.array(taus).reshape(len(kept), len(pairs)).T
    middles = np.array([_middle(one[~np.isnan(one)], seed) for one in tau]).reshape(len(pairs), 3)
    return ReasonComparison(
        models=tuple(model.name for model in models),
        architectures=tuple(model.architecture for model in models),
        fingerprints=tuple(model.fingerprint for model in models),
        labels=judged.labels,
        methods=methods,
        texts=tuple(judged.table.texts[place] for place in kept),
        row_numbers=judged.table.row_numbers[at],
        indices=at,
        true=judged.true[at],
        predicted=np.array(predicted, dtype=np.int64).T,
        n_words=np.array(n_words, dtype=np.int64),
        tau=tau,
        n_alike=(~np.isnan(tau)).sum(1),
        median=middles[:, 0],
        low=middles[:, 1],
        high=middles[:, 2],
        third_shares=np.array(shares).transpose(1, 0, 2),
        left_out=dict(left_out),
        seed=seed,
    )


def taus_of(scores: np.ndarray, is_signed: Sequence[bool]) -> np.ndarray:
    """Kendall's tau-b of every two rows of scores of the same words, of sizes where either has no sign; 0 where one
    ranks nothing. One product gives all of them: a call of the library for each pair would cost more than the scores.

    Args:
        scores: Shape [model, word].
        is_signed: Whether the scores of each row have signs.

    Returns:
        Shape [model, model].
    """
    found = _taus(scores)
    if not all(is_signed):
        both = np.logical_and.outer(is_signed, is_signed)
        found = np.where(both, found, _taus(np.abs(scores)))
    return found


def _taus(scores: np.ndarray) -> np.ndarray:
    if scores.shape[1] > _MOST_WORDS:
        return np.array([[_library_tau(one, other) for other in scores] for one in scores])
    up, down = np.triu_indices(scores.shape[1], 1)
    order = np.sign(scores[:, up] - scores[:, down]).astype(np.float64)  # [model, pair of words]
    n_apart = (order != 0).sum(1)
    size = np.sqrt(np.multiply.outer(n_apart, n_apart))
    return np.divide(order @ order.T, size, out=np.zeros_like(size), where=size > 0)


def _library_tau(one: np.ndarray, other: np.ndarray) -> float:
    found = float(stats.kendalltau(one, other).statistic)
    return found if np.isfinite(found) else 0.0


def thirds_of(scores: np.ndarray) -> np.ndarray:
    """Share of the sizes of scores in the first, middle and last third of the words; sums to 1, NaN where all are 0."""
    sizes = np.abs(scores).astype(np.float64)
    total = sizes.sum()
    if not total > 0:
        return np.full(3, np.nan)
    found = np.bincount(third_of((np.arange(len(scores)) + 0.5) / len(scores)), weights=sizes, minlength=3)
    return np.asarray(found / total)


def third_of(place: np.ndarray) -> np.ndarray:
    """Third of a place in (0, 1): 0, 1 or 2."""
    return np.minimum((np.asarray(place) * 3).astype(np.int64), 2)


def _shared(found: Sequence[WordAttribution]) -> np.ndarray | None:
    try:
        return shared_places([one.reading for one in found])
    except ExplorerError:
        return None


def _middle(values: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Median with the ends of its 95 % bootstrap interval; NaN without values."""
    if not len(values):
        return np.nan, np.nan, np.nan
    low, high = _over_texts.interval(values, np.median, seed)
    return float(np.median(values)), float(low), float(high)
