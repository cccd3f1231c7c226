"""Figures on a page: one way to draw them, and the two sentences that go under each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer_core import registry


def chart(figure: Any, key: str | None, alt: str) -> None:
    """Draw a figure of `explorer_core.views`; its key lets the word strip find it."""
    from explorer_core.views import _style

    st.plotly_chart(figure, key=key, config=_style.CONFIG, alt=alt)


def how_to_read(view: str) -> None:
    """One sentence on how to read a view and one on what it does not show, from what the view says of itself."""
    about = registry.describe("views")[view]
    small(about.extra["how"], about.extra["does_not_show"])


def small(how: str, does_not_show: str) -> None:
    """The two sentences under a picture; both are ours, not a person's."""
    st.caption(f"**How to read this.** {how} **What it does not show.** {does_not_show}")
