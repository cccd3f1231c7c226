"""Texts on a map of two dimensions, coloured by what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import SERIES
from explorer_core.results import TextMap
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Map of texts",
    "sentence": "Every text as a point, placed by the state the network ends with, coloured by what you choose.",
    "how": "Texts whose states are alike lie near each other. Draw around points to list them below; a double click "
    "takes the choice back. With principal components the axes are the two directions in which the states differ "
    "most, and the share of all variance they hold is written on them; with t-SNE only neighbourhoods mean something.",
    "does_not_show": "The other dimensions: points may lie on each other here and far apart in the states. Distances "
    "between groups, sizes of groups and the axes of t-SNE mean nothing.",
    "formula": "x, y = (state − mean state) · the two leading eigenvectors of the covariance",
    "source": "Pearson 1901, On lines and planes of closest fit; van der Maaten and Hinton 2008, Visualizing data "
    "using t-SNE",
    "order": 340,
}
MAX_NAMES = 8  # kinds with a colour of their own, the last of them all others
CONFIG = _style.CONFIG | {"modeBarButtonsToRemove": ["autoScale2d"], "scrollZoom": True}
_OTHER = "others"
_FEW = 0.02  # of the points: a kind so rare is drawn larger


def render(
    result: TextMap,
    values: np.ndarray | Sequence[str],
    title: str,
    *,
    colors: Mapping[str, str] | None = None,
    height: int = 560,
) -> go.Figure:
    """One point a text.

    Args:
        result: From `api.project_texts`.
        values: A number or a name for each point.
        title: What they are.
        colors: Of names that have one.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"] |= {
        "hovermode": "closest", "dragmode": "lasso", "uirevision": "map",
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "itemsizing": "constant",
                   "title": {"text": _style.escaped(title, 40)}, "font": {"color": _style.INK}},
    }  # fmt: skip
    spec["layout"]["margin"] |= {"t": 64, "b": 52, "r": 24}
    size = 7 if len(result.xy) <= 2_000 else 4.5 if len(result.xy) <= 20_000 else 3
    numeric = isinstance(values, np.ndarray) and values.dtype.kind in "fiu"
    parts = _numeric(values, title) if numeric else _named([str(value) for value in values], colors or {})
    for name, rows, marker in parts:
        said = f"{_style.escaped(title, 40)} %{{marker.color:.4g}}" if numeric else name.rpartition(" (")[0]
        spec["data"].append(
            {"type": "scattergl", "mode": "markers", "name": name,
             "x": result.xy[rows, 0], "y": result.xy[rows, 1],
             "customdata": result.indices[rows].astype(np.int32),
             "marker": {"size": size, "opacity": 0.75, **marker, **_rare(len(rows), len(result.xy), size)},
             "selected": {"marker": {"opacity": 0.95}}, "unselected": {"marker": {"opacity": 0.12}},
             "showlegend": not numeric,
             "hovertemplate": f"{said}, text %{{customdata}}<extra></extra>"}
        )  # fmt: skip
    if numeric:
        spec["layout"]["margin"]["t"] = _style.TOP
    for place, letter in enumerate("xy"):
        _style.axis(spec, letter).update(
            title={"text": _axis_title(result, place), "standoff": 8, "font": {"color": _style.INK}},
            tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, gridcolor=_style.GRID, zeroline=False,
            showticklabels=result.method == "pca",
        )  # fmt: skip
    _style.axis(spec, "y").update(scaleanchor="x", scaleratio=1)
    return _style.build(spec)


def alt_text(result: TextMap, values: np.ndarray | Sequence[str], title: str) -> str:
    """The figure in words."""
    said = f"{len(result.xy):,} texts on a map by {'principal components' if result.method == 'pca' else 't-SNE'}"
    if result.explained is not None:
        said += f" that hold {float(result.explained.sum()):.1%} of the variance"
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        there = values[np.isfinite(values)]
        ends = f" from {number(float(there.min()))} to {number(float(there.max()))}" if len(there) else ""
        return f"{said}, coloured by {visible(title)[:40]}{ends}."
    counts = Counter(str(value) for value in values).most_common(MAX_NAMES)
    named = ", ".join(f"{visible(name)[:24]} {count:,}" for name, count in counts)
    return f"{said}, coloured by {visible(title)[:40]}: {named}."


def _rare(n_points: int, n_all: int, size: float) -> dict[str, Any]:
    """What lets a few points among very many be seen."""
    return {"size": size * 1.8, "opacity": 1} if n_points < _FEW * n_all and n_all > 500 else {}


def _axis_title(result: TextMap, place: int) -> str:
    if result.explained is None:
        return f"t-SNE, {('level', 'upright')[place]} axis (no unit)"
    return f"component {place + 1} ({float(result.explained[place]):.1%} of the variance)"


def _numeric(values: Any, title: str) -> list[tuple[str, np.ndarray, dict[str, Any]]]:
    """One part with a colour scale; points without a number are faint, in a part of their own."""
    there = np.isfinite(values)
    bar = {"title": {"text": _style.escaped(title, 24), "side": "right"}, "thickness": 12, "outlinewidth": 0,
           "tickfont": {"color": _style.INK}}  # fmt: skip
    marker = {"color": values[there].astype(np.float32), "colorscale": "Cividis", "colorbar": bar, "showscale": True}
    parts = [(_style.escaped(title, 40), np.flatnonzero(there), marker)] if there.any() else []
    without = np.flatnonzero(~there)
    return [("without a number", without, {"color": _style.FAINT}), *parts] if len(without) else parts


def _named(values: list[str], colors: Mapping[str, str]) -> list[tuple[str, np.ndarray, dict[str, Any]]]:
    """A part for each name, the most frequent first, drawn below the rarer ones."""
    counts = Counter(values).most_common()
    kept = [name for name, _ in counts[: MAX_NAMES if len(counts) <= MAX_NAMES else MAX_NAMES - 1]]
    number_of = {name: place for place, name in enumerate(kept)}
    of_point = np.array([number_of.get(value, len(kept)) for value in values])
    free = [color for color in SERIES if color not in colors.values()] or list(SERIES)
    parts = []
    for place, name in enumerate([*kept, _OTHER] if len(counts) > len(kept) else kept):
        rows = np.flatnonzero(of_point == place)
        is_rest = place == len(kept)
        color = _style.FAINT if is_rest or not name else colors.get(name) or free[place % len(free)]
        shown = _OTHER if is_rest else _style.escaped(name, 28) or "none"
        parts.append((f"{shown} ({len(rows):,})", rows, {"color": color}))
    return parts
