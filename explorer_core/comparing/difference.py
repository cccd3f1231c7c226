"""Two models over one text, word by word: scores after a stated normalisation, and verdicts.

Rank correlation: Kendall 1938, A new measure of rank correlation. Its interval: Fieller, Hartley and Pearson 1957,
Tests for rank correlation coefficients I; the standard error of atanh(tau) is sqrt(0.437 / (n - 4)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from explorer_core.comparing._settings import asked
from explorer_core.comparing._shared_words import n_left_out, shared_places
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import (
    FIRST_ONLY,
    NORMALISATIONS,
    SECOND_ONLY,
    RunningVerdict,
    SeedSpread,
    VerdictDifference,
    WordAttribution,
    WordDifference,
    softmax,
)

USES, IGNORES = 1.0, 0.25
"""Of the mean size of a model's scores: a word of at least the first is used, one of less than the second ignored."""
_FIELLER, _Z = 0.437, 1.959963984540054  # constant of the standard error; 97.5 % point of the normal distribution
_FEWEST = 5  # words of an interval


def words(first: WordAttribution, second: WordAttribution, normalisation: str) -> WordDifference:
    """The difference of two attributions; see `api.compare_words`."""
    _check_normalisation(normalisation)
    _check_alike([first, second])
    readings = [first.reading, second.reading]
    place = shared_places(readings)
    scores = np.stack([one.scores[at] for one, at in zip((first, second), place, strict=True)]).astype(float)
    values = np.stack([normalised(row, normalisation) for row in scores])
    removals = {"removal": [str(one.knobs["removal"]) for one in (first, second)]} if "removal" in first.knobs else {}
    low, tau, high = rank_correlation(*(scores if first.signed else np.abs(scores)))
    return WordDifference(
        models=(first.model, second.model),
        architectures=(first.architecture, second.architecture),
        fingerprints=(first.fingerprint, second.fingerprint),
        labels=first.labels,
        target=first.target,
        text=first.reading.text,
        words=tuple(first.words[at] for at in place[0]),
        place=place,
        method=first.method,
        unit=first.unit,
        signed=first.signed,
        normalisation=normalisation,
        scores=scores,
        values=values,
        difference=values[0] - values[1],
        used_by=used_by(*scores),
        tau=tau,
        tau_low=low,
        tau_high=high,
        left_out=n_left_out(readings, place),
        knobs=asked(first) | {name: ", ".join(values) for name, values in removals.items()},
    )


def verdicts(first: RunningVerdict, second: RunningVerdict, target: int) -> VerdictDifference:
    """The difference of two running verdicts; see `api.compare_verdicts`."""
    _check_classes([first, second])
    if not 0 <= target < len(first.labels):
        raise InvalidInputError(f"There is no class {target}; classes are numbered from 0 to {len(first.labels) - 1}.")
    readings = [first.reading, second.reading]
    place = shared_places(readings)
    logits = np.stack([one.running_logits[at] for one, at in zip((first, second), place, strict=True)]).astype(float)
    return VerdictDifference(
        models=(first.model, second.model),
        architectures=(first.architecture, second.architecture),
        fingerprints=(first.fingerprint, second.fingerprint),
        labels=first.labels,
        target=target,
        text=first.reading.text,
        words=tuple(first.words[at] for at in place[0]),
        place=place,
        probs=softmax(logits)[..., target],
        log_odds=log_odds(logits, target),
        left_out=n_left_out(readings, place),
    )


def seeds_of_words(found: Sequence[WordAttribution], normalisation: str, place: np.ndarray) -> SeedSpread:
    """Scores of several seeds at some words, given by their place in the text of each; see `api.spread_words`."""
    _check_normalisation(normalisation)
    _check_alike(found)
    rows = [normalised(one.scores[place].astype(float), normalisation) for one in found]
    return _spread(found, normalisation, place, rows)


def seeds_of_verdicts(found: Sequence[RunningVerdict], target: int, quantity: str, place: np.ndarray) -> SeedSpread:
    """Running verdicts of several seeds at some words; see `api.spread_verdicts`."""
    if quantity not in ("prob", "log_odds"):
        raise InvalidInputError(f"A spread of verdicts is of 'prob' or 'log_odds', not of {str(quantity)[:40]!r}.")
    _check_classes(found)
    logits = [one.running_logits[place].astype(float) for one in found]
    rows = [softmax(one)[:, target] if quantity == "prob" else log_odds(one, target) for one in logits]
    return _spread(found, quantity, place, rows)


def normalised(scores: np.ndarray, how: str) -> np.ndarray:
    """Scores, shape [word], after a normalisation; see `WordDifference.values`."""
    if how == "raw":
        return scores
    sizes = np.abs(scores)
    if how == "share":
        total = sizes.sum()
        return scores / total if total else np.zeros_like(scores)
    found: np.ndarray = np.sign(scores) * stats.rankdata(sizes)
    return found


def used_by(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which model alone uses each word, from scores of shape [word]; see `WordDifference.used_by`."""
    uses, ignores = [], []
    for scores in (first, second):
        sizes = np.abs(scores)
        mean = sizes.mean()
        uses.append((sizes >= USES * mean) & (mean > 0))
        ignores.append(sizes < IGNORES * mean)
    found = np.where(uses[0] & ignores[1], FIRST_ONLY, 0)
    return np.where(uses[1] & ignores[0], SECOND_ONLY, found)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Low end, Kendall's tau-b and high end of its 95 % interval, of two arrays [word]."""
    n_words = len(first)
    tau = float(stats.kendalltau(first, second).statistic) if n_words > 1 else math.nan
    tau = tau if math.isfinite(tau) else 0.0
    if n_words < _FEWEST:
        return -1.0, tau, 1.0
    if abs(tau) > 1 - 1e-12:
        return tau, tau, tau
    middle, half = math.atanh(tau), _Z * math.sqrt(_FIELLER / (n_words - 4))
    return math.tanh(middle - half), tau, math.tanh(middle + half)


def log_odds(logits: np.ndarray, target: int) -> np.ndarray:
    """Logit of a class less the log of the sum of the exponentials of the others, from logits [..., class]."""
    others = np.delete(logits, target, axis=-1)
    most = others.max(-1, keepdims=True)
    found: np.ndarray = logits[..., target] - most[..., 0] - np.log(np.exp(others - most).sum(-1))
    return found


def _spread(
    found: Sequence[WordAttribution] | Sequence[RunningVerdict],
    quantity: str,
    place: np.ndarray,
    rows: Sequence[np.ndarray],
) -> SeedSpread:
    if any(one.words != found[0].words or one.reading.text != found[0].reading.text for one in found):
        raise IncompatibleError("These networks read different words; seeds of one training read the same.")
    words = tuple(found[0].words[at] for at in place)
    return SeedSpread(tuple(one.model for one in found), found[0].architecture, quantity, words, np.stack(rows))


def _check_normalisation(normalisation: str) -> None:
    if normalisation not in NORMALISATIONS:
        raise InvalidInputError(
            f"There is no normalisation {str(normalisation)[:40]!r}; allowed: {', '.join(NORMALISATIONS)}."
        )


def _check_alike(found: Sequence[WordAttribution]) -> None:
    """Refuse scores that answer different questions."""
    _check_classes(found)
    first = found[0]
    for other in found[1:]:
        if other.target != first.target:
            raise IncompatibleError("The scores explain different classes. Explain the same class for both models.")
        if other.method != first.method or asked(other) != asked(first):
            raise IncompatibleError(
                "The scores come from different methods or settings. Score both models by one method with the same "
                "settings."
            )


def _check_classes(found: Sequence[WordAttribution] | Sequence[RunningVerdict]) -> None:
    if not found:
        raise InvalidInputError("There is nothing to compare; give at least one result.")
    if any(one.labels != found[0].labels for one in found):
        raise IncompatibleError("The models have different classes. Choose models that decide between the same ones.")
