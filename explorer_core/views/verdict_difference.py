"""The running verdicts of two models on one axis, and the first less the second."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.palette import FAMILY_WIDTH
from explorer_core.results import VerdictDifference
from explorer_core.text import visible
from explorer_core.views import _entries, _paired, _style

ABOUT = {
    "label": "Difference of verdicts",
    "sentence": "The verdict of two models after each word both read, and the first less the second.",
    "how": "Above, each line is a model's own answer had the text ended at that word; below, the first less the "
    "second, in the colour of the model that is surer of the class. A band spans what trainings with other seeds give, "
    "its thin line is their mean: a gap inside of a band can be luck.",
    "does_not_show": "Which word caused a gap: a model may only now use what it read long before; and a BiLSTM or a "
    "BERT guesses at half a text, having been trained on whole ones.",
    "formula": "p(t) = softmax(z(t)) of the class; log-odds(t) = z_class(t) − log Σ exp z_other(t); below: first − "
    "second",
    "source": "Radford, Jozefowicz and Sutskever 2017, Learning to Generate Reviews and Discovering Sentiment; Reimers "
    "and Gurevych 2017, Reporting Score Distributions Makes a Difference, for seeds",
    "order": 111,
}
QUANTITIES = {"prob": "probability", "log_odds": "log-odds, nats"}


def render(
    found: VerdictDifference,
    *,
    quantity: str = "prob",
    names: tuple[str, str] | None = None,
    spreads: _paired.Spreads = _paired.NO_SPREADS,
    height: int = 430,
    width: int = 1000,
) -> go.Figure:
    """Two panels over the words both models read.

    Args:
        found: From `api.compare_verdicts`.
        quantity: `prob`, on a scale from 0 to 1, or `log_odds`.
        names: What the models are called; their own names when left out.
        spreads: From `api.spread_verdicts` at the same words, for the first and the second model; `None` for one of
            which there is a single seed.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Raises:
        InvalidInputError: If there is no such quantity.
    """
    _check(quantity)
    names = names or found.models
    values = found.values(quantity)
    spec = _style.describe(height)
    upper, _ = _paired.two_panels(spec, found.words, width)
    colors, dashes = _paired.side_colors(found.architectures), _paired.dashes(found.architectures)
    low, high = _paired.ends_of(values, spreads)
    limits = (0.0, 1.0) if quantity == "prob" else (-nice_limit(-low) if low < 0 else 0.0, nice_limit(high))
    _style.value_axis(spec, QUANTITIES[quantity], limits=limits)
    if quantity == "prob":
        _style.axis(spec, "y").update(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "0.25", "0.5", "0.75", "1"])
    if len(found.labels) == 2:
        _style.reference_line(spec, 0.5 if quantity == "prob" else 0.0)
    for spread, color in zip(spreads, colors, strict=True):
        if spread is not None:
            _paired.band(spec, spread, color)
    ends = []
    for row, name, color, dash in zip(values, names, colors, dashes, strict=True):
        spec["data"].append(_line(row, name, color, dash, found.words))
        ends.append((len(row) - 1, float(row[-1]), name, color))
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec) * upper)
    label = _style.escaped(found.target_label, 30)
    what = "probability" if quantity == "prob" else "log-odds"
    _entries.heading(spec, f"{what} of {label} after each word", 1.0, yshift=6)
    heading = f"{_style.escaped(names[0], 40)} less {_style.escaped(names[1], 40)}"
    _paired.difference_bars(
        spec, found.words, found.difference(quantity), colors, heading, "difference"
    )  # fmt: skip
    return _style.build(spec)


def alt_text(found: VerdictDifference, *, quantity: str = "prob", names: tuple[str, str] | None = None) -> str:
    """The figure in words: where the two verdicts lie furthest apart, and how they end."""
    _check(quantity)
    first, second = names or found.models
    gap = found.difference(quantity)
    most = int(np.abs(gap).argmax())
    ends = [number(float(row[-1]), signed=quantity == "log_odds") for row in found.values(quantity)]
    what = "Probability" if quantity == "prob" else "Log-odds"
    return visible(
        f"{what} of {found.target_label[:40]} after each of {len(found.words)} words: {first} less {second} is largest "
        f"at word {most + 1} ({found.words[most][:40]}), {number(float(gap[most]), signed=True)}; {first} ends at "
        f"{ends[0]}, {second} at {ends[1]}."
    )


def _check(quantity: str) -> None:
    if quantity not in QUANTITIES:
        raise InvalidInputError(f"Verdicts are compared as {' or '.join(QUANTITIES)}, not as {str(quantity)[:40]!r}.")


def _line(values: np.ndarray, name: str, color: str, dash: str, words: tuple[str, ...]) -> _style.Spec:
    title = _style.escaped(name, 40)
    told = [
        f"{title}: {number(value)} after <b>{_style.escaped(word, 40)}</b>"
        for word, value in zip(words, values.tolist(), strict=True)
    ]
    drawn = _style.line(
        np.arange(len(values)), values, title, color, dash, text=told, hovertemplate="%{text}<extra></extra>"
    )
    drawn["line"]["width"] = FAMILY_WIDTH
    if len(values) <= _paired.MANY_WORDS:
        drawn |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}}
    return drawn
