"""The verdict a reader would have after every word, for one or many models on one axis, or for every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.palette import DASHES, FAMILY_WIDTH, GREY, SERIES, class_colors, family_line
from explorer_core.text import visible
from explorer_core.views import _style

ABOUT = {
    "label": "Running verdict",
    "sentence": "The probability or the logit of one class, or of every class, after each word, had the text ended "
    "there.",
    "how": "Each point is the model's own answer if the text stopped at that word; a ring marks where the leading "
    "class changes, the filled dot the decision point, from which the final class leads to the end.",
    "does_not_show": "A jump at a word does not make that word the cause, the answers of a BiLSTM or BERT to half a "
    "text are guesses (they were trained on whole texts), and logits of two models are not on one scale.",
    "formula": "p(t) = softmax(z(t)), z(t) the logits after word t; "
    "decision point = min { t : argmax z(s) = argmax z(T) for all s ≥ t }",
    "source": "Radford, Jozefowicz and Sutskever 2017, Learning to Generate Reviews and Discovering Sentiment",
    "order": 10,
}

MAX_DOTTED_WORDS = 60  # above this a line has no dot at every word
MANY_WORDS = 400  # above this a line is thin, or its ups and downs run into one
MAX_RINGS = 40  # a line that flips more often than this is not ringed: the rings would hide it
MAX_NAMED_CLASSES = 7  # as many as there are colours; further classes are grey and stand behind
PANEL_HEIGHT = 170  # px of one model among several whose every class is drawn
_PANEL_GAP_PX = 34
_BEHIND: dict[str, Any] = {"hoverinfo": "skip", "opacity": 0.45}
_AXIS = {"prob": "probability", "logit": "logit"}
_FORMATS = {"prob": ".3f", "logit": "+.3~f"}


@dataclass(frozen=True)
class VerdictLine:
    """One model's running verdict.

    Attributes:
        name: Model, as shown at the end of its line.
        architecture: Family; gives colour and dash.
        probs: Probabilities after each word, shape [word, class], in [0, 1].
        logits: Raw scores after each word, same shape; needed only where logits are drawn.
    """

    name: str
    architecture: str
    probs: np.ndarray
    logits: np.ndarray | None = None

    def values(self, quantity: str) -> np.ndarray:
        """Probabilities or logits, shape [word, class].

        Raises:
            InvalidInputError: If there is no such quantity, or the logits were not given.
        """
        if quantity not in _AXIS:
            raise InvalidInputError(f"A running verdict is drawn as {' or '.join(_AXIS)}, not as {quantity!r}.")
        if quantity == "prob":
            return self.probs
        if self.logits is None:
            raise InvalidInputError(f"The logits of {self.name} are not known, only its probabilities.")
        return self.logits


def decision_point(probs: np.ndarray) -> int:
    """First word from which the final class leads and keeps the lead to the end; `probs` has shape [word, class]."""
    leads = probs.argmax(1) == probs[-1].argmax()
    lost = np.flatnonzero(~leads)
    return int(lost[-1]) + 1 if len(lost) else 0


def flips(probs: np.ndarray) -> np.ndarray:
    """Words at which another class takes the lead, int array; `probs` has shape [word, class]."""
    leader = probs.argmax(1)
    return np.flatnonzero(leader[1:] != leader[:-1]) + 1


def named_classes(lines: Sequence[VerdictLine], target: int) -> tuple[int, ...]:
    """Classes drawn in colour and named, in the order of the labels: the target, those that lead after some word, and
    the strongest at the end, as many as there are colours.
    """
    n_classes = lines[0].probs.shape[1]
    last = np.max([line.probs[-1] for line in lines], axis=0)
    led = np.sum([np.bincount(line.probs.argmax(1), minlength=n_classes) for line in lines], axis=0)
    first = sorted(range(n_classes), key=lambda index: (index != target, -led[index], -last[index], index))
    return tuple(sorted(first[:MAX_NAMED_CLASSES]))


def render(
    lines: Sequence[VerdictLine],
    words: Sequence[str],
    *,
    target: int,
    target_label: str,
    quantity: str = "prob",
    classes: str = "target",
    labels: Sequence[str] = (),
    height: int = 320,
    width: int = 860,
) -> go.Figure:
    """Probability or logit word by word: of the target class with one line a model, or of every class.

    Every class of several models is drawn as one panel a model, all on the same axes: with one line a class and a
    model on one panel, colour would have to mean both.

    Args:
        lines: One for each model; a model may have read fewer words than there are.
        words: Words under the axis; at least one.
        target: Class whose value is drawn.
        target_label: Its name.
        quantity: `prob`, from 0 to 1, or `logit`, the raw score.
        classes: `target`, or `all`.
        labels: Names of all classes; needed for `all`.
        height: Height of the figure in pixels; several panels take what they need.
        width: Pixels the plot will have at least, to thin the words.

    Returns:
        A figure whose x axis counts words from 0. Its y axis is fixed to 0 to 1 for probabilities, and holds every
        value drawn for logits.

    Raises:
        InvalidInputError: If the quantity or the choice of classes is unknown, or what they need was not given.
    """
    shown = [line.values(quantity) for line in lines]
    if classes not in ("target", "all"):
        raise InvalidInputError(f"The classes drawn are 'target' or 'all', not {classes!r}.")
    if classes == "all":
        if not lines or any(values.shape[1] != len(labels) for values in shown):
            raise InvalidInputError("To draw every class, the name of every class is needed.")
        return _render_classes(lines, words, target, quantity, labels, height, width)
    spec = _style.describe(height)
    limits = _limits([values[:, target] for values in shown], quantity)
    _style.word_axis(spec, words, width=width)
    _value_axis(spec, f"{_AXIS[quantity]} of {_style.escaped(target_label, 24)}", quantity, limits)
    if quantity == "prob" and (not lines or lines[0].probs.shape[1] == 2):
        _style.reference_line(spec, 0.5)
    ends, marks = [], []
    for line, values in zip(lines, shown, strict=True):
        color, dash = family_line(line.architecture)
        drawn = values[:, target]
        spec["data"].append(_line(drawn, line.name, color, dash, words, quantity))
        turned, decided = flips(line.probs), decision_point(line.probs)
        if 0 < len(turned) <= MAX_RINGS:
            marks += [_Mark(int(at), float(drawn[at]), color, is_ring=True) for at in turned]
        marks.append(_Mark(decided, float(drawn[decided]), color))
        ends.append((len(values) - 1, float(drawn[-1]), line.name, color))
    spec["data"].append(_marks(marks))  # above every line
    _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec))
    return _style.build(spec)


def alt_text(
    lines: Sequence[VerdictLine],
    words: Sequence[str],
    *,
    target: int,
    target_label: str,
    quantity: str = "prob",
    classes: str = "target",
    labels: Sequence[str] = (),
) -> str:
    """The figure in words: where each line ends and where it was decided."""
    parts = []
    for line in lines:
        decided = decision_point(line.probs)
        place = f"decided at word {decided + 1} ({visible(words[min(decided, len(words) - 1)])[:40]})"
        last = line.values(quantity)[-1]
        if classes == "all":
            named = ", ".join(f"{visible(labels[index])[:40]} {_told(last[index], quantity)}"
                              for index in named_classes(lines, target))  # fmt: skip
            parts.append(f"{visible(line.name)} ends at {named}, {place}")
        else:
            parts.append(f"{visible(line.name)} ends at {_told(last[target], quantity)}, {place}")
    what = "every class" if classes == "all" else visible(target_label)
    return f"{_AXIS[quantity].capitalize()} of {what} after each of {len(words)} words. " + "; ".join(parts) + "."


def _told(value: float, quantity: str) -> str:
    return number(float(value), signed=quantity == "logit")


def _limits(drawn: Sequence[np.ndarray], quantity: str) -> tuple[float, float]:
    """0 to 1, or round numbers that hold every logit and zero."""
    if quantity == "prob" or not drawn:
        return 0.0, 1.0
    lowest, highest = (float(pick(np.concatenate([values.ravel() for values in drawn]))) for pick in (np.min, np.max))
    return -nice_limit(-lowest) if lowest < 0 else 0.0, nice_limit(highest) if highest > 0 else 0.0


def _value_axis(
    spec: _style.Spec, title: str, quantity: str, limits: tuple[float, float], row: int = 1, *, brief: bool = False
) -> None:
    _style.value_axis(spec, title, row=row, limits=limits)
    if quantity == "prob":
        values = [0, 0.5, 1] if brief else [0, 0.25, 0.5, 0.75, 1]
        _style.axis(spec, "y", row).update(tickvals=values, ticktext=[f"{value:g}" for value in values])
    else:
        _style.axis(spec, "y", row).update(nticks=4 if brief else 7, zeroline=True, zerolinecolor=_style.FAINT)


def _render_classes(
    lines: Sequence[VerdictLine],
    words: Sequence[str],
    target: int,
    quantity: str,
    labels: Sequence[str],
    height: int,
    width: int,
) -> go.Figure:
    """One panel a model, one line a class."""
    rows = len(lines)
    spec = _style.describe(height if rows == 1 else rows * PANEL_HEIGHT + 70)
    limits = _limits([line.values(quantity) for line in lines], quantity)
    _style.word_axis(spec, words, width=width, rows=rows)
    colors, named = class_colors(labels), named_classes(lines, target)
    gap = _PANEL_GAP_PX / _style.plot_height(spec) if rows > 1 else 0.0
    if rows > 1:
        spec["layout"]["margin"]["t"] += _PANEL_GAP_PX - 8
    each = (1 - gap * (rows - 1)) / rows
    for row, line in enumerate(lines, start=1):
        top = 1 - (row - 1) * (each + gap)
        _value_axis(spec, _AXIS[quantity], quantity, limits, row, brief=rows > 1)
        _style.axis(spec, "y", row)["domain"] = [max(top - each, 0.0), top]
        if row > 1:
            _style.axis(spec, "x", row).update(matches="x")
        _style.axis(spec, "x", row)["anchor"] = f"y{row if row > 1 else ''}"
        if quantity == "prob" and len(labels) == 2:
            _style.reference_line(spec, 0.5, row=row)
        if rows > 1:
            spec["layout"]["annotations"].append(_panel_title(line, row))
        values = line.values(quantity)
        spec["data"] += _draw_classes(line, values, words, quantity, labels, colors, named, row)
        ends = [(len(values) - 1, float(values[-1, index]), labels[index], colors[index]) for index in named]
        _style.label_ends(spec, ends, limits=limits, height=_style.plot_height(spec) * each, row=row)
    n_grey = len(labels) - len(named)
    if n_grey:
        spec["layout"]["annotations"].append(_remark(f"in grey: {n_grey} more"))
    return _style.build(spec)


def _draw_classes(
    line: VerdictLine,
    values: np.ndarray,
    words: Sequence[str],
    quantity: str,
    labels: Sequence[str],
    colors: Sequence[str],
    named: Sequence[int],
    row: int,
) -> list[dict[str, Any]]:
    """A line for every class; rings lie on the class that takes the lead, the dot on the final one."""
    n_classes = len(labels)
    traces: list[dict[str, Any]] = []
    for index in sorted(range(n_classes), key=lambda index: index in named):
        if index in named:
            dash = DASHES[(index // len(SERIES)) % len(DASHES)] if n_classes > 2 else "solid"
            traces.append(_line(values[:, index], labels[index], colors[index], dash, words, quantity, row))
        else:
            name = _style.escaped(labels[index], 40)
            traces.append(_style.line(np.arange(len(values)), values[:, index], name, GREY, row=row, **_BEHIND))
            traces[-1]["line"]["width"] = 1
    leader, turned, decided = line.probs.argmax(1), flips(line.probs), decision_point(line.probs)
    marks = []
    if 0 < len(turned) <= MAX_RINGS:
        marks += [_Mark(int(at), float(values[at, leader[at]]), colors[leader[at]], is_ring=True) for at in turned]
    final = int(leader[-1])
    marks.append(_Mark(decided, float(values[decided, final]), colors[final]))
    return [*traces, _marks(marks, row)]


def _panel_title(line: VerdictLine, row: int) -> dict[str, Any]:
    number_ = row if row > 1 else ""
    return {
        "text": f"<b>{_style.escaped(line.name, 40)}</b>",
        "xref": f"x{number_} domain",
        "yref": f"y{number_} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 14},
    }


def _remark(text: str) -> dict[str, Any]:
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 12},
    }  # fmt: skip


def _line(
    values: np.ndarray, name: str, color: str, dash: str, words: Sequence[str], quantity: str, row: int = 1
) -> dict[str, Any]:
    drawn = _style.line(
        np.arange(len(values)),
        values,
        _style.escaped(name, 40),
        color,
        dash,
        row=row,
        text=[_style.escaped(word, 40) for word in words[: len(values)]],
        hovertemplate=f"%{{y:{_FORMATS[quantity]}}} after <b>%{{text}}</b>",
    )
    drawn["line"]["width"] = FAMILY_WIDTH if len(values) <= MANY_WORDS else 1.2
    if len(values) <= MAX_DOTTED_WORDS:
        drawn |= {"mode": "lines+markers", "marker": {"size": 5, "color": color}}
    return drawn


@dataclass(frozen=True)
class _Mark:
    """A ring where the leading class changes, or the filled dot of the decision point."""

    word: int
    value: float
    color: str
    is_ring: bool = False


def _marks(marks: Sequence[_Mark], row: int = 1) -> dict[str, Any]:
    """All marks as one trace: each trace more costs the browser about as much as a line."""
    number_ = row if row > 1 else ""
    marker = {
        "size": 12,
        "symbol": ["circle-open" if mark.is_ring else "circle" for mark in marks],
        "color": [mark.color for mark in marks],
        "line": {"width": [2 if mark.is_ring else 0 for mark in marks]},
    }
    return {"type": "scatter", "x": [mark.word for mark in marks], "y": [mark.value for mark in marks],
            "mode": "markers", "hoverinfo": "skip", "marker": marker,
            "xaxis": f"x{number_}", "yaxis": f"y{number_}"}  # fmt: skip
