"""Bounded caches over what the front desk says of gradients; keys as in `cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer_core import api, registry
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.results import GradientStep, GradientTrace


@st.cache_data(max_entries=64, max_size="128MB", show_spinner=False)
def gradients(name: str, fingerprint: str, text: str, target: int, of: str = "logit") -> GradientTrace:
    """`api.trace_gradients` of the logit of a class of a ready model, or of the loss with that class as its label."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        if of == "loss":
            return api.trace_gradients(model, text, of=of, label=target)
        return api.trace_gradients(model, text, target)


@st.cache_data(max_entries=256, max_size="16MB", show_spinner=False)
def gradient_step(
    name: str, fingerprint: str, text: str, running: bool, target: int, of: str, layer: int, direction: int, unit: int,
    word: int,
) -> GradientStep:  # fmt: skip
    """`api.trace_gradient_step` of a ready model, from its trace and gradients."""
    traced: Any = cache.trace(name, fingerprint, text, running)
    found = gradients(name, fingerprint, text, target, of)
    model = cache.load(name, fingerprint)
    return api.trace_gradient_step(
        model, text, layer=layer, direction=direction, unit=unit, word=word, trace=traced, gradients=found
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def figure(
    view: str, name: str, fingerprint: str, text: str, target: int, of: str, layer: int, direction: int,
    _source: GradientTrace,
) -> Any:  # fmt: skip
    """The figure of a view over the gradients of a text, kept: most clicks change none."""
    return registry.load("views", view).render(_source, layer=layer, direction=direction)
