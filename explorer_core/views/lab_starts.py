"""The vanishing lab: what the start of a network decides, its gate bias and its recurrent weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import family_line
from explorer_core.results import LabResult
from explorer_core.views import _lab, _style
from explorer_core.views._style import Spec

ABOUT = {
    "label": "What the start decides",
    "sentence": "Right answers after learning, and the gradient that reached the first step before it, for every start "
    "in the vanishing lab and every lag.",
    "how": "A row is one start: the bias of the gate that keeps the state, and PyTorch's uniform or orthogonal "
    "recurrent weights. Read the panels against each other: where hardly any gradient reached the first step before "
    "learning (right, dark), nothing is learned (left, dark).",
    "does_not_show": "That a start is best: each was tried with one learning rate, and a high gate bias, which helps "
    "to keep, can make it slow to learn what to write.",
    "formula": "left: median over seeds of right answers ÷ answers; right: median over seeds of log₁₀ of ‖∂ℓ/∂s_1‖ ÷ "
    "‖∂ℓ/∂s_T‖ before the first step of learning, s = c of an LSTM, else h",
    "source": "Gers, Schmidhuber and Cummins 2000, Learning to forget; Jozefowicz, Zaremba and Sutskever 2015, An "
    "empirical exploration of recurrent network architectures; Saxe, McClelland and Ganguli 2014, Exact solutions to "
    "the nonlinear dynamics of learning in deep linear neural networks",
    "order": 203,
}
_ROW_PX, _COLORS = 30, "Cividis"
_DARK_INK, _LIGHT_INK = "#101018", "#ffffff"
_FAINTEST = -12.0  # exponent at which the colours of gradients end


def panels_of(result: LabResult) -> tuple[np.ndarray, np.ndarray]:
    """Median accuracy, and exponent of ten of the median share of the gradient before learning; [setting, lag]."""
    share = _lab.middle(result.grad_share[..., 0])
    with np.errstate(divide="ignore"):
        return _lab.middle(result.final_accuracy), np.log10(share)


def titles_of(result: LabResult) -> tuple[str, str]:
    """What stands over each panel."""
    when = "after learning" if result.is_finished else "so far"
    return f"right answers<br>{when}", "gradient at the start ÷ at the end<br>before learning"


def render(result: LabResult) -> go.Figure:
    """Two panels of cells with their numbers, starts by lags.

    Args:
        result: From `api.run_lab`, finished or not.
    """
    names = [_lab.name_of(setting) for setting in result.settings]
    spec = _style.describe(110 + _ROW_PX * len(names))
    widest = max(map(_style.text_width, names))
    spec["layout"]["margin"] |= {"l": 24 + int(widest), "t": 50, "b": 50}
    spec["layout"]["hovermode"] = "closest"
    accuracy, exponent = panels_of(result)
    texts = (
        [["" if math.isnan(value) else f"{value:.2f}" for value in row] for row in accuracy],
        [["" if not math.isfinite(value) else number(10**value, digits=1) for value in row] for row in exponent],
    )
    bounds = ((0.0, 1.0), (_FAINTEST, 0.0))
    for index, values in enumerate((accuracy, exponent)):
        domain = ([0.0, 0.485], [0.515, 1.0])[index]
        _panel(spec, result, names, index, values, texts[index], bounds[index], domain)
    return _style.build(spec)


def _panel(
    spec: Spec,
    result: LabResult,
    names: list[str],
    index: int,
    values: np.ndarray,
    texts: list[list[str]],
    bounds: tuple[float, float],
    domain: list[float],
) -> None:
    """One panel of cells; the numbers are annotations, so that each can have the ink its cell needs."""
    ref, lags = str(index + 1) if index else "", result.spec.lags
    low, high = bounds
    shown = np.clip(np.where(np.isneginf(values), low, values), low, high)
    rows = np.arange(len(names))
    exact: list[list[Any]] = [
        [number(10**value) if index and math.isfinite(value) else number(value) for value in row] for row in values
    ]
    spec["data"].append(
        {
            "type": "heatmap",
            "x": np.arange(len(lags)),
            "y": rows,
            "z": shown,
            "zmin": low,
            "zmax": high,
            "colorscale": _COLORS,
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "xaxis": f"x{ref}",
            "yaxis": f"y{ref}",
            "customdata": exact,
            "text": [[f"{name}, lag {lag}" for lag in lags] for name in names],
            "hovertemplate": "%{text}: %{customdata}<extra></extra>",
            "name": titles_of(result)[index].replace("<br>", " "),
        }
    )
    for row in rows:
        for column in range(len(lags)):
            if texts[row][column]:
                is_bright = (shown[row, column] - low) / (high - low) > 0.55
                spec["layout"]["annotations"].append(
                    {
                        "x": column, "y": int(row), "xref": f"x{ref}", "yref": f"y{ref}", "showarrow": False,
                        "text": texts[row][column],
                        "font": {"size": 12, "color": _DARK_INK if is_bright else _LIGHT_INK},
                    }
                )  # fmt: skip
    _style.axis(spec, "x", index + 1).update(
        title={"text": "lag (steps)", "standoff": 6, "font": {"color": _style.INK}}, tickmode="array",
        tickvals=np.arange(len(lags)).tolist(),
        ticktext=[str(lag) for lag in lags], domain=domain, anchor=f"y{ref}", showgrid=False, zeroline=False,
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
    )  # fmt: skip
    colors = [family_line(setting.family)[0] for setting in result.settings]
    _style.axis(spec, "y", index + 1).update(
        tickmode="array", tickvals=rows.tolist(), ticktext=names, showticklabels=index == 0, autorange="reversed",
        anchor=f"x{ref}", showgrid=False, zeroline=False, ticklabeloverflow="allow",
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
    )  # fmt: skip
    if index == 0:
        for row, color in zip(rows, colors, strict=True):
            spec["layout"]["shapes"].append(
                {"type": "rect", "xref": "paper", "x0": -0.012, "x1": -0.006, "yref": "y", "y0": float(row) - 0.42,
                 "y1": float(row) + 0.42, "line": {"width": 0}, "fillcolor": color}
            )  # fmt: skip
    spec["layout"]["annotations"].append(
        {"x": domain[0], "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
         "align": "left", "showarrow": False, "text": f"<b>{titles_of(result)[index]}</b>",
         "font": {"size": 13, "color": _style.INK}}
    )  # fmt: skip


def alt_text(result: LabResult) -> str:
    """The figure in words: how far every start learns."""
    parts = []
    for row, setting in enumerate(result.settings):
        lag = result.learned_lag(row)
        parts.append(f"{_lab.name_of(setting)}: {'no lag' if lag is None else f'up to {lag}'}")
    return f"Lags learned, with a median of at least 90 % right answers, by start: {'; '.join(parts)}."
