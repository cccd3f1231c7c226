"""Texts that a page reads only with leave: very long ones, and those a model would read only in part."""

from __future__ import annotations

import time

import streamlit as st

from explorer_core import api, settings
from explorer_core.text import Reading
from pages._ui import cache, cache_gradients, messages, state, verdicts, widgets, work
from pages._ui.digest import short

ASK = "long_text_ask"  # key of the button
_ALLOWED = "long_texts"  # keys of what was read in this session
_SAMPLE_CHARS = 400  # walked back to say what all would cost
_PATIENCE_S = 1.5  # work that ends sooner shows no bar


def may_read(info: cache.ModelInfo, text: str) -> bool:
    """Whether a text may be read and walked back now: it is short and read whole, or it was asked for."""
    reading = cache.reading(info.name, info.fingerprint, text)
    if not _is_cut(reading) and len(reading.words) <= settings.ASK_BEFORE_WALKING_BACK_WORDS:
        return True
    key = _key(info, text)
    found = work.task(key)
    if found is not None and found.state == "done":
        st.session_state.setdefault(_ALLOWED, set()).add(key)
    return key in st.session_state.get(_ALLOWED, ())


def offer(info: cache.ModelInfo, text: str) -> None:
    """Say how long the text is, what would be cut and what it costs; once asked for, draw how far it is."""
    key = _key(info, text)
    if work.draw(key, patience_s=_PATIENCE_S):
        st.rerun()
    if not work.is_idle(key):
        return
    reading = cache.reading(info.name, info.fingerprint, text)
    n_read = len(reading.words)
    seconds = _token_s(info.name, info.fingerprint, text[:_SAMPLE_CHARS]) * len(reading.tokens)
    with st.container(border=True):
        st.markdown(
            f"{_what_is_cut(info, reading)} To read {'them' if n_read > 1 else 'it'} and to walk back takes about "
            f"{widgets.duration(seconds)} on this machine. Here you will see how strongly the verdict hangs on each "
            "word."
        )
        label = f"Read the first {n_read:,} words" if _is_cut(reading) else f"Read all {n_read:,} words"
        if st.button(label, key=ASK):
            with messages.guard():
                start(info, text)
            st.rerun()


def start(info: cache.ModelInfo, text: str) -> None:
    """Begin to read a text and to walk back through it in the background."""
    wish = state.target()
    cache.load(info.name, info.fingerprint)

    def read(progress: work.Progress) -> bool:
        progress(0.0)
        trace = cache.trace(info.name, info.fingerprint, text, not info.rereads)
        progress(0.4)
        target = verdicts.target_class(trace.labels, wish, trace.probs[None])
        cache_gradients.gradients(info.name, info.fingerprint, text, target)
        return True

    work.start(_key(info, text), f"{info.name} reads and walks back", read)


def wait(info: cache.ModelInfo, text: str, limit_s: float) -> bool:
    """Whether a text has been read, after waiting for it at most so long."""
    found = work.wait(_key(info, text), limit_s)
    return found is not None and found.state == "done"


def _is_cut(reading: Reading) -> bool:
    return bool(reading.truncated_words) or reading.is_last_word_cut


def _what_is_cut(info: cache.ModelInfo, reading: Reading) -> str:
    n_all = len(reading.words) + len(reading.truncated_words)
    if not _is_cut(reading):
        return f"**This text has {n_all:,} words.**"
    part = ", the last of them only in part" if reading.is_last_word_cut else ""
    rest = f"; the last {len(reading.truncated_words):,} would be left out" if reading.truncated_words else ""
    return (
        f"**{messages.plain(info.name)} cannot read all of this text.** It reads at most {len(reading.tokens):,} "
        f"tokens: the first {len(reading.words):,} of {n_all:,} words{part}{rest}. Shorten the text, choose another "
        "model, or read that much."
    )


@st.cache_data(max_entries=128, show_spinner=False)
def _token_s(name: str, fingerprint: str, sample: str) -> float:
    """Seconds this machine takes to read a token and to walk back over it, measured on the beginning of the text."""
    model = cache.load(name, fingerprint)
    api.trace_gradients(model, sample)  # the first call of a process pays for more than reading
    began = time.perf_counter()
    found = api.trace_gradients(model, sample)
    api.trace_states(model, sample, running=False)
    return (time.perf_counter() - began) / len(found.tokens)


def _key(info: cache.ModelInfo, text: str) -> str:
    return f"walk back {info.name} {info.fingerprint} {short(text)}"
