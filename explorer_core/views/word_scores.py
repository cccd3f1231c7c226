"""Scores of the words of a text by one method, or by several one above the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import PURPLE
from explorer_core.results import WordAttribution
from explorer_core.text import visible
from explorer_core.views import _entries, _style

ABOUT = {
    "label": "Scores of words",
    "sentence": "What each word did to the logit, by one method or several one above the other.",
    "how": "Up speaks for the class, down against it, and purple bars have no sign; whiskers reach one standard error "
    "to either side where samples were drawn; panels in the same unit share one scale, others must not be compared "
    "by height.",
    "does_not_show": "Why: a score is one method's answer to one question, and words that act together share it in "
    "ways that differ from method to method.",
    "formula": "a method is complete where Σ scores = logit(text) − logit(baseline)",
    "source": "Kokhlikyan et al. 2020, Captum: a unified and generic model interpretability library for PyTorch",
    "order": 60,
}
_GAP = 44  # px between two panels


def render(found: Sequence[WordAttribution], *, tokens: bool = False, height: int = 210, width: int = 860) -> go.Figure:
    """Bars over the words, a panel for each attribution.

    Args:
        found: From `api.attribute`, of texts with the same words; at least one.
        tokens: Whether bars stand over the tokens, special ones in italics; not where a method scores whole words.
        height: Height of one panel in pixels.
        width: Pixels the plot will have at least, to thin the words.
    """
    n_rows = len(found)
    spec = _style.describe(n_rows * height + 60)
    spec["layout"] |= {"bargap": 0.25, "hovermode": "closest"}
    spec["layout"]["margin"]["t"] = 34
    tokens = tokens and _score_tokens(found)
    _style.word_axis(spec, found[0].reading.tokens if tokens else found[0].words, width=width, rows=n_rows)
    if tokens:
        axis = _style.axis(spec, "x", n_rows)
        owner = found[0].reading.word_of_token
        axis["ticktext"] = [
            text if owner[pos] >= 0 else f"<i>{text}</i>"
            for pos, text in zip(axis["tickvals"], axis["ticktext"], strict=True)
        ]
    whole = _style.plot_height(spec)
    panel = (whole - _GAP * (n_rows - 1)) / n_rows
    for index, one in enumerate(found):
        row = index + 1
        top = 1 - index * (panel + _GAP) / whole
        _style.axis(spec, "x", row).update(anchor=f"y{row if row > 1 else ''}")
        _style.value_axis(
            spec, _unit(one), row=row, limits=_limits([other for other in found if other.unit == one.unit], tokens)
        )
        _style.axis(spec, "y", row).update(
            domain=[max(top - panel / whole, 0.0), top], anchor=f"x{row if row > 1 else ''}", exponentformat="power"
        )
        if row > 1:
            _style.axis(spec, "x", row).update(matches="x")
        _style.reference_line(spec, 0.0, row=row)
        spec["data"].append(_bars(one, row, tokens))
        _entries.heading(spec, f"<b>{_style.escaped(label_of(one), 60)}</b>", top, yshift=6)
    return _style.build(spec)


def alt_text(found: Sequence[WordAttribution]) -> str:
    """The figure in words: the words with the largest scores of each method."""
    return " ".join(_told(one) for one in found)


def label_of(found: WordAttribution) -> str:
    """Name of a method with what it compares with."""
    about = registry.describe("attribution")[found.method]
    return f"{about.label}, {found.baseline}" if found.baseline else about.label


def _told(found: WordAttribution) -> str:
    order = np.argsort(-np.abs(found.scores), kind="stable")[:3]
    words = ", ".join(
        f"{visible(found.words[word])[:40]} {number(float(found.scores[word]), signed=found.signed)}" for word in order
    )
    return f"{label_of(found)}: over {len(found.words)} words the largest scores are {words}."


def _unit(found: WordAttribution) -> str:
    return "logit" if found.unit == "logit" else "share" if found.unit.startswith("share") else "logit / vector"


def _score_tokens(found: Sequence[WordAttribution]) -> bool:
    return all(one.token_scores is not None for one in found)


def _drawn(found: WordAttribution, tokens: bool) -> tuple[np.ndarray, np.ndarray | None, Sequence[str]]:
    """Scores, standard errors where there are some, and names of what is drawn."""
    if tokens and found.token_scores is not None:
        return found.token_scores, None, found.reading.tokens
    return found.scores, found.standard_error, found.words


def _limits(found: Sequence[WordAttribution], tokens: bool) -> tuple[float, float]:
    """Ends of the scale that attributions in one unit share; zero is always on it."""
    low = high = 0.0
    for one in found:
        scores, errors, _ = _drawn(one, tokens)
        error = errors if errors is not None else np.zeros_like(scores)
        if one.signed:
            low = min(low, float((scores - error).min()))
        high = max(high, float((scores + error).max()))
    return (low, high) if high > low else (low - 1.0, 1.0)


def _bars(found: WordAttribution, row: int, tokens: bool) -> _style.Spec:
    number_of = row if row > 1 else ""
    scores, errors, names = _drawn(found, tokens)
    shown = [number(score, signed=found.signed) for score in scores.tolist()]
    if errors is not None:
        shown = [f"{score} ± {number(error)}" for score, error in zip(shown, errors.tolist(), strict=True)]
    colors = _entries.by_sign(scores, _entries.push_colors(found.labels, found.target)) if found.signed else PURPLE
    bars: _style.Spec = {
        "type": "bar",
        "x": np.arange(len(names)),
        "y": scores,
        "xaxis": f"x{number_of}",
        "yaxis": f"y{number_of}",
        "marker": {"color": colors, "line": {"width": 0}},
        "customdata": shown,
        "hovertext": [_style.escaped(word, 40) for word in names],
        "hovertemplate": "<b>%{hovertext}</b> %{customdata}<extra></extra>",
    }
    if errors is not None:
        bars["error_y"] = {"type": "data", "array": errors, "color": _style.FAINT, "thickness": 1.5, "width": 3}
    return bars
