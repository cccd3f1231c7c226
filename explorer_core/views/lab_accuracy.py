"""The vanishing lab: who still answers right, the longer the lag."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.palette import family_label
from explorer_core.results import LabResult
from explorer_core.views import _lab, _style

ABOUT = {
    "label": "Accuracy against lag",
    "sentence": "Share of right answers of each family in the vanishing lab, against the lag it had to remember over.",
    "how": "A line is the median over seeds, each dot one seed; every lag has networks of its own. Where a line falls "
    "to the dotted one, the network answers no better than a guess that is always the same.",
    "does_not_show": "What a network could learn with more steps, more units or another start: all were stopped after "
    "the same number of steps.",
    "formula": "accuracy = right answers ÷ answers, over new sequences that were not learned from; a sum counts as "
    "right within 0.16",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Bengio, Simard and Frasconi 1994, Learning "
    "long-term dependencies with gradient descent is difficult",
    "order": 200,
}


def render(result: LabResult, *, height: int = 340, width: int = 430) -> go.Figure:
    """Accuracy of each family over lags.

    Args:
        result: From `api.run_lab`, finished or not.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the lags.
    """
    spec = _style.describe(height)
    places = _lab.lag_axis(spec, result.spec.lags, width=width)
    limits = _lab.accuracy_axis(spec, result)
    values = result.final_accuracy[_lab.compared(result)]  # [family, lag, seed]
    ends = _lab.family_lines(spec, result, places, values)
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(result: LabResult) -> str:
    """The figure in words."""
    rows = _lab.compared(result)
    medians = _lab.middle(np.asarray(result.final_accuracy[rows]))
    parts = (
        f"{family_label(result.settings[row].family)} {_lab.said(values, result.spec.lags)}"
        for row, values in zip(rows, medians, strict=True)
    )
    return f"Median share of right answers by lag: {'; '.join(parts)}."
