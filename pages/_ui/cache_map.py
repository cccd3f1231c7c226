"""Bounded caches of what many texts leave in a model; keys as in `cache`, texts by the digest of their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import TextMap, TextStates, TextTable


@st.cache_resource(max_entries=2, show_spinner=False)  # 51 MB for 100,000 texts and 128 units
def states(
    name: str, fingerprint: str, texts: str, what: str, layer: int, direction: int, _table: TextTable,
    _progress: api.Progress | None = None,
) -> TextStates:  # fmt: skip
    """`api.states_of_texts`; shared by all sessions and never changed."""
    return api.states_of_texts(cache.load(name, fingerprint), _table.texts, what, layer, direction, progress=_progress)


@st.cache_resource(max_entries=8, show_spinner=False)
def text_map(
    name: str, fingerprint: str, texts: str, what: str, layer: int, direction: int, method: str, perplexity: float,
    _table: TextTable, _progress: api.Progress | None = None,
) -> TextMap:  # fmt: skip
    """`api.project_texts` of them."""
    report = _progress or (lambda share: None)
    found = states(
        name,
        fingerprint,
        texts,
        what,
        layer,
        direction,
        _table,
        lambda share: report(share * (0.95, 0.2)[method != "pca"]),
    )
    return api.project_texts(
        found,
        method,
        perplexity=perplexity,
        progress=None if method == "pca" else lambda share: report(0.2 + 0.8 * share),
    )


@st.cache_data(max_entries=32, show_spinner="Estimating the time")
def price(name: str, fingerprint: str, texts: str, _table: TextTable) -> float:
    """`api.price_map`."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.price_map(model, _table.texts)


@st.cache_data(max_entries=64, show_spinner=False)
def choices(name: str, fingerprint: str) -> tuple[int, int]:
    """`api.state_choices`."""
    return api.state_choices(cache.load(name, fingerprint))
