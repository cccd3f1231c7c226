"""From the bias to the logit, word by word: a waterfall over the ledger of an LSTM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import number
from explorer_core.palette import GREY
from explorer_core.results import LstmLedger
from explorer_core.text import visible
from explorer_core.views import _entries, _style
from explorer_core.views._style import Spec

ABOUT = {
    "label": "From bias to logit",
    "sentence": "The bias and what each word added, one after the other, up to the logit of the class.",
    "how": "From the bias at the top, each bar begins where the one above ended and moves the sum by what its word "
    "added, down to the logit; words that moved it least share a bar, and a number in brackets is the place of a word "
    "that occurs more than once.",
    "does_not_show": "The order in which the network decided: for a text read once, all of this is settled only at "
    "the end.",
    "formula": "logit = b + Σₜ sₜ, sₜ = w · (share of the pooled hidden state of word t)",
    "source": "Murdoch and Szlam 2017, Automatic rule extraction from long short term memory networks",
    "needs": "cell",
    "order": 41,
}

SORTS = ("reading order", "size")
MAX_WORDS = 15  # words with a bar of their own
_ROW = 27  # px


@dataclass(frozen=True)
class Step:
    """One bar: its name, what each direction adds (shape [direction]) and where the sum stands before it."""

    name: str
    parts: np.ndarray
    before: float

    @property
    def after(self) -> float:
        """Where the sum stands behind it."""
        return self.before + float(self.parts.sum())


def steps(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS) -> tuple[Step, ...]:
    """The bias, every word or those that added or took most, and what is left, in the order they are drawn.

    Args:
        ledger: From `api.lstm_ledger`.
        sort: `reading order`, or `size`, the largest first.
        most: Entries (words and special tokens) with a bar of their own.

    Raises:
        InvalidInputError: If there is no such order.
    """
    if sort not in SORTS:
        raise InvalidInputError(f"Words are sorted by {' or by '.join(SORTS)}, not by {str(sort)[:60]!r}.")
    scores = ledger.entry_scores  # [direction, entry]
    sizes = np.abs(scores.sum(0))
    ranked = np.argsort(-sizes, kind="stable")
    chosen = ranked if len(ranked) <= most + 1 else ranked[:most]  # one left over gets its own bar
    rest = np.setdiff1d(ranked, chosen)
    order = np.sort(chosen) if sort == SORTS[0] else chosen
    bias = np.zeros(len(scores))
    bias[0] = ledger.bias[ledger.target]
    rows = [("bias", bias), *((_name(ledger, index), scores[:, index]) for index in order.tolist())]
    if len(rest):
        kind = "words" if ledger.entries.is_word[rest].all() else "entries"
        rows.append((f"the other {len(rest):,} {kind}", scores[:, rest].sum(1)))
    found, total = [], 0.0
    for name, parts in rows:
        found.append(Step(name, parts, total))
        total = found[-1].after
    return tuple(found)


def render(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS, height: int | None = None) -> go.Figure:
    """Bars from the bias to the logit, from top to bottom.

    Args:
        ledger: From `api.lstm_ledger`.
        sort: `reading order` or `size`.
        most: Words with a bar of their own.
        height: Height of the figure in pixels; left out, as many as the bars need.
    """
    found = steps(ledger, sort=sort, most=most)
    n_rows = len(found) + 1
    spec = _style.describe(height or 92 + _ROW * n_rows)
    layout = spec["layout"]
    layout |= {"barmode": "overlay", "bargap": 0.3, "hovermode": "closest"}
    total = found[-1].after
    reached = [0.0, total, *(step.after for step in found), *(step.before + step.parts[0] for step in found)]
    low, high = min(reached), max(reached)
    room = (high - low) or 1.0
    label = _style.escaped(ledger.labels[ledger.target], 24)
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
    names = [*(_style.escaped(step.name, 22) for step in found), f"<b>logit of {label}</b>"]
    _style.axis(spec, "y").update(
        tickvals=list(range(n_rows)), ticktext=names, range=[n_rows - 0.5, -0.5], showgrid=False, zeroline=False,
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
    )  # fmt: skip
    longest = max(len(visible(step.name)) for step in found)
    layout["margin"] |= {"l": 22 + int(max(min(longest, 22), len(label) + 9) * 7.3), "b": 46}
    _draw_steps(spec, ledger, found)
    _draw_total(spec, n_rows - 1, total)
    if len(ledger.directions) > 1:
        layout["margin"]["t"] = 30
        _entries.heading(spec, "solid: forward half, hatched: backward half", 1.0, yshift=4)
    return _style.build(spec)


def alt_text(ledger: LstmLedger, *, sort: str = SORTS[0], most: int = MAX_WORDS) -> str:
    """The figure in words: every bar with its number."""
    found = steps(ledger, sort=sort, most=most)
    parts = [f"{visible(step.name)[:40]} {number(step.after - step.before, signed=True)}" for step in found]
    label = visible(ledger.labels[ledger.target])
    return f"From the bias to the logit of {label}, {number(found[-1].after, signed=True)}: " + ", ".join(parts) + "."


def _name(ledger: LstmLedger, index: int) -> str:
    """The word, with its place where it stands more than once in the text."""
    entries = ledger.entries
    name = entries.names[index]
    if not entries.is_word[index] or ledger.words.count(name) == 1:
        return name
    return f"{name if len(name) <= 14 else name[:13] + '…'} ({entries.word[index] + 1})"


def _draw_steps(spec: Spec, ledger: LstmLedger, found: tuple[Step, ...]) -> None:
    colors = _entries.push_colors(ledger.labels, ledger.target)
    rows = np.arange(len(found))
    parts = np.stack([step.parts for step in found])  # [step, direction]
    starts = np.array([step.before for step in found])
    is_both = parts.shape[1] > 1
    for direction in range(parts.shape[1]):
        values = parts[:, direction]
        shown = _entries.by_sign(values, colors)
        shown[0] = GREY
        bar: Spec = {
            "type": "bar",
            "orientation": "h",
            "y": rows + (0.19 if direction else -0.19) * is_both,
            "x": values,
            "base": starts,
            "width": 0.34 if is_both else 0.62,
            "marker": {"color": shown, "line": {"width": 0}},
            "customdata": [number(value, signed=True) for value in values],
            "hovertext": [_style.escaped(step.name, 40) for step in found],
            "hovertemplate": "<b>%{hovertext}</b> %{customdata}"
            + (f", {ledger.directions[direction]} half" if is_both else "")
            + "<extra></extra>",
        }
        if direction:
            bar["marker"]["pattern"] = _entries.HATCH
        spec["data"].append(bar)
        starts = starts + values
    ends = np.array([step.after for step in found])
    corners = [[step.before, step.before + float(step.parts[0]), step.after] for step in found]
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
