"""What the views of the vanishing lab share: what is compared, an axis of lags, lines with a dot for each seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer_core.lab.spec import Setting
from explorer_core.numerals import number
from explorer_core.palette import family_label, family_line
from explorer_core.results import LabResult
from explorer_core.views import _style
from explorer_core.views._style import Spec

End = tuple[float, float, str, str]  # last x and y of a line, its name and its colour
_NEAR_CHANCE = 0.1  # a tick closer to chance than that is left out
_TICK_ROOM = 26  # px a lag needs at the axis


def compared(result: LabResult) -> list[int]:
    """One kind a family, at its place on the setting axis: the largest gate bias, and PyTorch's recurrent start."""
    rows = range(len(result.settings))
    return [
        next(row for row in rows if result.settings[row] == Setting(family, bias, False))
        for family in result.spec.families
        for bias in [None if family == "rnn" else result.spec.gate_bias]
    ]


def name_of(setting: Setting) -> str:
    """Family and start, such as `LSTM, forget bias 3`."""
    return f"{family_label(setting.family)}, {setting.start}"


def middle(values: np.ndarray) -> np.ndarray:
    """Median over seeds, the last axis, of those there are; NaN where there is none."""
    found = np.full(values.shape[:-1], np.nan)
    is_there = ~np.isnan(values).all(-1)
    found[is_there] = np.nanmedian(values[is_there], axis=-1)
    return found


def lag_axis(spec: Spec, lags: Sequence[int], *, width: int) -> np.ndarray:
    """Put lags under the x axis, thinned so that none overlap; returns their places, which are the lags themselves."""
    span = max(lags[-1] - lags[0], 1)
    shown: list[int] = []
    for lag in reversed(lags):  # the longest is always there
        if not shown or (shown[-1] - lag) / span * width >= _TICK_ROOM:
            shown.append(lag)
    _style.axis(spec, "x").update(
        title={"text": "lag (steps to remember over)", "standoff": 8, "font": {"color": _style.INK}},
        tickmode="array",
        tickvals=shown,
        ticktext=[f"{lag}" for lag in shown],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        range=[lags[0] - 0.05 * span, lags[-1] + 0.05 * span],
        showgrid=False,
        zeroline=False,
        ticks="outside",
        ticklen=4,
        tickcolor=_style.GRID,
        unifiedhovertitle={"text": "lag %{x}"},
    )
    spec["layout"]["margin"]["b"] = 54
    return np.array(lags, dtype=float)


def accuracy_axis(spec: Spec, result: LabResult) -> tuple[float, float]:
    """A y axis of shares from 0 to 1, with chance as one of its ticks and a line across; returns its range."""
    _style.value_axis(spec, "share of right answers", limits=(0.0, 1.0))
    _style.reference_line(spec, result.chance)
    others = [share for share in (0.0, 0.25, 0.5, 0.75, 1.0) if abs(share - result.chance) > _NEAR_CHANCE]
    ticks = sorted([*others, result.chance])
    _style.axis(spec, "y").update(
        tickvals=ticks,
        ticktext=[f"chance {number(tick, digits=2)}" if tick == result.chance else f"{tick:g}" for tick in ticks],
        showgrid=False,
    )
    spec["layout"]["margin"]["l"] = 108
    return -0.03, 1.03


def family_lines(spec: Spec, result: LabResult, x: np.ndarray, values: np.ndarray) -> list[End]:
    """Draw for each family the median over seeds as a line and each seed as a faint dot.

    Args:
        spec: The description.
        result: The lab.
        x: Places, shape [place].
        values: Shares in [0, 1], shape [family, place, seed], of the kinds that are compared.

    Returns:
        End, name and colour of each line, as `_style.label_ends` takes them.
    """
    ends = []
    for setting, per_seed in zip((result.settings[row] for row in compared(result)), values, strict=True):
        color, dash = family_line(setting.family)
        line = middle(per_seed)
        name = family_label(setting.family)
        seeds = [", ".join("no number" if math.isnan(one) else number(one) for one in seed) for seed in per_seed]
        dots = _style.line(np.repeat(x, per_seed.shape[1]), per_seed.ravel(), f"{name}, each seed", color)
        spec["data"].append(
            dots | {"mode": "markers", "marker": {"size": 6, "color": color}, "opacity": 0.4, "hoverinfo": "skip"}
        )
        drawn = _style.line(
            x, line, name, color, dash, customdata=seeds, hovertemplate="%{y:.3f} (seeds: %{customdata})",
        )  # fmt: skip
        spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 7, "color": color}})
        there = np.flatnonzero(np.isfinite(line))
        if len(there):
            ends.append((float(x[there[-1]]), float(line[there[-1]]), name, color))
    return ends


def said(values: np.ndarray, lags: Sequence[int]) -> str:
    """Values by lag in words."""
    parts = (
        f"{'no number' if math.isnan(value) else number(value)} at {lag}"
        for lag, value in zip(lags, values, strict=True)
    )
    return ", ".join(parts)
