"""Every attention head of a BERT in one number: a map of layers and heads."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.results import AttentionSummary
from explorer_core.views import _style

ABOUT = {
    "label": "All heads in one number",
    "sentence": "One number for every head: how spread, how far, or on what its attention falls.",
    "how": "Each cell is a head, its number the mean over the rows of words: entropy in bits (0 looks at one entry, "
    "the end of the scale at all alike), distance in words, or the share of attention that falls somewhere.",
    "does_not_show": "What a head is for: one that rests on [SEP] or punctuation often does nothing there, and heads "
    "that look alike on one text part on another.",
    "formula": "entropy = −Σₖ aₖ log₂ aₖ; distance = Σ a |q − k| / Σ a over pairs of words; share on X = Σₖ in X aₖ",
    "source": "Clark et al. 2019, What does BERT look at? An analysis of BERT's attention",
    "needs": "transformer",
    "order": 70,
}
MAX_NUMBERED = 16  # heads of a layer: more leave no room for a number in each cell
UNITS = {"entropy": "bits", "distance": "words"}


def render(
    summary: AttentionSummary,
    *,
    quantity: str = "entropy",
    layer: int | None = None,
    head: int | None = None,
    height: int = 340,
) -> go.Figure:
    """A quantity of every head, layers as rows from the first on top, heads as columns.

    Args:
        summary: From `api.summarise_attention`.
        quantity: One of `summary.quantities()`.
        layer: Layer of a head to frame, from 0.
        head: That head, from 0.
        height: Height of the figure in pixels.

    Raises:
        InvalidInputError: If there is no such quantity.
    """
    values = values_of(summary, quantity)
    n_layers, n_heads = values.shape
    spec = _style.describe(height)
    spec["layout"]["hovermode"] = "closest"
    top = scale_end(summary, quantity)
    spec["data"] = [
        {
            "type": "heatmap",
            "z": values.astype(np.float32),
            "zmin": 0.0,
            "zmax": top,
            "colorscale": "Cividis",
            "xgap": 2,
            "ygap": 2,
            "hovertemplate": "layer %{y}, head %{x}: <b>%{z:.3f}</b><extra></extra>",
            "x": np.arange(1, n_heads + 1),
            "y": np.arange(1, n_layers + 1),
            "colorbar": {
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [0, top / 2, top],
                "ticktext": [number(value) for value in (0.0, top / 2, top)],
                "tickfont": {"size": 12, "color": _style.INK},
                "title": {"text": UNITS.get(quantity, "share"), "font": {"size": 12, "color": _style.INK}},
            },
        }
    ]
    for letter, name, size in (("x", "head", n_heads), ("y", "layer", n_layers)):
        every = max(1, math.ceil(size / 16))
        _style.axis(spec, letter).update(
            title={"text": name, "standoff": 6, "font": {"color": _style.INK}},
            tickvals=list(range(1, size + 1, every)),
            tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
            showgrid=False,
            zeroline=False,
            range=[0.5, size + 0.5] if letter == "x" else [size + 0.5, 0.5],
        )
    if n_heads <= MAX_NUMBERED:
        digits = 1 if quantity in UNITS else 2
        spec["layout"]["annotations"] = [
            _number_in(row + 1, column + 1, f"{value:.{digits}f}", value / top)
            for (row, column), value in np.ndenumerate(values)
        ]
    if layer is not None and head is not None:
        _frame(spec, layer + 1, head + 1)
    spec["layout"]["margin"] |= {"l": 52, "b": 48}
    return _style.build(spec)


def values_of(summary: AttentionSummary, quantity: str) -> np.ndarray:
    """One quantity, shape [layer, head].

    Raises:
        InvalidInputError: If there is no such quantity.
    """
    found = summary.quantities()
    if quantity not in found:
        raise InvalidInputError(f"There is no quantity {quantity[:40]!r} of a head; there are: {', '.join(found)}.")
    return found[quantity]


def scale_end(summary: AttentionSummary, quantity: str) -> float:
    """End of the colour scale: for entropy its largest possible value, else a round number above the largest."""
    largest = float(values_of(summary, quantity).max())
    if quantity == "entropy":
        return math.log2(max(len(summary.word_of_entry), 2))
    return nice_limit(largest) if quantity == "distance" else min(nice_limit(largest), 1.0)


def name_of(summary: AttentionSummary, quantity: str) -> str:
    """What a person reads over a quantity."""
    opening = [entry for entry, word in zip(summary.entries, summary.word_of_entry, strict=True) if word < 0]
    named = {
        "entropy": "Entropy (bits)",
        "distance": "Distance (words)",
        "opening": f"Share on {opening[0]}" if opening else "Share on the opening token",
        "closing": f"Share on {opening[-1]}" if opening else "Share on the closing token",
        "punctuation": "Share on punctuation",
        "itself": "Share on the word itself",
        "previous": "Share on the word before",
        "next": "Share on the word after",
    }
    return named.get(quantity, quantity)


def alt_text(summary: AttentionSummary, *, quantity: str = "entropy") -> str:
    """The figure in words: the heads with the largest and the smallest value."""
    values = values_of(summary, quantity)
    parts = []
    for word, at in (("largest", values.argmax()), ("smallest", values.argmin())):
        layer, head = np.unravel_index(at, values.shape)
        parts.append(f"{word} {number(float(values[layer, head]))} in layer {layer + 1}, head {head + 1}")
    n_layers, n_heads = values.shape
    return f"{name_of(summary, quantity)} of {n_layers} x {n_heads} heads: " + ", ".join(parts) + "."


def _number_in(row: int, column: int, text: str, share: float) -> _style.Spec:
    """A number in a cell, in the tone that is read on its colour."""
    color = "#111111" if share > 0.5 else "#ffffff"  # cividis is darker than middle grey below the middle
    return {"x": column, "y": row, "text": text, "showarrow": False, "font": {"size": 12, "color": color}}


def _frame(spec: _style.Spec, row: int, column: int) -> None:
    """Two strokes, one of each tone, so that the frame shows on every colour."""
    box = {"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    for color, width in (("#ffffff", 4), ("#111111", 1.5)):
        spec["layout"]["shapes"].append(box | {"line": {"color": color, "width": width}})
