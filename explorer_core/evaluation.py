"""How well a model does on labelled texts: accuracy, balance, calibration, and pairs judged right on both sides.

A pair is two texts that differ by a small edit which flips the label. A model that follows surface words gets one side
right and the other wrong, so the share of pairs with *both* sides right is a sterner number than accuracy (contrast
sets: Gardner et al. 2020, Evaluating models' local decision boundaries via contrast sets).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer_core import prediction
from explorer_core.datasets._labelled_texts import read
from explorer_core.errors import IncompatibleError, NotFoundError
from explorer_core.results import Checkpoint, Evaluation, PairHistory
from explorer_core.training.spec import DataSpec

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.loaded import LoadedModel

N_BINS = 10
_PAIR = "pair"
_PHENOMENON = "phenomenon"
_SPELLINGS = (("negative", ("neg",), ("0", "label_0")), ("positive", ("pos",), ("1", "label_1")))


def evaluate(
    model: LoadedModel,
    dataset: DataSpec | LabelledTexts,
    split: str = "test",
    *,
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Accuracy, macro F1, calibration and confusion of a model on one split of labelled texts.

    Args:
        model: From `api.load_model`.
        dataset: Labelled texts, or where to read them.
        split: `train`, `validation`, `test` or `all`.
        progress: Called with the share done, in [0, 1].

    Returns:
        Counts and shares over the rows of the split; a share over few rows says little. `groups` has one entry for
        each grouping of the data (such as `domain`) but the pairs; `pairs_right` counts a pair only when at least
        two of its texts are in the split.

    Raises:
        InvalidInputError: If there is no such split, or a text cannot be read.
        NotFoundError: If the split has no rows.
        IncompatibleError: If the labels of the data are not among the model's.
    """
    data = read(dataset) if isinstance(dataset, DataSpec) else dataset
    rows = data.rows(split)
    if not len(rows):
        filled = ", ".join(f"{name} ({count:,})" for name, count in sorted(Counter(map(str, data.split)).items()))
        raise NotFoundError(f"The split {split!r} of {data.origin} has no rows; filled: {filled or 'none'}.")
    true = _true_classes(data, rows, model.labels)
    predictions = prediction.predict(model, [data.texts[row] for row in rows], progress=progress)
    predicted = predictions.logits.argmax(1)  # [text]
    is_right = predicted == true
    groups = {name: tuple(values[row] for row in rows) for name, values in data.groups.items()}
    accuracy, macro_f1, confusion = _scores(true, predicted, len(model.labels))
    return Evaluation(
        model=model.name,
        dataset=f"{data.origin}, {split} rows" if split != "all" else f"{data.origin}, all rows",
        labels=model.labels,
        accuracy=accuracy,
        macro_f1=macro_f1,
        ece=calibration_error(predictions.probs, true),
        confusion=confusion,
        predictions=predictions,
        true=true,
        groups={name: share_right(is_right, values) for name, values in groups.items() if name != _PAIR},
        pairs_right=pairs_right(is_right, groups[_PAIR], groups.get(_PHENOMENON)) if _PAIR in groups else {},
    )


def calibration_error(probs: np.ndarray, true: np.ndarray, n_bins: int = N_BINS) -> float:
    """Expected calibration error: how far confidence and accuracy lie apart, averaged over the texts; in [0, 1].

    Texts are sorted into bins of equal width by the probability of the predicted class, each bin open below and closed
    above; the gaps between mean confidence and accuracy are weighted by the texts in the bin (Guo et al. 2017, On
    calibration of modern neural networks). It is biased upwards when there are few texts.

    Args:
        probs: Shape [text, class]; rows sum to 1.
        true: Class index of each text; shape [text].
        n_bins: Number of bins.
    """
    confidence = probs.max(1).astype(np.float64)  # [text]
    is_right = probs.argmax(1) == true
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)  # [text]
    gaps = np.bincount(bins, weights=is_right - confidence, minlength=n_bins)  # bin size * (accuracy - confidence)
    return float(np.abs(gaps).sum() / len(true))


def share_right(is_right: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Accuracy of each group, in [0, 1], by its name; rows without a group ("") are left out.

    Args:
        is_right: Whether each text was judged right; shape [text].
        names: Group of each text; shape [text].
    """
    members: dict[str, list[bool]] = defaultdict(list)
    for name, right in zip(names, is_right, strict=True):
        if name:
            members[name].append(bool(right))
    return {name: float(np.mean(members[name])) for name in sorted(members)}


def pairs_right(is_right: np.ndarray, pairs: Sequence[str], phenomena: Sequence[str] | None = None) -> dict[str, float]:
    """Share of pairs whose texts were all judged right, in [0, 1]: first `all`, then by phenomenon.

    Args:
        is_right: Whether each text was judged right; shape [text].
        pairs: Pair of each text, "" where it has none; shape [text]. A pair with one text here is not counted.
        phenomena: Phenomenon of each text; a pair belongs to that of its first text.
    """
    whole = _whole_pairs(pairs)
    if not whole:
        return {}
    both = np.array([bool(is_right[indices].all()) for indices in whole])
    by_phenomenon = share_right(both, [phenomena[indices[0]] for indices in whole]) if phenomena else {}
    return {"all": float(both.mean())} | by_phenomenon


def pair_history(
    models: Mapping[Checkpoint, LoadedModel],
    dataset: DataSpec | LabelledTexts,
    splits: Sequence[str],
    *,
    progress: Callable[[float], None] | None = None,
) -> PairHistory:
    """Pairs judged right on both sides by phenomenon and checkpoint; see `api.evaluate_checkpoints`."""
    from scipy.stats import binomtest  # half a second, only where it is needed

    moments = sorted(models, key=lambda one: one.step)
    if not moments:
        raise NotFoundError("There is no checkpoint to judge. Train a model for a few epochs first.")
    data = read(dataset) if isinstance(dataset, DataSpec) else dataset
    rows = np.concatenate([data.rows(split) for split in splits])
    pairs = _whole_pairs([data.groups[_PAIR][row] for row in rows]) if _PAIR in data.groups else []
    if not pairs:
        raise NotFoundError(f"{data.origin} has no pairs with both texts in {' and '.join(splits)}.")
    rows = rows[[index for pair in pairs for index in pair]]  # the texts of the pairs only, pair by pair
    starts = np.cumsum([0, *(len(pair) for pair in pairs[:-1])])
    true = _true_classes(data, rows, models[moments[-1]].labels)
    both = np.zeros((len(moments), len(pairs)), dtype=bool)
    texts = [data.texts[row] for row in rows]
    for number, moment in enumerate(moments):
        share = None if progress is None else _part_of(progress, number, len(moments))
        is_right = prediction.predict(models[moment], texts, progress=share).logits.argmax(1) == true
        both[number] = np.logical_and.reduceat(is_right, starts)
    kinds = np.array([data.groups[_PHENOMENON][row] for row in rows[starts]] if _PHENOMENON in data.groups else [])
    counted = Counter(kind for kind in kinds.tolist() if kind).most_common()
    groups = [np.ones(len(pairs), dtype=bool), *(kinds == name for name, _ in counted)]
    n_right = np.stack([both[:, members].sum(1) for members in groups], axis=1)  # [checkpoint, phenomenon]
    n_pairs = np.array([members.sum() for members in groups])
    ends = [
        binomtest(int(k), int(n)).proportion_ci(0.95, method="wilson")
        for k, n in zip(n_right.ravel(), np.tile(n_pairs, len(moments)), strict=True)
    ]
    return PairHistory(
        model=models[moments[-1]].name.partition("@")[0],
        dataset=f"{data.origin}, {' and '.join(splits)} rows",
        fingerprints=tuple(models[moment].fingerprint for moment in moments),
        step=np.array([moment.step for moment in moments], dtype=int),
        epoch=np.array([moment.epoch for moment in moments], dtype=float),
        names=("all", *(name for name, _ in counted)),
        n_pairs=n_pairs,
        n_right=n_right,
        low=np.array([end.low for end in ends]).reshape(n_right.shape),
        high=np.array([end.high for end in ends]).reshape(n_right.shape),
    )


def match_labels(data_labels: Iterable[str], model_labels: Sequence[str]) -> dict[str, int]:
    """Class index in the model of each label of the data, matched by name.

    Case and outer blanks do not count; `neg` is `negative` and `pos` is `positive`. Where the model has two classes,
    0 is negative and 1 is positive too.

    Raises:
        IncompatibleError: If a label has no class in the model, or two labels would share one.
    """
    data_labels = tuple(data_labels)
    is_binary = len(model_labels) == 2 and len(data_labels) <= 2
    found: dict[str, int] = {}
    for spelt in (str, _plain, lambda label: _canonical(label, is_binary)):  # the closest spelling decides
        index_of = {spelt(label): index for index, label in reversed(tuple(enumerate(model_labels)))}
        for label in data_labels:
            if spelt(label) in index_of:
                found.setdefault(label, index_of[spelt(label)])
    if len(set(found.values())) < len(data_labels):
        raise IncompatibleError(
            f"The labels of the data ({_listed(data_labels)}) do not match the model's ({_listed(model_labels)}). "
            "Choose another label column, rename the labels, or take a model trained on such data."
        )
    return found


def _whole_pairs(pairs: Sequence[str]) -> list[list[int]]:
    """Texts of each pair with at least two texts here."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, pair in enumerate(pairs):
        if pair:
            members[pair].append(index)
    return [indices for indices in members.values() if len(indices) > 1]


def _part_of(progress: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return lambda share: progress((number + share) / count)


def _true_classes(data: LabelledTexts, rows: np.ndarray, model_labels: tuple[str, ...]) -> np.ndarray:
    """Class index in the model of each row; int array [text]."""
    present = sorted({int(label) for label in data.labels[rows]})
    matched = match_labels((data.label_names[label] for label in present), model_labels)
    lookup = {label: matched[data.label_names[label]] for label in present}
    return np.array([lookup[int(label)] for label in data.labels[rows]], dtype=np.int64)


def _scores(true: np.ndarray, predicted: np.ndarray, n_classes: int) -> tuple[float, float, np.ndarray]:
    """Accuracy, macro F1 over the classes that occur, and confusion counts [true class, predicted class]."""
    from sklearn import metrics  # half a second, only where it is needed

    accuracy = float(metrics.accuracy_score(true, predicted))
    macro_f1 = float(metrics.f1_score(true, predicted, average="macro", zero_division=0))
    return accuracy, macro_f1, metrics.confusion_matrix(true, predicted, labels=range(n_classes))


def _plain(label: str) -> str:
    """The label without outer blanks, whatever its case."""
    return str(label).strip().casefold()


def _canonical(label: str, is_binary: bool) -> str:
    """The usual name of a sentiment label, or the label itself."""
    plain = _plain(label)
    for name, others, numbers in _SPELLINGS:
        if plain in others or (is_binary and plain in numbers):
            return name
    return plain


def _listed(labels: Sequence[str]) -> str:
    """The first labels, each cut, as one phrase."""
    shown = ", ".join(str(label)[:30] for label in labels[:8])
    return f"{shown}, ..." if len(labels) > 8 else shown
