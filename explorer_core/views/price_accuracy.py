"""Accuracy against the time of one pass, one mark for each network."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import PriceList
from explorer_core.text import visible
from explorer_core.views import _price, _style

ABOUT = {
    "label": "Accuracy for its price",
    "sentence": "Validation accuracy of each network against the milliseconds it takes to read a text.",
    "how": "Each mark is one network: higher is right more often, further left is faster. Bars are the 95 % interval "
    "of the accuracy and the quartiles of the time. A network with none above it to its left is worth its price.",
    "does_not_show": "Accuracy on other texts than its own validation rows; two networks trained on different data "
    "were also judged on different rows. Networks without a kept accuracy are left out.",
    "formula": "accuracy = validation rows judged right ÷ validation rows, interval of Wilson 1927; time: median of "
    "one pass",
    "source": "Schwartz et al. 2020, Green AI; Wilson 1927, Probable inference, the law of succession",
    "order": 81,
}
NONE = "No network here has a kept accuracy."


def render(prices: PriceList, *, batch: int = 0, length: int = 1, height: int = 340) -> go.Figure:
    """A mark for each network that was judged on validation rows.

    Args:
        prices: What each network costs.
        batch: Which of the numbers of texts read together, counted from 0.
        length: Which of the lengths, counted from 0.
        height: Of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "closest"}
    spec["layout"]["margin"] |= {"b": 56, "t": 36}
    times = np.array([(price.low_s[batch, length], price.high_s[batch, length]) for price in prices.prices])
    limits = _price.limits_of(times)
    shares = [0.75]
    for place in judged(prices):
        record = prices.records[place]
        assert record is not None
        shares += [record.accuracy, record.accuracy_low, record.accuracy_high]
        spec["data"].append(_mark(prices, place, batch, length))
    bounds = (
        max(math.floor(20 * np.nanmin(shares)) / 20, 0.0), min(math.ceil(20 * np.nanmax(shares)) / 20, 1.0)
    )  # fmt: skip
    _name(spec, prices)
    if not spec["data"]:
        spec["data"].append(
            _style.line([limits[0]], [bounds[0]], NONE, _style.GRID) | {"mode": "markers", "opacity": 0}
        )
        spec["layout"]["annotations"].append(
            {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "text": NONE, "showarrow": False}
        )
    shown = f"{int(prices.lengths[length]):,} tokens, {_price.texts_together(prices, batch)}"
    _price.time_axis(spec, "x", f"ms for one pass over {shown}", limits)
    _style.value_axis(spec, "validation accuracy", limits=bounds)
    return _style.build(spec)


def alt_text(prices: PriceList, *, batch: int = 0, length: int = 1) -> str:
    """The figure in words: accuracy and time of every network."""
    said = [
        f"{visible(prices.names[place])} {number(prices.records[place].accuracy)} in "  # type: ignore[union-attr]
        f"{number(prices.prices[place].median_s[batch, length] * 1e3)} ms"
        for place in judged(prices)
    ]
    return f"Validation accuracy against time. {'; '.join(said)}." if said else NONE


def judged(prices: PriceList) -> list[int]:
    """Places of the networks with a kept accuracy."""
    return [place for place, record in enumerate(prices.records) if record is not None and record.has_accuracy]


def _mark(prices: PriceList, place: int, batch: int, length: int) -> _style.Spec:
    record, price, (color, _) = prices.records[place], prices.prices[place], _price.lines_of(prices)[place]
    assert record is not None
    name = _style.escaped(prices.names[place], 28)
    low, middle, high = (
        float(np.log10(seconds[batch, length] * 1e3)) for seconds in (price.low_s, price.median_s, price.high_s)
    )
    has_interval = not np.isnan(record.accuracy_low)
    above = record.accuracy_high - record.accuracy if has_interval else 0.0
    below = record.accuracy - record.accuracy_low if has_interval else 0.0
    thin = {"type": "data", "symmetric": False, "color": color, "thickness": 1.4, "width": 0}
    said = f" ({number(record.accuracy_low)} to {number(record.accuracy_high)})" if has_interval else ""
    return {
        "type": "scatter", "mode": "markers", "x": [middle], "y": [record.accuracy],
        "marker": {"size": 13, "color": color, "symbol": _price.SYMBOLS[place % len(_price.SYMBOLS)]},
        "error_x": thin | {"array": [high - middle], "arrayminus": [middle - low]},
        "error_y": thin | {"array": [above], "arrayminus": [below]},
        "hovertemplate": f"<b>{name}</b><br>accuracy {number(record.accuracy)}{said}<br>"
        f"{number(price.median_s[batch, length] * 1e3)} ms<extra></extra>",
    }  # fmt: skip


def _name(spec: _style.Spec, prices: PriceList) -> None:
    """Names in their colours over the plot, with their marks: beside marks that lie close, one hides another."""
    right = 0.0
    for place in reversed(judged(prices)):
        mark = _price.MARKS[place % len(_price.MARKS)]
        name = f"{mark} {_style.escaped(prices.names[place], 16)}"
        spec["layout"]["annotations"].append(
            {
                "x": 1, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "xanchor": "right", "yshift": 6,
                "xshift": -right, "text": f"<b>{name}</b>", "showarrow": False,
                "font": {"size": 13, "color": _price.lines_of(prices)[place][0]},
            }
        )  # fmt: skip
        right += _style.text_width(f"{mark} {visible(prices.names[place])[:16]}") + 14
