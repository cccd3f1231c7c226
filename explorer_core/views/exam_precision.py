"""The shortcut exam: how often each method put the planted word first, in the network of each family."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import family_label, family_line
from explorer_core.results import ExamRow, ShortcutExam
from explorer_core.results.exam_finding import method_label
from explorer_core.views import _style

ABOUT = {
    "label": "Shortcut exam",
    "sentence": "Share of texts in which each method ranks a planted word that surely decides first, by family.",
    "how": "Each mark is one method asked about the network of one family; its whiskers are the 95 % interval. At 1 "
    "the method always names the word that decided; the dotted line is what a random order would find.",
    "does_not_show": "How methods do where words share a decision, or on another network of the family: intervals are "
    "over texts, not over trainings.",
    "formula": "precision at 1 = texts in which the planted word has the highest score ÷ texts whose verdict hangs on "
    "it; where k words tie for the highest, 1/k; interval of Wilson 1927",
    "source": "Bastings et al. 2022, Will you find these shortcuts? A protocol for evaluating the faithfulness of "
    "input salience methods for text classification",
    "order": 68,
}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_FAMILY_PX, _METHOD_GAP_PX = 13, 18
_NO_ROWS = "No network has learned the shortcut."


def render(result: ShortcutExam) -> go.Figure:
    """A row of marks for each method, a mark for each family.

    Args:
        result: From `api.run_exam`, finished or not; families that did not learn the shortcut are left out.
    """
    families = [family for family in result.spec.families if any(row.family == family for row in result.rows)]
    methods = [method for method in result.spec.methods if any(row.method == method for row in result.rows)]
    band = max(len(families), 1) * _FAMILY_PX + _METHOD_GAP_PX
    spec = _style.describe(max(len(methods), 2) * band + 96)
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    spec["layout"]["margin"] |= {"l": 168, "r": 24, "t": 34, "b": 56}
    for index, family in enumerate(families):
        rows = [row for row in result.rows if row.family == family]
        offset = (index - (len(families) - 1) / 2) * _FAMILY_PX / band
        spec["data"].append(_marks(rows, [methods.index(row.method) + offset for row in rows], family, index))
    _axes(spec, methods)
    if families:
        _random_line(spec, result)
        _name_families(spec, families)
    else:
        spec["data"].append(_style.line([0.0], [0.0], _NO_ROWS, _style.GRID) | {"mode": "markers", "opacity": 0.0})
        spec["layout"]["annotations"].append(
            {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "text": _NO_ROWS, "showarrow": False}
        )
    return _style.build(spec)


def alt_text(result: ShortcutExam) -> str:
    """The figure in words."""
    if not result.rows:
        return _NO_ROWS
    parts = []
    for method in result.spec.methods:
        rows = [row for row in result.rows if row.method == method]
        if rows:
            shares = ", ".join(f"{family_label(row.family)} {number(row.precision, digits=2)}" for row in rows)
            parts.append(f"{method_label(method)}: {shares}")
    chance = number(_chance(result), digits=2)
    return (
        f"Share of texts in which the planted word ranks first. {'; '.join(parts)}. A random order would find it in "
        f"{chance}."
    )


def _chance(result: ShortcutExam) -> float:
    return sum(row.random_precision for row in result.rows) / len(result.rows)


def _marks(rows: list[ExamRow], places: list[float], family: str, index: int) -> dict[str, Any]:
    color, _ = family_line(family)
    name = family_label(family)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [row.precision for row in rows],
        "y": places,
        "marker": {"color": color, "size": 9, "symbol": SYMBOLS[index % len(SYMBOLS)]},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [row.precision_high - row.precision for row in rows],
            "arrayminus": [row.precision - row.precision_low for row in rows],
            "color": color,
            "thickness": 1.4,
            "width": 0,
        },
        "customdata": [
            [
                method_label(row.method),
                f"{number(row.precision)} ({number(row.precision_low)} to {number(row.precision_high)})",
                f"{number(row.mean_rank)} of {number(row.n_words)} words",
                f"{row.n_texts}",
            ]
            for row in rows
        ],
        "hovertemplate": f"<b>{name}, %{{customdata[0]}}</b><br>first in %{{customdata[1]}}<br>mean rank "
        "%{customdata[2]}<br>%{customdata[3]} texts<extra></extra>",
    }


def _axes(spec: _style.Spec, methods: list[str]) -> None:
    _style.axis(spec, "x").update(
        title={"text": "share of texts with the planted word first", "standoff": 8, "font": {"color": _style.INK}},
        range=[-0.02, 1.02],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        zeroline=False,
    )
    _style.axis(spec, "y").update(
        tickvals=list(range(len(methods))),
        ticktext=[_style.escaped(method_label(method), 24) for method in methods],
        tickfont={"size": 14, "color": _style.INK},
        range=[max(len(methods), 1) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    for place in range(1, len(methods)):
        spec["layout"]["shapes"].append(
            {
                "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": place - 0.5, "y1": place - 0.5, "yref": "y",
                "layer": "below", "line": {"color": _style.GRID, "width": 1},
            }
        )  # fmt: skip


def _random_line(spec: _style.Spec, result: ShortcutExam) -> None:
    chance = _chance(result)
    spec["layout"]["shapes"].append(
        {
            "type": "line", "x0": chance, "x1": chance, "y0": 0, "y1": 1, "yref": "paper", "xref": "x",
            "layer": "below", "line": {"color": _style.FAINT, "width": 1.5, "dash": "dot"},
        }
    )  # fmt: skip
    spec["layout"]["annotations"].append(
        {
            "x": chance, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom", "xanchor": "left", "xshift": -4,
            "text": f"random order {number(chance, digits=2)}", "showarrow": False,
            "font": {"size": 13, "color": _style.FAINT},
        }
    )  # fmt: skip


def _name_families(spec: _style.Spec, families: list[str]) -> None:
    """The families in their colours over the plot, from the right."""
    marks = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚"}
    right = 0.0
    for index, family in reversed(list(enumerate(families))):
        name = f"{marks[SYMBOLS[index % len(SYMBOLS)]]} {family_label(family)}"
        spec["layout"]["annotations"].append(
            {
                "x": 1, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "xanchor": "right",
                "xshift": -right, "text": f"<b>{name}</b>", "showarrow": False,
                "font": {"size": 14, "color": family_line(family)[0]},
            }
        )  # fmt: skip
        right += _style.text_width(name) + 18
