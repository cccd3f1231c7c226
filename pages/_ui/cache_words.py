"""Bounded caches over scores of words and how far they hold; keys as in `cache`, settings as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import AttributionPrice, Flips, TrustCard, TrustPrice, WordAttribution


@st.cache_data(max_entries=256, max_size="64MB", show_spinner=False)
def attribution(
    name: str, fingerprint: str, text: str, target: int, method: str, knobs: str, _progress: api.Progress | None = None
) -> WordAttribution:
    """`api.attribute` of a ready model."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.attribute(model, text, method, target, progress=_progress, **json.loads(knobs))


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def price(name: str, fingerprint: str, text: str, method: str, knobs: str) -> AttributionPrice:
    """`api.price_attribution` of a ready model."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.price_attribution(model, text, method, **json.loads(knobs))


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def card_price(name: str, fingerprint: str, text: str, method: str, knobs: str) -> TrustPrice:
    """`api.price_assessment` of a ready model."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.price_assessment(model, text, method, **json.loads(knobs))


def card(
    name: str, fingerprint: str, text: str, target: int, method: str, knobs: str, full: bool,
    _progress: api.Progress | None = None,
) -> TrustCard:  # fmt: skip
    """`api.assess` of the attribution of the same key; anew once a newer shortcut exam speaks of the method."""
    stamp = exam_stamp(cache.model_info(name).architecture, method)
    return _card(name, fingerprint, text, target, method, knobs, full, stamp, _progress)


def exam_stamp(family: str, method: str) -> str:
    """Name of the newest kept exam that judges a method in a family; empty without one. Part of the key of a card."""
    kept = api.find_exam(family, method)
    return "" if kept is None else kept.name


@st.cache_data(max_entries=128, max_size="32MB", show_spinner=False)
def _card(
    name: str, fingerprint: str, text: str, target: int, method: str, knobs: str, full: bool, stamp: str,
    _progress: api.Progress | None,
) -> TrustCard:  # fmt: skip
    model = cache.load(name, fingerprint)
    found = attribution(name, fingerprint, text, target, method, knobs)
    quick = _card(name, fingerprint, text, target, method, knobs, False, stamp, None) if full else None
    with cache.HEAVY:
        return api.assess(model, text, found, full=full, known=quick, progress=_progress)


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def flips(name: str, fingerprint: str, text: str, budget: int, _progress: api.Progress | None = None) -> Flips:
    """`api.find_flips` of a ready model."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.find_flips(model, text, budget=budget, progress=_progress)
