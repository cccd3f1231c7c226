"""The vanishing lab: how each family learns over one lag, step by step."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import family_label
from explorer_core.params import check_index
from explorer_core.results import LabResult
from explorer_core.views import _lab, _style

ABOUT = {
    "label": "Learning over one lag",
    "sentence": "Share of right answers of each family in the vanishing lab while it learns, at one lag.",
    "how": "A line is the median over seeds, each dot one seed. A line that stays at the dotted one has not found what "
    "the answer hangs on; one that leaves it late had to wait for its gradient to reach the first step.",
    "does_not_show": "How long a step takes: a step of an LSTM costs some four times that of an RNN of as many units.",
    "formula": "accuracy after a step = right answers ÷ answers, over the same new sequences each time; every step "
    "reads a new batch and is one step of Adam",
    "source": "Hochreiter and Schmidhuber 1997, Long short-term memory; Kingma and Ba 2015, Adam: a method for "
    "stochastic optimization",
    "order": 201,
}


def render(result: LabResult, *, lag: int = 0, height: int = 340) -> go.Figure:
    """Accuracy of each family over the steps of learning.

    Args:
        result: From `api.run_lab`, finished or not.
        lag: Which of the lags, from 0.
        height: Height of the figure in pixels.

    Raises:
        InvalidInputError: If there is no such lag.
    """
    check_index("lag", lag, len(result.spec.lags))
    spec = _style.describe(height)
    _style.axis(spec, "x").update(
        title={"text": "step of learning", "standoff": 8, "font": {"color": _style.INK}},
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        range=[-0.03 * result.spec.steps, 1.03 * result.spec.steps],
        showgrid=False,
        zeroline=False,
        unifiedhovertitle={"text": "after step %{x}"},
    )
    spec["layout"]["margin"]["b"] = 54
    limits = _lab.accuracy_axis(spec, result)
    n_done = result.n_checks_done
    values = result.accuracy[_lab.compared(result), lag, :, :n_done].swapaxes(1, 2)  # [family, check, seed]
    ends = _lab.family_lines(spec, result, result.steps[:n_done].astype(float), values)
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(result: LabResult, *, lag: int = 0) -> str:
    """The figure in words: where each family ends."""
    rows = _lab.compared(result)
    medians = _lab.middle(result.final_accuracy[rows, lag])
    parts = (
        f"{family_label(result.settings[row].family)} {'no number' if value != value else number(float(value))}"
        for row, value in zip(rows, medians, strict=True)
    )
    step = int(result.steps[max(result.n_checks_done - 1, 0)])
    return (
        f"Median share of right answers over a lag of {result.spec.lags[lag]} after {step:,} steps: {', '.join(parts)}."
    )
