"""From a network, a text and the name of a method to a score for each word."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from explorer_core import registry
from explorer_core.attribution import _scorer
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.registry import About
from explorer_core.results import AttributionPrice, WordAttribution
from explorer_core.text import read_text
from explorer_core.tracing import states

_SAMPLE = "A film of some length, read to see how long it takes to read one. " * 2
_PACE_HOLDS_S, _MOST_PACES = 300.0, 64
_KEPT, _KEPT_BACKWARDS = 8, 40  # numbers kept for each number of a word vector, about
_paces: dict[tuple[str, str, bool], tuple[float, float]] = {}


def explain(
    model: LoadedModel,
    text: str,
    method: str,
    target: int | str | None,
    knobs: Mapping[str, Any],
    progress: Progress | None = None,
) -> WordAttribution:
    """Scores of the words of one text; see `api.attribute`."""
    module = registry.load("attribution", method)
    about = registry.describe("attribution")[method]
    states.check_kind(model)
    check_fits(about, model)
    used = check_knobs(about, module.KNOBS, knobs)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    scorer = _scorer.make(model, reading, target, progress)
    with torch.inference_mode(False):
        found = module.explain(scorer, used)
    if "removal" in used:
        used["removal"] = scorer.removal(used["removal"])  # what auto came to, so that it can be asked for again
    owner = reading.word_of_token
    words = found.words
    if words is None:
        words = np.bincount(owner[owner >= 0], found.tokens[owner >= 0], len(reading.words))
    return WordAttribution(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=scorer.logits,
        target=scorer.target,
        method=method,
        unit=about.extra["unit"],
        signed=about.extra["signed"],
        complete=about.extra["complete"],
        baseline=found.baseline,
        scores=words,
        token_scores=found.tokens,
        standard_error=found.standard_error,
        value=scorer.value,
        baseline_value=found.baseline_value,
        n_passes=scorer.n_passes,
        knobs=used,
        notes=(*reading.notes, *found.notes),
    )


def price(model: LoadedModel, text: str, method: str, knobs: Mapping[str, Any]) -> AttributionPrice:
    """What scores of one text will cost; see `api.price_attribution`."""
    module = registry.load("attribution", method)
    about = registry.describe("attribution")[method]
    states.check_kind(model)
    check_fits(about, model)
    used = check_knobs(about, module.KNOBS, knobs)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    n_passes = module.count_passes(len(reading.words), used)
    return price_of(model, len(reading.tokens), n_passes, about.extra["gradients"])


def price_of(model: LoadedModel, n_tokens: int, n_passes: int, gradients: bool) -> AttributionPrice:
    """What it costs to read a text of so many tokens so often, and walk back where gradients are asked for."""
    seconds = _token_s(model, gradients) * n_tokens * n_passes
    at_once = min(n_passes * n_tokens, _scorer.TOKENS_AT_ONCE[model.kind])
    width = model.module.get_input_embeddings().weight.shape[1]
    kept = at_once * width * 4 * (_KEPT_BACKWARDS if gradients else _KEPT)
    return AttributionPrice(seconds, n_passes, kept / 2**20)


def _token_s(model: LoadedModel, gradients: bool) -> float:
    """Seconds a token of a pass takes on this machine, measured a moment ago or now."""
    key = (model.fingerprint, model.device, gradients)
    found = _paces.get(key)
    if found is None or time.monotonic() - found[1] > _PACE_HOLDS_S:
        scorer = _scorer.make(model, read_text(model.tokenizer, _SAMPLE, model.max_tokens), 0, None)
        variants = scorer.vectors.expand(8, -1, -1)
        ask = scorer.gradient if gradients else scorer.of_vectors
        with torch.inference_mode(False), torch.no_grad():
            ask(variants)  # the first call of a process pays for more than reading
            began = time.perf_counter()
            ask(variants)
        found = ((time.perf_counter() - began) / variants[..., 0].numel(), time.monotonic())
        for oldest in tuple(_paces)[: max(len(_paces) - _MOST_PACES + 1, 0)]:  # another thread may be here too
            _paces.pop(oldest, None)
        _paces[key] = found
    return found[0]


def check_fits(about: About, model: LoadedModel) -> None:
    """Refuse a network a method has nothing to say of.

    Raises:
        IncompatibleError: If it needs a cell, or attention, which is not there.
    """
    needs = about.extra.get("needs")
    if needs == "cell" and not getattr(model.module, "has_cell", False):
        raise IncompatibleError(f"{about.label} reads an LSTM's cell, which {model.name[:60]!r} has not.")
    if needs == "transformer" and model.kind != "transformer":
        raise IncompatibleError(f"{about.label} follows attention, which {model.name[:60]!r} has not.")


def check_knobs(about: About, allowed: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every knob of a method with the value given for it, or its default.

    Raises:
        InvalidInputError: If the method has no such knob, or a value is out of bounds.
    """
    names = [knob.name for knob in allowed]
    for name in given:
        if name not in names:
            has = f"It has {', '.join(names)}." if names else "It has none."
            raise InvalidInputError(f"{about.label} has no setting {str(name)[:60]!r}. {has}")
    return {knob.name: knob.check(given.get(knob.name, knob.default)) for knob in allowed}
