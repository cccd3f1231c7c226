"""Time of one pass by the length of a text, one line for each network."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import PriceList
from explorer_core.text import visible
from explorer_core.views import _price, _style

ABOUT = {
    "label": "Time by length",
    "sentence": "Milliseconds a network takes to read a text, by its tokens.",
    "how": "Each line is one network; every step to the right is about four times as many tokens, and the scale of "
    "times is logarithmic. Whiskers reach from the lower to the upper quartile of the passes.",
    "does_not_show": "What another machine would take, or this one when it is idle: it was measured here, with "
    "whatever else ran. The tokenizer is not in it.",
    "formula": "median of the seconds of one pass, taken in blocks of passes; whiskers: 25 % and 75 % of the blocks",
    "source": "Georges, Buytaert and Eeckhout 2007, Statistically rigorous Java performance evaluation",
    "order": 80,
}


def render(prices: PriceList, *, batch: int = 0, height: int = 340) -> go.Figure:
    """Lines over the lengths.

    Args:
        prices: What each network costs.
        batch: Which of the numbers of texts read together, counted from 0.
        height: Of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["margin"] |= {"b": 52, "l": 74}
    spec["layout"]["hovermode"] = "closest"
    limits = _price.limits_of(np.array([(price.low_s[batch], price.high_s[batch]) for price in prices.prices]))
    places = np.log10(prices.lengths)
    ends = []
    for name, price, (color, dash) in zip(prices.names, prices.prices, _price.lines_of(prices), strict=True):
        low, middle, high = (np.log10(times[batch] * 1e3) for times in (price.low_s, price.median_s, price.high_s))
        drawn = _style.line(places, middle, _style.escaped(name, 28), color, dash) | {
            "mode": "lines+markers",
            "marker": {"size": 8, "color": color},
            "error_y": {"type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low,
                        "color": color, "thickness": 1.4, "width": 4},
            "customdata": [
                [f"{length:,} tokens", *(number(seconds[batch, place] * 1e3) for seconds in
                                         (price.median_s, price.low_s, price.high_s))]
                for place, length in enumerate(prices.lengths.tolist())
            ],
            "hovertemplate": f"<b>{_style.escaped(name, 28)}</b><br>%{{customdata[0]}}<br>%{{customdata[1]}} ms "
            "(%{customdata[2]} to %{customdata[3]})<extra></extra>",
        }  # fmt: skip
        spec["data"].append(drawn)
        ends.append((float(places[-1]), float(middle[-1]), name, color))
    _style.axis(spec, "x").update(
        title={"text": "tokens of a text", "standoff": 8, "font": {"color": _style.INK}},
        tickvals=places.tolist(), ticktext=[f"{length:,}" for length in prices.lengths.tolist()],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, showgrid=False, zeroline=False,
    )  # fmt: skip
    _price.time_axis(spec, "y", f"ms, {_price.texts_together(prices, batch)}", limits)
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(prices: PriceList, *, batch: int = 0) -> str:
    """The figure in words: the time of every network at every length."""
    said = []
    for name, price in zip(prices.names, prices.prices, strict=True):
        times = ", ".join(
            f"{number(seconds * 1e3)} ms at {length:,} tokens"
            for seconds, length in zip(price.median_s[batch].tolist(), prices.lengths.tolist(), strict=True)
        )
        said.append(f"{visible(name)}: {times}")
    return f"Median time of one pass, {_price.texts_together(prices, batch)}. {'; '.join(said)}."
