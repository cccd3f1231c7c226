"""Bounded caches for the page Compare: two models, two texts, two moments of a run, and runs with other seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.results import Checkpoint, RunningVerdict, TextRead
from explorer_core.training.spec import TrainingSpec
from pages._ui import cache, rereading
from pages._ui.look import Look

if TYPE_CHECKING:
    from explorer_core.comparing.suggestions import Change
    from explorer_core.results import FlipsPrice, SharedFlips, TextChange, WordAttribution

Keys = tuple[tuple[str, str], ...]
"""Names and fingerprints of models."""


def running(info: cache.ModelInfo, text: str) -> RunningVerdict:
    """`api.trace_running` of a ready model, from the cache the other pages fill."""
    logits = rereading.logits(info, text)
    model = cache.load(info.name, info.fingerprint)
    reading = cache.reading(info.name, info.fingerprint, text)
    return RunningVerdict(
        model.name, model.architecture, model.labels, model.fingerprint, reading, logits[-1], logits
    )  # fmt: skip


# Two moments and several seeds of a run -----------------------------------------------------------------------------


def at_checkpoint(info: cache.ModelInfo, checkpoint: Checkpoint) -> cache.ModelInfo:
    """A run as it was at a checkpoint, for every cache: it is loaded by the name `<run>@<step>`."""
    ending = f"@{checkpoint.step}"
    return dataclasses.replace(info, name=info.name + ending, fingerprint=info.fingerprint + ending)


def checkpoints(name: str) -> tuple[Checkpoint, ...]:
    """The checkpoints of a run that can be read; none where it was not trained here."""
    try:
        return tuple(one for one in api.list_checkpoints(name) if not one.problem)
    except ExplorerError:
        return ()


def seeds(name: str) -> tuple[tuple[cache.ModelInfo, int], ...]:
    """The ready runs equal to this one but for name and seed, itself too, with their seeds; only itself with seed -1
    where it was not trained here.
    """
    info = cache.model_info(name)
    try:
        found = api.find_seeds(name)
    except ExplorerError:
        return ((info, -1),)
    ready = [(cache.model_info(card.name), seed) for card, seed in found if card.status == "done"]
    return tuple((one, seed) for one, seed in ready if one.labels == info.labels)


@st.cache_data(max_entries=64, ttl=600, show_spinner="Estimating time and disk")
def training_price(spec_json: str) -> tuple[float, float]:
    """Seconds and MiB of disk of one run; see `api.price_training`."""
    price = api.price_training(TrainingSpec.from_json(spec_json))
    return price.seconds, price.disk_mib


# Two texts ----------------------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, max_size="64MB", show_spinner=False)
def text_change(
    name: str, fingerprint: str, text: str, other: str, target: int, method: str, knobs: str, with_running: bool,
    _reads: tuple[TextRead, TextRead],
) -> TextChange:  # fmt: skip
    """`api.compare_texts` of what was made of both texts before."""
    return api.compare_texts(cache.load(name, fingerprint), text, other, target, known=_reads)


def text_read(look: Look, attribution: WordAttribution, *, with_running: bool) -> TextRead:
    """What one model makes of one text, from the caches the other pages fill."""
    return TextRead(look.trace, attribution, rereading.logits(look.info, look.text) if with_running else None)


@st.cache_data(max_entries=64, max_size="8MB", show_spinner=False)
def edits(text: str, key: str, most: int, _attribution: WordAttribution | None) -> tuple[Change, ...]:
    """`api.suggest_edits` of a text; the key says which scores rank the words that are dropped."""
    return api.suggest_edits(text, _attribution, most=most)


# Edits that turn several --------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner="Measuring what it costs")
def flips_price(models: Keys, text: str, budget: int) -> FlipsPrice:
    """`api.price_shared_flips` of ready models."""
    found = loaded(models)
    with cache.HEAVY:
        return api.price_shared_flips(found, text, budget=budget)


@st.cache_data(max_entries=32, max_size="32MB", show_spinner=False)
def shared_flips(models: Keys, text: str, budget: int, _progress: api.Progress | None = None) -> SharedFlips:
    """`api.find_shared_flips` of ready models."""
    found = loaded(models)
    with cache.HEAVY:
        return api.find_shared_flips(found, text, budget=budget, progress=_progress)


def loaded(models: Keys) -> list[Any]:
    """The networks, in their order."""
    return [cache.load(name, fingerprint) for name, fingerprint in models]


def keys_of(models: Sequence[cache.ModelInfo]) -> Keys:
    """Names and fingerprints of models."""
    return tuple((info.name, info.fingerprint) for info in models)
