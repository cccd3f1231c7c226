"""Units over the words of a text, with the span and the threshold that make a pattern of some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE, SKY
from explorer_core.results import check_finite
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Units of a pattern",
    "sentence": "Every unit over the words of a text, and those that are on throughout a span of it.",
    "how": "Each line is a unit, the band the chosen words, the dotted line the threshold: blue units are at or above "
    "it throughout the band (and below it beside the band, if you asked for that) and are looked for in the corpus.",
    "does_not_show": "What the units stand for; a threshold cuts a smooth value in two, so a unit just below it "
    "counts as off, and of a large layer only some of the other units are drawn.",
    "formula": "pattern = { unit: value ≥ threshold at every word of the span }",
    "source": "Strobelt et al. 2018, LSTMVis: A tool for visual analysis of hidden state dynamics in recurrent neural "
    "networks",
    "order": 120,
}
MAX_LINES, MAX_FAINT = 40, 64  # of the pattern, each with its name; of the others
MAX_WORDS, AROUND = 60, 20  # a longer text is drawn so many words around the span


def render(
    values: np.ndarray,
    words: Sequence[str],
    span: tuple[int, int],
    threshold: float,
    units: np.ndarray,
    *,
    title: str = "hidden state",
    limits: tuple[float, float] | None = None,
    height: int = 320,
) -> go.Figure:
    """The units' values after every word.

    Args:
        values: Shape [word, unit].
        words: Shape [word].
        span: First and last word of the span, from 0.
        threshold: Where a unit is on.
        units: Units of the pattern; int array.
        title: What the values are.
        limits: Range of the values, where there is a fixed one.
        height: Height of the figure in pixels.
    """
    check_finite(values, "values")
    values = np.asarray(values, dtype=np.float32)
    n_units = values.shape[1]
    start, end = drawn_words(len(words), span)
    words, values = words[start:end], values[start:end]
    n_words = end - start
    others = np.setdiff1d(np.arange(n_units), units)
    if len(others) > MAX_FAINT:
        others = others[np.linspace(0, len(others) - 1, MAX_FAINT).astype(int)]
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    _style.word_axis(spec, words)
    under = _style.axis(spec, "x")
    under |= {"tickvals": [at + start for at in under["tickvals"]], "range": [at + start for at in under["range"]]}
    if limits is None:
        limit = axis_limit(float(max(np.abs(values).max(), abs(threshold))))
        limits = (-limit, limit)
    _style.value_axis(spec, title, limits=limits)
    x = np.arange(start, end)
    if len(others):
        gaps = np.vstack([values[:, others], np.full(len(others), np.nan)])  # one trace, its lines kept apart
        spec["data"].append(
            _style.line(np.tile(np.append(x, end - 1), len(others)), gaps.T.ravel(), "", _style.GRID,
                        hoverinfo="skip", connectgaps=False)
        )  # fmt: skip
        spec["data"][-1]["line"]["width"] = 1
        spec["data"][-1]["mode"] = "lines+markers" if n_words == 1 else "lines"
    shown = [_style.escaped(word, 40) for word in words]
    for unit in units[:MAX_LINES]:
        spec["data"].append(
            _style.line(x, values[:, unit], f"unit {unit}", BLUE, text=shown, opacity=0.75,
                        hovertemplate=f"unit {unit} after %{{text}}: %{{y:+.3f}}<extra></extra>")
        )  # fmt: skip
        spec["data"][-1]["line"]["width"] = 1.6
    _style.reference_line(spec, float(threshold))
    _mark_span(spec, span)
    spec["layout"]["annotations"].append(
        {"x": 1, "y": threshold, "xref": "x domain", "yref": "y", "text": f"threshold {number(threshold, signed=True)}",
         "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"size": 12, "color": _style.INK}}
    )  # fmt: skip
    return _style.build(spec)


def drawn_words(n_words: int, span: tuple[int, int]) -> tuple[int, int]:
    """First word drawn, and the one after the last."""
    if n_words <= MAX_WORDS:
        return 0, n_words
    return max(span[0] - AROUND, 0), min(span[1] + 1 + AROUND, n_words)


def alt_text(
    values: np.ndarray, words: Sequence[str], span: tuple[int, int], threshold: float, units: np.ndarray
) -> str:
    """The figure in words: the span, and the units that are on."""
    said = visible(" ".join(words[span[0] : span[1] + 1]))[:120]
    named = ", ".join(str(unit) for unit in units[:12]) + (", ..." if len(units) > 12 else "")
    return (
        f"{len(units)} of {values.shape[1]} units are at {number(threshold, signed=True)} or above throughout words "
        f"{span[0] + 1} to {span[1] + 1}, {said}" + (f": units {named}." if len(units) else ".")
    )


def _mark_span(spec: _style.Spec, span: tuple[int, int]) -> None:
    spec["layout"]["shapes"].append(
        {"type": "rect", "xref": "x", "yref": "y domain", "x0": span[0] - 0.5, "x1": span[1] + 0.5, "y0": 0, "y1": 1,
         "layer": "below", "line": {"width": 0}, "fillcolor": SKY, "opacity": 0.18}
    )  # fmt: skip
