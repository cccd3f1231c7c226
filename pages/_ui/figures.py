"""Figures on a page: one way to draw them, and what is said under each."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from explorer_core import registry
from explorer_core.results import Exportable, RecurrentTrace, TransformerTrace
from pages._ui import messages
from pages._ui.look import Look

_STYLE = (
    "<style>details.more{font-size:.875rem;opacity:.75;margin-top:-.75rem}details.more summary{cursor:pointer}"
    "details.more p{margin:.3rem 0 0}</style>"
)


def chart(figure: Any, key: str | None, alt: str) -> None:
    """Draw a figure of `explorer_core.views`; its key lets the word strip find it."""
    from explorer_core.views import _style

    st.plotly_chart(figure, key=key, config=_style.CONFIG, alt=alt)


def has_verdict(trace: RecurrentTrace | TransformerTrace) -> bool:
    """Whether a trace was read with its running verdict."""
    return trace.running_logits is not None


def kept(view: str, look: Look, source: Exportable, **arguments: int) -> Any:
    """A figure of a view over the text looked at, kept: most clicks change one figure of several."""
    return _kept(view, *look.key, has_verdict(look.trace), tuple(sorted(arguments.items())), source)


@st.cache_resource(max_entries=64, show_spinner=False)
def _kept(
    view: str, name: str, fingerprint: str, text: str, running: bool, arguments: tuple[tuple[str, int], ...],
    _source: Exportable,
) -> Any:  # fmt: skip
    return registry.load("views", view).render(_source, **dict(arguments))


def how_to_read(view: str) -> None:
    """How to read a view, what it does not show, its formula and its source, from what the view says of itself."""
    extra = registry.describe("views")[view].extra
    small(extra["how"], extra["does_not_show"], extra.get("formula", ""), extra.get("source", ""))


def small(how: str, does_not_show: str, formula: str = "", source: str = "") -> None:
    """The two sentences under a picture, and its formula and source one click away; each is shown as it stands."""
    st.caption(
        f"**How to read this.** {messages.plain(how)} **What it does not show.** {messages.plain(does_not_show)}"
    )
    more = (("Formula", formula), ("Source", source))
    lines = "".join(f"<p><b>{name}.</b> {html.escape(said)}</p>" for name, said in more if said)
    if lines:
        names = " and ".join(name.lower() for name, said in more if said).capitalize()
        st.html(f"{_STYLE}<details class='more'><summary>{names}</summary>{lines}</details>")
