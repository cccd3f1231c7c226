"""A judgement as one web page that stands alone: tables, pictures that answer when touched, and what they are made of.

The page asks no network for anything; it reads in light, in dark and on paper.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from explorer_core import palette, registry
from explorer_core.results import Judgement
from explorer_core.text import visible
from explorer_core.views import (
    _html,
    _judged_tables,
    _style,
    confusion,
    decisions,
    reliability,
    text_effect,
    text_histogram,
)
from explorer_core.views._judged_tables import name, shown, table
from explorer_core.views._report_page import PAGE

N_TEXTS = 10  # texts shown of each kind and network
MAX_NAMED = 8  # networks with a confusion and lists of texts of their own
_MAX_CHARS = 500  # shown of one text
_MAX_LABELS = 100
_PRINT_WIDTH = 660  # px, of a page of A4 within its margins


def page(judged: Judgement, about: Mapping[str, Any], warnings: Sequence[str] = ()) -> str:
    """The whole report.

    Args:
        judged: From `api.judge`.
        about: Plain values, each shown under its name in the order given; a mapping is a table of its own.
        warnings: Sentences that stand with the scores, such as what a network has read in training.

    Returns:
        HTML with plotly.js (4.7 MB) in it. All else grows with networks and classes, not with texts.
    """
    parts = {
        "texts": ("The texts", _texts(judged)),
        "scores": ("How well the models do", _scores(judged, warnings)),
        "classes": ("Class by class", _classes(judged)),
        "calibration": ("Are they as often right as they say?", _calibration(judged)),
        "decisions": ("What they decide for, and how sure they are", _decisions(judged)),
        "effects": ("Long texts and unknown words", _effects(judged)),
        "disagreement": ("Where they differ", _disagreement(judged)),
        "mistakes": ("Most confident mistakes", _mistakes(judged)),
        "calls": ("Closest calls", _calls(judged)),
        "made": ("How this was made", _made(judged, about)),
    }
    drawn = _Figures()
    filled = {key: (title, "\n".join(drawn.html(one) for one in found)) for key, (title, found) in parts.items()}
    filled = {key: one for key, one in filled.items() if one[1]}
    links = "".join(f'<a href="#{key}">{html.escape(title)}</a> ' for key, (title, _) in filled.items())
    body = "\n".join(f'<h2 id="{key}">{html.escape(title)}</h2>\n{inside}' for key, (title, inside) in filled.items())
    config = _style.CONFIG | {"responsive": True}
    return PAGE.format(
        policy=_html.POLICY,
        title=html.escape(f"Judgement of {visible(judged.table.origin)[:120]}"),
        font=html.escape(_style.FONT, quote=False),
        plotly=get_plotlyjs(),
        body=f"{_summary(judged)}\n<nav>{links}</nav>\n{body}",
        config=json.dumps(config),
        ink=json.dumps(_style.INK),
        print_width=_PRINT_WIDTH,
    )


Part = str | tuple[str, go.Figure, str]
"""HTML, or a figure: the name of its view, the figure, and what it shows in words."""


class _Figures:
    """Numbers the figures as they come."""

    def __init__(self) -> None:
        self.n_drawn = 0
        self.told: set[str] = set()  # views whose two sentences stand above already

    def html(self, part: Part) -> str:
        """The part as HTML."""
        if isinstance(part, str):
            return part
        view, figure, said = part
        self.n_drawn += 1
        key = f"{view}-{self.n_drawn}"
        about = registry.describe("views")[view].extra
        held = json.dumps(json.loads(figure.to_json()), separators=(",", ":")).replace("<", "\\u003c")
        words = html.escape(said)
        how = (
            f"<figcaption><b>How to read this.</b> {html.escape(about['how'])} "
            f"<b>What it does not show.</b> {html.escape(about['does_not_show'])}</figcaption>\n"
        )
        is_told = view in self.told
        self.told.add(view)
        return (
            f'<figure class="{view}">\n<div id="{key}" role="img" aria-label="{words}"></div>\n'
            f'<script type="application/json" data-figure="{key}">{held}</script>\n'
            f"<noscript><p>{words}</p></noscript>\n"
            f"{'' if is_told else how}</figure>"
        )


def _said(text: str, *, is_faint: bool = False) -> str:
    return f"<p{' class=faint' if is_faint else ''}>{html.escape(visible(text))}</p>"


def _summary(judged: Judgement) -> str:
    models = ", ".join(f"{name(model)} ({html.escape(palette.family_label(family))})"
                       for model, family in zip(judged.models, judged.architectures, strict=True))  # fmt: skip
    n_labelled = int((judged.true >= 0).sum())
    some = "all" if n_labelled == len(judged) else f"{n_labelled:,} of them"
    what = f"{some} with a label" if n_labelled else "without labels"
    done = "" if judged.is_finished else " The work was not finished: these are the first texts or models."
    lines = [f"<p>{len(judged):,} texts, {what}, judged by {models}.{done}</p>"]
    if judged.scores:
        said = (
            f"{name(one.model)} {shown(one.accuracy)} ({shown(one.intervals['accuracy'][0])} to "
            f"{shown(one.intervals['accuracy'][1])})"
            for one in judged.scores
        )
        lines.append(f"<p>Accuracy with 95 % interval: {'; '.join(said)}.</p>")
    return "\n".join(lines)


def _texts(judged: Judgement) -> Iterator[Part]:
    given = judged.table
    files = ", ".join(visible(one)[:80] for one in given.file_names)
    label = f", labels from “{given.label_column}”" if given.label_column else ""
    yield _said(f"From {files}: texts from “{given.text_column}”{label}; {given.n_rows:,} rows.")
    left = [f"{count:,} with {why}" for why, count in given.n_skipped.items()]
    left += [f"{judged.n_unread:,} with nothing some model can read"] if judged.n_unread else []
    if left:
        yield _said(f"Left out: {', '.join(left)}.")
    if given.notes:
        yield _said(" ".join(given.notes[:12]), is_faint=True)
    counts = given.label_counts()
    labels = dict(list(counts.items())[:20]) if counts else {"no label": len(given)}
    drawn = text_histogram.render(given.length_counts(), labels)
    yield "text_histogram", drawn, text_histogram.alt_text(given.length_counts(), labels)
    if counts:
        rows = [
            (name(value), f"{count:,}", name(str(judged.mapping.get(value) or "(left out)")))
            for value, count in list(counts.items())[:_MAX_LABELS]
        ]
        yield "<h3>What the labels mean</h3>"
        yield table(("label in the file", "texts", "class of the models"), rows)


def _scores(judged: Judgement, warnings: Sequence[str]) -> Iterator[Part]:
    if judged.scores:
        yield f"<div class=wide>{_judged_tables.scores_table(judged)}</div>"
        yield _said(_judged_tables.bootstrap_sentence(judged.scores[0]), is_faint=True)
        yield from map(_said, warnings)


def _classes(judged: Judgement) -> Iterator[Part]:
    for model, one in enumerate(judged.scores[:MAX_NAMED]):
        yield f"<h3>{name(one.model)}</h3>"
        yield f"<div class=wide>{_judged_tables.classes_table(judged, model)}</div>"
        yield f"<div class=wide>{_judged_tables.confusion_table(judged, model)}</div>"
        yield "confusion", confusion.render(judged, model=model), confusion.alt_text(judged, model=model)


def _calibration(judged: Judgement) -> Iterator[Part]:
    if judged.scores:
        yield "reliability", reliability.render(judged), reliability.alt_text(judged)
        yield _said(" ".join(map(_judged_tables.temperature_sentence, judged.scores)))
    tables = []
    for one in judged.scores[:MAX_NAMED]:
        bins = one.reliability
        rows = [
            (f"{bins.edges[place]:.1f} to {bins.edges[place + 1]:.1f}", f"{bins.counts[place]:,}",
             shown(float(bins.confidence[place])),
             _judged_tables.ranged(float(bins.accuracy[place]), (float(bins.low[place]), float(bins.high[place]))))
            for place in np.flatnonzero(bins.counts)
        ]  # fmt: skip
        held = table(("confidence", "texts", "mean confidence", "share right"), rows)
        tables.append(f"<div><h3>{name(one.model)}</h3>{held}</div>")
    if tables:
        yield f"<div class=side>{''.join(tables)}</div>"


def _decisions(judged: Judgement) -> Iterator[Part]:
    yield "decisions", decisions.render(judged), decisions.alt_text(judged)
    rows = [
        (name(model), *(f"{int(count):,}" for count in counts), shown(float(judged.confidence[place].mean())))
        for place, (model, counts) in enumerate(zip(judged.models, judged.counts(), strict=True))
    ]
    yield f"<div class=wide>{table(('model', *map(visible, judged.labels), 'mean confidence'), rows)}</div>"


def _effects(judged: Judgement) -> Iterator[Part]:
    for place, one in enumerate(judged.effects):
        if (one.n_texts > 0).sum(1).max(initial=0) > 1:
            yield "text_effect", text_effect.render(judged, effect=place), text_effect.alt_text(judged, effect=place)
            yield _judged_tables.effect_table(one)


def _disagreement(judged: Judgement) -> Iterator[Part]:
    if judged.agreement is None:
        return
    n_split = judged.agreement.n_split
    yield _judged_tables.agreement_table(judged)
    yield _said(
        "Share of the texts two models decide differently; in brackets Cohen's kappa, agreement beyond chance. On "
        f"{n_split:,} of {len(judged):,} texts not all decide alike.", is_faint=True,
    )  # fmt: skip
    split = np.flatnonzero((judged.predicted != judged.predicted[:1]).any(0))
    sure = judged.confidence[:, split].min(0)
    rows = split[np.argsort(-sure, kind="stable")][:N_TEXTS]
    if len(rows):
        yield "<h3>Texts on which they differ, the surest of both first</h3>"
        named = judged.models[:MAX_NAMED]
        said = [tuple(_decided(judged, model, row) for model in range(len(named))) for row in rows]
        yield _text_table(judged, rows, [visible(one)[:40] for one in named], said)


def _mistakes(judged: Judgement) -> Iterator[Part]:
    if not judged.has_labels:
        return
    for model, named in enumerate(judged.models[:MAX_NAMED]):
        wrong = np.flatnonzero((judged.true >= 0) & ~judged.is_right[model])
        rows = wrong[np.argsort(-judged.confidence[model, wrong], kind="stable")][:N_TEXTS]
        yield f"<h3>{name(named)}: {len(wrong):,} mistakes</h3>"
        if len(rows):
            yield _text_table(judged, rows, ["decided"], [(_decided(judged, model, row),) for row in rows])


def _calls(judged: Judgement) -> Iterator[Part]:
    yield _said("The texts with the smallest margin: the logit of the class decided for, less the next largest.")
    for model, named in enumerate(judged.models[:MAX_NAMED]):
        rows = np.argsort(judged.margin[model], kind="stable")[:N_TEXTS]
        said = [(_decided(judged, model, row), shown(float(judged.margin[model, row]))) for row in rows]
        yield f"<h3>{name(named)}</h3>"
        yield _text_table(judged, rows, ["decided", "margin"], said)


def _text_table(judged: Judgement, rows: np.ndarray, head: list[str], said: Sequence[tuple[str, ...]]) -> str:
    """Texts with where they stand and their label, then further cells as HTML."""
    labels = ["label"] if judged.has_labels else []
    cells = []
    for row, more in zip(rows, said, strict=True):
        label = (name(judged.labels[judged.true[row]]) if judged.true[row] >= 0 else "–",) if labels else ()
        cells.append((_text(judged, int(row)), *label, *more))
    return table(("text", *labels, *head), cells).replace("class='judged'", "class='texts'", 1)


def _text(judged: Judgement, row: int) -> str:
    given = judged.table
    text = " ".join(given.texts[row].split())
    cut = text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}…"
    file = f"{name(given.file_names[given.file[row]], 40)}, " if len(given.file_names) > 1 else ""
    piece = f", piece {given.piece[row] + 1}" if given.has_pieces else ""
    where = f"{file}row {given.row_numbers[row]:,}{piece}, {given.n_words[row]:,} words"
    return f'<div dir="auto">{html.escape(visible(cut))}</div><span class=range>{where}</span>'


def _decided(judged: Judgement, model: int, row: int) -> str:
    label = name(judged.labels[judged.predicted[model, row]])
    return f"{label} <span class=range>{judged.confidence[model, row]:.1%}</span>"


def _made(judged: Judgement, about: Mapping[str, Any]) -> Iterator[Part]:
    yield "<h3>Models</h3>"
    rows = [
        (name(model), html.escape(palette.family_label(family)), f"<code>{html.escape(mark)}</code>")
        for model, family, mark in zip(judged.models, judged.architectures, judged.fingerprints, strict=True)
    ]
    yield f"<div class=wide>{table(('model', 'family', 'fingerprint of its weights'), rows)}</div>"
    plain: dict[str, Any] = {"digest of the texts, their places and labels": judged.table.digest}
    if judged.scores:
        plain |= {"bootstrap samples": judged.scores[0].n_resamples, "seed": judged.scores[0].seed}
    tables = {key: value for key, value in about.items() if isinstance(value, Mapping)}
    for title, values in {
        "Settings": plain | {key: about[key] for key in about if key not in tables},
        **tables,
    }.items():
        yield f"<h3>{html.escape(visible(title))}</h3>"
        yield table(("", ""), [(name(str(key)), name(_plain(value), 400)) for key, value in values.items()])


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "–" if value is None or value == "" else value if isinstance(value, str) else json.dumps(value)
