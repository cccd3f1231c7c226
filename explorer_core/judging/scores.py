"""Scores with intervals, by the libraries everybody uses; calibration, effects and agreement."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from explorer_core.results import softmax
from explorer_core.results.judged_scores import LEAST_FOR_TEMPERATURE, Agreement, Effect, Reliability, Scores

N_BINS = 10  # of confidence
N_EFFECT_BINS = 5
N_RESAMPLES = 1_000
_Z = 1.959963984540054  # of a 95 % interval
MAX_DRAWS = 50_000_000  # texts drawn for all samples; over many texts there are fewer samples, which is said
LEVEL = 0.95
_LOG_TEMPERATURES = (-3.0, 4.0)  # e**-3 = 0.05 to e**4 = 55


def score(
    model: str,
    labels: Sequence[str],
    logits: np.ndarray,
    true: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Scores:
    """All scores of one network.

    Args:
        model: Its name.
        labels: Names of the classes.
        logits: Shape [text, class].
        true: Class index of each text; int array [text], at least one.
        rows: Row each text is a piece of; every text for itself if left out. Pieces of one row are not independent:
            the bootstrap draws whole rows (Davison and Hinkley 1997, Bootstrap methods and their application, 3.8).
        n_resamples: Bootstrap samples, fewer over many texts (`MAX_DRAWS`). A sample draws as many rows as there are,
            with replacement.
        seed: Of the draws.
    """
    from sklearn import metrics

    logits = np.asarray(logits, dtype=np.float64)
    n_resamples = max(min(n_resamples, MAX_DRAWS // max(len(true), 1)), 20)
    predicted, classes = logits.argmax(1), range(len(labels))
    confusion = metrics.confusion_matrix(true, predicted, labels=classes)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        true, predicted, labels=classes, zero_division=np.nan
    )
    row_of, n_rows = _numbered(rows, len(true))
    reliability = calibrate(softmax(logits), true)
    if n_rows < len(true):
        bins = bins_of(softmax(logits).max(1))
        ends = [_share_ends((predicted == true)[bins == place], row_of[bins == place]) for place in range(N_BINS)]
        low, high = np.array(ends).T
        reliability = dataclasses.replace(reliability, low=low, high=high)
    return Scores(
        model=model,
        labels=tuple(labels),
        n_texts=len(true),
        accuracy=float(metrics.accuracy_score(true, predicted)),
        macro_f1=float(metrics.f1_score(true, predicted, average="macro", zero_division=0)),
        precision=precision,
        recall=recall,
        f1=f1,
        support=support,
        confusion=confusion,
        nll_nats=_nll(logits, true),
        reliability=reliability,
        temperature=fit_temperature(logits, true) if n_rows >= LEAST_FOR_TEMPERATURE else float("nan"),
        ece_after=_ece_after(logits, true, row_of, n_rows, seed),
        intervals=_intervals(confusion, logits, true, row_of, n_rows, n_resamples, seed),
        n_rows=n_rows,
        n_resamples=n_resamples,
        seed=seed,
    )


def calibrate(probs: np.ndarray, true: np.ndarray, n_bins: int = N_BINS) -> Reliability:
    """Confidence against accuracy by bins of confidence.

    Args:
        probs: Shape [text, class]; rows sum to 1.
        true: Class index of each text; shape [text].
        n_bins: Bins of equal width, each open below and closed above.
    """
    confidence = probs.max(1)
    is_right = probs.argmax(1) == true
    bins = bins_of(confidence, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    sums = np.bincount(bins, weights=confidence, minlength=n_bins)
    right = np.bincount(bins[is_right], minlength=n_bins)
    low, high = wilson(right, counts)
    with np.errstate(invalid="ignore"):
        means, accuracy = sums / counts, right / counts
    ece = float(np.abs(right - sums).sum() / max(len(true), 1))
    return Reliability(np.linspace(0, 1, n_bins + 1), counts, means, accuracy, low, high, ece)


def bins_of(confidence: np.ndarray, n_bins: int = N_BINS) -> np.ndarray:
    """Bin of each confidence; bins are equally wide, open below and closed above; int array of the same shape."""
    return np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)


def fit_temperature(logits: np.ndarray, true: np.ndarray) -> float:
    """What the logits are divided by for the least negative log-likelihood (Guo et al. 2017), from 0.05 to 55."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: _nll(logits / np.exp(log_t), true), bounds=_LOG_TEMPERATURES, method="bounded",
        options={"xatol": 1e-6},
    )  # fmt: skip
    return float(np.exp(found.x))


def wilson(n_right: np.ndarray, n_texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % interval of a share (Wilson 1927); NaN where there are no texts."""
    from scipy.stats import binomtest

    low, high = (np.full(np.shape(n_texts), np.nan) for _ in range(2))
    for place in np.ndindex(np.shape(n_texts)):
        if n_texts[place]:
            ends = binomtest(int(n_right[place]), int(n_texts[place])).proportion_ci(LEVEL, method="wilson")
            low[place], high[place] = ends
    return low, high


def wilson_of_rows(n_right: int, n_texts: int, by_row: Sequence[float]) -> tuple[float, float]:
    """Wilson interval of a share of texts that are pieces of rows.

    Pieces of one row are alike, so that they say less than as many rows: the variance of the share as a ratio of sums
    over rows gives the number of independent texts with the same variance (Korn and Graubard 1998, Confidence intervals
    for proportions with small expected number of positive counts). Where no row is cut, it is the number of texts.

    Args:
        n_right: Texts that are right.
        n_texts: Texts, at least 1.
        by_row: Sums over rows: of right texts squared, of right texts times texts, of texts squared.
    """
    share = n_right / n_texts
    right_squared, crossed, squared = by_row
    variance = (right_squared - 2 * share * crossed + share**2 * squared) / n_texts**2
    n_worth = min(share * (1 - share) / variance if variance > 1e-15 else n_texts**2 / squared, n_texts)
    middle = share + _Z**2 / (2 * n_worth)
    half = _Z * float(np.sqrt(share * (1 - share) / n_worth + (_Z / (2 * n_worth)) ** 2))
    size = 1 + _Z**2 / n_worth
    return max((middle - half) / size, 0.0), min((middle + half) / size, 1.0)


def effect(
    quantity: str,
    values: np.ndarray,
    measured: np.ndarray,
    models: Sequence[str],
    *,
    is_accuracy: bool,
    rows: np.ndarray | None = None,
) -> Effect:
    """Texts in bins of about equal size by a property; equal values are never in two bins.

    Args:
        quantity: Its name.
        values: The property for each network and text; shape [model, text].
        measured: Whether a network is right (bool), or how sure it is; shape [model, text].
        models: Their names.
        is_accuracy: Which of both it is.
        rows: As in `score`.
    """
    row_of, _ = _numbered(rows, measured.shape[1])
    shape = (len(models), N_EFFECT_BINS)
    ends = [np.full(shape, np.nan) for _ in range(5)]
    low_end, high_end, mean, low, high = ends
    n_texts = np.zeros(shape, dtype=np.int64)
    for model, (row, found) in enumerate(zip(values, measured, strict=True)):
        edges = np.unique(np.quantile(row, np.linspace(0, 1, N_EFFECT_BINS + 1)[1:-1])) if len(row) else np.zeros(0)
        bins = np.searchsorted(edges, row, side="left")
        for place, which in enumerate(np.unique(bins)):
            here = bins == which
            n_texts[model, place] = here.sum()
            low_end[model, place], high_end[model, place] = row[here].min(), row[here].max()
            mean[model, place] = found[here].mean()
            ends_of = _share_ends if is_accuracy else _mean_ends
            low[model, place], high[model, place] = ends_of(found[here], row_of[here])
    return Effect(quantity, tuple(models), low_end, high_end, n_texts, mean, low, high, is_accuracy)


def agree(models: Sequence[str], predicted: np.ndarray) -> Agreement:
    """How alike networks decide; `predicted` are class indices of shape [model, text]."""
    from sklearn.metrics import cohen_kappa_score

    n_models = len(models)
    differs, kappa = np.zeros((n_models, n_models)), np.ones((n_models, n_models))
    for one in range(n_models):
        for other in range(one + 1, n_models):
            share = float((predicted[one] != predicted[other]).mean()) if predicted.shape[1] else 0.0
            is_flat = len(np.unique(predicted[[one, other]])) < 2
            value = np.nan if is_flat else float(cohen_kappa_score(predicted[one], predicted[other]))
            differs[one, other] = differs[other, one] = share
            kappa[one, other] = kappa[other, one] = value
    return Agreement(tuple(models), differs, kappa, int((predicted != predicted[:1]).any(0).sum()))


def _nll(logits: np.ndarray, true: np.ndarray) -> float:
    from scipy.special import logsumexp

    return float((logsumexp(logits, axis=1) - logits[np.arange(len(true)), true]).mean())


def _numbered(rows: np.ndarray | None, n_texts: int) -> tuple[np.ndarray, int]:
    """Rows numbered from 0, without gaps, and how many there are."""
    if rows is None:
        return np.arange(n_texts), n_texts
    found = np.unique(rows, return_inverse=True)
    return found[1], len(found[0])


def _share_ends(is_right: np.ndarray, row_of: np.ndarray) -> tuple[float, float]:
    """Interval of the share that is right of texts that may be pieces of rows; NaN without texts."""
    if not len(is_right):
        return float("nan"), float("nan")
    right, counts = _by_row(is_right, row_of)
    return wilson_of_rows(int(right.sum()), len(is_right), (right @ right, right @ counts, counts @ counts))


def _mean_ends(values: np.ndarray, row_of: np.ndarray) -> tuple[float, float]:
    """Normal interval of the mean of texts that may be pieces of rows; NaN with a single row."""
    sums, counts = _by_row(values, row_of)
    if len(sums) < 2:
        return float("nan"), float("nan")
    mean = values.mean()
    errors = sums - mean * counts
    half = _Z * np.sqrt((errors @ errors) * len(sums) / (len(sums) - 1)) / len(values)
    return float(mean - half), float(mean + half)


def _by_row(values: np.ndarray, row_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the values and number of the texts of each row; shape [row]."""
    _, numbers = np.unique(row_of, return_inverse=True)
    return np.bincount(numbers, weights=values), np.bincount(numbers).astype(np.float64)


def _ece_after(logits: np.ndarray, true: np.ndarray, row_of: np.ndarray, n_rows: int, seed: int) -> float:
    """Calibration error of each half of the rows at the temperature of the other."""
    if n_rows < LEAST_FOR_TEMPERATURE:
        return float("nan")
    is_first = np.zeros(n_rows, dtype=bool)
    is_first[np.random.default_rng(seed).permutation(n_rows)[: n_rows // 2]] = True
    probs = np.zeros_like(logits)
    for here in (is_first[row_of], ~is_first[row_of]):
        probs[here] = softmax(logits[here] / fit_temperature(logits[~here], true[~here]))
    return calibrate(probs, true).ece


def _intervals(
    confusion: np.ndarray,
    logits: np.ndarray,
    true: np.ndarray,
    row_of: np.ndarray,
    n_rows: int,
    n_resamples: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals (Efron 1981, Nonparametric standard errors and confidence intervals)."""
    n_classes = len(confusion)
    probs = softmax(logits)
    confidence, predicted = probs.max(1), probs.argmax(1)
    bins, cell = bins_of(confidence, N_BINS), true * n_classes + predicted
    gap = (predicted == true) - confidence
    tables = np.zeros((n_resamples, n_classes**2))
    gaps = np.zeros((n_resamples, N_BINS))
    rng = np.random.default_rng(seed)
    for sample in range(n_resamples):
        drawn = np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows)  # how often each row
        weights = drawn[row_of].astype(np.float64)
        tables[sample] = np.bincount(cell, weights=weights, minlength=n_classes**2)
        gaps[sample] = np.bincount(bins, weights=weights * gap, minlength=N_BINS)
    confusions = tables.reshape(n_resamples, n_classes, n_classes)
    return _percentiles(confusions, np.abs(gaps).sum(1) / tables.sum(1))


def _percentiles(tables: np.ndarray, ece: np.ndarray) -> dict[str, tuple[float, float]]:
    """Ends of every score's interval from confusions [sample, true, predicted] and calibration errors [sample]."""
    right = np.diagonal(tables, axis1=1, axis2=2)  # [sample, class]
    n_true, n_predicted = tables.sum(2), tables.sum(1)
    with np.errstate(invalid="ignore"):
        precision, recall = right / n_predicted, right / n_true
        f1 = 2 * right / (n_true + n_predicted)  # NaN for a class that is neither
    occurs = n_true + n_predicted > 0
    macro_f1 = np.where(occurs, np.nan_to_num(f1), 0).sum(1) / occurs.sum(1)
    found = {"accuracy": right.sum(1) / tables.sum((1, 2)), "macro_f1": macro_f1, "ece": ece}
    for index in range(tables.shape[1]):
        found |= {f"precision.{index}": precision[:, index], f"recall.{index}": recall[:, index]}
    tail = 50 * (1 - LEVEL)
    return {
        name: (
            (float("nan"), float("nan"))
            if np.isnan(values).all()
            else tuple(float(end) for end in np.nanpercentile(values, (tail, 100 - tail)))  # type: ignore[misc]
        )
        for name, values in found.items()
    }
