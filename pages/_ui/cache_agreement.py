"""Bounded caches over scores of many texts; keys as in `cache`, texts by the source they come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.training.spec import DataSpec
from pages._ui import cache

if TYPE_CHECKING:
    from explorer_core.datasets._rationales import RationaleColumns, RationaleTexts
    from explorer_core.results import AgreementMap, AttributionPrice, HumanAgreement


@st.cache_data(max_entries=16, max_size="64MB", ttl=3600, show_spinner="Reading the file")
def columns(options: str, column: str | None) -> RationaleColumns:
    """`api.rationale_columns` of a file."""
    return api.rationale_columns(DataSpec("local_file", json.loads(options)), column=column)


@st.cache_data(max_entries=16, max_size="128MB", ttl=3600, show_spinner="Reading the texts")
def rationales(source: str, options: str, column: str | None, kind: str, phenomenon: str) -> RationaleTexts:
    """`api.read_rationales`, of one phenomenon if one is named."""
    found = api.read_rationales(DataSpec(source, json.loads(options)), column=column, kind=kind)
    return found.only("phenomenon", phenomenon) if phenomenon else found


@st.cache_data(max_entries=64, max_size="1MB", show_spinner="Trying what this will cost")
def prices(
    name: str, fingerprint: str, texts: str, methods: tuple[str, ...], n_texts: int, _texts: tuple[str, ...]
) -> dict[str, AttributionPrice]:
    """`api.price_over_texts`; `texts` says in plain words which they are."""
    model = cache.load(name, fingerprint)
    with cache.HEAVY:
        return api.price_over_texts(model, _texts, methods, n_texts=min(n_texts, len(_texts)))


@st.cache_data(max_entries=24, max_size="128MB", show_spinner=False)
def human(
    name: str, fingerprint: str, texts: tuple[str, str, str | None, str, str], methods: tuple[str, ...], n_texts: int,
    target: str, only_right: bool, _progress: api.Progress | None = None,
) -> HumanAgreement:  # fmt: skip
    """`api.measure_human_agreement`; `texts` is what `rationales` takes."""
    return api.measure_human_agreement(
        cache.load(name, fingerprint), rationales(*texts), methods=methods, n_texts=n_texts, target=target,
        only_right=only_right, progress=_progress,
    )  # fmt: skip


@st.cache_data(max_entries=24, max_size="64MB", show_spinner=False)
def agreement(
    name: str, fingerprint: str, source: str, options: str, split: str, methods: tuple[str, ...], n_texts: int,
    _progress: api.Progress | None = None,
) -> AgreementMap:  # fmt: skip
    """`api.map_agreement` over the texts of a source."""
    data = cache.corpus_texts(source, options)
    return api.map_agreement(
        cache.load(name, fingerprint), data, methods=methods, n_texts=n_texts, split=split, progress=_progress
    )
