"""What the waterfalls share: steps that begin where the one above ended, the order of entries, the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import number
from explorer_core.palette import GREY
from explorer_core.text import visible
from explorer_core.views import _entries, _style
from explorer_core.views._style import Spec

SORTS = ("reading order", "size")
_ROW, _LOW_ROW, _FEW = 27, 22, 22  # px of a row, of a row among many, and how many are few
_LONGEST = 22  # letters of a name


@dataclass(frozen=True)
class Step:
    """One bar: its name, what each direction adds (shape [direction]) and where the sum stands before it.

    `is_plain` marks a bar that speaks for no word: where the sum begins, or what the words leave open.
    """

    name: str
    parts: np.ndarray
    before: float
    is_plain: bool = False

    @property
    def after(self) -> float:
        """Where the sum stands behind it."""
        return self.before + float(self.parts.sum())


def chain(rows: Sequence[tuple[str, np.ndarray, bool]]) -> tuple[Step, ...]:
    """Steps of names, parts and `is_plain`, each from where the one before ended, the first from zero."""
    found: list[Step] = []
    for name, parts, is_plain in rows:
        found.append(Step(name, parts, found[-1].after if found else 0.0, is_plain))
    return tuple(found)


def choose(sizes: np.ndarray, sort: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries with a bar of their own, in the order they are drawn, and those that share one.

    Args:
        sizes: What orders the entries; shape [entry].
        sort: `reading order`, or `size`, the largest first.
        most: Entries with a bar of their own; one left over gets its own too.

    Raises:
        InvalidInputError: If there is no such order.
    """
    if sort not in SORTS:
        raise InvalidInputError(f"Words are sorted by {' or by '.join(SORTS)}, not by {str(sort)[:60]!r}.")
    ranked = np.argsort(-sizes, kind="stable")
    chosen = ranked if len(ranked) <= most + 1 else ranked[:most]
    return (np.sort(chosen) if sort == SORTS[0] else chosen), np.setdiff1d(ranked, chosen)


def placed(names: Sequence[str], index: int, place: int) -> str:
    """A name, with its place (from 0) where it stands more than once."""
    name = names[index]
    if names.count(name) == 1:
        return name
    return f"{name if len(name) <= 14 else name[:13] + '…'} ({place + 1})"


def draw(
    steps: Sequence[Step],
    labels: Sequence[str],
    target: int,
    *,
    directions: Sequence[str] = (),
    height: int | None = None,
) -> go.Figure:
    """Bars from the first step to the logit, from top to bottom.

    Args:
        steps: From `chain`, at least one.
        labels: The classes.
        target: Index of the class whose logit the steps come to.
        directions: Names of the halves of a bar, where it has two.
        height: Height of the figure in pixels; left out, as many as the bars need.
    """
    n_rows = len(steps) + 1
    spec = _style.describe(height or 92 + (_ROW if n_rows <= _FEW else _LOW_ROW) * n_rows)
    layout = spec["layout"]
    layout |= {"barmode": "overlay", "bargap": 0.3, "hovermode": "closest"}
    total = steps[-1].after
    reached = [0.0, total, *(step.after for step in steps), *(step.before + step.parts[0] for step in steps)]
    low, high = min(reached), max(reached)
    room = (high - low) or 1.0
    label = _style.escaped(labels[target], 24)
    _style.axis(spec, "x").update(
        range=[low - room * 0.04, high + room * 0.26],
        title={"text": f"sum so far, logit of {label}", "standoff": 8, "font": {"color": _style.INK}},
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        nticks=6,
        exponentformat="power",
        zeroline=True,
        zerolinecolor=_style.FAINT,
        zerolinewidth=1.5,
    )
    names = [*(_style.escaped(step.name, _LONGEST) for step in steps), f"<b>logit of {label}</b>"]
    _style.axis(spec, "y").update(
        tickvals=list(range(n_rows)), ticktext=names, range=[n_rows - 0.5, -0.5], showgrid=False, zeroline=False,
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
    )  # fmt: skip
    longest = max(len(visible(step.name)) for step in steps)
    layout["margin"] |= {"l": 22 + int(max(min(longest, _LONGEST), len(label) + 9) * 7.3), "b": 46}
    _draw_steps(spec, steps, _entries.push_colors(labels, target), directions)
    _draw_total(spec, n_rows - 1, total)
    if len(directions) > 1:
        layout["margin"]["t"] = 30
        _entries.heading(spec, "solid: forward half, hatched: backward half", 1.0, yshift=4)
    return _style.build(spec)


def told(steps: Sequence[Step], start: str, label: str) -> str:
    """The figure in words: every bar with its number."""
    parts = [f"{visible(step.name)[:40]} {number(step.after - step.before, signed=True)}" for step in steps]
    total = number(steps[-1].after, signed=True)
    return f"From the {start} to the logit of {visible(label)}, {total}: " + ", ".join(parts) + "."


def _draw_steps(spec: Spec, steps: Sequence[Step], colors: tuple[str, str], directions: Sequence[str]) -> None:
    rows = np.arange(len(steps))
    parts = np.stack([step.parts for step in steps])  # [step, direction]
    starts = np.array([step.before for step in steps])
    is_both = parts.shape[1] > 1
    for direction in range(parts.shape[1]):
        values = parts[:, direction]
        shown = _entries.by_sign(values, colors)
        bar: Spec = {
            "type": "bar",
            "orientation": "h",
            "y": rows + (0.19 if direction else -0.19) * is_both,
            "x": values,
            "base": starts,
            "width": 0.34 if is_both else 0.62,
            "marker": {
                "color": [GREY if step.is_plain else color for step, color in zip(steps, shown, strict=True)],
                "line": {"width": 0},
            },
            "customdata": [number(value, signed=True) for value in values],
            "hovertext": [_style.escaped(step.name, 40) for step in steps],
            "hovertemplate": "<b>%{hovertext}</b> %{customdata}"
            + (f", {directions[direction]} half" if is_both else "")
            + "<extra></extra>",
        }
        if direction:
            bar["marker"]["pattern"] = _entries.HATCH
        spec["data"].append(bar)
        starts = starts + values
    ends = np.array([step.after for step in steps])
    corners = [[step.before, step.before + float(step.parts[0]), step.after] for step in steps]
    reach = np.max(corners, axis=1)
    spec["data"].append(_numbers(reach, rows, parts.sum(1)))
    for row, end in enumerate(ends):
        spec["layout"]["shapes"].append(
            {"type": "line", "x0": end, "x1": end, "y0": row - 0.36, "y1": row + 1.36, "layer": "below",
             "line": {"color": _style.FAINT, "width": 1, "dash": "dot"}}
        )  # fmt: skip


def _draw_total(spec: Spec, row: int, total: float) -> None:
    spec["data"] += [
        {"type": "bar", "orientation": "h", "y": [row], "x": [total], "base": [0.0], "width": 0.62,
         "marker": {"color": GREY, "line": {"width": 0}}, "hoverinfo": "skip"},
        _numbers(np.array([max(total, 0.0)]), np.array([row]), np.array([total]), is_bold=True),
    ]  # fmt: skip


def _numbers(x: np.ndarray, y: np.ndarray, values: np.ndarray, *, is_bold: bool = False) -> Spec:
    shown = [number(value, signed=True) for value in values]
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": [f" <b>{text}</b>" if is_bold else f" {text}" for text in shown],
        "textposition": "middle right",
        "textfont": {"size": 13, "color": _style.INK},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
