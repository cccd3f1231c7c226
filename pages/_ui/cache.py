"""Bounded caches over the front desk. Keys are plain values; a model's key includes the fingerprint of its weights."""

from __future__ import annotations

import functools
import gc
import importlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import JobError, NotFoundError
from explorer_core.text import Reading, read_text
from pages._ui import sources

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.loaded import LoadedModel
    from explorer_core.results import ModelCard, RecurrentTrace, TransformerTrace

_HEAVY = threading.BoundedSemaphore(2)  # traces computed at the same time in this process
_WARM = threading.Event()
_WARMING = threading.Lock()
_DELAY_S = 1.0  # the first page is on its way to the browser, and an import holds the interpreter
_COMPUTING = (
    "explorer_core.architectures._loading",
    "explorer_core.tracing.states",
    "explorer_core.tracing.running",
    "explorer_core.views.running_verdict",
)


@dataclass(frozen=True)
class ModelInfo:
    """What a page needs to know of a ready model before it is loaded.

    `family` is what a person sees; `kind` is `recurrent` or `transformer`; `rereads` says that a verdict after every
    word means reading every prefix anew.
    """

    name: str
    architecture: str
    family: str
    kind: str
    labels: tuple[str, ...]
    fingerprint: str
    rereads: bool
    notes: tuple[str, ...] = ()


def ready_cards() -> tuple[ModelCard, ...]:
    """Cards of the models that can be read now: finished runs, then folders and Hub models opened before."""
    return tuple(card for card in api.list_models() if card.status == "done") + sources.opened()


def model_info(name: str) -> ModelInfo:
    """What is known of a ready model, without importing torch.

    Raises:
        NotFoundError: If there is no such model.
        JobError: If it is still training, or its training did not finish.
    """
    for card in (*ready_cards(), *api.list_models()):
        if card.name == name and card.status == "done":
            about = next(about for about in api.list_families() if about.name == card.architecture)
            return ModelInfo(
                name=name,
                architecture=card.architecture,
                family=about.label,
                kind=about.extra["kind"],
                labels=card.labels,
                fingerprint=card.fingerprint,
                rereads=about.extra["kind"] == "transformer" or bool(about.extra.get("bidirectional")),
                notes=card.notes,
            )
        if card.name == name:
            raise JobError(f"The model {name} is not ready: its training is {card.status}. Choose another one.")
    raise NotFoundError(f"There is no model named {name[:60]!r} here. Choose one in the sidebar, or train it.")


@st.cache_resource(max_entries=6, show_spinner=False)
def load(name: str, fingerprint: str) -> LoadedModel:
    """The network, shared by all sessions and never changed."""
    _settle()
    return api.load_model(name)


@st.cache_data(max_entries=64, max_size="256MB", show_spinner=False)
def trace(name: str, fingerprint: str, text: str, running: bool) -> RecurrentTrace | TransformerTrace:
    """`api.trace_states` of a ready model; see there."""
    model = load(name, fingerprint)
    with _HEAVY:
        return api.trace_states(model, text, running=running)


@st.cache_data(max_entries=512, max_size="32MB", show_spinner=False)
def running(name: str, fingerprint: str, text: str) -> np.ndarray:
    """`api.running_verdict` of a ready model: logits after every word, shape [word, class]."""
    model = load(name, fingerprint)
    with _HEAVY:
        return api.running_verdict(model, text)


@st.cache_data(max_entries=256, max_size="32MB", show_spinner=False)
def reading(name: str, fingerprint: str, text: str) -> Reading:
    """The words and tokens a ready model reads in a text, without running it."""
    model = load(name, fingerprint)
    return read_text(model.tokenizer, text, model.max_tokens)


def is_warm() -> bool:
    """Whether the modules that compute are imported, so that a prediction no longer waits for them."""
    return _WARM.is_set()


def warm(wait_s: float = 0.0) -> None:
    """Import what computes in a background thread, a moment after the first page has gone out.

    Args:
        wait_s: Seconds to wait for the end of it, if it had begun before this call.
    """
    if _WARMING.acquire(blocking=False):
        thread = threading.Timer(_DELAY_S, _import_computing)
        thread.daemon = True
        thread.start()  # the lock is never let go: this is done once in a process
    else:
        _WARM.wait(wait_s)


def _import_computing() -> None:
    try:
        _settle()
    finally:
        _WARM.set()  # a failed import shows where a page needs it, as any other error


@functools.cache
def _settle() -> None:
    """Import what computes, and take it out of the garbage collector's rounds.

    Streamlit collects garbage after every run. With torch imported that walks half a million objects which live as
    long as the process, and holds the interpreter for 0.2 s just when the charts are on their way to the browser.
    """
    families = (f"explorer_core.architectures.{about.name}" for about in api.list_families())
    for name in (*_COMPUTING, *families):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
