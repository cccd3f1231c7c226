"""Models against each other over many texts: modifiers, verdicts, reasons, where the evidence lies, and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import (
    AccuracyComparison,
    EvidenceThirds,
    Judgement,
    ModifierBench,
    ReasonComparison,
    StateLikeness,
    TextPairs,
    TextTable,
)

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel

HELD_OUT = "held out"


def read_starter(split: str = "test") -> TextTable:
    """The starter corpus as a table of texts, with the columns `domain`, `phenomenon`, `pair` and `split`.

    Args:
        split: `train`, `validation`, `test`, `held out` (validation and test rows) or `all`.

    Raises:
        InvalidInputError: If there is no such split.
    """
    import dataclasses

    import numpy as np

    from explorer_core.datasets import starter
    from explorer_core.errors import InvalidInputError
    from explorer_core.judging import reading
    from explorer_core.judging.spec import TextsSpec

    splits = {"all": ("train", "validation", "test"), HELD_OUT: ("validation", "test")}
    if split not in (*splits, "train", "validation", "test"):
        raise InvalidInputError(
            f"There is no split {str(split)[:40]!r}; allowed: train, validation, test, {HELD_OUT}, all."
        )
    table = reading.read_texts([starter.PATH], TextsSpec(text_column="text", label_column="label"))
    wanted = splits.get(split, (split,))
    rows = np.array([place for place, one in enumerate(table.columns["split"]) if one in wanted], dtype=np.int64)
    said = {"all": "all rows", HELD_OUT: "validation and test rows"}.get(split, f"{split} rows")
    return dataclasses.replace(table.take(rows), origin=f"starter corpus, {said}", notes=())


def measure_modifiers(
    models: Sequence[LoadedModel],
    pairs: TextPairs,
    phenomena: str | None = None,
    *,
    mapping: dict[str, str | None] | None = None,
    n_pairs: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
) -> ModifierBench:
    """What networks make of minimal pairs with different labels, by phenomenon: both sides right, how far the verdict
    swings, and for how many words the swing lasts.

    The effect of an edit after some words is the difference of the two running verdicts there, as the swing of the
    whole texts is of their verdicts. It begins after the last changed word, and lasts up to the last word at which it
    is still at or above half of its largest value, counted from that on. Where the texts end first, it lasted so long
    at least: such lengths are censored, and means and curves are those of Kaplan and Meier (1958).

    Args:
        models: From `load_model`, with the same classes.
        pairs: From `find_pairs`. Pairs without two different labels, or that some model cannot read whole, are left
            out and counted.
        phenomena: Column of their table that names the phenomenon of a pair, by its first text; without it all pairs
            are one group.
        mapping: Class of each label of the table; from `guess_labels` if not given.
        n_pairs: Pairs drawn at random where there are more, 2 to 5,000.
        seed: Of the draw and of the bootstrap.
        progress: Called with the share done; may raise `CancelledError`.

    Raises:
        InvalidInputError: If no pair can be measured, or a number is out of bounds.
        NotFoundError: If there is no such column.
        IncompatibleError: If the models have different classes.
    """
    from explorer_core.comparing import modifiers
    from explorer_core.errors import NotFoundError
    from explorer_core.judging import label_names

    modifiers.check_models(models)
    table, labels = pairs.table, models[0].labels
    if phenomena is not None and phenomena not in table.columns:
        raise NotFoundError(
            f"There is no other column {phenomena[:60]!r}. Known: {', '.join(map(str, table.columns))[:200] or 'none'}."
        )
    mapping = label_names.guess_labels(table.label_values, labels) if mapping is None else mapping
    cells = [""] * len(table) if phenomena is None else [str(cell).strip() for cell in table.columns[phenomena]]
    return modifiers.measure(
        models, pairs, table.classes(mapping, labels), [cells[place] for place in pairs.first], n_pairs=n_pairs,
        seed=seed, progress=progress,
    )  # fmt: skip


def price_modifiers(models: Sequence[LoadedModel], pairs: TextPairs, n_pairs: int = 500) -> dict[str, float]:
    """Estimated seconds of `measure_modifiers` by each model, from reading a few pairs now."""
    from explorer_core.comparing import modifiers

    return modifiers.price(models, pairs, n_pairs)


def compare_accuracy(judged: Judgement, *, n_resamples: int = 1_000, seed: int = 0) -> AccuracyComparison:
    """Which models are right more often, pair by pair: McNemar's exact test, and the difference of the accuracies with
    its 95 % bootstrap interval.

    With six models there are 15 pairs: some p-value falls below 0.05 by chance in one such comparison of two, and
    `p_holm` holds for all together.

    Args:
        judged: From `judge`, of two models or more, with labels.
        n_resamples: Bootstrap samples, fewer over more than 50,000 texts.
        seed: Of the draws.

    Raises:
        IncompatibleError: If there is one model, or no label.
    """
    from explorer_core.comparing import accuracy

    return accuracy.compare(judged, n_resamples=n_resamples, seed=seed)


def shared_methods(models: Sequence[LoadedModel]) -> tuple[str, ...]:
    """Names of the methods that fit all models, those that explain many texts at once first."""
    from explorer_core.comparing import reasons

    return reasons.shared_methods(models)


def compare_reasons(
    models: Sequence[LoadedModel],
    judged: Judgement,
    method: str | None = None,
    *,
    n_texts: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> ReasonComparison:
    """How alike models rank the words of texts that they decide alike: Kendall's tau-b of every pair over each text.

    Args:
        models: Those of the judgement, in its order.
        judged: From `judge`.
        method: A name from `shared_methods`, the same for all; left out, each model's own `report_method`, and then
            the methods may differ, not only the models.
        n_texts: Texts drawn at random where there are more, 2 to 2,000; those of fewer than three words are left out.
        seed: Of the draw and of the intervals.
        progress: Called with the share done; may raise `CancelledError`.

    Raises:
        InvalidInputError: If the models are not those of the judgement, a number is out of bounds, or no text is left.
        NotFoundError, IncompatibleError: If there is no such method, or it does not fit all models.
    """
    from explorer_core.comparing import modifiers, reasons
    from explorer_core.errors import InvalidInputError

    modifiers.check_models(models)
    if tuple(model.fingerprint for model in models) != judged.fingerprints:
        raise InvalidInputError("The models are not those of the judgement. Judge the texts by these models first.")
    return reasons.compare(models, judged, method, n_texts=n_texts, seed=seed, progress=progress)


def locate_evidence(judged: Judgement, reasons: ReasonComparison | None = None, *, seed: int = 0) -> EvidenceThirds:
    """How often each model is right where the evidence lies early, in the middle or late in a text, and whether a
    BiLSTM is right more often than an LSTM there.

    Args:
        judged: From `judge`, with labels.
        reasons: From `compare_reasons` of this judgement: the evidence lies in the third of the words that has the
            largest share of the sizes of the scores, on average over the models. Left out, it lies where the middle of
            the words lies that the starter corpus marks; other texts are left out.
        seed: Of the bootstrap.

    Raises:
        IncompatibleError: If there are no labels.
        InvalidInputError: If no text is left, or the reasons are of other texts.
    """
    from explorer_core.comparing import evidence
    from explorer_core.datasets import starter

    if reasons is not None:
        return evidence.by_scores(judged, reasons, seed)
    data = starter.read({})
    spans = dict(zip(data.texts, data.spans or (), strict=True))
    return evidence.by_marks(judged, [spans.get(text, ()) for text in judged.table.texts], seed)


def compare_states(
    one: LoadedModel,
    other: LoadedModel,
    texts: Sequence[str],
    what: str = "final",
    *,
    n_states: int = 2_000,
    untrained: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> StateLikeness:
    """Linear CKA of every layer of a model with every layer of another (Kornblith et al. 2019), debiased (Song et al.
    2012; Nguyen et al. 2021), beside that of the same networks with fresh weights.

    CKA near 1 says that one layer's states are the other's but for turning, moving and scaling; it does not say that
    the networks work alike (Davari et al. 2022; Murphy et al. 2024).

    Args:
        one: From `load_model`.
        other: Another, or the same.
        texts: Any number of texts.
        what: `final` for one state a text, where a network ends (of a BERT the first token's); `mean` over all tokens;
            `words` for one state a word, at its last token.
        n_states: States drawn at random where there are more, 4 to 5,000; fewer of a network too large for the memory.
        untrained: Whether the base line is measured: of a recurrent network its `untrained_twin`; of a BERT the same
            sizes with all weights fresh, also those that came pretrained.
        seed: Of the draw and of the fresh weights.
        progress: Called with the share done; may raise `CancelledError`.

    Raises:
        InvalidInputError: If there are no such states, a number is out of bounds, or fewer than four states are left.
        IncompatibleError: If a model is neither recurrent nor a transformer.
    """
    from explorer_core.comparing import likeness
    from explorer_core.training import untrained as twins

    def twin_of(model: LoadedModel) -> LoadedModel:
        return twins.twin(model, seed) if model.kind == "recurrent" else twins.fresh_transformer(model, seed)

    return likeness.compare(
        one, other, texts, what, n_states=n_states, seed=seed, twin_of=twin_of if untrained else None,
        progress=progress,
    )  # fmt: skip


def price_states(models: Sequence[LoadedModel], texts: Sequence[str], n_texts: int, *, untrained: bool = True) -> float:
    """Estimated seconds of `compare_states`, from reading some of the texts now."""
    from explorer_core.comparing import likeness

    return likeness.price(models, texts, n_texts) * (2 if untrained else 1)
