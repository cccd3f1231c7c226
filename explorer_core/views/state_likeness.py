"""How alike the states of two networks are, layer by layer, beside the same of untrained networks."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import StateLikeness
from explorer_core.text import visible
from explorer_core.views import _entries, _many, _style

ABOUT = {
    "label": "Likeness of layers",
    "sentence": "Linear CKA of every layer of one model with every layer of another, beside that of the same models "
    "with fresh weights.",
    "how": "Bright is alike: 1 says that the states of one layer are those of the other but for turning, moving and "
    "scaling, 0 that they have nothing in common. What counts is how much brighter the left map is than the right one, "
    "which no training has touched. An empty field is a layer whose states are all the same.",
    "does_not_show": "That two networks work alike: CKA hangs on the directions of largest variance, a few states far "
    "out can decide it, and it can be moved without changing one verdict. It compares where texts lie, not what a head "
    "makes of it.",
    "formula": "CKA = HSIC(K, L) ÷ √(HSIC(K, K) · HSIC(L, L)), K = XXᵀ, L = YYᵀ, each HSIC its unbiased estimate "
    "(Song et al. 2012)",
    "source": "Kornblith et al. 2019, Similarity of neural network representations revisited; Nguyen et al. 2021, Do "
    "wide and deep networks learn the same things?; cautions: Davari et al. 2022, Reliability of CKA as a similarity "
    "measure in deep learning; Murphy et al. 2024, Correcting biased centered kernel alignment measures in biological "
    "and artificial neural networks",
    "order": 364,
}
_CELL_PX, _MOST_NUMBERED = 46, 9  # fields in a row
_SPLIT_GAP = 0.14


def render(found: StateLikeness) -> go.Figure:
    """One map, or two side by side with an untrained base line.

    Args:
        found: From `api.compare_states`.
    """
    n_rows, n_columns = found.cka.shape
    cell = _CELL_PX if n_rows <= _MOST_NUMBERED else 26
    spec = _style.describe(n_rows * cell + 150)
    names = [[_style.escaped(_short(name), 18) for name in one] for one in found.layers]
    upright = [name.replace(" forward", "<br>forward").replace(" backward", "<br>backward").replace(" both", "<br>both")
               for name in names[1]]  # fmt: skip
    called = _many.names_of(found.models, found.architectures)
    if found.models[0] != found.models[1] and called[0] == called[1]:
        called = [model[:40] for model in found.models]
    widest = max(_style.text_width(name) for name in names[0])
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    spec["layout"]["margin"] |= {"l": 48 + int(widest), "r": 84, "t": 34, "b": 74 if n_columns <= 5 else 96}
    maps = [("trained", found.cka)] + ([("fresh weights", found.untrained)] if found.untrained is not None else [])
    wide = (1 - _SPLIT_GAP * (len(maps) - 1)) / len(maps)
    for row, (said, values) in enumerate(maps, 1):
        left, number_of = (row - 1) * (wide + _SPLIT_GAP), row if row > 1 else ""
        _style.axis(spec, "x", row).update(
            title={"text": f"layers of {_style.escaped(called[1], 28)}", "standoff": 8, "font": {"color": _style.INK}},
            domain=[left, min(left + wide, 1.0)], anchor=f"y{number_of}", tickvals=list(range(n_columns)),
            ticktext=upright if n_columns <= 5 else names[1], tickangle=0 if n_columns <= 5 else -40, showgrid=False,
            zeroline=False,
            tickfont={"size": 12, "color": _style.INK}, range=[-0.5, n_columns - 0.5],
        )  # fmt: skip
        _style.axis(spec, "y", row).update(
            anchor=f"x{number_of}", tickvals=list(range(n_rows)), ticktext=names[0], showgrid=False, zeroline=False,
            tickfont={"size": 12, "color": _style.INK}, range=[-0.5, n_rows - 0.5], ticks="",
            **({"title": {"text": f"layers of {_style.escaped(called[0], 28)}", "standoff": 8,
                          "font": {"color": _style.INK}}} if row == 1 else {"showticklabels": False}),
        )  # fmt: skip
        spec["data"].append(_map(found, values, row, has_scale=row == len(maps)))
        if max(n_rows, n_columns) <= _MOST_NUMBERED:
            _write_numbers(spec, values, number_of)
        _entries.heading(spec, f"<b>{said}</b>", 1, x=left, yshift=6)
    return _style.build(spec)


def alt_text(found: StateLikeness) -> str:
    """The figure in words: the two layers most alike, and the mean of both maps."""
    if np.isnan(found.cka).all():
        return "No two layers have states that vary."
    place = np.unravel_index(int(np.nanargmax(found.cka)), found.cka.shape)
    names = [visible(model)[:40] for model in found.models]
    said = (
        f"CKA of {names[0]} and {names[1]} over {found.n_states:,} states: largest "
        f"{number(float(found.cka[place]))} ({found.layers[0][place[0]]} and {found.layers[1][place[1]]}), mean "
        f"{number(float(np.nanmean(found.cka)))}"
    )
    if found.untrained is not None and not np.isnan(found.untrained).all():
        said += f"; with fresh weights largest {number(float(np.nanmax(found.untrained)))}, mean "
        said += number(float(np.nanmean(found.untrained)))
    return f"{said}."


def _short(name: str) -> str:
    return name.replace("word vectors", "words").replace("embeddings", "words")


def _map(found: StateLikeness, values: np.ndarray, row: int, *, has_scale: bool) -> _style.Spec:
    number_of = row if row > 1 else ""
    told = [
        [f"{one} and {other}: {'no variance' if np.isnan(value) else number(float(value))}"
         for other, value in zip(found.layers[1], line, strict=True)]
        for one, line in zip(found.layers[0], values, strict=True)
    ]  # fmt: skip
    return {
        "type": "heatmap",
        "z": values,
        "xaxis": f"x{number_of}",
        "yaxis": f"y{number_of}",
        "zmin": 0.0,
        "zmax": 1.0,
        "colorscale": "Cividis",
        "xgap": 2,
        "ygap": 2,
        "showscale": has_scale,
        "colorbar": {"title": {"text": "CKA", "font": {"color": _style.INK}}, "thickness": 12, "outlinewidth": 0,
                     "tickvals": [0, 0.5, 1], "tickfont": {"color": _style.INK}},
        "customdata": told,
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _write_numbers(spec: _style.Spec, values: np.ndarray, number_of: int | str) -> None:
    for (row, column), value in np.ndenumerate(values):
        is_there = not np.isnan(value)
        spec["layout"]["annotations"].append(
            {"x": column, "y": row, "xref": f"x{number_of}", "yref": f"y{number_of}", "showarrow": False,
             "text": f"{value:.2f}".replace("-", "−") if is_there else "–",
             "font": {"size": 13, "color": ("#ffffff" if value < 0.58 else "#000000") if is_there else _style.INK}}
        )  # fmt: skip
