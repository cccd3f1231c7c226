"""Bounded caches over prices, run records and halves held apart; keys as in `cache`."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import HalfHonesty, HalfScores, ModelPrice, RunRecord

MAX_PRICES = 64


@st.cache_resource(show_spinner=False)
def _measured() -> OrderedDict[str, ModelPrice]:
    """What was measured in this process, by fingerprint; the oldest goes first."""
    return OrderedDict()


def price(info: cache.ModelInfo) -> ModelPrice | None:
    """The price of a ready model, if it was measured, perhaps under another name of the same weights."""
    found = _measured().get(info.fingerprint)
    if found is None or found.model == info.name:
        return found
    return dataclasses.replace(found, model=info.name)


def measure(infos: Sequence[cache.ModelInfo], progress: api.Progress) -> int:
    """Measure some models one after the other, and keep each as it comes; returns how many."""
    models = [cache.load(info.name, info.fingerprint) for info in infos]
    costs = [api.price_measuring([model]) for model in models]
    for place, (info, model) in enumerate(zip(infos, models, strict=True)):
        before, own = sum(costs[:place]) / sum(costs), costs[place] / sum(costs)
        found = api.measure_price(model, progress=_part(progress, before, own))
        kept = _measured()
        kept.pop(info.fingerprint, None)
        kept[info.fingerprint] = found
        while len(kept) > MAX_PRICES:
            kept.popitem(last=False)
    return len(infos)


def _part(progress: api.Progress, before: float, own: float) -> api.Progress:
    return lambda share: progress(before + own * share)


@st.cache_data(max_entries=64, show_spinner="Estimating what it takes")
def measuring_s(names: tuple[str, ...], fingerprints: tuple[str, ...]) -> float:
    """`api.price_measuring` of some ready models."""
    return api.price_measuring([cache.load(*one) for one in zip(names, fingerprints, strict=True)])


@st.cache_data(max_entries=64, ttl=30, show_spinner=False)
def record(name: str, fingerprint: str) -> RunRecord | None:
    """`api.run_record`; `None` for a model that is no run of the store."""
    try:
        found = api.run_record(name)
    except ExplorerError:  # a folder or a Hub id
        return None
    return found if found.fingerprint == fingerprint else None


@st.cache_data(max_entries=64, ttl=30, show_spinner=False)
def twins(name: str, fingerprint: str) -> tuple[str, ...]:
    """`api.forward_twins` of a ready model."""
    return api.forward_twins(cache.load(name, fingerprint))


@st.cache_data(max_entries=24, max_size="64MB", show_spinner=False)
def half_scores(name: str, fingerprint: str, fill: str, _progress: api.Progress | None = None) -> HalfScores:
    """`api.score_halves` of a ready model over the held-out reviews of the starter corpus."""
    return api.score_halves(cache.load(name, fingerprint), fill=fill, progress=_progress)


@st.cache_data(max_entries=128, max_size="32MB", show_spinner="Holding the halves apart")
def halves(
    name: str, fingerprint: str, text: str, target: int, fill: str, _progress: api.Progress | None = None
) -> HalfHonesty:
    """`api.compare_halves` of a ready model. With progress it is work in the background, which has a queue of its own
    and keeps nobody waiting.
    """
    model = cache.load(name, fingerprint)
    with nullcontext() if _progress else cache.HEAVY:
        return api.compare_halves(model, text, target, fill=fill, progress=_progress)
