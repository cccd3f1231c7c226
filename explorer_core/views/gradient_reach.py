"""How far back the gradient of several networks reaches: its share within the last words of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core.palette import family_line
from explorer_core.results import GradientReach
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "Reach of the gradient",
    "sentence": "The share of a network's gradient that lies within the last words of the text.",
    "how": "A line that is at 1 within a few words belongs to a network whose verdict hangs on the end of the text; "
    "one that rises evenly hangs on all words alike. The dot is where half of the gradient is reached.",
    "does_not_show": "Which words these are, nor whether they speak for or against: a gradient says how much a small "
    "nudge of a word vector would move the logit, not what the word contributed.",
    "formula": "Σ ‖∂y/∂x_t‖ over the last k words / Σ ‖∂y/∂x_t‖ over all; y is the logit of the class, x_t the vectors "
    "of a word",
    "source": "Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is difficult",
    "order": 84,
}


def render(found: GradientReach, *, names: Sequence[str] | None = None, height: int = 320) -> go.Figure:
    """Cumulative shares over the distance from the end.

    Args:
        found: The gradients of the networks.
        names: What each is called; its family or its own name when left out.
        height: Of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"]["margin"]["b"] = 52
    _style.value_axis(spec, "share of the gradient", limits=(0.0, 1.0))
    called = names or _many.names_of(found.models, found.architectures)
    shares, halves = found.shares_within, found.half_words
    n_words = shares.shape[1]
    ends = []
    for index, (name, architecture) in enumerate(zip(called, found.architectures, strict=True)):
        color, dash = family_line(architecture)
        back = np.flatnonzero(np.isfinite(shares[index]))
        spec["data"].append(
            _style.line(back + 1, shares[index, back], _style.escaped(name, 40), color, dash,
                        hovertemplate="%{y:.3f} within the last %{x} words")
        )  # fmt: skip
        if halves[index]:
            spec["data"].append(
                {"type": "scatter", "x": [int(halves[index])], "y": [float(shares[index, halves[index] - 1])],
                 "mode": "markers", "hoverinfo": "skip", "marker": {"size": 11, "color": color}, "showlegend": False}
            )  # fmt: skip
        ends.append((float(back[-1] + 1), float(shares[index, back[-1]]), f"{name}, half in {halves[index]}", color))
    _style.axis(spec, "x").update(
        title={"text": "words back from the end", "standoff": 8,
               "font": {"color": _style.INK}},
        range=[0.5, n_words + 0.5], tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        showgrid=False, zeroline=False, dtick=max(1, round(n_words / 8)), tick0=1,
    )  # fmt: skip
    _style.reference_line(spec, 0.5)
    _style.label_ends(spec, ends, limits=(0.0, 1.0), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(found: GradientReach, *, names: Sequence[str] | None = None) -> str:
    """The figure in words: within how many words each network has half of its gradient."""
    called = names or _many.names_of(found.models, found.architectures)
    said = [
        f"{visible(name)} has half of its gradient in the last {half} of {int(np.isfinite(sizes).sum())} words"
        if half
        else f"the gradient of {visible(name)} is zero"
        for name, half, sizes in zip(called, found.half_words.tolist(), found.sizes, strict=True)
    ]
    return f"Share of the gradient within the last words. {'; '.join(said)}."
