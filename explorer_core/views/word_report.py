"""What words do on average over many texts, with intervals; of one network, or of two side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import WordSummary
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Words over a file",
    "sentence": "Mean score of words over many texts, each with its interval.",
    "how": "Each dot is the mean score of all occurrences of a word for the logit of the class on the axis: right of "
    "zero the word speaks for it, left of zero against. The bar is a 95 % interval over texts; a word of a single text "
    "has none.",
    "does_not_show": "What a word does beside others: a mean near zero may hide a word that helps here and harms "
    "there. The words drawn are those with the largest means or differences of very many, so some are large by luck.",
    "formula": "mean = sum of scores ÷ occurrences; variance = R ÷ (R − 1) · Σ over texts (sum of scores − mean · "
    "occurrences)² ÷ occurrences²",
    "source": "Cochran 1977, Sampling techniques, section 6",
    "order": 350,
}
MAX_WORDS = 40
_ROW_PX = 24


def render(summaries: Sequence[WordSummary], words: Sequence[str]) -> go.Figure:
    """A row for each word, the first at the top.

    Args:
        summaries: Of one network or several, for the same class.
        words: The words drawn, at most `MAX_WORDS`; one that a network has not read has no dot of it.
    """
    words = list(words)[:MAX_WORDS]
    target = summaries[0].report.target_label
    spec = _style.describe(90 + max(_ROW_PX, 15 * len(summaries)) * max(len(words), 2))
    spec["layout"] |= {"hovermode": "closest"}
    widest = max((_style.text_width(visible(word)[:28]) for word in words), default=20)
    spec["layout"]["margin"] |= {"l": 24 + int(widest), "r": 24, "t": 34, "b": 48}
    title = f"mean score for the logit of {_style.escaped(target, 28)} ({_style.escaped(summaries[0].report.unit, 24)})"
    _style.axis(spec, "x").update(
        title={"text": title, "standoff": 8, "font": {"color": _style.INK}},
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=True,
        zerolinecolor=_style.FAINT,
    )  # fmt: skip
    _style.axis(spec, "y").update(
        range=[len(words) - 0.4, -0.6], tickvals=list(range(len(words))),
        ticktext=[_style.escaped(word, 28) for word in words],
        tickfont={"size": 14, "color": _style.INK}, showgrid=False, zeroline=False,
    )  # fmt: skip
    if len(summaries) > 1:
        spec["layout"] |= {"showlegend": True, "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}}
    for index, summary in enumerate(summaries):
        places = {word: place for place, word in enumerate(summary.words)}
        rows = [row for row, word in enumerate(words) if word in places]
        at = np.array([places[words[row]] for row in rows], dtype=np.int64)
        mean = summary.mean[at]
        half = np.nan_to_num(summary.high[at] - mean)
        shift = (index - (len(summaries) - 1) / 2) * 0.3
        spec["data"].append(
            {"type": "scatter", "mode": "markers", "name": _style.escaped(summary.report.model, 28),
             "x": mean, "y": np.array(rows) + shift,
             "marker": {"size": 9, "color": _colors(summaries, index, mean),
                        "symbol": ("circle", "diamond", "square")[index % 3]},
             "error_x": {"type": "data", "array": half, "thickness": 1.6, "width": 3, "color": _style.FAINT},
             "customdata": _told(summary, at),
             "hovertemplate": "%{customdata}<extra></extra>"}
        )  # fmt: skip
    return _style.build(spec)


def alt_text(summaries: Sequence[WordSummary], words: Sequence[str]) -> str:
    """The figure in words."""
    said = []
    for summary in summaries:
        places = {word: place for place, word in enumerate(summary.words)}
        parts = [
            f"{visible(word)[:24]} {number(float(summary.mean[places[word]]), signed=True)}"
            for word in list(words)[:12]
            if word in places
        ]
        said.append(f"{visible(summary.report.model)[:40]}: {', '.join(parts) or 'none of the words'}")
    target = visible(summaries[0].report.target_label)[:40]
    return f"Mean scores of words for the logit of {target}; {'; '.join(said)}."


def _colors(summaries: Sequence[WordSummary], index: int, mean: np.ndarray) -> str | list[str]:
    """By sign for one network, by network for several."""
    report = summaries[index].report
    if len(summaries) > 1:
        families = [each.report.architecture for each in summaries]
        if families[:index].count(families[index]):
            return palette.SERIES[(index + 3) % len(palette.SERIES)]
        return palette.family_line(report.architecture)[0]
    colors = palette.class_colors(report.labels)
    against = colors[1 - report.target] if len(colors) == 2 else palette.GREY
    return [colors[report.target] if value >= 0 else against for value in mean]


def _told(summary: WordSummary, at: np.ndarray) -> list[str]:
    found = []
    for place in at:
        mean, low, high = (float(each[place]) for each in (summary.mean, summary.low, summary.high))
        ends = "" if np.isnan(low) else f", 95 %: {number(low, signed=True)} to {number(high, signed=True)}"
        times = f"{int(summary.count[place]):,} times in {int(summary.n_texts[place]):,} texts"
        found.append(f"{_style.escaped(summary.words[place], 28)}: {number(mean, signed=True)}{ends}; {times}")
    return found
