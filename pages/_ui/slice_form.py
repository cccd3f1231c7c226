"""Which slice of the judged texts is meant: small controls in one row, all in the address."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer_core import api
from explorer_core.results import Judgement, TextSlice, TextTable
from explorer_core.text import visible
from pages._ui import score_table

KEYS = ("slice_column", "slice_value", "slice_length", "slice_words", "slice_label", "slice_predicted", "slice_right")
_RIGHT = {"right": True, "wrong": False}


def draw(key: str, table: TextTable, labels: Sequence[str], *, has_labels: bool) -> api.SliceSpec:
    """The controls; what is left empty allows every text.

    Args:
        key: Of what is sliced.
        table: The texts.
        labels: Classes of the models.
        has_labels: Whether texts have a label that is one of them.
    """
    wanted: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        lengths = {f"{low:,} to {high:,}": (low, high) for low, high in _choices(key, table, "")["lengths"]}
        length = _pick("Words in text", list(lengths), "slice_length", 130)
        if length:
            wanted["min_words"], wanted["max_words"] = lengths[length]
        typed = st.text_input(
            "Contains", key="slice_words", bind="query-params", width=170, placeholder="words, with commas",
            help="Whole words, all of which are in the text; case is ignored.",
        )  # fmt: skip
        wanted["words"] = tuple(word.strip() for word in (typed or "").split(",") if word.strip())[:20]
        if has_labels:
            wanted["label"] = _pick("Label", list(labels), "slice_label", 125)
        wanted["predicted"] = _pick("Verdict", list(labels), "slice_predicted", 125)
        if has_labels:
            right = _pick("The verdict is", list(_RIGHT), "slice_right", 115)
            wanted["right"] = _RIGHT[right] if right else None
        if table.columns:
            column = _pick("Other column", list(table.columns), "slice_column", 170)
            if column:
                wanted |= _pick_value(column, _choices(key, table, column))
    return api.SliceSpec(**wanted)


def _pick_value(column: str, choices: dict[str, Any]) -> dict[str, Any]:
    """What the column holds: a range of many different numbers, else one of its values."""
    ranges = {f"{low:.12g} to {high:.12g}": (low, high) for low, high in choices["ranges"]}
    values = {} if ranges else dict(choices["values"])
    shown = {name: f"{visible(name)[:60]} ({count:,})" for name, count in values.items()}
    value = _pick("holds", [*ranges, *values], "slice_value", 170, shown)
    if not value:
        return {}
    return {"column": column} | (dict(zip(("low", "high"), ranges[value], strict=True)) if ranges else {"value": value})


def as_json(spec: api.SliceSpec) -> str:
    """A slice as the key of caches."""
    return json.dumps(dataclasses.asdict(spec), sort_keys=True)


@st.cache_resource(max_entries=24, show_spinner=False)
def select(key: str, model: str, spec: str, _judged: Judgement) -> TextSlice:
    """`api.select_texts`, kept."""
    return api.select_texts(_judged, spec_of(spec), model=model)


def spec_of(wanted: str) -> api.SliceSpec:
    """A slice from `as_json`."""
    found = json.loads(wanted)
    return api.SliceSpec(**found | {"words": tuple(found["words"])})


def fares(found: TextSlice) -> str:
    """Accuracy of the slice beside that of all, as HTML."""
    rows = [
        (
            score_table.name(name),
            score_table.ranged(float(found.accuracy[place]), *map(float, found.interval[place])),
            score_table.ranged(float(found.all_accuracy[place]), *map(float, found.all_interval[place])),
        )
        for place, name in enumerate(found.models)
    ]
    head = ("accuracy", f"on these {found.n_labelled:,}", f"on all {found.n_all_labelled:,}")
    return score_table.table(head, rows)


@st.cache_resource(max_entries=24, show_spinner=False)
def _choices(key: str, _table: TextTable, column: str) -> dict[str, Any]:
    return api.slice_choices(_table, column or None)


def _pick(label: str, options: list[str], key: str, width: int, names: dict[str, str] | None = None) -> str | None:
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # of another file
    shown = names or {}
    return st.selectbox(
        label, options, index=None, key=key, bind="query-params", width=width, placeholder="any",
        format_func=lambda one: shown.get(one, one),
    )  # fmt: skip
