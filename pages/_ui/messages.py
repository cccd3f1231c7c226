"""Sentences for a person: errors, notices and what happened after a press. Text of others is data, never markup."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer_core import settings
from explorer_core.errors import ExplorerError
from explorer_core.text import visible

logger = logging.getLogger(__name__)

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:\"'=^@/])")
_MAX_CHARS = 700
_NOTICE = "_notice"
_NO_ROOM = {
    errno.ENOSPC: "The disk is full. Free some space, then try again.",
    errno.EDQUOT: "Your quota on the disk is used up. Free some space, then try again.",
    errno.EROFS: "The disk can only be read. Set UNROLLED_HOME to a folder that can be written.",
    errno.EACCES: "A file may not be written. Set UNROLLED_HOME to a folder that can be written.",
}
_BUG = (
    "Something went wrong that should not have: this is a bug in Unrolled, not in what you did. "
    "Nothing was lost. The log of the server has the details; reload the page to go on."
)


def plain(text: str) -> str:
    """The text so that Markdown shows it as it stands, on one line, with hidden characters as escapes."""
    flat = visible(" ".join(text.split()))
    cut = flat if len(flat) <= _MAX_CHARS else flat[: _MAX_CHARS - 1] + "…"
    return _MARKUP.sub(r"\\\1", cut)


def quoted(word: str, longest: int = 40) -> str:
    """A word or a label in quotes as Markdown, cut, and kept apart from the reading order of the sentence around it."""
    return f"“\u2068{plain(visible(word)[:longest])}\u2069”"


def show(error: BaseException) -> None:
    """Show an error: an `ExplorerError` as it stands, anything else as the bug it is, with the traceback in the log."""
    st.error(plain(sentence_of(error)))


def sentence_of(error: BaseException) -> str:
    """What a person reads of an error."""
    if isinstance(error, ExplorerError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return f"{_NO_ROOM[error.errno]} Unrolled keeps its files in {settings.home()}."
    logger.error("A page failed.", exc_info=error)
    return _BUG


@contextmanager
def guard() -> Iterator[None]:
    """Show what goes wrong inside the block; Streamlit's own way of stopping a script passes through."""
    try:
        yield
    except Exception as error:
        show(error)


def say(text: str, *, kind: str = "success") -> None:
    """Keep a sentence for the next run, which draws it once: for callbacks, which cannot draw.

    Args:
        text: The sentence; names inside it are shown as they stand.
        kind: `success`, `info`, `warning` or `error`.
    """
    st.session_state.setdefault(_NOTICE, []).append((kind, text))


@contextmanager
def guard_callback() -> Iterator[None]:
    """As `guard`, for a callback: the sentence is kept for the next run."""
    try:
        yield
    except Exception as error:
        say(sentence_of(error), kind="error")


def draw_notices() -> None:
    """Draw the sentences kept by `say`, and forget them."""
    for kind, text in st.session_state.pop(_NOTICE, []):
        getattr(st, kind)(plain(text))
