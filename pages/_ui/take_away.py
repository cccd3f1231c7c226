"""Take results away: every array and every table, made only when asked for."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import streamlit as st

from explorer_core.results import Exportable
from pages._ui.look import Look


def offer(key: str, look: Look, made: Mapping[str, Exportable]) -> None:
    """Buttons for what a section shows.

    Args:
        key: Start of the keys of the buttons, and end of the files' names.
        look: What was looked at.
        made: Results by the call of the front desk that made them.
    """
    stem = f"{look.info.name.replace('/', '-')}-{key}"
    result = next(iter(made.values()))
    with st.container(horizontal=True):
        st.download_button("Arrays (npz)", lambda: npz(result), f"{stem}.npz", on_click="ignore", key=f"{key}_npz",
                           help="Every array with its words and tokens, in float32.")  # fmt: skip
        st.download_button("Table (CSV)", lambda: csv(result), f"{stem}.csv", "text/csv", on_click="ignore",
                           key=f"{key}_csv", help="One row for each smallest thing.")  # fmt: skip


def npz(result: Exportable) -> bytes:
    """Every array of a result."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **result.arrays())  # type: ignore[arg-type]
    return buffer.getvalue()


def csv(result: Exportable) -> bytes:
    """The table of a result."""
    return result.to_frame().to_csv(index=False).encode("utf-8", "replace")
