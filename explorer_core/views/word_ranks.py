"""The ranks that several methods give each word of a text, one above the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import GREEN, ORANGE, PURPLE, SKY
from explorer_core.results import WordAttribution, word_ranks
from explorer_core.text import visible
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Ranks of words",
    "sentence": "Where each method puts every word of a text when words are ordered by the size of their scores.",
    "how": "Rank 1, at the top, is the word with the largest score, whichever its sign. Marks close together mean that "
    "the methods agree on a word; the longer the line between them, the further apart they put it, and the three "
    "longest stand out. Marks of equal rank stand side by side.",
    "does_not_show": "How large the scores are: among words that hardly matter next to nothing decides the ranks, so "
    "look at the long lines that reach the top.",
    "formula": "rank = 1 + number of words with a larger |score|; equal scores share their mean rank",
    "source": "Jain and Wallace 2019, Attention is not explanation; Li, Monroe and Jurafsky 2016, Understanding neural "
    "networks through representation erasure",
    "order": 67,
}
_MARKS = (("circle", "●", GREEN), ("square", "■", PURPLE), ("diamond", "◆", ORANGE), ("triangle-up", "▲", SKY))
_NAMED = 3
_ASIDE = 0.16  # of the distance between two words, from mark to mark


def render(found: Sequence[WordAttribution], *, height: int = 330, width: int = 860) -> go.Figure:
    """A mark for each method over every word, and a line between them.

    Args:
        found: From `api.attribute`, two to four methods over the same text.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    ranks = word_ranks(found)  # [method, word]
    n_words = ranks.shape[1]
    spec = _style.describe(height)
    spec["layout"] |= {"hovermode": "x unified"}
    spec["layout"]["margin"]["t"] = 34
    _style.word_axis(spec, found[0].words, width=width)
    _style.value_axis(spec, "rank", limits=(1.0, float(max(n_words, 2))))
    _style.axis(spec, "y")["range"] = [n_words + 0.6, 0.4]
    every = max(n_words // 5, 1)
    _style.axis(spec, "y")["tickvals"] = [1, *range(1 + every, n_words + 1, every)]
    strongest = set(widest(ranks)[:_NAMED].tolist())
    for group in (False, True):
        words = [word for word in range(n_words) if (word in strongest) == group]
        x = np.repeat(np.array(words, dtype=float), 3)
        y = np.full(3 * len(words), np.nan)
        y[0::3], y[1::3] = ranks[:, words].min(0), ranks[:, words].max(0)
        if words:
            spec["data"].append(
                {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "connectgaps": False,
                 "line": {"color": _style.INK if group else _style.FAINT, "width": 2.2 if group else 1.2}}
            )  # fmt: skip
    size = 10 if n_words <= 40 else 6
    aside = _ASIDE * (np.arange(len(found)) - (len(found) - 1) / 2)
    for one, row, (symbol, _, color), dx in zip(found, ranks, _MARKS, aside, strict=False):
        told = [number(float(score), signed=one.signed) for score in one.scores]
        spec["data"].append(
            {"type": "scatter", "mode": "markers", "x": np.arange(n_words) + dx, "y": row, "name": label_of(one),
             "marker": {"symbol": symbol, "size": size, "color": color}, "customdata": told,
             "hovertemplate": "rank %{y:g}, score %{customdata}"}
        )  # fmt: skip
    _style.axis(spec, "x")["unifiedhovertitle"] = {"text": ""}
    names = "   ".join(
        f"<span style='color:{color};font-size:18px'>{glyph}</span> {_style.escaped(label_of(one), 40)}"
        for one, (_, glyph, color) in zip(found, _MARKS, strict=False)
    )
    _entries.heading(spec, names, 1, yshift=6)
    return _style.build(spec)


def widest(ranks: np.ndarray) -> np.ndarray:
    """Words by how far apart their ranks lie, the furthest first; of as far apart ones the higher ranked first.

    Args:
        ranks: Shape [method, word].
    """
    return np.lexsort((ranks.min(0), -np.ptp(ranks, axis=0)))


def alt_text(found: Sequence[WordAttribution]) -> str:
    """The figure in words: what each method puts first, and the words they put furthest apart."""
    ranks = word_ranks(found)
    firsts = [f"{label_of(one)} puts {visible(one.words[int(row.argmin())])[:40]} first"
              for one, row in zip(found, ranks, strict=True)]  # fmt: skip
    apart = ", ".join(visible(found[0].words[word])[:40] for word in widest(ranks)[:_NAMED])
    return f"{'; '.join(firsts)}. Furthest apart: {apart}."


def label_of(found: WordAttribution) -> str:
    """What a person calls the method."""
    return registry.describe("attribution")[found.method].label
