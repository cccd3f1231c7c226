"""The scores of two models beside each other, and the first less the second, over the words both read."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.results import WordDifference
from explorer_core.text import visible
from explorer_core.views import _entries, _paired, _style

ABOUT = {
    "label": "Difference of scores",
    "sentence": "What each word did to the logit in two models, by one method, and the first less the second.",
    "how": "Above, a bar for each model, up for the class and down against it; below, the first less the second, in "
    "the colour of the model that gives the word more. A whisker spans what trainings with other seeds give, its tick "
    "is their mean: a difference inside of whiskers can be luck.",
    "does_not_show": "That two models agree for the same reason: equal bars can come about in different ways, raw "
    "logits of two models are not on one scale, and shares and ranks forget how sure a model is.",
    "formula": "raw: s; share: s ÷ Σ|s|; rank: sign(s) · rank of |s|, 1 the smallest; below: first − second",
    "source": "Kendall 1938, A new measure of rank correlation; Wilcoxon 1945 for signed ranks",
    "order": 110,
}
_TITLES = {"raw": "scores as they are", "share": "shares", "rank": "signed ranks"}


def render(
    found: WordDifference,
    *,
    names: tuple[str, str] | None = None,
    spreads: _paired.Spreads = _paired.NO_SPREADS,
    height: int = 430,
    width: int = 1000,
) -> go.Figure:
    """Two panels over the words both models read.

    Args:
        found: From `api.compare_words`.
        names: What the models are called; their own names when left out.
        spreads: From `api.spread_words` at the same words and normalisation, for the first and the second model;
            `None` for one of which there is a single seed.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    names = names or found.models
    spec = _style.describe(height)
    _paired.two_panels(spec, found.words, width)
    colors = _paired.side_colors(found.architectures)
    _style.value_axis(spec, _unit(found), limits=_paired.ends_of(found.values, spreads))
    _style.axis(spec, "y").update(exponentformat="power", nticks=6)
    _style.reference_line(spec, 0.0)
    _paired.pair_of_bars(spec, found.words, found.values, names, colors, spreads)
    label = _style.escaped(found.target_label, 30)
    _entries.heading(
        spec, f"{_paired.named(names, colors)}   {_TITLES[found.normalisation]} for {label}", 1.0, yshift=6
    )
    heading = f"{_style.escaped(names[0], 40)} less {_style.escaped(names[1], 40)}"
    _paired.difference_bars(spec, found.words, found.difference, colors, heading, _unit(found))
    return _style.build(spec)


def alt_text(found: WordDifference, *, names: tuple[str, str] | None = None) -> str:
    """The figure in words: the words on which the two models differ most, and how alike they rank them."""
    first, second = names or found.models
    order = np.argsort(-np.abs(found.difference), kind="stable")[:3]
    parts = ", ".join(f"{found.words[at][:40]} {number(float(found.difference[at]), signed=True)}" for at in order)
    about = registry.describe("attribution")[found.method]
    return visible(
        f"{about.label}, {_TITLES[found.normalisation]}: {first} less {second} over {len(found.words)} words. The "
        f"largest differences are {parts}. Kendall's tau is {number(found.tau, signed=True)}."
    )


def _unit(found: WordDifference) -> str:
    if found.normalisation == "raw":
        return "logit" if found.unit == "logit" else "score"
    return {"share": "share", "rank": "signed rank"}[found.normalisation]
