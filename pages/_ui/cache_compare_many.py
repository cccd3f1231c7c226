"""Bounded caches over comparisons of models over many texts; models by name and fingerprint, texts by their digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from explorer_core.loaded import LoadedModel
    from explorer_core.results import (
        AccuracyComparison,
        AttributionPrice,
        EvidenceThirds,
        Judgement,
        JudgingPrice,
        ModifierBench,
        ReasonComparison,
        StateLikeness,
        TextPairs,
        TextTable,
    )

Keys = tuple[tuple[str, str], ...]  # name and fingerprint of each model


def keys_of(infos: Sequence[cache.ModelInfo]) -> Keys:
    """What the calls here take first."""
    return tuple((info.name, info.fingerprint) for info in infos)


def load(keys: Keys) -> list[LoadedModel]:
    """The models, shared by all sessions and never changed."""
    return [cache.load(name, fingerprint) for name, fingerprint in keys]


@st.cache_resource(max_entries=4, show_spinner="Reading the starter corpus")
def starter(split: str) -> TextTable:
    """`api.read_starter`."""
    return api.read_starter(split)


@st.cache_data(max_entries=64, max_size="1MB", show_spinner="Trying what this will cost")
def price_modifiers(keys: Keys, tag: str, n_pairs: int, _pairs: TextPairs) -> dict[str, float]:
    """`api.price_modifiers`; `tag` says which pairs they are."""
    models = load(keys)
    with cache.HEAVY:
        return api.price_modifiers(models, _pairs, n_pairs)


@st.cache_resource(max_entries=6, show_spinner=False)
def modifiers(
    keys: Keys, tag: str, phenomena: str | None, mapping: str, n_pairs: int, _pairs: TextPairs,
    _progress: api.Progress | None = None,
) -> ModifierBench:  # fmt: skip
    """`api.measure_modifiers`; `mapping` as JSON."""
    return api.measure_modifiers(
        load(keys), _pairs, phenomena, mapping=json.loads(mapping), n_pairs=n_pairs, progress=_progress
    )


@st.cache_data(max_entries=16, ttl=60, show_spinner="Looking how long it takes")
def price_judging(keys: Keys, digest: str, _table: TextTable) -> tuple[JudgingPrice, ...]:
    """`api.price_judging`."""
    return api.price_judging(load(keys), _table)


@st.cache_resource(max_entries=8, show_spinner="Comparing")
def accuracy(key: str, _judged: Judgement) -> AccuracyComparison:
    """`api.compare_accuracy`; `key` says what was judged."""
    return api.compare_accuracy(_judged)


@st.cache_resource(max_entries=8, show_spinner=False)
def marked_evidence(key: str, _judged: Judgement) -> EvidenceThirds:
    """`api.locate_evidence` by the marks of the starter corpus."""
    return api.locate_evidence(_judged)


@st.cache_data(max_entries=32, show_spinner=False)
def shared_methods(keys: Keys) -> tuple[str, ...]:
    """`api.shared_methods`."""
    return api.shared_methods(load(keys))


@st.cache_data(max_entries=64, max_size="1MB", show_spinner="Trying what this will cost")
def price_reasons(
    keys: Keys, key: str, method: str, n_texts: int, _texts: tuple[str, ...]
) -> dict[str, AttributionPrice]:
    """What the scores of each model cost, by its name."""
    with cache.HEAVY:
        return {model.name: api.price_report(model, _texts, method, n_texts) for model in load(keys)}


@st.cache_resource(max_entries=6, show_spinner=False)
def reasons(
    keys: Keys, key: str, method: str, n_texts: int, _judged: Judgement, _progress: api.Progress | None = None
) -> ReasonComparison:
    """`api.compare_reasons`; `key` says what was judged."""
    return api.compare_reasons(load(keys), _judged, method, n_texts=n_texts, progress=_progress)


@st.cache_data(max_entries=64, max_size="1MB", show_spinner="Trying what this will cost")
def price_likeness(keys: Keys, digest: str, n_texts: int, _table: TextTable) -> float:
    """`api.price_states`."""
    models = load(keys)
    with cache.HEAVY:
        return api.price_states(models, _table.texts, n_texts)


@st.cache_resource(max_entries=24, show_spinner=False)
def likeness(
    keys: Keys, digest: str, what: str, n_states: int, _table: TextTable, _progress: api.Progress | None = None
) -> StateLikeness:
    """`api.compare_states` of the first model and the last."""
    models = load(keys)
    return api.compare_states(models[0], models[-1], _table.texts, what, n_states=n_states, progress=_progress)
