"""How well each method finds the words people marked, beside words in random order."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import BLUE
from explorer_core.results import HumanAgreement
from explorer_core.results.human_agreement import AUPRC
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Agreement with people",
    "sentence": "How well each method finds the words people marked, with intervals, beside words in random order.",
    "how": "A dot is the mean over texts, its line the 95 % interval; 1 means that all marked words score above all "
    "others. Words in random order come out inside the grey band 95 times in 100: an interval that reaches into it may "
    "be luck.",
    "does_not_show": "Faithfulness: a method that agrees with people looks plausible, and may still miss what the "
    "network went by; one that disagrees may show a network that went by other words than people would.",
    "formula": "AUPRC = Σ_k (recall_k − recall_k₋₁) · precision_k over the words of a text, the largest score first",
    "source": "DeYoung et al. 2020, ERASER: a benchmark to evaluate rationalized NLP models; Jacovi and Goldberg 2020, "
    "Towards faithfully interpretable NLP systems",
    "order": 66,
}
_ROW_PX = 38


def render(result: HumanAgreement, *, measure: str = AUPRC) -> go.Figure:
    """A row for each method, the best at the top.

    Args:
        result: From `api.measure_human_agreement`.
        measure: One of its measures.
    """
    at = result.measures.index(measure)
    order = np.argsort(result.mean[:, at], kind="stable")  # the best has the highest place
    names = [label_of(result.methods[row]) for row in order]
    mean, low, high = (values[order, at] for values in (result.mean, result.low, result.high))
    spec = _style.describe(96 + _ROW_PX * len(names))
    spec["layout"] |= {"hovermode": "closest"}
    widest = max(_style.text_width(name[:40]) for name in names)
    spec["layout"]["margin"] |= {"l": 24 + int(widest), "r": 64, "t": 34, "b": 46}
    _style.axis(spec, "x").update(
        title={"text": f"{title_of(measure)}, mean over {len(result.texts):,} texts", "standoff": 8,
               "font": {"color": _style.INK}},
        range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "0.25", "0.5", "0.75", "1"],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
    )  # fmt: skip
    _style.axis(spec, "y").update(
        range=[-0.6, len(names) - 0.4], tickvals=list(range(len(names))),
        ticktext=[_style.escaped(name, 40) for name in names],
        tickfont={"size": 14, "color": _style.INK}, showgrid=False, zeroline=False,
    )  # fmt: skip
    _draw_band(spec, result, at)
    told = [f"{number(float(a))}, 95 %: {number(float(b))} to {number(float(c))}"
            for a, b, c in zip(mean, low, high, strict=True)]  # fmt: skip
    spec["data"].append(
        {"type": "scatter", "mode": "markers", "x": mean, "y": np.arange(len(names)),
         "marker": {"size": 11, "color": BLUE}, "customdata": told,
         "error_x": {"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low, "color": BLUE,
                     "thickness": 2.4, "width": 5},
         "hovertemplate": "%{customdata}<extra></extra>"}
    )  # fmt: skip
    for place, value in enumerate(mean):
        spec["layout"]["annotations"].append(
            {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 12, "y": place, "yref": "y", "showarrow": False,
             "text": f"<b>{number(float(value))}</b>", "font": {"size": 14, "color": _style.INK}}
        )  # fmt: skip
    return _style.build(spec)


def alt_text(result: HumanAgreement, *, measure: str = AUPRC) -> str:
    """The figure in words."""
    at = result.measures.index(measure)
    parts = [f"{label_of(name)} {number(float(result.mean[row, at]))}" for row, name in enumerate(result.methods)]
    chance = number(float(result.random[at]))
    over = f"{title_of(measure)}, mean over {len(result.texts):,} texts"
    return f"{over}: {', '.join(parts)}; words in random order {chance}."


def title_of(measure: str) -> str:
    """What a person calls a measure."""
    named = {AUPRC: "AUPRC", "token_f1": "token F1"}
    return named.get(measure, f"precision at {measure.rpartition('_')[2]}")


def label_of(method: str) -> str:
    """What a person calls a method."""
    return registry.describe("attribution")[method].label


def _draw_band(spec: _style.Spec, result: HumanAgreement, at: int) -> None:
    low, high, middle = (float(ends[at]) for ends in (result.random_low, result.random_high, result.random))
    spec["layout"]["shapes"] += [
        {"type": "rect", "x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "y domain", "layer": "below",
         "fillcolor": "rgba(128,132,140,0.28)", "line": {"width": 0}},
        {"type": "line", "x0": middle, "x1": middle, "y0": 0, "y1": 1, "yref": "y domain", "layer": "below",
         "line": {"color": _style.FAINT, "width": 1.5, "dash": "dot"}},
    ]  # fmt: skip
    _entries.heading(spec, f"random order {number(middle)}", 1, x=middle, xref="x", xanchor="center", yshift=4)
