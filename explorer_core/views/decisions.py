"""What networks decide for, and how sure they are of it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import Judgement
from explorer_core.text import visible
from explorer_core.views import _judged, _style

ABOUT = {
    "label": "Decisions and confidence",
    "sentence": "Share of the texts each network decides for each class, and how sure it is.",
    "how": "Left: a bar is one network, its parts the shares of the texts it decides for each class. Right: share of "
    "the texts by confidence; the more of a line lies at 1, the surer the network.",
    "does_not_show": "Whether the decisions are right: a network may be sure and wrong.",
    "formula": "left: texts decided for the class ÷ texts; right: texts in a bin of confidence, one of twenty ÷ texts",
    "source": "The verdicts over the texts, counted",
    "order": 330,
}
_N_BINS = 20
_MOST = 10  # classes named


def render(judged: Judgement, *, height: int = 280) -> go.Figure:
    """Bars on the left, lines on the right.

    Args:
        judged: From `api.judge`.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "closest", "barmode": "stack", "bargap": 0.3}
    names = [_style.escaped(name, 20) for name in judged.models]
    longest = max(_style.text_width(name) for name in names)
    spec["layout"]["margin"] |= {"b": 54, "l": 24 + int(longest), "t": 30}
    places = list(range(len(names)))
    axis = {"zeroline": False, "tickcolor": _style.GRID}
    _style.axis(spec, "x").update(domain=[0, 0.4], range=[0, 1], tickformat=".0%", showgrid=False,
                                  title={"text": "share of the texts", "standoff": 8}, **axis)  # fmt: skip
    _style.axis(spec, "y").update(tickvals=places, ticktext=names, autorange="reversed", showgrid=False, **axis)
    low = min(0.5, 1 / len(judged.labels))
    _style.axis(spec, "x", 2).update(domain=[0.66, 1], anchor="y2", range=[low, 1.0], showgrid=False,
                                     title={"text": "confidence", "standoff": 8}, **axis)  # fmt: skip
    _style.value_axis(spec, "share of the texts", row=2)
    _style.axis(spec, "y", 2).update(anchor="x2", tickformat=".0%", rangemode="tozero")
    shares = judged.counts() / max(len(judged), 1)  # [model, class]
    colors = palette.class_colors(judged.labels)
    for index, label in enumerate(judged.labels):
        spec["data"].append(
            {"type": "bar", "orientation": "h", "x": shares[:, index], "y": places, "name": _style.escaped(label, 24),
             "marker": {"color": colors[index]}, "texttemplate": "%{x:.0%}", "textposition": "inside",
             "insidetextanchor": "middle", "hovertemplate": "%{x:.1%}"}
        )  # fmt: skip
    edges = np.linspace(low, 1, _N_BINS + 1)
    for model, name in enumerate(names):
        counts = np.histogram(judged.confidence[model], bins=edges)[0] / max(len(judged), 1)
        color, dash = _judged.line_of(judged, model)
        middles = (edges[:-1] + edges[1:]) / 2
        spec["data"].append(
            _style.line(middles, counts, name, color, dash, row=2, hovertemplate="%{y:.1%} at %{x:.2f}")
        )
    _name(spec, 0.0, [(label, colors[index]) for index, label in enumerate(judged.labels[:_MOST])])
    _name(spec, 0.6, [(name, _judged.line_of(judged, model)[0]) for model, name in enumerate(judged.models)])
    return _style.build(spec)


def alt_text(judged: Judgement) -> str:
    """The figure in words."""
    shares = judged.counts() / max(len(judged), 1)
    parts = []
    for model, name in enumerate(judged.models):
        said = ", ".join(
            f"{visible(label)[:30]} {number(float(share))}"
            for label, share in list(zip(judged.labels, shares[model], strict=True))[:_MOST]
        )
        sure = number(float(judged.confidence[model].mean()))
        parts.append(f"{visible(name)[:40]} decides for {said}; mean confidence {sure}")
    return f"{'. '.join(parts)}."


def _name(spec: _style.Spec, x: float, names: list[tuple[str, str]]) -> None:
    text = "   ".join(f'<span style="color:{color}"><b>{_style.escaped(name, 18)}</b></span>' for name, color in names)
    spec["layout"]["annotations"].append(
        {"x": x, "y": 1, "xref": "paper", "yref": "paper", "text": text, "showarrow": False, "xanchor": "left",
         "yanchor": "bottom", "yshift": 4}
    )  # fmt: skip
