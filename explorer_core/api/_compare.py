"""Two models over one text, one model over two texts, and the edits that turn several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer_core.progress import Progress
from explorer_core.results import (
    FlipsPrice,
    ModelCard,
    RunningVerdict,
    SeedSpread,
    SharedFlips,
    TextChange,
    TextRead,
    VerdictDifference,
    WordAttribution,
    WordDifference,
)
from explorer_core.training.spec import TrainingSpec

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.comparing.suggestions import Change
    from explorer_core.loaded import LoadedModel


def compare_words(
    attribution_a: WordAttribution, attribution_b: WordAttribution, normalisation: str = "raw"
) -> WordDifference:
    """The scores of two models by one method, the first less the second, over the words both read.

    Args:
        attribution_a: From `attribute`, of the first model.
        attribution_b: Of the second, over the same text, for the same class, by the same method and settings.
        normalisation: `raw`, as the method gives them; `share`, of the sum of the sizes of a model's scores; `rank`,
            the sign of a score times the rank of its size. See `WordDifference`.

    Raises:
        IncompatibleError: If the attributions answer different questions, or no word was read by both.
        InvalidInputError: If there is no such normalisation.
    """
    from explorer_core.comparing import difference

    return difference.words(attribution_a, attribution_b, normalisation)


def compare_verdicts(running_a: RunningVerdict, running_b: RunningVerdict, target: int) -> VerdictDifference:
    """The verdicts of two models after each word that both read, and the first less the second.

    Args:
        running_a: From `trace_running`, of the first model.
        running_b: Of the second, over the same text.
        target: Index of the class.

    Raises:
        IncompatibleError: If they have different classes, or no word was read by both.
        InvalidInputError: If there is no such class.
    """
    from explorer_core.comparing import difference

    return difference.verdicts(running_a, running_b, target)


def spread_words(attributions: Sequence[WordAttribution], normalisation: str, place: np.ndarray) -> SeedSpread:
    """The scores of several seeds of one training, at some of the words.

    Args:
        attributions: From `attribute`, as in `compare_words`; at least one.
        normalisation: As in `compare_words`; over these words.
        place: The words, from 0; int array [word], such as a row of `WordDifference.place`.

    Raises:
        IncompatibleError: If they answer different questions, or read different words.
    """
    from explorer_core.comparing import difference

    return difference.seeds_of_words(attributions, normalisation, place)


def spread_verdicts(
    runnings: Sequence[RunningVerdict], target: int, place: np.ndarray, quantity: str = "prob"
) -> SeedSpread:
    """The running verdicts of several seeds of one training, at some of the words.

    Args:
        runnings: From `trace_running`, over the same text; at least one.
        target: Index of the class.
        place: As in `spread_words`.
        quantity: `prob` or `log_odds`; see `VerdictDifference`.

    Raises:
        IncompatibleError: If they have different classes, or read different words.
    """
    from explorer_core.comparing import difference

    return difference.seeds_of_verdicts(runnings, target, quantity, place)


def find_seeds(name: str) -> tuple[tuple[ModelCard, int], ...]:
    """The runs that are equal to this one but for name and seed, itself too: card and seed of each, by rising seed.

    Those that still wait or train are among them; their cards say so.

    Raises:
        NotFoundError: If the model was not trained here.
    """
    from explorer_core.training import seeds

    return seeds.find(name)


def seed_specs(name: str, n_seeds: int = 3) -> tuple[TrainingSpec, ...]:
    """The spec of a run with other seeds, those that no run has yet, named `<run>-seed-<seed>`; for `start_training`.

    Raises:
        NotFoundError: If the model was not trained here.
        InvalidInputError: If the number of seeds is out of bounds.
    """
    from explorer_core.training import seeds

    return seeds.specs(name, n_seeds)


def compare_texts(
    model: LoadedModel,
    text: str,
    other: str,
    target: int | str | None = None,
    *,
    method: str = "integrated_gradients",
    running: bool = True,
    known: tuple[TextRead, TextRead] | None = None,
    progress: Progress | None = None,
    **knobs: Any,
) -> TextChange:
    """What an edit of a text moves in a model: verdict after each word, hidden states in every layer, and scores.

    Args:
        model: From `load_model`.
        text: The text before the edit.
        other: The text after it.
        target: Class index or label; the class predicted for the first text when left out.
        method: A name from `list_methods`.
        running: Whether the verdict after every word is found too; see `trace_states` for what it costs.
        known: What was made of both texts before, of this model, class and method; nothing is read then.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.
        knobs: Settings of the method.

    Raises:
        InvalidInputError: If a text is empty, or there is no such class or setting.
        IncompatibleError: If the method does not fit the network, or `known` is of different models or questions.
    """
    from explorer_core.comparing import two_texts

    if known is not None:
        return two_texts.change_of(*known)
    return two_texts.compare(model, (text, other), target, method, knobs, with_running=running, progress=progress)


def suggest_edits(text: str, attribution: WordAttribution | None = None, *, most: int = 4) -> tuple[Change, ...]:
    """Small edits of a text that are worth trying, each with `kind` and `apply(text)`: `drop` the words of the largest
    scores, `negate` by a "not" more or less, and `swap` words as the minimal pairs of the starter corpus do.

    Args:
        text: The text.
        attribution: From `attribute`, of this text; without it no word is dropped.
        most: Edits of one kind at most.
    """
    from explorer_core.comparing import suggestions

    spans = None if attribution is None else attribution.reading.word_spans
    return suggestions.suggest(text, spans, None if attribution is None else attribution.scores, most)


def find_shared_flips(
    models: Sequence[LoadedModel],
    text: str,
    *,
    removal: str = "auto",
    budget: int = 6_000,
    progress: Progress | None = None,
) -> SharedFlips:
    """The fewest words that turn the verdict of each model when they are taken away or swapped, and of all models.

    Every choice of one and of two words is tried, as far as the budget goes; the result says how far. Words are taken
    away as by `find_flips`, and swapped as the minimal pairs of the starter corpus do, "not" put in or taken out among
    them. Deletions and swaps are not mixed.

    Args:
        models: From `load_model`, with the same classes; at least one.
        text: At least one word.
        removal: As in `find_flips`; `auto` follows what each network has seen in training.
        budget: Edited texts each model reads at most.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        InvalidInputError: If the text is empty, there is no model, or the removal or the budget is out of bounds.
        IncompatibleError: If the models have different classes or no word in common.
    """
    from explorer_core.comparing import shared_flips

    return shared_flips.find(models, text, removal, budget, progress)


def price_shared_flips(models: Sequence[LoadedModel], text: str, *, budget: int = 6_000) -> FlipsPrice:
    """Readings and estimated seconds of `find_shared_flips`, from reading the text a few times now.

    Raises:
        InvalidInputError, IncompatibleError: As `find_shared_flips`.
    """
    from explorer_core.comparing import shared_flips

    return shared_flips.price(models, text, budget)
