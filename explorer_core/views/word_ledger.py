"""The ledger of an LSTM under its words: what each wrote, how much of it was kept, and what it added to the logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    "label": "Word ledger",
    "sentence": "What each word wrote into the cell, how much of it was kept to the end, and what that added to the "
    "logit.",
    "how": "Above: how much a word wrote into the cell, the solid part still there at the end; middle: that part as a "
    "share; below: what the word added to the logit of the class, and these bars and the bias sum to the logit.",
    "does_not_show": "What would happen without the word: this is the network's own bookkeeping, in which dividing "
    "tanh(c) among the words is a choice, and a class may win although its own logit gets little, when the others "
    "lose.",
    "formula": "c_T = Σₜ kₜ × iₜ × gₜ with kₜ = f_T × … × fₜ₊₁; logit = b + Σₜ w · (o_T × share of tanh(c_T) of t)",
    "source": "Murdoch and Szlam 2017, Automatic rule extraction from long short term memory networks",
    "needs": "cell",
    "order": 40,
}

_PANELS = ((0.71, 0.94), (0.43, 0.59), (0.0, 0.31))  # of the plot's height, from below: wrote, kept, added
_PALE = "rgba(122,127,135,0.38)"
MAX_NUMBERED = 22  # above so many words the bars carry no numbers: they would overlap
_NUMBERED = 0.05  # of the largest: below it a bar carries no number


@dataclass(frozen=True)
class LedgerBars:
    """What is drawn, one value an entry: words and special tokens.

    Attributes:
        written: Sum of |i g| over the units, or i g of one unit; shape [entry].
        kept: What is left of it at the end, same unit; shape [entry].
        kept_share: Share kept, in [0, 1]; shape [entry].
        added: Added to the target logit by each direction drawn; shape [direction, entry].
        total: Their sum: the logit without its bias, or what one unit gives to it.
    """

    written: np.ndarray
    kept: np.ndarray
    kept_share: np.ndarray
    added: np.ndarray
    total: float


def bars(ledger: LstmLedger, *, layer: int = -1, direction: int = 0, unit: int | None = None) -> LedgerBars:
    """The bars of one layer and direction, over all units or of one.

    What is added to the logit comes from the top layer alone: of one unit of it, where that unit is asked for, else of
    all its units in both directions.

    Raises:
        InvalidInputError: If there is no such layer, direction or unit; the message names the bounds.
    """
    n_layers, n_directions, _, n_units = ledger.written.shape
    layer = n_layers - 1 if layer == -1 else layer
    for name, value, size in (("layer", layer, n_layers), ("direction", direction, n_directions),
                              ("unit", unit or 0, n_units)):  # fmt: skip
        if not 0 <= value < size:
            raise InvalidInputError(f"There is no {name} {value}; {name}s of this model run from 0 to {size - 1}.")
    entries, target = ledger.entries, ledger.target
    added = ledger.entry_scores
    if unit is None:
        written, kept = ledger.written_by_entry[layer, direction], ledger.kept_by_entry[layer, direction]
        share = ledger.kept_share_by_entry[layer, direction]
    else:
        alone, left = ledger.written[layer, direction, :, unit], ledger.kept[layer, direction, :, unit]
        written, kept = entries.sums(alone), entries.sums(alone * left)
        size = entries.sums(np.abs(alone))
        share = np.divide(entries.sums(np.abs(alone * left)), size, out=np.ones_like(size), where=size > 0)
        if layer == n_layers - 1:
            parts = ledger.hidden_share[direction, :, unit] * ledger.weight[direction, target, unit]
            added = entries.sums(parts)[None]
    return LedgerBars(written, kept, share, added, float(added.sum()))


def render(
    ledger: LstmLedger,
    *,
    layer: int = -1,
    direction: int = 0,
    unit: int | None = None,
    height: int = 470,
    width: int = 860,
) -> go.Figure:
    """Three aligned panels over the words.

    Args:
        ledger: From `api.lstm_ledger`.
        layer: Layer whose cell is drawn, from 0; -1 for the top one.
        direction: 0 forward, 1 backward: whose cell is drawn. The lowest panel holds both.
        unit: One unit; left out, all together.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        InvalidInputError: If there is no such layer, direction or unit.
    """
    drawn = bars(ledger, layer=layer, direction=direction, unit=unit)
    spec = _style.describe(height)
    spec["layout"] |= {"barmode": "relative", "bargap": 0.25, "hoversubplots": "axis"}
    _entries.entry_axis(spec, ledger.entries, width=width)
    _style.axis(spec, "x").update(anchor="y3")
    limits = (_limits(drawn.written), (0.0, 1.0), _limits(np.concatenate(_ends(drawn.added))))
    panels = zip(_PANELS, limits, _headings(ledger, drawn, unit, layer), strict=True)
    for row, (domain, limit, text) in enumerate(panels, start=1):
        _style.value_axis(spec, "", row=row, limits=limit)
        _style.axis(spec, "y", row).update(
            domain=list(domain), anchor="x", title=None, nticks=5, exponentformat="power",
            zeroline=True, zerolinecolor=_style.FAINT, zerolinewidth=1,
        )  # fmt: skip
        _entries.heading(spec, text, domain[1] + 0.012)
    _style.axis(spec, "y", 2).update(tickvals=[0, 0.5, 1], ticktext=["0", "0.5", "1"])
    spec["layout"]["margin"]["l"] = 54
    _draw_cell(spec, ledger, drawn)
    _draw_added(spec, ledger, drawn)
    return _style.build(spec)


def alt_text(ledger: LstmLedger, *, layer: int = -1, direction: int = 0, unit: int | None = None) -> str:
    """The figure in words: which entries added and took most, and the sum."""
    drawn = bars(ledger, layer=layer, direction=direction, unit=unit)
    added = drawn.added.sum(0)
    names = [visible(name)[:40] for name in ledger.entries.names]
    low, high = int(added.argmin()), int(added.argmax())
    label = visible(ledger.labels[ledger.target])
    return (
        f"What {len(ledger.words)} words wrote, kept and added to the logit of {label}. "
        f"{names[high]} added {number(added[high], signed=True)}, {names[low]} {number(added[low], signed=True)}; "
        f"together {number(drawn.total, signed=True)}."
    )


def _headings(ledger: LstmLedger, drawn: LedgerBars, unit: int | None, layer: int) -> tuple[str, str, str]:
    n_layers, n_directions = ledger.written.shape[:2]
    label = _style.escaped(ledger.labels[ledger.target], 24)
    wrote = "sum over the units of |i × g|" if unit is None else f"i × g of unit {unit}"
    bias, logit = ledger.bias[ledger.target], ledger.logits[ledger.target]
    sums = f"sum {number(drawn.total, signed=True)}"
    if unit is None or layer not in (-1, n_layers - 1):
        sums += f", with the bias {number(bias, signed=True)} the logit {number(logit, signed=True)}"
        sums += f" (of layer {n_layers}, all units)" if layer not in (-1, n_layers - 1) else ""
    halves = "; solid: forward half, hatched: backward half" if len(drawn.added) > 1 and n_directions > 1 else ""
    return (
        f"<b>Wrote</b> into the cell: {wrote}; solid: still there at the end",
        "<b>Kept</b> to the end: share of what it wrote",
        f"<b>Added</b> to the logit of {label}: {sums}{halves}",
    )


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Range of an axis that holds values and zero, with room for a number at either end."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = (high - low) * 0.16 or 1.0
    return low - room * (low < 0), high + room * (high > 0 or low == 0)


def _ends(added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower end of the bars stacked from values [direction, entry], each of shape [entry]."""
    return np.maximum(added, 0).sum(0), np.minimum(added, 0).sum(0)


def _draw_cell(spec: Spec, ledger: LstmLedger, drawn: LedgerBars) -> None:
    place = ledger.entries.place
    names = [_style.escaped(name, 40) for name in ledger.entries.names]
    lost = drawn.written - drawn.kept
    spec["data"] += [
        _bar(place, drawn.kept, GREY, 1, "kept", names, customdata=drawn.written,
             hovertemplate="wrote %{customdata:.3~g}, kept %{y:.3~g}<extra></extra>"),
        _bar(place, lost, _PALE, 1, "lost", names, hoverinfo="skip"),
        _bar(place, drawn.kept_share, GREY, 2, "share kept", names,
             hovertemplate="%{y:.1%} kept to the end<extra></extra>"),
    ]  # fmt: skip


def _draw_added(spec: Spec, ledger: LstmLedger, drawn: LedgerBars) -> None:
    place, total = ledger.entries.place, drawn.added.sum(0)
    names = [_style.escaped(name, 40) for name in ledger.entries.names]
    colors = _entries.push_colors(ledger.labels, ledger.target)
    is_both = len(drawn.added) > 1
    for direction, values in enumerate(drawn.added):
        name = f"{ledger.directions[direction]} half" if is_both else "added"
        more: dict[str, Any] = {"hovertemplate": f"{name} %{{y:+.3~g}}<extra></extra>"}
        bar = _bar(place, values, _entries.by_sign(values, colors), 3, name, names, **more)
        if is_both and direction:
            bar["marker"]["pattern"] = _entries.HATCH
        spec["data"].append(bar)
    if is_both:
        spec["data"].append(
            {"type": "scatter", "x": place, "y": total, "mode": "markers", "name": "both", "yaxis": "y3",
             "marker": {"symbol": "line-ew", "size": 11, "line": {"width": 2, "color": _style.FAINT}},
             "hovertemplate": "both %{y:+.3~g}<extra></extra>"}
        )  # fmt: skip
    if len(place) <= MAX_NUMBERED:
        worth = np.flatnonzero(np.abs(total) >= np.abs(total).max() * _NUMBERED)
        ups, downs = _ends(drawn.added)
        spec["data"].append(
            {"type": "scatter", "x": place[worth], "y": np.where(total >= 0, ups, downs)[worth], "mode": "text",
             "text": [number(value, signed=True, digits=2) for value in total[worth]], "hoverinfo": "skip",
             "textposition": ["top center" if value >= 0 else "bottom center" for value in total[worth]],
             "textfont": {"size": 12, "color": _style.INK}, "cliponaxis": False, "yaxis": "y3"}
        )  # fmt: skip


def _bar(x: Any, y: Any, color: Any, row: int, name: str, text: list[str], **more: Any) -> Spec:
    return {
        "type": "bar",
        "x": x,
        "y": y,
        "name": name,
        "hovertext": text,
        "marker": {"color": color, "line": {"width": 0}},
        "yaxis": f"y{row if row > 1 else ''}",
        **more,
    }
