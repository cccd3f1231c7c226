"""Which words made a prediction."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from explorer_core import registry
from explorer_core.progress import Progress
from explorer_core.registry import About
from explorer_core.results import AttributionPrice, Flips, TrustCard, TrustPrice, WordAttribution

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def list_methods(model: LoadedModel | None = None) -> tuple[About, ...]:
    """The attribution methods, without importing torch; with a model, those that fit it."""
    every = tuple(registry.describe("attribution").values())
    if model is None:
        return every
    has = {"cell": getattr(model.module, "has_cell", False), "transformer": model.kind == "transformer"}
    return tuple(about for about in every if has.get(about.extra.get("needs", ""), True))


def attribute(
    model: LoadedModel,
    text: str,
    method: str = "integrated_gradients",
    target: int | str | None = None,
    *,
    progress: Progress | None = None,
    **knobs: Any,
) -> WordAttribution:
    """A score for each word of a text: what it did to the logit of one class, as one method sees it.

    Word vectors go in and a logit comes out; nothing of the network is hooked or changed, and threads never see each
    other. Methods that draw samples draw the same again from the same seed.

    Args:
        model: From `load_model`.
        text: At least one word.
        method: A name from `list_methods`.
        target: Class index or label; the predicted class when left out.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.
        knobs: Settings of the method (its module's `KNOBS`), such as `baseline`, `n_samples` or `seed`.

    Raises:
        NotFoundError: If there is no such method.
        InvalidInputError: If the text is empty, there is no such class or setting, or a setting is out of bounds.
        IncompatibleError: If the method does not fit the network, or a baseline needs a token it has not.
    """
    from explorer_core.attribution import _explaining

    return _explaining.explain(model, text, method, target, knobs, progress)


def price_attribution(
    model: LoadedModel, text: str, method: str = "integrated_gradients", **knobs: Any
) -> AttributionPrice:
    """Estimated seconds, passes and memory of `attribute`, from reading the text a few times now."""
    from explorer_core.attribution import _explaining

    return _explaining.price(model, text, method, knobs)


def assess(
    model: LoadedModel,
    text: str,
    attribution: WordAttribution,
    *,
    full: bool = False,
    seed: int = 0,
    known: TrustCard | None = None,
    progress: Progress | None = None,
) -> TrustCard:
    """How far an attribution may be believed: measurements on the network itself, each with its meaning, and a grade.

    Whether it has learned anything is said by the record of its training where there is one (`list_models`), else by
    its weights. Where a shortcut exam of the network's family is kept (`run_exam`), what the newest says of the method
    is a line.

    Args:
        model: From `load_model`.
        text: The text of the attribution.
        attribution: From `attribute`, of this model and text.
        full: Whether the slow measurements are made too: the best and the worst order of words (NAOPC), other
            baselines, shuffled weights, captum's infidelity and sensitivity.
        seed: Where the random orders and shuffles begin.
        known: An earlier card of this attribution by the same seed, whose lines are taken over.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        IncompatibleError: If the attribution is of another network or text.
    """
    from explorer_core.attribution import _trust, _trust_exam
    from explorer_core.exam import store
    from explorer_core.training import store as runs

    record = runs.find_record(model.name, model.fingerprint)
    card = _trust.assess(model, text, attribution, full=full, seed=seed, known=known, card=record, progress=progress)
    line = _trust_exam.exam(attribution, store.find_newest(attribution.architecture, attribution.method))
    return card if line is None else dataclasses.replace(card, lines=(*card.lines, line))


def price_assessment(model: LoadedModel, text: str, method: str = "integrated_gradients", **knobs: Any) -> TrustPrice:
    """Estimated seconds, passes and memory of `assess` for an attribution by these settings, from a short trial now."""
    from explorer_core.attribution import _trust
    from explorer_core.training import store as runs

    return _trust.price(model, text, method, knobs, runs.find_record(model.name, model.fingerprint))


def find_flips(
    model: LoadedModel, text: str, *, removal: str = "auto", budget: int = 6_000, progress: Progress | None = None
) -> Flips:
    """The fewest words whose absence turns the verdict: exactly up to three words, as far as the budget goes, beyond
    that greedily; the result says which.

    Args:
        model: From `load_model`.
        text: At least one word.
        removal: How a word is taken away: `mask`, `unk`, `drop`, or `auto` for what the network has seen in training.
        budget: Texts read at most.
        progress: Called with the share of the budget spent, in [0, 1]; may raise `CancelledError`.

    Raises:
        InvalidInputError: If the text is empty, or the removal or the budget is out of bounds.
        IncompatibleError: If the network has no such token.
    """
    from explorer_core.attribution import _flips

    return _flips.find(model, text, removal, budget, progress)
