"""Edits between two texts as HTML: words taken out struck through, words put in underlined."""

from __future__ import annotations

import html

from explorer_core.edits import IN, OUT, word_edit
from explorer_core.text import visible

MOST_CHARS = 6_000
_STYLE = (
    "<style>.edit{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6;font-size:1.05rem;margin:.2rem 0 .6rem}"
    ".edit del{text-decoration:line-through;color:light-dark(#a34400,#ff9d5c);margin-right:.15em}"
    ".edit ins{text-decoration:underline;text-underline-offset:.18em;color:light-dark(#0a5fa8,#6cb8ff)}</style>"
)
_TAGS = {OUT: "del", IN: "ins"}


def inline(first: str, second: str) -> str:
    """The second text as an edit of the first; every character of theirs is text, never markup."""
    parts = []
    for piece in word_edit(first[:MOST_CHARS], second[:MOST_CHARS]):
        shown, tag = _shown(piece.text), _TAGS.get(piece.kind)
        parts.append(shown if tag is None else f"<{tag}>{shown}</{tag}>")
    cut = " …" if max(len(first), len(second)) > MOST_CHARS else ""
    return f"{_STYLE}<div class='edit' dir='auto'>{''.join(parts)}{cut}</div>"


def whole(text: str) -> str:
    """One text as it stands."""
    cut = " …" if len(text) > MOST_CHARS else ""
    return f"{_STYLE}<div class='edit' dir='auto'>{_shown(text[:MOST_CHARS])}{cut}</div>"


def _shown(text: str) -> str:
    """Lines stay lines; other hidden characters become escapes."""
    return "\n".join(html.escape(visible(line)) for line in text.replace("\t", " ").split("\n"))
