"""The verdict a reader would have after every word, for one or many models on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.numerals import number
from explorer_core.palette import FAMILY_WIDTH, family_line
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Running verdict",
    "sentence": "The probability of one class after each word, had the text ended there.",
    "how": "Each point is the model's own answer if the text stopped at that word. A ring marks where the leading "
    "class changes; the filled dot marks the decision point, the word from which the final class leads for good.",
    "does_not_show": "A jump at a word does not make that word the cause: the state built up before it decides what "
    "the word can do. A BiLSTM and BERT were trained on whole texts, so their answers to half a text are guesses.",
    "order": 10,
}

MAX_DOTTED_WORDS = 60  # above this a line has no dot at every word
MAX_RINGS = 40  # a line that flips more often than this is not ringed: the rings would hide it


@dataclass(frozen=True)
class VerdictLine:
    """One model's running verdict.

    Attributes:
        name: Model, as shown at the end of its line.
        architecture: Family; gives colour and dash.
        probs: Probabilities after each word, shape [word, class], in [0, 1].
    """

    name: str
    architecture: str
    probs: np.ndarray


def decision_point(probs: np.ndarray) -> int:
    """First word from which the final class leads and keeps the lead to the end; `probs` has shape [word, class]."""
    leads = probs.argmax(1) == probs[-1].argmax()
    lost = np.flatnonzero(~leads)
    return int(lost[-1]) + 1 if len(lost) else 0


def flips(probs: np.ndarray) -> np.ndarray:
    """Words at which another class takes the lead, int array; `probs` has shape [word, class]."""
    leader = probs.argmax(1)
    return np.flatnonzero(leader[1:] != leader[:-1]) + 1


def render(
    lines: Sequence[VerdictLine],
    words: Sequence[str],
    *,
    target: int,
    target_label: str,
    height: int = 320,
    width: int = 860,
) -> go.Figure:
    """Probability of the target class word by word.

    Args:
        lines: One for each model; a model may have read fewer words than there are.
        words: Words under the axis; at least one.
        target: Class whose probability is drawn.
        target_label: Its name.
        height: Height of the figure in pixels.
        width: Pixels the plot will have at least, to thin the words.

    Returns:
        A figure whose x axis counts words from 0 and whose y axis is fixed to 0 to 1.
    """
    spec = _style.describe(height)
    n_classes = lines[0].probs.shape[1] if lines else 2
    _style.word_axis(spec, words, width=width)
    _style.value_axis(spec, f"probability of {_style.escaped(target_label, 24)}", limits=(0.0, 1.0))
    _style.axis(spec, "y").update(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", "0.25", "0.5", "0.75", "1"])
    if n_classes == 2:
        _style.reference_line(spec, 0.5)
    ends = []
    for line in lines:
        color, _ = family_line(line.architecture)
        values = line.probs[:, target]
        spec["data"] += _draw(line, values, words)
        ends.append((len(values) - 1, float(values[-1]), line.name, color))
    _style.label_ends(spec, ends, limits=(0.0, 1.0), height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(lines: Sequence[VerdictLine], words: Sequence[str], *, target: int, target_label: str) -> str:
    """The figure in words: where each line ends and where it was decided."""
    parts = [
        f"{line.name} ends at {number(line.probs[-1, target])}, decided at word {decision_point(line.probs) + 1} "
        f"({visible(words[min(decision_point(line.probs), len(words) - 1)])[:40]})"
        for line in lines
    ]
    return f"Probability of {target_label} after each of {len(words)} words. " + "; ".join(parts) + "."


def _draw(line: VerdictLine, values: np.ndarray, words: Sequence[str]) -> list[dict[str, Any]]:
    """The line itself, rings where the leading class changes, a dot at the decision point."""
    color, dash = family_line(line.architecture)
    traces = [
        _style.line(
            np.arange(len(values)),
            values,
            _style.escaped(line.name, 40),
            color,
            dash,
            text=[_style.escaped(word, 40) for word in words[: len(values)]],
            hovertemplate="%{y:.3f} after <b>%{text}</b>",
        )
    ]
    traces[0]["line"]["width"] = FAMILY_WIDTH
    if len(values) <= MAX_DOTTED_WORDS:
        traces[0] |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}}
    turned = flips(line.probs)
    if 0 < len(turned) <= MAX_RINGS:
        ring = {"size": 12, "symbol": "circle-open", "color": color, "line": {"width": 2}}
        traces.append(_marks(turned, values[turned], ring))
    decided = decision_point(line.probs)
    traces.append(_marks([decided], values[[decided]], {"size": 12, "color": color}))
    return traces


def _marks(x: Any, y: Any, marker: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "x": x, "y": y, "mode": "markers", "hoverinfo": "skip", "marker": marker}
