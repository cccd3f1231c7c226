"""What the views of two sides share: bars of both over one axis, what lies between them below, and bands of seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer_core.numerals import nice_limit, number
from explorer_core.palette import GREY, PURPLE, family_line
from explorer_core.results import SeedSpread, TextChange
from explorer_core.views import _entries, _style
from explorer_core.views._style import Spec

Spreads = tuple[SeedSpread | None, SeedSpread | None]
NO_SPREADS: Spreads = (None, None)
MANY_WORDS = 60  # above this there is no dot at every word
_GAP_PX = 46
_OFFSET, _WIDTH = 0.2, 0.36  # of a bar beside another, in words


def side_colors(architectures: Sequence[str]) -> tuple[str, str]:
    """The colours of both families; of one family, its own and grey."""
    first, second = (family_line(one)[0] for one in architectures)
    return first, second if first != second else (PURPLE if first == GREY else GREY)


def dashes(architectures: Sequence[str]) -> tuple[str, str]:
    """The dashes of both families; the second of one family is dotted."""
    first, second = (family_line(one)[1] for one in architectures)
    return first, second if architectures[0] != architectures[1] else "dot"


def two_panels(spec: Spec, words: Sequence[str], width: int, upper: float = 0.58) -> tuple[float, float]:
    """Divide the height in two over one axis of words; returns the shares of both."""
    spec["layout"] |= {"hovermode": "closest", "bargap": 0.1}
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, words, width=width, rows=2)
    gap = _GAP_PX / _style.plot_height(spec)
    share = (1 - gap) * upper
    _style.axis(spec, "y").update(domain=[1 - share, 1.0])
    _style.axis(spec, "y", 2).update(domain=[0.0, 1 - share - gap])
    _style.axis(spec, "x").update(anchor="y", matches="x2")
    _style.axis(spec, "x", 2).update(anchor="y2")
    return share, 1 - share - gap


def lower_top(spec: Spec) -> float:
    """Where the lower panel ends, as a share of the plot's height."""
    return float(spec["layout"]["yaxis2"]["domain"][1])


def pair_of_bars(
    spec: Spec, words: Sequence[str], values: np.ndarray, names: Sequence[str], colors: Sequence[str],
    spreads: Spreads = NO_SPREADS,
) -> None:  # fmt: skip
    """Bars of both sides, values [2, word], beside each other in the upper panel; NaN draws none. A whisker spans what
    the seeds of a side give, a tick is their mean.
    """
    shown = [_style.escaped(word, 40) for word in words]
    places = np.arange(len(words))
    for side, (name, color, spread) in enumerate(zip(names, colors, spreads, strict=True)):
        x = places + (2 * side - 1) * _OFFSET
        told = [number(value, signed=True) if np.isfinite(value) else "not there" for value in values[side].tolist()]
        title = _style.escaped(name, 40)
        spec["data"].append({
            "type": "bar", "x": x, "y": values[side], "width": _WIDTH, "xaxis": "x", "yaxis": "y", "name": title,
            "marker": {"color": color, "line": {"width": 0}}, "customdata": [f"{title} {one}" for one in told],
            "hovertext": shown, "hovertemplate": "<b>%{hovertext}</b> %{customdata}<extra></extra>",
        })  # fmt: skip
        if spread is not None:
            spec["data"].append(_whiskers(x, spread))


def _whiskers(x: np.ndarray, spread: SeedSpread) -> Spec:
    told = [
        f"{len(spread.models)} seeds: {number(low, signed=True)} to {number(high, signed=True)}"
        for low, high in zip(spread.low.tolist(), spread.high.tolist(), strict=True)
    ]
    is_many = len(x) > MANY_WORDS  # then ticks and the ends of whiskers would hide the bars
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": spread.mean, "xaxis": "x", "yaxis": "y",
        "marker": {
            "symbol": "line-ew-open", "size": 1 if is_many else 9, "color": _style.INK,
            "line": {"width": 0.5 if is_many else 2},
        },
        "error_y": {
            "type": "data", "symmetric": False, "array": spread.high - spread.mean,
            "arrayminus": spread.mean - spread.low, "color": _style.FAINT if is_many else _style.INK,
            "thickness": 0.7 if is_many else 1.2, "width": 0 if is_many else 3,
        },
        "customdata": told, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def band(spec: Spec, spread: SeedSpread, color: str) -> None:
    """What the seeds span, as a band in the upper panel, with their mean as a thin line."""
    x = np.arange(len(spread.words))
    spec["data"].append({
        "type": "scatter", "mode": "lines", "x": np.concatenate([x, x[::-1]]),
        "y": np.concatenate([spread.high, spread.low[::-1]]), "fill": "toself", "fillcolor": _style.faint(color, 0.22),
        "line": {"width": 0}, "hoverinfo": "skip", "xaxis": "x", "yaxis": "y",
    })  # fmt: skip
    mean = _style.line(x, spread.mean, "mean of the seeds", color)
    mean |= {"hoverinfo": "skip", "opacity": 0.7}
    mean["line"]["width"] = 1.0
    spec["data"].append(mean)


def mark_edits(spec: Spec, found: TextChange) -> None:
    """Shade the columns of words that were put in, taken out or replaced, over all panels."""
    for at in np.flatnonzero(~found.is_kept).tolist():
        spec["layout"]["shapes"].append({
            "type": "rect", "x0": at - 0.5, "x1": at + 0.5, "y0": 0, "y1": 1, "xref": "x", "yref": "paper",
            "layer": "below", "line": {"width": 0}, "fillcolor": "rgba(128,132,140,0.18)",
        })  # fmt: skip


def difference_bars(
    spec: Spec, words: Sequence[str], difference: np.ndarray, colors: Sequence[str], heading: str, unit: str
) -> None:
    """First less second in the lower panel: the colour of the first above zero, of the second below; NaN draws none."""
    known = difference[np.isfinite(difference)]
    limit = nice_limit(float(np.abs(known).max(initial=0.0)))
    _style.value_axis(spec, unit, row=2, limits=(-limit, limit))
    _style.axis(spec, "y", 2).update(nticks=5, exponentformat="power")
    _style.reference_line(spec, 0.0, row=2)
    spec["data"].append({
        "type": "bar", "x": np.arange(len(words)), "y": difference, "width": 0.6, "xaxis": "x2", "yaxis": "y2",
        "marker": {"color": _entries.by_sign(difference, (colors[0], colors[1])), "line": {"width": 0}},
        "customdata": [number(value, signed=True) if np.isfinite(value) else "not in both" for value in difference],
        "hovertext": [_style.escaped(word, 40) for word in words],
        "hovertemplate": "<b>%{hovertext}</b> %{customdata}<extra></extra>",
    })  # fmt: skip
    _entries.heading(spec, heading, lower_top(spec), yshift=6)


def named(names: Sequence[str], colors: Sequence[str], longest: int = 40) -> str:
    """Both names in their colours, for a heading."""
    return "   ".join(
        f"<span style='color:{color}'>■</span> {_style.escaped(name, longest)}"
        for name, color in zip(names, colors, strict=True)
    )


def ends_of(values: np.ndarray, spreads: Spreads = NO_SPREADS) -> tuple[float, float]:
    """Ends of a scale that holds every value, every band and zero."""
    held = [values[np.isfinite(values)], *(np.concatenate([one.low, one.high]) for one in spreads if one is not None)]
    joined = np.concatenate(held)
    low, high = min(float(joined.min(initial=0.0)), 0.0), max(float(joined.max(initial=0.0)), 0.0)
    return (low, high) if high > low else (low - 1.0, 1.0)
