"""What words do over a file, on a page: reports of this process as they stand, and their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import AttributionPrice, SuspectWords, TextTable, WordReport

MOST = 6  # reports kept in memory, those begun last


@st.cache_resource(show_spinner=False)
def reports() -> dict[str, dict[str, WordReport]]:
    """Reports by the key of their work, then by model."""
    return {}


def keep(key: str) -> dict[str, WordReport]:
    """A place for the reports of a key; the oldest go."""
    found = reports()
    for old in list(found)[: max(len(found) - MOST + 1, 0)]:
        found.pop(old, None)
    return found.setdefault(key, {})


@st.cache_data(max_entries=64, show_spinner=False)
def methods(name: str, fingerprint: str) -> tuple[tuple[str, ...], str]:
    """Signed methods that fit a model, and the one to take if nobody chooses."""
    model = cache.load(name, fingerprint)
    return tuple(about.name for about in api.list_methods(model) if about.extra["signed"]), api.report_method(model)


@st.cache_data(max_entries=64, show_spinner="Trying what this will cost")
def price(name: str, fingerprint: str, texts: str, method: str, n_texts: int, _table: TextTable) -> AttributionPrice:
    """`api.price_report`."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.price_report(model, _table.texts, method, n_texts)


@st.cache_resource(max_entries=8, show_spinner=False)
def suspects(key: str, model: str, n_texts: int, _report: WordReport) -> SuspectWords:
    """`api.find_suspect_words`."""
    return api.find_suspect_words(_report)
