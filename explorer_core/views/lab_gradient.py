"""The vanishing lab: how much of the gradient reaches the first step, before and after learning."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.palette import family_label, family_line
from explorer_core.results import LabResult
from explorer_core.views import _lab, _log, _style

ABOUT = {
    "label": "Gradient at the start against lag",
    "sentence": "The share of the loss's gradient that reaches the first step in the vanishing lab, before and after "
    "learning, against the lag.",
    "how": "Thin: before the first step of learning; thick: after the last. At 1 as much arrives at the first step as "
    "sets out at the last; at 10⁻⁶ a millionth does, and learning hardly feels what was there. A network that has "
    "learned holds its thick line up over the whole lag.",
    "does_not_show": "The size of the gradient itself, which falls with the loss of any network that learns; the share "
    "divides it out. A small share does not mean that a network remembers little, only that it cannot be taught there.",
    "formula": "share = ‖∂ℓ/∂s_1‖ ÷ ‖∂ℓ/∂s_T‖, each the mean over sequences with ℓ their loss; s is the cell c of an "
    "LSTM, the state h of a GRU and an RNN; total derivatives through all later steps; median over seeds",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Pascanu, Mikolov and Bengio 2013, On the "
    "difficulty of training recurrent neural networks; Zucchet and Orvieto 2024, Recurrent neural networks: vanishing "
    "and exploding gradients are not the end of the story",
    "order": 202,
}
_WIDTHS, _OPACITIES, _WHEN = (1.4, 3.0), (0.65, 1.0), ("before learning", "after learning")


def render(result: LabResult, *, height: int = 340, width: int = 430) -> go.Figure:
    """Gradient at the first step over that at the last, on a logarithmic axis, over lags.

    Args:
        result: From `api.run_lab`; one that is not finished has the gradient before learning only.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the lags.
    """
    rows = _lab.compared(result)
    shares = _lab.middle(np.moveaxis(result.grad_share[rows], 2, 3))  # [family, lag, moment]
    scale = _log.scale_of([shares, np.ones(1)], float(np.finfo(np.float64).tiny), "float64")
    spec = _style.describe(height)
    spec["layout"]["margin"]["l"] = 78
    places = _lab.lag_axis(spec, result.spec.lags, width=width)
    _log.log_axis(spec, scale, "gradient at the first step ÷ at the last")
    spec["layout"]["annotations"].clear()  # the floor of the number format is far away
    _style.reference_line(spec, 0.0)  # 1
    ends = []
    for row, values in zip(rows, shares, strict=True):
        family = result.settings[row].family
        (color, dash), name = family_line(family), family_label(family)
        for moment, line in enumerate(values.T):
            there = np.flatnonzero(np.isfinite(line))
            if not len(there):
                continue
            drawn = _log.log_line(scale, places, line, f"{name} {_WHEN[moment]}", color, dash)
            drawn["line"]["width"] = _WIDTHS[moment]
            drawn |= {"opacity": _OPACITIES[moment], "mode": "lines+markers"}
            drawn["marker"] = {"size": 4 + 3 * moment, "color": color}
            spec["data"].append(drawn)
            if moment or not np.isfinite(values[:, 1]).any():
                last = there[-1]
                ends.append((float(places[last]), float(scale.place(line[[last]])[0]), name, color))
    _style.label_ends(spec, ends, limits=(scale.low, scale.high), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(result: LabResult) -> str:
    """The figure in words."""
    rows = _lab.compared(result)
    shares = _lab.middle(np.moveaxis(result.grad_share[rows], 2, 3))
    parts = (
        f"{family_label(result.settings[row].family)} {when} {_lab.said(values[:, moment], result.spec.lags)}"
        for row, values in zip(rows, shares, strict=True)
        for moment, when in enumerate(_WHEN)
    )
    return f"Gradient at the first step over that at the last, by lag: {'; '.join(parts)}."
