"""The running verdict of several models on one axis: what they read, what they conclude, and who is left out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer_core.errors import ExplorerError, IncompatibleError
from explorer_core.palette import POSITIVE, class_colors, family_label
from explorer_core.results import softmax
from explorer_core.text import visible
from pages._ui import cache, figures, messages, rereading, state

_REDRAW_S = 0.4  # a chart is drawn again for every model, but not faster than this


@dataclass(frozen=True)
class Reader:
    """A model, and the words it reads in the text with what is to be said of them."""

    name: str
    architecture: str
    labels: tuple[str, ...]
    words: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One model's logits after every word of the text, shape [word, class]."""

    reader: Reader
    logits: np.ndarray

    @property
    def probs(self) -> np.ndarray:
        """Probabilities after every word, shape [word, class]."""
        return softmax(self.logits)


def draw(text: str, names: Sequence[str]) -> None:
    """Draw the chart and its table, each model as soon as it has answered; what is left out is said."""
    chart, table, left_out = st.empty(), st.empty(), []
    with chart.container():
        st.skeleton(height=330)
    drawn: list[Verdict] = []
    last_drawn = time.monotonic()
    chosen = cache.model_infos(names)
    infos = [info for info in chosen if rereading.may_read(info, text)]
    waiting = [info for info in chosen if info not in infos]
    for found in read_each(infos, text):
        if isinstance(found, str):
            left_out.append(found)
            continue
        drawn.append(found)
        if time.monotonic() - last_drawn > _REDRAW_S and found.reader.name != infos[-1].name:
            _draw_over(chart, drawn)
            last_drawn = time.monotonic()
    if drawn:
        _draw_over(chart, drawn)
        _draw_table(table, drawn)
    else:
        chart.empty()
    for sentence in left_out:
        st.warning(messages.plain(sentence))
    if waiting:
        rereading.offer(waiting, text)
    for note in dict.fromkeys(note for verdict in drawn for note in verdict.reader.notes):
        st.caption(messages.plain(note))


def read_each(infos: Sequence[cache.ModelInfo], text: str, first: Reader | None = None) -> Iterator[Verdict | str]:
    """The verdict of each model as soon as it has answered, or the sentence why it is not drawn.

    Args:
        infos: The models.
        text: What they read.
        first: Whose classes and words are on the axis; else those of the first model that answers.
    """
    for info in infos:
        try:
            reading = cache.reading(info.name, info.fingerprint, text)
            reader = Reader(info.name, info.architecture, info.labels, reading.words, reading.notes)
            if first is not None:
                _check_fits(reader, first)
            verdict = Verdict(reader, rereading.logits(info, text))
        except ExplorerError as error:
            yield f"{info.name} is not drawn. {error}"
            continue
        first = first or reader
        yield verdict


def draw_lines(
    drawn: Sequence[Verdict], target: int, key: str | None = None, *, quantity: str = "prob", classes: str = "target"
) -> None:
    """Draw the verdicts of one or more models, all on the axis of the first; see `running_verdict.render`."""
    from explorer_core.views import running_verdict  # plotly takes 0.3 s, which the first page does not wait for

    words = max((verdict.reader.words for verdict in drawn), key=len)  # one model may read further than another
    labels = drawn[0].reader.labels
    lines = [
        running_verdict.VerdictLine(name, verdict.reader.architecture, verdict.probs, verdict.logits)
        for name, verdict in zip(line_names([one.reader for one in drawn]), drawn, strict=True)
    ]
    shown: dict[str, Any] = {
        "target": target,
        "target_label": visible(labels[target])[:60],
        "quantity": quantity,
        "classes": classes,
        "labels": labels,
    }
    figures.chart(running_verdict.render(lines, words, **shown), key, running_verdict.alt_text(lines, words, **shown))


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


def _check_fits(reader: Reader, first: Reader) -> None:
    """Refuse a model that cannot share the axis of the first one."""
    if reader.labels != first.labels:
        raise IncompatibleError(
            f"Its classes are {', '.join(reader.labels)[:100]}, those of {first.name} are "
            f"{', '.join(first.labels)[:100]}."
        )
    n_shared = min(len(reader.words), len(first.words))
    if reader.words[:n_shared] != first.words[:n_shared]:
        raise IncompatibleError(f"It reads this text as other words than {first.name}.")


def line_names(models: Sequence[Reader | cache.ModelInfo]) -> list[str]:
    """What each model is called in a picture: the family where that is enough, else the model's own name."""
    families = [family_label(model.architecture) for model in models]
    return [
        family if families.count(family) == 1 else model.name.removeprefix("starter-")
        for family, model in zip(families, models, strict=True)
    ]


def _draw_over(place: DeltaGenerator, drawn: Sequence[Verdict]) -> None:
    first = drawn[0]
    with place:
        draw_lines(drawn, target_class(first.reader.labels, state.target(), first.probs))


def _draw_table(place: DeltaGenerator, drawn: Sequence[Verdict]) -> None:
    import pandas as pd  # a quarter of a second that the first page does not need

    from explorer_core.views.running_verdict import decision_point

    rows = [
        {
            "Model": verdict.reader.name,
            "Verdict": verdict.reader.labels[verdict.probs[-1].argmax()],
            "Probability": float(verdict.probs[-1].max()),
            "Decided at word": f"{decided + 1} {visible(verdict.reader.words[decided])[:40]}",
        }
        for verdict in drawn
        for decided in [decision_point(verdict.probs)]
    ]
    place.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.3f")},
        alt="The verdict of each model over the whole text.",
    )
