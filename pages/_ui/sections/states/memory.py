"""Memory of a recurrent network: what its gates promise to keep, and what is kept when words are swapped."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core import api, settings
from explorer_core.numerals import number
from explorer_core.results import MemoryTrace, RecurrentTrace
from explorer_core.text import split_words, visible
from pages._ui import cache, figures, inside, linked, reading, take_away, widgets, work
from pages._ui.look import Look

SECTION = {
    "label": "Memory",
    "question": "How long does it remember, and does it keep its promise?",
    "kinds": ("recurrent",),
    "order": 40,
}
UNITS, CASES = "states_memory_units", "states_memory_cases"
SWAP = "swap"  # key, and name in the address
SWAPS = {"unknown": "read as unknown", "drop": "dropped"}
MOST_CASES = 200
_SAMPLE_CHARS = 600  # read to say what all would cost


def draw(look: Look) -> None:
    """Promised against measured for every unit, the cases where they differ most, and what each word leaves."""
    trace = look.trace
    assert isinstance(trace, RecurrentTrace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, direction = inside.pick_layer(trace), inside.pick_direction(trace)
        swap = pick_swap()
        unit = inside.pick_unit(trace)
    memory = find_memory(look, swap)
    if memory is None:
        return
    st.markdown(sentence_of(memory, layer, direction, unit))
    draw_units(memory, layer, direction, unit)
    draw_words(memory, layer, direction, unit, look.target)
    take_away.offer(
        "memory", look, {"trace_memory": (memory, {"swap": swap})},
        figures=_figures(memory, layer, direction, unit, look.target),
    )  # fmt: skip


def pick_swap() -> str:
    """How a word is taken away."""
    return st.selectbox(
        "Each word is", list(SWAPS), key=SWAP, bind="query-params", width=180, format_func=SWAPS.__getitem__,
        help="Read as unknown: every token of the word becomes the unknown token, and all others keep their places. "
        "Dropped: the word is left out, and the text gets shorter.",
    )  # fmt: skip


def find_memory(look: Look, swap: str) -> MemoryTrace | None:
    """The memory trace: of a short text at once, of a longer one in the background when it was asked for."""
    n_words, limit = len(look.trace.words), settings.ASK_BEFORE_SWAPPING_WORDS
    if n_words <= limit and len(look.trace.tokens) <= 4 * limit:  # a word may be many tokens
        return cache.memory(*look.key, swap)
    key = "\0".join(("memory", *look.key, swap))
    found = work.draw(key)
    if found is None and work.is_idle(key):
        ask(look, swap, key)
    return found


def ask(look: Look, swap: str, key: str) -> None:
    """Say what it costs to read a long text again for every word, and offer it."""
    n_words, n_tokens = len(look.trace.words), len(look.trace.tokens)
    sample = _beginning(look.text, settings.ASK_BEFORE_SWAPPING_WORDS)
    sample_s, n_read = _sample_s(look.info.name, look.info.fingerprint, sample, swap)
    seconds = sample_s * n_words * n_tokens / n_read
    with st.container(border=True):
        st.markdown(
            f"To measure what is kept, each of the {n_words:,} words is swapped and the text read again. The cost "
            f"grows with the square of the length: about {widgets.duration(seconds)} on this machine. Here you will "
            "see, unit by unit, what the gates promise and what is left."
        )
        if st.button("Swap every word", key="states_memory_ask"):
            model, text = cache.load(look.info.name, look.info.fingerprint), look.text
            work.start(
                key,
                f"Reading the text {n_words:,} times",
                lambda progress: api.trace_memory(model, text, swap=swap, progress=progress),
            )
            st.rerun()


def _beginning(text: str, n_words: int) -> str:
    """The first words of a text, fewer where they are long."""
    ends = [end for _, end in split_words(text)[:n_words]]
    return text[: max([ends[0], *(end for end in ends if end <= _SAMPLE_CHARS)])]


@st.cache_data(max_entries=128, show_spinner=False)
def _sample_s(name: str, fingerprint: str, sample: str, swap: str) -> tuple[float, int]:
    """Seconds a short text takes on this machine, measured, and its words times its tokens."""
    model = cache.load(name, fingerprint)
    api.trace_memory(model, _beginning(sample, 3), swap=swap)  # the first call of a process pays for more than reading
    began = time.perf_counter()
    memory = api.trace_memory(model, sample, swap=swap)
    return time.perf_counter() - began, len(memory.words) * len(memory.tokens)


# In words -----------------------------------------------------------------------------------------------------------


def sentence_of(memory: MemoryTrace, layer: int, direction: int, unit: int) -> str:
    """What the numbers say, plainly: the middle unit, and the chosen one."""
    measured = memory.unit_measured[layer, direction]
    there = np.isfinite(measured)
    if not there.any():
        return (
            "Every word of this text is the unknown token already, so swapping changes nothing. "
            "Choose *dropped* to measure what is kept."
        )
    end = "start" if direction else "end"
    said = (
        f"Of the mark a word leaves on its {memory.state} state, the middle one of {len(measured)} units still holds "
        f"**{_percent(float(np.median(measured[there])))}** at the {end} of the text"
    )
    promised = memory.unit_promised
    if promised is None:
        said += ". A vanilla RNN has no gate that keeps: it promises nothing, so only the measurement is shown."
    else:
        n_more = int((measured[there] > promised[layer, direction][there]).sum())
        said += (
            f"; its {memory.keep_gate} gates promise **{_percent(float(np.median(promised[layer, direction][there])))}"
            f"**. {n_more} of {int(there.sum())} units keep more than they promise."
        )
    return f"{said} {_unit_sentence(memory, layer, direction, unit)}"


def _unit_sentence(memory: MemoryTrace, layer: int, direction: int, unit: int) -> str:
    """Half-life, horizon and both shares of the chosen unit."""
    measured = float(memory.unit_measured[layer, direction, unit])
    is_there = np.isfinite(measured)
    if memory.half_life is None or memory.unit_promised is None:
        return f"Unit {unit} keeps {_percent(measured)}." if is_there else f"No word changes unit {unit}."
    half_life = float(memory.half_life[layer, direction, unit])
    horizons = memory.horizon()
    assert horizons is not None
    horizon = int(horizons[layer, direction, unit])
    far = (
        "at least half of every word is promised, so its horizon is longer than this text"
        if horizon == len(memory.words)
        else f"less than half is promised from {horizon} {'word' if horizon == 1 else 'words'} back on"
    )
    kept = (
        f" It keeps {_percent(measured)} where {_percent(float(memory.unit_promised[layer, direction, unit]))} "
        "is promised."
        if is_there
        else ""
    )
    return f"Unit {unit} has a half-life of {number(half_life)} tokens; on this text {far}.{kept}"


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"


# Pictures -----------------------------------------------------------------------------------------------------------


def draw_units(memory: MemoryTrace, layer: int, direction: int, unit: int) -> None:
    """The main picture: every unit's promise and measurement, and the cases that differ most."""
    from explorer_core.views import _style, memory_units

    place = {"layer": layer, "direction": direction, "unit": unit}
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Every unit: promised and measured" if memory.keep_gate else "#### Every unit, measured")
        measured = memory.unit_measured[layer, direction]
        st.plotly_chart(
            memory_units.render(memory, **place),
            key=UNITS,
            config=_style.CONFIG,
            alt=memory_units.alt_text(memory, **place),
            selection_mode="points",
            on_select=functools.partial(_choose_dot, np.flatnonzero(np.isfinite(measured)).tolist()),
        )
    with right:
        title = "Farthest from the promise" if memory.keep_gate else "Where most is kept"
        st.markdown(f"#### {title}")
        draw_cases(memory, layer, direction)
    figures.how_to_read("memory_units")


def draw_cases(memory: MemoryTrace, layer: int, direction: int) -> None:
    """Words and units where what is left is farthest from the promise, both numbers beside each other."""
    import pandas as pd  # a quarter of a second that the first page does not need

    words, units = memory.farthest_from_promise(layer, direction, MOST_CASES)
    if not len(words):
        st.caption("No word changes any unit when it is swapped.")
        return
    frame = pd.DataFrame(
        {"Place": words + 1, "Word": [visible(memory.words[word])[:60] for word in words], "Unit": units}
    )
    share = st.column_config.NumberColumn
    columns = {
        "Place": share(width=55, help="Place of the word in the text, from 1."),
        "Word": st.column_config.TextColumn(width=85),
        "Unit": share(width=55),
        "Measured": share(format="%.1f %%", width=80, help="Change at the end over change right at the word."),
    }
    if memory.promised_kept is not None:
        frame["Promised"] = 100 * memory.promised_kept[layer, direction][words, units]
        columns["Promised"] = share(format="%.1f %%", width=80, help="Product of the keep gates after the word.")
    frame["Measured"] = 100 * memory.measured_kept[layer, direction][words, units]
    st.dataframe(
        frame,
        hide_index=True,
        height=400,
        key=CASES,
        column_config=columns,
        selection_mode="single-row",
        on_select=functools.partial(_choose_case, words.tolist(), units.tolist(), memory.words),
        alt="Words and units whose measured memory is farthest from the promised one.",
    )
    ranked = "by how far the change at the end is from the promised one" if memory.keep_gate else "by the share kept"
    st.caption(
        f"Ranked {ranked}; only where a word changes the unit by at least a tenth of its largest change. Choose a row "
        "to follow its word and unit."
    )
    linked.tell("states_memory_word", reading.GROUP, memory.words, word=reading_word(memory))


def reading_word(memory: MemoryTrace) -> int | None:
    """The word chosen in this text, by whatever element."""
    return linked.chosen_word(reading.GROUP, memory.words)


def draw_words(memory: MemoryTrace, layer: int, direction: int, unit: int, target: int) -> None:
    """What each word leaves at the end, in state and verdict, and what the chosen unit keeps of it."""
    from explorer_core.views import memory_unit, memory_words

    place = {"layer": layer, "direction": direction, "unit": unit}
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### What each word leaves")
        figures.chart(
            memory_words.render(memory, target=target), reading.MEMORY_WORDS,
            memory_words.alt_text(memory, target=target),
        )  # fmt: skip
        figures.how_to_read("memory_words")
    with right:
        st.markdown(f"#### What unit {unit} keeps of each word")
        figures.chart(memory_unit.render(memory, **place), reading.MEMORY_UNIT, memory_unit.alt_text(memory, **place))
        figures.how_to_read("memory_unit")


def _figures(memory: MemoryTrace, layer: int, direction: int, unit: int, target: int) -> take_away.Figures:
    """What draws each picture, for the bundle."""
    from explorer_core.views import memory_unit, memory_units, memory_words

    place = {"layer": layer, "direction": direction, "unit": unit}
    return {
        "memory_units": functools.partial(memory_units.render, memory, **place),
        "memory_words": functools.partial(memory_words.render, memory, target=target),
        "memory_unit": functools.partial(memory_unit.render, memory, **place),
    }


def _choose_dot(units: Sequence[int]) -> None:
    """Follow the unit whose dot was clicked; the dots are the figure's first trace."""
    said = st.session_state.get(UNITS)
    for point in said["selection"]["points"] if said else ():
        index = linked.as_index(point.get("point_index"), len(units))
        if point.get("curve_number") == 0 and index is not None:
            st.session_state[inside.UNIT] = units[index]


def _choose_case(words: Sequence[int], units: Sequence[int], text: Sequence[str]) -> None:
    """Follow the word and the unit of the chosen row."""
    said = st.session_state.get(CASES)
    for row in said["selection"]["rows"] if said else ():
        index = linked.as_index(row, len(words))
        if index is not None:
            st.session_state[inside.UNIT] = units[index]
            linked.choose_word(reading.GROUP, text, words[index])
