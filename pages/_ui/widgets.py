"""Controls drawn from data: a knob knows its bounds, a model card its facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.params import Knob
from explorer_core.results import ModelCard

MAX_SHOWN_LABELS = 6


def knob(spec: Knob, *, key: str, default: Any = None, bind: bool = False) -> Any:
    """Draw one knob with its own bounds and return its value.

    Args:
        spec: What to draw.
        key: Key of the widget.
        default: Value to begin with instead of the knob's own.
        bind: Whether the address carries it, under the key.
    """
    value = spec.default if default is None else default
    more: dict[str, Any] = {"key": key, "bind": "query-params" if bind else None}
    if spec.choices and set(spec.choices) == {False, True}:
        return st.toggle(spec.label, value=value, help=spec.help, **more)
    if spec.choices:
        return st.selectbox(spec.label, spec.choices, index=spec.choices.index(value), help=spec.help, **more)
    kind = int if isinstance(spec.default, int) else float
    return st.number_input(
        spec.label,
        min_value=kind(spec.low),  # type: ignore[arg-type]
        max_value=kind(spec.high),  # type: ignore[arg-type]
        value=kind(value),
        step=kind(spec.step or 1),
        format=None if kind is int else "%g",
        help=f"{spec.help} {spec.low:,g} to {spec.high:,g}.",
        **more,
    )


def model_table(cards: Sequence[ModelCard]) -> None:
    """One row for each model; cells show text as it stands."""
    import pandas as pd  # a quarter of a second that the first page does not need

    families = {about.name: about.label for about in api.list_families()}
    rows = [
        {
            "Model": card.name,
            "Status": "ready" if card.status == "done" else card.status,
            "Family": families.get(card.architecture, card.architecture),
            "Classes": _labels(card.labels),
            "Accuracy": card.metrics.get("accuracy"),
            "MiB": card.size_mib,
            "Made (UTC)": card.created[:10],
            "Learned from": card.trained_on,
        }
        for card in cards
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Accuracy": st.column_config.NumberColumn(format="%.3f", help="On the validation rows, 0 to 1."),
            "MiB": st.column_config.NumberColumn(format="%.1f", help="All its files on disk."),
        },
        placeholder="–",
        alt="The models on this machine.",
    )


def facts(card: ModelCard) -> str:
    """Size and metrics of a finished model in one line."""
    names = {"accuracy": "accuracy", "macro_f1": "macro F1", "loss_nats": "loss (nats)"}
    found = [f"{label} {number(card.metrics[name])}" for name, label in names.items() if name in card.metrics]
    where = " on the validation rows" if found else ""
    return f"{card.n_params:,} parameters" + (f"; {', '.join(found)}{where}" if found else "") + "."


def _labels(labels: Sequence[str]) -> str:
    more = len(labels) - MAX_SHOWN_LABELS
    return ", ".join(labels[:MAX_SHOWN_LABELS]) + (f" and {more} more" if more > 0 else "")


def duration(seconds: float | None) -> str:
    """A span of time as a person says it, such as `40 s`, `3 min` or `1 h 20 min`."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
