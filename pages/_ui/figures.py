"""Figures on a page: one way to draw them, and what is said under each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer_core import registry
from pages._ui import messages


def chart(figure: Any, key: str | None, alt: str) -> None:
    """Draw a figure of `explorer_core.views`; its key lets the word strip find it."""
    from explorer_core.views import _style

    st.plotly_chart(figure, key=key, config=_style.CONFIG, alt=alt)


def how_to_read(view: str) -> None:
    """How to read a view, what it does not show, its formula and its source, from what the view says of itself."""
    extra = registry.describe("views")[view].extra
    small(extra["how"], extra["does_not_show"], extra.get("formula", ""), extra.get("source", ""))


def small(how: str, does_not_show: str, formula: str = "", source: str = "") -> None:
    """The two sentences under a picture, and on a second line its formula and source; each is shown as it stands."""
    leads = (("How to read this.", how), ("What it does not show.", does_not_show))
    lines = [leads, tuple((lead, text) for lead, text in (("Formula.", formula), ("Source.", source)) if text)]
    said = (" ".join(f"**{lead}** {messages.plain(text)}" for lead, text in line) for line in lines if line)
    st.caption("  \n".join(said))
