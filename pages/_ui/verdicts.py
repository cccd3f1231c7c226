"""The running verdict of several models on one axis: what they read, what they conclude, and who is left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer_core import settings
from explorer_core.errors import ExplorerError
from explorer_core.palette import POSITIVE, class_colors
from explorer_core.results import softmax
from explorer_core.text import Reading, split_words, visible
from pages._ui import cache, messages, state

_REDRAW_S = 0.4  # a chart is drawn again for every model, but not faster than this
_ASKED = "_reread_asked"


@dataclass(frozen=True)
class Verdict:
    """One model's reading of the text and its probabilities after every word, shape [word, class]."""

    info: cache.ModelInfo
    reading: Reading
    probs: np.ndarray


def draw(text: str, names: Sequence[str]) -> None:
    """Draw the chart and its table, each model as soon as it has answered; what is left out is said."""
    chart, table, left_out = st.empty(), st.empty(), []
    with chart.container():
        st.skeleton(height=330)
    drawn: list[Verdict] = []
    last_drawn = time.monotonic()
    infos, waiting = _split_by_cost([cache.model_info(name) for name in names], text)
    for info in infos:
        try:
            verdict = _read(info, text)
        except ExplorerError as error:
            left_out.append(f"{info.name}: {error}")
            continue
        reason = _misfit(verdict, drawn)
        if reason:
            left_out.append(reason)
            continue
        drawn.append(verdict)
        if time.monotonic() - last_drawn > _REDRAW_S and info is not infos[-1]:
            _draw_chart(chart, drawn)
            last_drawn = time.monotonic()
    if drawn:
        _draw_chart(chart, drawn)
        _draw_table(table, drawn)
    else:
        chart.empty()
    for sentence in left_out:
        st.warning(messages.plain(sentence))
    if waiting:
        _ask_to_reread(waiting, text)
    for note in dict.fromkeys(note for verdict in drawn for note in verdict.reading.notes):
        st.caption(messages.plain(note))


def target_class(labels: Sequence[str], chosen: str | None, probs: np.ndarray) -> int:
    """Class whose probability is drawn: the chosen one; else the positive of two, so that up always means the same;
    else the one the first model predicts.

    Args:
        labels: Names of the classes.
        chosen: A label, or `None`.
        probs: The first model's verdicts, shape [word, class].
    """
    if chosen in labels:
        return list(labels).index(str(chosen))
    if len(labels) == 2:
        return class_colors(labels).index(POSITIVE)
    return int(probs[-1].argmax())


def _read(info: cache.ModelInfo, text: str) -> Verdict:
    probs = softmax(cache.running(info.name, info.fingerprint, text))
    return Verdict(info, cache.reading(info.name, info.fingerprint, text), probs)


def _split_by_cost(infos: Sequence[cache.ModelInfo], text: str) -> tuple[list[cache.ModelInfo], list[cache.ModelInfo]]:
    """Models to read now, and those that would re-read every prefix of a long text and are asked for first."""
    n_words = len(split_words(text))
    if n_words <= settings.ASK_BEFORE_REREADING_WORDS or st.session_state.get(_ASKED) == text:
        return list(infos), []
    return [info for info in infos if not info.rereads], [info for info in infos if info.rereads]


def _ask_to_reread(waiting: Sequence[cache.ModelInfo], text: str) -> None:
    families = " and ".join(dict.fromkeys(info.family for info in waiting))
    st.info(
        f"{families} would read each of the {len(split_words(text)):,} beginnings of this text anew, which takes a "
        "while. Above are the networks that read it once."
    )

    def ask() -> None:
        st.session_state[_ASKED] = text

    st.button(f"Read it with {families} too", on_click=ask)


def _misfit(verdict: Verdict, drawn: Sequence[Verdict]) -> str:
    """Why a model cannot share the axis of the first one, or nothing."""
    if not drawn:
        return ""
    first = drawn[0]
    if verdict.info.labels != first.info.labels:
        return (
            f"{verdict.info.name} is not drawn: its classes are {', '.join(verdict.info.labels)[:100]}, those of "
            f"{first.info.name} are {', '.join(first.info.labels)[:100]}."
        )
    n_shared = min(len(verdict.reading.words), len(first.reading.words))
    if verdict.reading.words[:n_shared] != first.reading.words[:n_shared]:
        return f"{verdict.info.name} is not drawn: it reads this text as other words than {first.info.name}."
    return ""


def _draw_chart(place: DeltaGenerator, drawn: Sequence[Verdict]) -> None:
    from explorer_core.views import (
        _style,
        running_verdict,
    )  # plotly takes 0.3 s, which the first page does not wait for

    first = drawn[0]
    labels = first.info.labels
    target = target_class(labels, state.target(), first.probs)
    words = max((verdict.reading.words for verdict in drawn), key=len)
    lines = [
        running_verdict.VerdictLine(_line_name(verdict.info, drawn), verdict.info.architecture, verdict.probs)
        for verdict in drawn
    ]
    place.plotly_chart(
        running_verdict.render(lines, words, target=target, target_label=labels[target]),
        config=_style.CONFIG,
        alt=running_verdict.alt_text(lines, words, target=target, target_label=labels[target]),
    )


def _line_name(info: cache.ModelInfo, drawn: Sequence[Verdict]) -> str:
    """The family where that is enough, else the model's own name."""
    same = [verdict for verdict in drawn if verdict.info.family == info.family]
    return info.family if len(same) == 1 else info.name.removeprefix("starter-")


def _draw_table(place: DeltaGenerator, drawn: Sequence[Verdict]) -> None:
    from explorer_core.views.running_verdict import decision_point

    rows = [
        {
            "Model": verdict.info.name,
            "Verdict": verdict.info.labels[verdict.probs[-1].argmax()],
            "Probability": float(verdict.probs[-1].max()),
            "Decided at word": visible(verdict.reading.words[decision_point(verdict.probs)]),
        }
        for verdict in drawn
    ]
    place.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.3f")},
        alt="The verdict of each model over the whole text.",
    )
