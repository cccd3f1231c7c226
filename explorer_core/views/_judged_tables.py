"""Tables of a judgement as HTML: every name and text in them is escaped."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

import numpy as np

from explorer_core.numerals import number
from explorer_core.results import Effect, Judgement, Scores
from explorer_core.results.judged_scores import LEAST_FOR_TEMPERATURE
from explorer_core.text import visible

MAX_CLASSES = 60  # rows of a table of classes
_NO_CONFIDENCE = 50.0  # a temperature that leaves nothing of the logits
_NO_DOUBT = 0.06  # one that leaves nothing but the class decided for
_QUANTITIES = {"n_words": "words in the text", "unknown_share": "words unknown to the network"}


def scores_table(judged: Judgement) -> str:
    """One row a network: accuracy, macro F1 and calibration."""
    rows = [
        (
            name(scores.model),
            ranged(scores.accuracy, scores.intervals["accuracy"]),
            ranged(scores.macro_f1, scores.intervals["macro_f1"]),
            ranged(scores.ece, scores.intervals["ece"]),
            shown(scores.ece_after),
            number(scores.temperature) if _NO_DOUBT < scores.temperature < _NO_CONFIDENCE else "–",
        )
        for scores in judged.scores
    ]
    return table(("model", "accuracy", "macro F1", "calibration error", "after temperature", "temperature"), rows)


def classes_table(judged: Judgement, model: int, *, with_f1: bool = True) -> str:
    """Precision and recall of each class, and F1 where there is room for it."""
    scores = judged.scores[model]
    rows = [
        (
            name(label),
            ranged(float(scores.precision[index]), scores.intervals[f"precision.{index}"]),
            ranged(float(scores.recall[index]), scores.intervals[f"recall.{index}"]),
            *([shown(float(scores.f1[index]))] if with_f1 else []),
            f"{int(scores.support[index]):,}",
        )
        for index, label in enumerate(scores.labels[:MAX_CLASSES])
    ]
    return table(("class", "precision", "recall", *(["F1"] if with_f1 else []), "texts"), rows)


def confusion_table(judged: Judgement, model: int) -> str:
    """Texts of each label by what the network decides for."""
    labels = judged.labels[:MAX_CLASSES]
    counts = judged.scores[model].confusion
    rows = [
        (name(label), *(f"{int(count):,}" for count in counts[row, : len(labels)])) for row, label in enumerate(labels)
    ]
    return table(("label \\ decided for", *map(visible, labels)), rows)


def agreement_table(judged: Judgement) -> str:
    """Share of different decisions, and kappa, of each pair of networks."""
    found = judged.agreement
    assert found is not None
    rows = [
        (
            name(model, 40),
            *(
                ""
                if one == other
                else f"{share:.1%} <span class='range'>({shown(float(found.kappa[one, other]))})</span>"
                for other, share in enumerate(found.differs[one])
            ),
        )
        for one, model in enumerate(found.models)
    ]
    return table(("", *(visible(model)[:40] for model in found.models)), rows)


def effect_table(effect: Effect) -> str:
    """What each group of texts by a property comes to."""
    is_share = effect.quantity != "n_words"
    rows = []
    for model, place in np.argwhere(effect.n_texts > 0):
        ends = [f"{end[model, place]:{'.1%' if is_share else ',.0f'}}" for end in (effect.low_end, effect.high_end)]
        interval = (float(effect.low[model, place]), float(effect.high[model, place]))
        rows.append(
            (
                name(effect.models[model]),
                " to ".join(dict.fromkeys(ends)),
                f"{effect.n_texts[model, place]:,}",
                ranged(float(effect.value[model, place]), interval),
            )
        )
    measured = "share right" if effect.is_accuracy else "mean confidence"
    return table(("model", _QUANTITIES[effect.quantity], "texts", measured), rows)


def temperature_sentence(scores: Scores) -> str:
    """What the temperature of a network means, as plain text."""
    model, value = f"“{visible(scores.model)[:60]}”", scores.temperature
    if math.isnan(value):
        return (
            f"No temperature is suggested for {model}: that takes {LEAST_FOR_TEMPERATURE} texts with a label or more, "
            f"and there are {scores.n_rows:,}. So few can be fitted by a number that does not hold for others."
        )
    if value < _NO_DOUBT:
        return f"{model} is right on nearly all of these texts, however unsure: no temperature can be read from that."
    if 0.95 <= value <= 1.05:
        return f"{model} needs no temperature."
    if value > _NO_CONFIDENCE:
        return f"{model} is not right more often where it is surer; no temperature mends that."
    way = "too sure of itself" if value > 1 else "not sure enough"
    return f"{model} is {way}: its logits divided by {number(value)} would fit these texts best."


def bootstrap_sentence(scores: Scores) -> str:
    """Where the intervals come from, as plain text."""
    of = "these texts"
    if scores.n_rows < scores.n_texts:
        of = f"the {scores.n_rows:,} rows they are pieces of, each drawn whole"
    return (
        f"Over {scores.n_texts:,} texts with a label; in brackets 95 % intervals from {scores.n_resamples:,} bootstrap "
        f"samples of {of}. Calibration error over ten bins of equal width; after temperature: the temperature "
        "of one half of the texts, used on the other."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `head` is plain text, cells are HTML."""
    names = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table class='judged'><tr>{names}</tr>{body}</table>"


def name(text: str, longest: int = 60) -> str:
    """A name of others as HTML, on one line and kept apart from the reading order around it."""
    return f"<bdi>{html.escape(visible(' '.join(text.split()))[:longest])}</bdi>"


def ranged(value: float, ends: tuple[float, float]) -> str:
    """A share with its interval, as HTML."""
    if math.isnan(ends[0]):
        return shown(value)
    return f"{shown(value)} <span class='range'>({shown(ends[0])} to {shown(ends[1])})</span>"


def shown(value: float) -> str:
    """A share with three digits; a dash for no number."""
    return "–" if math.isnan(value) else f"{value:.3f}"
