"""How alike models rank the words of texts that they decide alike."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import SKY
from explorer_core.results import ReasonComparison
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "Same label, other reason",
    "sentence": "Kendall's tau of two models' scores of the words of each text that both decide alike.",
    "how": "A dot is a text: +1 where both rank its words alike, 0 where their orders have nothing to do with each "
    "other, −1 where one turns the other round. The upright line is the median, the grey box its 95 % interval, the "
    "bar the middle half of the texts.",
    "does_not_show": "Which model is right, or that the scores are what either went by: two models may differ, or the "
    "method may serve them differently well. Tau counts words that hardly matter as much as those that decide.",
    "formula": "τ_b = (pairs of words in the same order − pairs in opposite order) ÷ √((pairs not tied in one) · "
    "(pairs not tied in the other)), each model's scores for the class it decides for",
    "source": "Kendall 1938, A new measure of rank correlation; Jain and Wallace 2019, Attention is not explanation",
    "order": 362,
}
MOST_DOTS = 3_000  # over all pairs; of more texts the first are drawn
_ROW_PX = 46


def render(found: ReasonComparison) -> go.Figure:
    """A strip for each pair of networks, those most alike at the top.

    Args:
        found: From `api.compare_reasons`, of two networks or more.
    """
    order = _order(found)
    spec = _style.describe(76 + _ROW_PX * max(len(order), 1))
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    names = [_style.escaped(pair_label(found, pair), 40) for pair in reversed(order)]
    widest = max((_style.text_width(pair_label(found, pair)[:40]) for pair in order), default=60)
    spec["layout"]["margin"] |= {"l": 24 + int(widest), "r": 118, "t": 12, "b": 52}
    _style.axis(spec, "x").update(
        title={"text": "Kendall's tau of the scores of the words", "standoff": 8, "font": {"color": _style.INK}},
        range=[-1.05, 1.05], tickvals=[-1, -0.5, 0, 0.5, 1], ticktext=["−1", "−0.5", "0", "+0.5", "+1"],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
    )  # fmt: skip
    _style.axis(spec, "y").update(
        range=[-0.55, max(len(order), 1) - 0.45], tickvals=list(range(len(order))), ticktext=names, showgrid=False,
        zeroline=False, tickfont={"size": 14, "color": _style.INK},
    )  # fmt: skip
    n_dots = MOST_DOTS // max(len(order), 1)
    for row, pair in enumerate(reversed(order)):
        if found.n_alike[pair]:
            _draw_strip(spec, found, pair, float(row), n_dots)
        _write_median(spec, found, pair, row)
    if not spec["data"]:
        spec["data"].append(_style.line([0.0], [0.0], "none", _style.GRID) | {"opacity": 0.0})
    return _style.build(spec)


def alt_text(found: ReasonComparison) -> str:
    """The figure in words: the median of every pair and its interval."""
    parts = [
        f"{visible(pair_label(found, pair))} {number(float(found.median[pair]), signed=True)} "
        f"({number(float(found.low[pair]), signed=True)} to {number(float(found.high[pair]), signed=True)}, "
        f"{int(found.n_alike[pair]):,} texts)"
        for pair in _order(found)
        if found.n_alike[pair]
    ]
    return f"Median tau of texts decided alike: {'; '.join(parts) or 'no text is decided alike'}."


def pair_label(found: ReasonComparison, pair: int) -> str:
    """The two networks of a pair, as a person calls them."""
    names = _many.names_of(found.models, found.architectures)
    one, other = found.pairs[pair]
    return f"{names[one]} and {names[other]}"


def _order(found: ReasonComparison) -> list[int]:
    """Pairs, those with the largest median first, those without texts last."""
    return [int(pair) for pair in np.argsort(-np.nan_to_num(found.median, nan=-2), kind="stable")]


def _draw_strip(spec: _style.Spec, found: ReasonComparison, pair: int, y: float, n_dots: int) -> None:
    at = np.flatnonzero(~np.isnan(found.tau[pair]))
    tau = found.tau[pair, at]
    shown = at[:n_dots]
    # by rank, so that dots with like values stand apart: the same every time, and no claim about a density
    place = np.argsort(np.argsort(found.tau[pair, shown], kind="stable"), kind="stable") * 3 % 7
    told = [f"row {found.row_numbers[text]}: {_style.escaped(found.texts[text], 60)}" for text in shown]
    low, high = float(found.low[pair]), float(found.high[pair])
    lower, middle, upper = (float(one) for one in np.percentile(tau, (25, 50, 75)))
    across = {"xref": "x", "yref": "y", "layer": "below"}
    spec["layout"]["shapes"] += [
        {"type": "rect", "x0": low, "x1": high, "y0": y - 0.3, "y1": y + 0.36, **across,
         "fillcolor": "rgba(128,132,140,0.35)", "line": {"width": 0}},
        {"type": "line", "x0": lower, "x1": upper, "y0": y - 0.4, "y1": y - 0.4, **across,
         "line": {"color": _style.FAINT, "width": 4}},
        {"type": "line", "x0": middle, "x1": middle, "y0": y - 0.3, "y1": y + 0.36, "xref": "x", "yref": "y",
         "line": {"color": _style.INK, "width": 2.5}},
    ]  # fmt: skip
    spec["data"].append(
        {"type": "scatter", "mode": "markers", "x": found.tau[pair, shown], "y": y + 0.03 + (place - 3) * 0.09,
         "marker": {"size": 6, "color": SKY, "opacity": 0.6}, "customdata": told,
         "hovertemplate": "%{x:+.2f}<br>%{customdata}<extra></extra>"}
    )  # fmt: skip


def _write_median(spec: _style.Spec, found: ReasonComparison, pair: int, row: int) -> None:
    n_texts = int(found.n_alike[pair])
    middle = f"<b>{number(float(found.median[pair]), signed=True)}</b>  " if n_texts else ""
    said = f"{middle}<span style='opacity:0.65'>{n_texts:,} text{'s' * (n_texts != 1)}</span>"
    spec["layout"]["annotations"].append(
        {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": row, "yref": "y", "showarrow": False,
         "text": said, "font": {"size": 14, "color": _style.INK}}
    )  # fmt: skip
