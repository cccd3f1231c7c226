"""Bounded caches over what the front desk says of gradients; keys as in `cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import GradientTrace


@st.cache_data(max_entries=64, max_size="128MB", show_spinner=False)
def gradients(name: str, fingerprint: str, text: str, target: int) -> GradientTrace:
    """`api.trace_gradients` of the logit of a class of a ready model."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.trace_gradients(model, text, target)
