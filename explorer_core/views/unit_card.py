"""Words at both ends of a unit's scale, as bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import axis_limit, number
from explorer_core.palette import BLUE, VERMILLION
from explorer_core.results import UnitCard
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Words of a unit",
    "sentence": "The words of a corpus after which a unit is highest, and lowest, on average.",
    "how": "Each bar is the unit's mean right after a word, in capitals or not, over the places counted beside the "
    "word; the dotted line is its mean over all words.",
    "does_not_show": "What came before the word, which the unit has read too; how far its places differ, so that a "
    "mean over few says little; and whether the verdict listens to this unit.",
    "formula": "bar = Σ value after the word / number of its places",
    "source": "Karpathy, Johnson and Fei-Fei 2015, Visualizing and understanding recurrent networks",
    "order": 110,
}
SIGNED = frozenset({"hidden", "cell", "candidate"})
ROW = 24  # px of a bar with its gap


def render(card: UnitCard, *, height: int | None = None) -> go.Figure:
    """The words with the highest mean at the top, those with the lowest at the bottom.

    Args:
        card: From `api.unit_card`.
        height: Height of the figure in pixels; left out, as the number of words asks for.
    """
    words, mean, counts, is_top = rows_of(card)
    spec = _style.describe(height or ROW * len(words) + 70)
    spec["layout"] |= {"hovermode": "closest", "bargap": 0.25}
    signed = card.quantity in SIGNED
    names = [f"{_style.escaped(word, 18)} · {count:,}" for word, count in zip(words, counts, strict=True)]
    shown = [number(value, signed=signed) for value in mean]
    spec["data"] = [
        {
            "type": "bar",
            "orientation": "h",
            "x": mean,
            "y": np.arange(len(words)),
            "text": shown,
            "textposition": "outside",
            "cliponaxis": False,
            "textfont": {"size": 12, "color": _style.INK},
            "customdata": [
                f"{_style.escaped(word, 60)}: mean {value} over {count:,} {'place' if count == 1 else 'places'}"
                for word, value, count in zip(words, shown, counts, strict=True)
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {"color": [BLUE if top else VERMILLION for top in is_top]},
        }
    ]
    low, high = _limits(mean, signed)
    _style.axis(spec, "x").update(
        title={"text": f"mean {_name(card)} after the word", "standoff": 8, "font": {"color": _style.INK}},
        range=[low, high],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        zeroline=signed,
        zerolinecolor=_style.FAINT,
    )
    _style.axis(spec, "y").update(
        tickvals=np.arange(len(words)),
        ticktext=names,
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        range=[len(words) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
        ticks="",
    )
    _mark_mean(spec, card.mean)
    longest = max(min(len(visible(word)), 18) + len(f"{count:,}") for word, count in zip(words, counts, strict=True))
    spec["layout"]["margin"] |= {"l": 36 + int(longest * 8), "r": 24, "b": 52}
    return _style.build(spec)


def rows_of(card: UnitCard) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Words with their means, places and whether they are of the upper end; each word once, the highest first."""
    top, bottom = card.top_words, card.bottom_words
    rest = [at for at, word in enumerate(bottom.words) if word not in top.words][::-1]
    words = [*top.words, *(bottom.words[at] for at in rest)]
    is_top = np.arange(len(words)) < len(top.words)
    return words, np.append(top.mean, bottom.mean[rest]), np.append(top.counts, bottom.counts[rest]), is_top


def alt_text(card: UnitCard) -> str:
    """The figure in words: three words at each end."""
    signed = card.quantity in SIGNED

    def said(words: Any) -> str:
        pairs = zip(words.words[:3], words.mean[:3], strict=True)
        return ", ".join(f"{visible(word)[:40]} ({number(value, signed=signed)})" for word, value in pairs)

    return (
        f"Unit {card.unit} of {card.n_words:,} words: highest on average after {said(card.top_words)}; "
        f"lowest after {said(card.bottom_words)}."
    )


def _name(card: UnitCard) -> str:
    names = {"hidden": "hidden state", "cell": "cell state", "candidate": "candidate"}
    return names.get(card.quantity, f"{card.quantity} gate")


def _limits(mean: np.ndarray, signed: bool) -> tuple[float, float]:
    """Ends of the axis, with room for the numbers at the ends of the bars."""
    if not signed:
        return 0.0, 1.12
    limit = axis_limit(float(np.abs(mean).max()) * 1.18)
    low, high = float(mean.min()), float(mean.max())
    return (-limit if low < 0 else 0.0), (limit if high > 0 else 0.0)


def _mark_mean(spec: _style.Spec, mean: float) -> None:
    spec["layout"]["shapes"].append(
        {"type": "line", "xref": "x", "yref": "y domain", "x0": mean, "x1": mean, "y0": 0, "y1": 1, "layer": "above",
         "line": {"color": _style.FAINT, "width": 1.5, "dash": "dot"}}
    )  # fmt: skip
