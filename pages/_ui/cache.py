"""Bounded caches over the front desk. Keys are plain values; a model's key includes the fingerprint of its weights."""

from __future__ import annotations

import functools
import gc
import importlib
import json
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer_core import api
from explorer_core.errors import JobError, NotFoundError
from explorer_core.text import Reading, read_text
from explorer_core.training.spec import DataSpec
from pages._ui import sources

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.corpus._index import StateIndex
    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.loaded import LoadedModel
    from explorer_core.results import (
        AttentionSummary,
        BiLstmHalves,
        GateSaturation,
        IndexPrice,
        LayerSimilarity,
        LayerVerdicts,
        LstmLedger,
        MemoryTrace,
        ModelCard,
        PatternMatches,
        RecurrentTrace,
        SimilarUnits,
        TransformerTrace,
        UnitCard,
        UnitOrder,
        UnitStep,
    )

HEAVY = threading.BoundedSemaphore(2)  # traces computed at the same time in this process
_WARM = threading.Event()
_WARMING = threading.Lock()
N_SIMILAR = 6  # units like one and against it; buttons in a row
_DELAY_S = 1.0  # the first page is on its way to the browser, and an import holds the interpreter
_COMPUTING = (
    "explorer_core.architectures._loading",
    "explorer_core.tracing.states",
    "explorer_core.tracing.running",
    "explorer_core.views.running_verdict",
)


_SCORING = ("sklearn.metrics", "scipy.optimize", "scipy.stats")  # what scores many texts


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
    return model_infos([name])[0]


def model_infos(names: Sequence[str]) -> list[ModelInfo]:
    """What is known of several ready models, from one look into the store.

    Raises:
        NotFoundError, JobError: As `model_info`, for the first that is not ready.
    """
    kept = api.list_models()
    done = (card for card in kept if card.status == "done")
    cards = {card.name: card for card in reversed((*done, *sources.opened(), *kept))}  # the first of a name stays
    return [_info(name, cards.get(name)) for name in names]


def _info(name: str, card: ModelCard | None) -> ModelInfo:
    if card is None:
        raise NotFoundError(f"There is no model named {name[:60]!r} here. Choose one in the sidebar, or train it.")
    if card.status != "done":
        raise JobError(f"The model {name} is not ready: its training is {card.status}. Choose another one.")
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


@st.cache_resource(max_entries=6, show_spinner=False)
def load(name: str, fingerprint: str) -> LoadedModel:
    """The network, shared by all sessions and never changed."""
    _settle()
    return api.load_model(name)


@st.cache_data(max_entries=64, max_size="256MB", show_spinner=False)
def trace(
    name: str, fingerprint: str, text: str, running: bool, _progress: api.Progress | None = None
) -> RecurrentTrace | TransformerTrace:
    """`api.trace_states` of a ready model; see there. With progress it is work in the background, which has a queue of
    its own and keeps nobody waiting.
    """
    model = load(name, fingerprint)
    with nullcontext() if _progress else HEAVY:
        return api.trace_states(model, text, running=running, progress=_progress)


@st.cache_data(max_entries=512, max_size="32MB", show_spinner=False)
def running(name: str, fingerprint: str, text: str) -> np.ndarray:
    """`api.running_verdict` of a ready model: logits after every word, shape [word, class]."""
    model = load(name, fingerprint)
    with HEAVY:
        return api.running_verdict(model, text)


@st.cache_resource(max_entries=2, show_spinner=False)  # not copied at every use: 75 MB for 512 tokens of 72 heads
def attention(name: str, fingerprint: str, text: str, _trace: TransformerTrace) -> AttentionSummary:
    """`api.summarise_attention` of the trace of a text; shared by all sessions and never changed."""
    return api.summarise_attention(_trace)


@st.cache_data(max_entries=16, max_size="128MB", show_spinner=False)
def layer_similarity(
    name: str, fingerprint: str, text: str, centred: bool, _trace: TransformerTrace
) -> LayerSimilarity:
    """`api.compare_layers` of the trace of a text."""
    return api.compare_layers(_trace, centred=centred)


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def layer_verdicts(name: str, fingerprint: str, text: str) -> LayerVerdicts:
    """`api.trace_layer_verdicts` of a ready model; see there."""
    model = load(name, fingerprint)
    with HEAVY:
        return api.trace_layer_verdicts(model, text)


@st.cache_data(max_entries=32, max_size="128MB", show_spinner=False)
def ledger(name: str, fingerprint: str, text: str, target: int, tanh_share: str) -> LstmLedger:
    """`api.lstm_ledger` of a ready model; see there."""
    model = load(name, fingerprint)
    with HEAVY:
        return api.lstm_ledger(model, text, target, tanh_share=tanh_share)


@st.cache_data(max_entries=128, max_size="32MB", show_spinner=False)
def halves(name: str, fingerprint: str, text: str, target: int) -> BiLstmHalves:
    """`api.trace_halves` of a ready model; see there."""
    model = load(name, fingerprint)
    with HEAVY:
        return api.trace_halves(model, text, target)


@st.cache_data(max_entries=256, max_size="32MB", show_spinner=False)
def reading(name: str, fingerprint: str, text: str) -> Reading:
    """The words and tokens a ready model reads in a text, without running it."""
    model = load(name, fingerprint)
    return read_text(model.tokenizer, text, model.max_tokens)


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def unit_order(
    name: str, fingerprint: str, text: str, running: bool, how: str, layer: int, direction: int, target: int
) -> UnitOrder:
    """`api.order_units` of a ready model's trace."""
    traced: Any = trace(name, fingerprint, text, running)
    return api.order_units(traced, how, layer=layer, direction=direction, target=target)


@st.cache_data(max_entries=64, max_size="16MB", show_spinner=False)
def saturation(name: str, fingerprint: str, text: str, running: bool) -> GateSaturation:
    """`api.gate_saturation` of a ready model's trace."""
    traced: Any = trace(name, fingerprint, text, running)
    return api.gate_saturation(traced)


@st.cache_data(max_entries=256, max_size="16MB", show_spinner=False)
def unit_step(
    name: str, fingerprint: str, text: str, running: bool, layer: int, direction: int, unit: int, word: int
) -> UnitStep:
    """`api.trace_unit_step` of a ready model's trace."""
    traced: Any = trace(name, fingerprint, text, running)
    model = load(name, fingerprint)
    return api.trace_unit_step(model, text, layer=layer, direction=direction, unit=unit, word=word, trace=traced)


@st.cache_data(max_entries=24, max_size="128MB", show_spinner=False)
def memory(name: str, fingerprint: str, text: str, swap: str) -> MemoryTrace:
    """`api.trace_memory` of a ready model; see there. It reads the text once for every word."""
    model = load(name, fingerprint)
    with HEAVY:
        return api.trace_memory(model, text, swap=swap)


# Over a corpus ------------------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=4, show_spinner="Reading the data")
def corpus_texts(source: str, options: str) -> LabelledTexts:
    """`api.read_data`; `options` as JSON. Shared by all sessions and never changed."""
    return api.read_data(DataSpec(source, json.loads(options)))


@st.cache_resource(max_entries=8, show_spinner=False)
def state_index(
    name: str, fingerprint: str, source: str, options: str, split: str, layer: int, direction: int, quantity: str
) -> StateIndex:
    """`api.open_index` of a ready model; mapped from disk and shared by all sessions.

    Raises:
        NotFoundError: If it was not built yet; asked again, it is looked for again.
    """
    model, texts = load(name, fingerprint), corpus_texts(source, options)
    return api.open_index(model, texts, split=split, layer=layer, direction=direction, quantity=quantity)


@st.cache_data(max_entries=64, show_spinner="Measuring what it costs")
def index_price(name: str, fingerprint: str, source: str, options: str, split: str) -> IndexPrice:
    """`api.price_index` of a ready model."""
    return api.price_index(load(name, fingerprint), corpus_texts(source, options), split=split)


@st.cache_data(max_entries=256, max_size="32MB", show_spinner=False)
def unit_card(key: str, unit: int, _index: StateIndex) -> tuple[UnitCard, SimilarUnits]:
    """`api.unit_card` and `api.similar_units` over an index of a key."""
    with HEAVY:
        return api.unit_card(_index, unit), api.similar_units(_index, unit, N_SIMILAR)


@st.cache_data(max_entries=64, max_size="32MB", show_spinner=False)
def pattern(
    key: str,
    text: str,
    span: tuple[int, int],
    threshold: float,
    off_before: bool,
    off_after: bool,
    _index: StateIndex,
    _trace: RecurrentTrace | TransformerTrace,
) -> PatternMatches:
    """`api.find_pattern` over an index of a key."""
    with HEAVY:
        return api.find_pattern(_index, _trace, span, threshold, off_before=off_before, off_after=off_after)


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


@functools.cache
def settle_scoring() -> None:
    """As `_settle`, for what scores many texts: to be called where such work begins, in the background."""
    for name in _SCORING:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
