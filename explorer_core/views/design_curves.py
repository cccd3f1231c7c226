"""Several runs while they learn, on one pair of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import SERIES, family_line
from explorer_core.results import LearningLine
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Learning side by side",
    "sentence": "Validation loss and accuracy of several networks after every epoch, over the steps all of them make.",
    "how": "Each line is one network, each mark the end of an epoch; at the same place all of them have made as many "
    "steps over the same rows in the same order. Lower is better on the left, higher on the right.",
    "does_not_show": "Luck: another seed moves each line. Train several seeds where two lines are close.",
    "formula": "loss = −(1/n) Σ ln p(true label), in nats; accuracy = validation rows judged right ÷ validation rows",
    "source": "Goodfellow, Bengio and Courville 2016, Deep Learning, section 7.8",
    "order": 82,
}
MAX_NAME_CHARS = 22


def render(lines: Sequence[LearningLine], *, height: int = 320) -> go.Figure:
    """Loss (nats) on the left, accuracy (share) on the right, over steps.

    Args:
        lines: One for each run; some may not have ended an epoch yet.
        height: Of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["margin"] |= {"b": 46}
    spec["layout"]["hovermode"] = "closest"
    furthest = max((int(line.step[-1]) for line in lines if len(line.step)), default=1)
    step_axis = {
        "title": {"text": "step", "standoff": 6, "font": {"color": _style.INK}}, "showgrid": False, "zeroline": False,
        "range": [0, furthest * 1.04], "tickfont": {"size": _style.TICK_SIZE, "color": _style.INK},
    }  # fmt: skip
    _style.axis(spec, "x").update(domain=[0, 0.44], **step_axis)
    _style.axis(spec, "x", 2).update(domain=[0.56, 1], anchor="y2", **step_axis)
    losses = np.concatenate([np.zeros(1), *(line.loss_nats for line in lines)])
    _style.value_axis(spec, "validation loss (nats)", limits=(0.0, max(float(np.nanmax(losses)), 0.1)))
    rights = np.concatenate([np.array([0.5, 1.0]), *(line.accuracy for line in lines)])
    _style.value_axis(spec, "validation accuracy", row=2, limits=(float(np.nanmin(rights)), 1.0))
    _style.axis(spec, "y", 2)["anchor"] = "x2"
    ends: dict[int, tuple[float, float, str, str]] = {}
    for line, (color, dash) in zip(lines, looks_of(lines), strict=True):
        name = _style.escaped(line.label, 40)
        for row, values in ((1, line.loss_nats), (2, line.accuracy)):
            if len(values):
                said = f"<b>{name}</b><br>step %{{x}}: %{{y:.3f}}<extra></extra>"
                drawn = _style.line(line.step, values, name, color, dash, row=row, hovertemplate=said)
                spec["data"].append(drawn | {"mode": "lines+markers", "marker": {"size": 7, "color": color}})
        if len(line.step):  # a name for each network, at the end of the first of its seeds
            end = float(line.step[-1]), float(line.accuracy[-1]), visible(line.name)[:MAX_NAME_CHARS], color
            ends.setdefault(line.group, end)
    limits = (float(np.nanmin(rights)), 1.0)
    _style.label_ends(spec, list(ends.values()), limits=limits, height=_style.plot_height(spec), row=2)
    if not spec["data"]:
        spec["data"].append(_style.line([0.0], [0.0], "nothing yet", _style.GRID) | {"opacity": 0.0})
    return _style.build(spec)


def alt_text(lines: Sequence[LearningLine]) -> str:
    """The figure in words: the last loss and accuracy of every run."""
    said = [
        f"{visible(line.label)} loss {number(float(line.loss_nats[-1]))} nats, accuracy "
        f"{number(float(line.accuracy[-1]))} after step {int(line.step[-1]):,}"
        for line in lines
        if len(line.step)
    ]
    return f"Validation after the last epoch. {'; '.join(said)}." if said else "No epoch has ended yet."


def looks_of(lines: Sequence[LearningLine]) -> list[tuple[str, str]]:
    """Colour and dash of each run: its family's where every network is of another, else colours of a series."""
    groups = list(dict.fromkeys(line.group for line in lines))
    families = [next(line.architecture for line in lines if line.group == group) for group in groups]
    if len(set(families)) == len(families):
        return [family_line(line.architecture) for line in lines]
    return [(SERIES[groups.index(line.group) % len(SERIES)], family_line(line.architecture)[1]) for line in lines]
