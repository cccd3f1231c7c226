"""All chosen networks over all texts: verdicts, then scores. What was read before is not read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.judging import scores
from explorer_core.judging._kept import Verdicts
from explorer_core.judging.label_names import guess_labels
from explorer_core.judging.verdicts import verdicts
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED
from explorer_core.progress import Progress
from explorer_core.results import Judgement, TextTable, softmax

_QUICK_RESAMPLES = 100  # while the work goes on
Watch = Callable[[Judgement], None]


def judge(
    models: Sequence[LoadedModel],
    table: TextTable,
    mapping: Mapping[str, str | None] | None = None,
    *,
    seed: int = 0,
    n_resamples: int = scores.N_RESAMPLES,
    is_kept: bool = True,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Judgement:
    """Verdicts and scores; see `api.judge`."""
    SEED.check(seed)
    labels = _shared_labels(models)
    mapping = guess_labels(table.label_values, labels) if mapping is None else dict(mapping)
    true = table.classes(mapping, labels)
    report = progress or (lambda share: None)
    work = [_share_of(model) for model in models]
    starts = np.cumsum([0.0, *work]) / sum(work)
    found: list[Verdicts] = []

    def finish(some: Sequence[Verdicts], n_first: int, *, is_finished: bool) -> Judgement:
        return _finish(models, labels, table, true, mapping, some, n_first, seed, n_resamples, is_finished=is_finished)

    for number, model in enumerate(models):
        start, end = starts[number], starts[number + 1]

        def share(done: float, start: float = start, end: float = end) -> None:
            report(float(start + (end - start) * done) * 0.99)

        def look(part: Verdicts, n_first: int) -> None:
            if watch is not None and not found and 0 < n_first < len(table):
                watch(finish([part], n_first, is_finished=False))

        found.append(verdicts(model, table.texts, table.digests, progress=share, watch=look, is_kept=is_kept))
        if watch is not None and number + 1 < len(models):
            watch(finish(found, len(table), is_finished=False))
    judged = finish(found, len(table), is_finished=True)
    report(1.0)
    if watch is not None:
        watch(judged)
    return judged


def _share_of(model: LoadedModel) -> float:
    """About how much of the work a network is: numbers that every token meets, not its table of word vectors."""
    vectors = model.module.get_input_embeddings().weight.numel()
    return float(sum(weight.numel() for weight in model.module.parameters()) - vectors + 50_000)


def _shared_labels(models: Sequence[LoadedModel]) -> tuple[str, ...]:
    """The classes of the first network, if all have them.

    Raises:
        InvalidInputError: If there is no network, or one is given twice.
        IncompatibleError: If they decide between different classes.
    """
    if not models:
        raise InvalidInputError("No model is chosen. Choose at least one.")
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise InvalidInputError("A model is chosen twice. Choose each once.")
    first = models[0]
    for model in models[1:]:
        if sorted(model.labels) != sorted(first.labels):
            raise IncompatibleError(
                f"{first.name} decides between {', '.join(first.labels[:6])[:80]}, {model.name} between "
                f"{', '.join(model.labels[:6])[:80]}. Judge models with the same classes together."
            )
    return first.labels


def _finish(
    models: Sequence[LoadedModel],
    labels: tuple[str, ...],
    table: TextTable,
    true: np.ndarray,
    mapping: dict[str, str | None],
    found: Sequence[Verdicts],
    n_first: int,
    seed: int,
    n_resamples: int,
    *,
    is_finished: bool,
) -> Judgement:
    """The judgement of the first networks over the first texts."""
    some = models[: len(found)]
    logits = np.stack(
        [
            one.logits[:n_first, [model.labels.index(label) for label in labels]]
            for model, one in zip(some, found, strict=True)
        ]
    )
    counts = np.stack([one.counts[:n_first] for one in found])  # [model, text, 3]
    is_read = (counts[..., 0] > 0).all(0)
    indices = np.flatnonzero(is_read)
    if not len(indices):
        raise InvalidInputError("None of these texts holds anything the models can read. Choose another column.")
    logits, counts, true = logits[:, indices], counts[:, indices].astype(np.int64), true[:n_first][indices]
    part = table if len(indices) == len(table) else table.take(indices)
    names = tuple(model.name for model in some)
    predicted, labelled = logits.argmax(-1), np.flatnonzero(true >= 0)
    has_labels = bool(len(labelled))
    n_resamples = n_resamples if is_finished else min(n_resamples, _QUICK_RESAMPLES)
    rows = labelled if has_labels else np.arange(len(true))
    measured = predicted[:, rows] == true[rows] if has_labels else _confidence(logits)
    n_words = np.broadcast_to(part.n_words[rows], measured.shape)
    unknown_share = counts[:, rows, 1] / np.maximum(part.n_words[rows], 1)
    return Judgement(
        models=names,
        architectures=tuple(model.architecture for model in some),
        fingerprints=tuple(model.fingerprint for model in some),
        labels=labels,
        table=part,
        indices=indices,
        logits=logits,
        n_tokens=counts[..., 0],
        n_unknown=counts[..., 1],
        n_truncated=counts[..., 2],
        true=true,
        mapping=mapping,
        scores=tuple(
            scores.score(
                name,
                labels,
                one[labelled],
                true[labelled],
                rows=part.rows[labelled],
                n_resamples=n_resamples,
                seed=seed,
            )
            for name, one in zip(names, logits, strict=True)
        )
        if has_labels
        else (),
        effects=tuple(
            scores.effect(name, values, measured, names, is_accuracy=has_labels, rows=part.rows[rows])
            for name, values in (("n_words", n_words), ("unknown_share", unknown_share))
        ),
        agreement=scores.agree(names, predicted) if len(names) > 1 else None,
        n_unread=n_first - len(indices),
        is_finished=is_finished,
    )


def _confidence(logits: np.ndarray) -> np.ndarray:
    return softmax(logits.astype(np.float64)).max(-1)
