"""Who is right when the evidence lies early or late in a text."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.results import THIRDS, EvidenceThirds
from explorer_core.text import visible
from explorer_core.views import _many, _style

ABOUT = {
    "label": "Early and late evidence",
    "sentence": "Share of texts judged rightly, by the third of the words in which the evidence lies.",
    "how": "A mark is one model on the texts of one third, its line the 95 % interval. A model that forgets stands "
    "lower on the left, where the evidence is followed by most of the text.",
    "does_not_show": "That the place is the cause: texts with early evidence may be of another kind, or longer. Where "
    "nobody marked the evidence, it lies where the models' own scores are largest, which says what they went by.",
    "formula": "third = that of the mean place of the marked words, or the third with the largest share of the sizes "
    "of the scores, on average over the models; interval: Wilson",
    "source": "Wilson 1927, Probable inference, the law of succession, and statistical inference; McNemar 1947, Note "
    "on the sampling error of the difference between correlated proportions or percentages",
    "order": 363,
}


def render(found: EvidenceThirds, *, height: int = 330) -> go.Figure:
    """A mark for each network in each third.

    Args:
        found: From `api.locate_evidence`.
        height: Height of the figure in pixels.
    """
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "closest", "dragmode": False}
    spec["layout"]["margin"] |= {"b": 54, "t": 42}
    low = float(np.nanmin(found.low, initial=1.0))
    floor = max(np.floor(low * 10) / 10, 0.0) if low < 1 else 0.0
    _style.value_axis(spec, "share judged rightly", limits=(floor, 1.0))
    _style.axis(spec, "x").update(
        range=[-0.5, len(THIRDS) - 0.5], tickvals=list(range(len(THIRDS))),
        ticktext=[f"{name}<br><span style='opacity:0.65'>{count:,} texts</span>"
                  for name, count in zip(THIRDS, found.n_texts, strict=True)],
        tickfont={"size": 14, "color": _style.INK}, showgrid=False, zeroline=False,
    )  # fmt: skip
    called = _many.names_of(found.models, found.architectures)
    width = 0.09 if len(called) > 1 else 0.0
    for place, color in enumerate(_many.colors_of(found.architectures)):
        there = np.flatnonzero(found.n_texts > 0)
        values, ends = found.accuracy[place, there], (found.low[place, there], found.high[place, there])
        told = [
            f"{_style.escaped(called[place], 28)}, {THIRDS[third]}: {int(found.n_right[place, third]):,} of "
            f"{int(found.n_texts[third]):,}, {number(float(a))} ({number(float(b))} to {number(float(c))})"
            for third, a, b, c in zip(there, values, *ends, strict=True)
        ]
        x = there + (place - (len(called) - 1) / 2) * width
        spec["data"].append(_many.marks(x, values, *ends, told, place, color, is_upright=True, size=10))
    _many.name_marks(spec, found.models, found.architectures)
    return _style.build(spec)


def alt_text(found: EvidenceThirds) -> str:
    """The figure in words."""
    parts = []
    for place, name in enumerate(_many.names_of(found.models, found.architectures)):
        shares = ", ".join(
            f"{number(float(found.accuracy[place, third]))} with evidence in the {THIRDS[third]}"
            for third in np.flatnonzero(found.n_texts > 0)
        )
        parts.append(f"{visible(name)} {shares}")
    return f"Share judged rightly: {'; '.join(parts)}."
