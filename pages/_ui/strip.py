"""The word strip: the text in reading order and size, a bar with its number under each word, one word chosen.

All pages share it. Colour only repeats what bar and number say; the scale is fixed and printed.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import Reading
from explorer_core.text import visible
from pages._ui import linked

MAX_UNREAD_SHOWN = 24

_element = linked.element("unrolled_word_strip", "strip", "chart_cursors")


@dataclass(frozen=True)
class Scale:
    """One fixed scale for every bar of a strip.

    Attributes:
        low: Value at the foot of the track.
        high: Value at its top.
        pivot: Value the bars start from; it parts the two colours.
        text: What a bar is, with its unit, printed beside the scale.
        low_color: Colour below the pivot.
        high_color: Colour above it.
        signed: Whether numbers show a plus.
        pivot_name: How the pivot is printed; empty when it is one of the ends.
        missing: What stands under a word that has no number.
    """

    low: float
    high: float
    pivot: float
    text: str
    low_color: str = palette.NEGATIVE
    high_color: str = palette.POSITIVE
    signed: bool = False
    pivot_name: str = ""
    missing: str = "n/a"


@dataclass(frozen=True)
class Headline:
    """The verdict over the strip: label, its value, a dot in its colour and a remark."""

    label: str
    value: str
    color: str
    more: str = ""


def verdict_scale(labels: Sequence[str], target: int) -> Scale:
    """Probability of one class from 0 to 1; of two classes, bars part at 0.5 into the colours of both."""
    colors = palette.class_colors(labels)
    text = f"Bars: probability of {visible(labels[target])[:60]} after each word"
    if len(labels) == 2:
        return Scale(0.0, 1.0, 0.5, text, colors[1 - target], colors[target], pivot_name="0.5")
    return Scale(0.0, 1.0, 0.0, text, colors[target], colors[target])


def word_strip(
    key: str,
    words: Sequence[str],
    values: np.ndarray | None,
    *,
    scale: Scale,
    group: str = "text",
    reading: Reading | None = None,
    token_values: np.ndarray | None = None,
    headline: Headline | None = None,
    notes: Sequence[str] = (),
    selected: int | None = None,
    charts: Sequence[str] = (),
    spans: bool = False,
    reveals: bool = False,
    view: str = "",
    label: str = "Words of the text",
) -> int | None:
    """Draw the strip and say which word is chosen.

    Args:
        key: Streamlit key of the element.
        words: In reading order, 1 to 1,500; hostile characters are shown as escapes.
        values: One for each word on the scale, or `None` for a strip without bars. Not finite: no bar.
        scale: Fixed scale of the bars, printed in the legend.
        group: Elements of one group choose the same word together.
        reading: Gives the token view, unknown and truncated words.
        token_values: One for each token, special ones too; shape [pos].
        headline: The verdict, above the words.
        notes: Sentences under the strip.
        selected: Word chosen at first; it never travels with a click.
        charts: Keys of `st.plotly_chart` elements, x = word from 0, that show a line at the chosen word.
        spans: Whether a run of words can be selected too, by dragging or with Shift; see `linked.chosen_span`. A plain
            click lets go of it.
        reveals: Whether a long text is scrolled to the chosen word at first, instead of its beginning.
        view: `words` or `tokens` where a control of the page chooses it; else a switch of the strip's own does.
        label: What a screen reader calls the list.

    Returns:
        The chosen word, from 0, or `None`.
    """
    words = tuple(words)
    _element(
        key=key,
        data={
            "group": group,
            "stamp": linked.stamp(group, words),
            "label": label,
            "dir": direction_of(words),
            "words": [visible(word) for word in words],
            "values": _plain(values, len(words)),
            "numbers": _numbers(values, len(words), scale),
            "scale": _scale(scale),
            "selected": selected,
            "charts": list(charts),
            "spans": spans,
            "reveals": reveals,
            "view": view,
            "headline": None if headline is None else _headline(headline),
            "notes": list(notes),
            **_from_reading(reading, token_values, scale),
        },
        on_word_change=linked.on_change(
            key, "word", lambda said: linked.choose_word(group, words, linked.as_index(said, len(words)))
        ),
        on_span_change=linked.on_change(
            key, "span", lambda said: linked.choose_span(group, words, linked.as_span(said, len(words)))
        ),
    )
    return linked.chosen_word(group, words, selected)


def direction_of(words: Sequence[str]) -> str:
    """`rtl` if the first letter with a direction is written from right to left, else `ltr`."""
    for letter in "".join(words):
        way = unicodedata.bidirectional(letter)
        if way in ("L", "R", "AL"):
            return "ltr" if way == "L" else "rtl"
    return "ltr"


def _from_reading(reading: Reading | None, token_values: np.ndarray | None, scale: Scale) -> dict[str, Any]:
    if reading is None:
        return {"tokens": None, "tokenValues": None, "tokenNumbers": None, "unknown": [], "unread": [],
                "unreadMore": ""}  # fmt: skip
    owner = reading.word_of_token
    unknown_words = {int(word) for word in owner[reading.is_unknown] if word >= 0}
    tokens = [
        {
            "text": visible(token),
            "word": int(owner[pos]),
            "special": bool(owner[pos] < 0),
            "unknown": bool(reading.is_unknown[pos]),
            "follows": bool(pos > 0 and owner[pos] >= 0 and owner[pos] == owner[pos - 1]),
        }
        for pos, token in enumerate(reading.tokens)
    ]
    n_more = len(reading.truncated_words) - MAX_UNREAD_SHOWN
    return {
        "tokens": tokens,
        "tokenValues": None if token_values is None else _plain(token_values, len(tokens)),
        "tokenNumbers": None if token_values is None else _numbers(token_values, len(tokens), scale),
        "unknown": sorted(unknown_words),
        "unread": [visible(word) for word in reading.truncated_words[:MAX_UNREAD_SHOWN]],
        "unreadMore": f"and {n_more:,} more words" if n_more > 0 else "",
    }


def _plain(values: np.ndarray | None, size: int) -> list[float | None]:
    if values is None:
        return [None] * size
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]


def _numbers(values: np.ndarray | None, size: int, scale: Scale) -> list[str | None]:
    if values is None:
        return [None] * size
    return [number(value, signed=scale.signed) if math.isfinite(value) else scale.missing for value in values.tolist()]


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "low": scale.low,
        "high": scale.high,
        "pivot": scale.pivot,
        "text": scale.text,
        "lowColor": scale.low_color,
        "highColor": scale.high_color,
        "lowName": _end(scale.low, scale.signed),
        "highName": _end(scale.high, scale.signed),
        "pivotName": scale.pivot_name,
    }


def _end(value: float, signed: bool) -> str:
    """The end of a scale: whole numbers without a point."""
    return f"{value:g}" if value == round(value) and not signed else number(value, signed=signed)


def _headline(headline: Headline) -> dict[str, str]:
    return {
        "label": visible(headline.label)[:80],
        "value": headline.value,
        "color": headline.color,
        "more": headline.more,
    }
