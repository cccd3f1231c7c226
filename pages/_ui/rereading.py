"""Reading every beginning of a long text anew: what a running verdict costs a BERT or a BiLSTM, and leave to pay it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api, settings
from explorer_core.text import split_words
from pages._ui import cache, messages, widgets, work
from pages._ui.digest import short

if TYPE_CHECKING:
    import numpy as np

ASK = "reread_ask"  # key of the button
_LONG_WORD_CHARS = 20  # with its blank; words longer than this on average may be many tokens each
_READ = "reread"  # keys of what was read in this session


def is_costly(info: cache.ModelInfo, text: str) -> bool:
    """Whether the verdict after every word of this text is asked for first."""
    limit = settings.ASK_BEFORE_REREADING_WORDS
    return info.rereads and (len(text) > _LONG_WORD_CHARS * limit or len(split_words(text)) > limit)


def may_read(info: cache.ModelInfo, text: str) -> bool:
    """Whether the verdict after every word may be read now: it is cheap, or was read in the background."""
    if not is_costly(info, text):
        return True
    key = _key(info, text)
    found = work.task(key)
    if found is not None and found.state == "done":
        st.session_state.setdefault(_READ, set()).add(key)
    return key in st.session_state.get(_READ, ())


def logits(info: cache.ModelInfo, text: str) -> np.ndarray:
    """Logits after every word, shape [word, class], from the cache that background work fills."""
    if is_costly(info, text):
        by_word = cache.trace(info.name, info.fingerprint, text, True).running_logits_by_word
        assert by_word is not None  # it was asked for
        return by_word
    return cache.running(info.name, info.fingerprint, text)


def offer(waiting: Sequence[cache.ModelInfo], text: str) -> None:
    """Say what the running verdict of these models costs and offer it; once asked for, draw how far it is."""
    keys = [_key(info, text) for info in waiting]
    for key in keys:
        if work.draw(key):
            st.rerun()
    idle = [info for info, key in zip(waiting, keys, strict=True) if work.is_idle(key)]
    if not idle:
        return
    n_words = max(len(cache.reading(info.name, info.fingerprint, text).words) for info in idle)
    seconds = sum(_reading_s(info.name, info.fingerprint, text) for info in idle) * n_words / 2  # half as long each
    families = " and ".join(dict.fromkeys(info.family for info in idle))
    with st.container(border=True):
        st.markdown(
            f"For a verdict after every word, {messages.plain(families)} must read all {n_words:,} beginnings of this "
            f"text anew: about {widgets.duration(seconds)} on this machine."
        )
        if st.button("Read every beginning", key=ASK):
            with messages.guard():
                for info in idle:
                    start(info, text)
            st.rerun()


def start(info: cache.ModelInfo, text: str) -> None:
    """Begin to read every beginning of a text in the background."""
    cache.load(info.name, info.fingerprint)

    def read(progress: work.Progress) -> bool:
        cache.trace(info.name, info.fingerprint, text, True, _progress=progress)
        return True

    work.start(_key(info, text), f"{info.name} reads every beginning", read)


def wait(info: cache.ModelInfo, text: str, limit_s: float) -> bool:
    """Whether every beginning of a text has been read, after waiting for it at most so long."""
    found = work.wait(_key(info, text), limit_s)
    return found is not None and found.state == "done"


@st.cache_data(max_entries=128, show_spinner=False)
def _reading_s(name: str, fingerprint: str, text: str) -> float:
    """Seconds this machine takes to read the text once, measured."""
    model = cache.load(name, fingerprint)
    api.predict(model, [text])  # the first call of a process pays for more than reading
    began = time.perf_counter()
    api.predict(model, [text])
    return time.perf_counter() - began


def _key(info: cache.ModelInfo, text: str) -> str:
    return f"reread {info.name} {info.fingerprint} {short(text)}"
