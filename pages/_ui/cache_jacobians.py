"""Bounded caches over what the front desk says of Jacobians and connectivity; keys as in `cache`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import Connectivity, JacobianTrace

SEED = 0  # of the untrained twin: that of every starter, so that its twin is the network its training began from


@st.cache_data(max_entries=256, max_size="64MB", show_spinner=False)
def jacobians(
    name: str, fingerprint: str, text: str, target: int, layer: int, direction: int, norm: str
) -> JacobianTrace:
    """`api.trace_jacobians` of a ready model, without its spectrum."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.trace_jacobians(
            model, text, layer=layer, direction=direction, norm=norm, target=target, spectrum=False
        )


@st.cache_data(max_entries=256, max_size="64MB", show_spinner=False)
def untrained(
    name: str, fingerprint: str, text: str, target: int, layer: int, direction: int, norm: str
) -> JacobianTrace:
    """`api.trace_untrained_jacobians` of a ready model; the twin itself is kept by the core."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.trace_untrained_jacobians(
            model, text, seed=SEED, layer=layer, direction=direction, norm=norm, target=target
        )


@st.cache_data(max_entries=32, max_size="256MB", show_spinner=False)
def connectivity(
    name: str, fingerprint: str, text: str, target: int, _progress: api.Progress | None = None
) -> Connectivity:
    """`api.trace_connectivity` of a ready model. With progress it is work in the background, which has a queue of its
    own and keeps nobody waiting.
    """
    model = cache.load(name, fingerprint)
    with nullcontext() if _progress else cache.HEAVY:
        return api.trace_connectivity(model, text, target, _progress)
