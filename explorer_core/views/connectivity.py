"""Which words the verdict rests on after every word: a lower-triangular map of words by words."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import nice_limit, number
from explorer_core.results import Connectivity
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Connectivity",
    "sentence": "How strongly the logit after each word depends on each word before it.",
    "how": "A row is the verdict had the text stopped at that word, a column a word it has read: the brighter, the "
    "more a nudge to that word's vector would move that verdict. A bright diagonal means that the newest word decides, "
    "a bright column that later verdicts go on hanging on a word.",
    "does_not_show": "Which way a word pushes, or what replacing it would do: a gradient speaks of small nudges. Word "
    "vectors of different models are not on one scale, so compare the rows of one map.",
    "formula": "strength[t, s] = ‖∂z_t/∂x_s‖: z_t the logit of the class after word t, x_s the vectors of all tokens "
    "of word s together; L2 norm",
    "source": "Madsen 2019, Visualizing memorization in RNNs (Distill); Simonyan, Vedaldi and Zisserman 2014, Deep "
    "inside convolutional networks",
    "order": 74,
}
SCALES = ("linear", "log")
MOST_DECADES = 6
MOST_DRAWN = 400  # words of the heat map; of longer texts every block of words is drawn as its largest cell


def limits(found: Connectivity, scale: str) -> tuple[float, float]:
    """Both ends of the printed scale, the same for every row: from 0, or over at most six decades below the top."""
    top = nice_limit(float(found.strength.max(initial=0.0)))
    if scale == "linear":
        return 0.0, top
    above = found.strength[found.strength > 0]
    smallest = float(above.min()) if len(above) else top
    decades = min(max(math.ceil(math.log10(top / smallest) - 1e-9), 1), MOST_DECADES)
    return top / 10.0**decades, top


def render(
    found: Connectivity, *, scale: str = "linear", top: float | None = None, height: int = 620, width: int = 620
) -> go.Figure:
    """A heat map, one row for every word the text might have stopped at.

    Args:
        found: From `api.trace_connectivity`.
        scale: `linear` or `log`.
        top: End of the linear scale, where several maps are on one; left out, a round number above the largest cell.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    low, top = limits(found, scale) if top is None or scale != "linear" else (0.0, top)
    values = np.where(np.tri(len(found.words), dtype=bool), found.strength, np.nan)
    step = math.ceil(len(found.words) / MOST_DRAWN)
    if step > 1:
        edges = np.arange(0, len(values), step)
        values = np.fmax.reduceat(np.fmax.reduceat(values, edges, axis=0), edges, axis=1)
    shown = values if scale == "linear" else np.log10(np.clip(values, low, None))
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    words = found.words[::step]
    _style.word_axis(spec, words, width=width)
    n_words = len(words)
    every = max(1, math.ceil(n_words * 16 / (height - 120)))
    named = list(range(0, n_words, every))
    _style.axis(spec, "y").update(
        tickmode="array", tickvals=named, ticktext=[_style.escaped(words[index], 14) for index in named],
        autorange="reversed", showgrid=False, zeroline=False, ticks="outside", ticklen=4, tickcolor=_style.GRID,
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        title={"text": "the text up to", "font": {"color": _style.INK}},
    )  # fmt: skip
    spec["layout"]["margin"]["l"] = 130
    ends = {"zmin": low, "zmax": top} if scale == "linear" else {"zmin": math.log10(low), "zmax": math.log10(top)}
    names = np.array([_style.escaped(word, 40) for word in words], dtype=object)
    bar = {"title": {"text": "logit per unit<br>of word vector", "font": {"color": _style.INK}}, "thickness": 12,
           "tickfont": {"color": _style.INK}}  # fmt: skip
    if scale == "log":
        powers = np.arange(math.ceil(ends["zmin"]), math.floor(ends["zmax"]) + 1)
        bar |= {"tickvals": powers.tolist(), "ticktext": [f"{10.0**power:g}" for power in powers]}
    spec["data"] = [
        {"type": "heatmap", "z": shown, "x": np.arange(n_words), "y": np.arange(n_words), "colorscale": "Cividis",
         **ends, "colorbar": bar, "hoverongaps": False, "customdata": values,
         "text": np.broadcast_to(names, (n_words, n_words)),
         "hovertemplate": "the text up to %{y}, word %{text}: %{customdata:.3~g}<extra></extra>"}
    ]  # fmt: skip
    return _style.build(spec)


def alt_text(found: Connectivity) -> str:
    """The figure in words: how often the newest word counts most, and what the whole text's verdict rests on."""
    said = f"Map of {len(found.words)} by {len(found.words)} words. {newest_first(found)} "
    most = int(found.strength[-1].argmax())
    value = number(float(found.strength[-1, most]))
    return visible(
        f"{said}The verdict on the whole text depends most on word {most + 1}, {found.words[most][:40]}: {value}."
    )


def newest_first(found: Connectivity) -> str:
    """After how many words the verdict depends most on the word just read, as a sentence."""
    n_words = len(found.words)
    n_newest = int((found.strength.argmax(1) == np.arange(n_words)).sum())
    if n_words == 1:
        return "There is one word only."
    return f"After {n_newest} of {n_words} words the verdict depends most on the word just read."
