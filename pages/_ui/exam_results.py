"""What came out of a shortcut exam: the finding, the picture, a table, and one text with its planted word."""

from __future__ import annotations

import html
import json

import streamlit as st

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import ExamRow, ShortcutExam, exam_finding_of
from explorer_core.results.exam_finding import SELDOM, method_label
from explorer_core.text import visible
from pages._ui import figures, messages, take_away

PICTURE, FAMILY, ANOTHER = "exam_precision", "exam_example_family", "exam_another"  # keys
_SHOWN = "exam_example"  # number of the text shown
_STYLE = (
    "<style>table.exam{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "table.exam td,table.exam th{padding:.35rem .9rem .35rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;vertical-align:top}table.exam th{font-weight:600}"
    "table.exam span{opacity:.7;font-size:.85rem;white-space:nowrap}"
    "table.exam small{display:block;white-space:nowrap;opacity:.7;font-size:.8rem}"
    "table.exam b.poor{text-decoration:underline dotted}"
    ".planted{font-size:1.15rem;line-height:1.9;margin:.2rem 0 .5rem}"
    f".planted mark{{background:none;color:inherit;border:2px solid {palette.BLUE};border-radius:.3rem;padding:0 .3rem;"
    "font-weight:700}.planted i{font-style:normal;border:1px dashed rgba(128,132,140,.9);border-radius:.3rem;"
    "padding:0 .3rem}.exam-ranks{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem}.exam-ranks b{font-size:1.1rem}</style>"
)


def draw(result: ShortcutExam) -> None:
    """Everything known of an exam."""
    from explorer_core.views import exam_precision

    first, *rest = map(messages.plain, exam_finding_of(result))
    st.markdown("\n".join([f"**{first}**", "", *(f"- {sentence}" for sentence in rest)]))
    if result.rows:
        st.markdown("#### Who puts the planted word first")
        figures.chart(exam_precision.render(result), PICTURE, exam_precision.alt_text(result))
        figures.how_to_read("exam_precision")
    st.markdown("#### Every number")
    st.html(table_of(result))
    st.caption(
        "Large: share of texts with the planted word first, and its 95 % interval (Wilson). Small: the mean rank of "
        f"the word with its 95 % interval (bootstrap). Dotted: below {SELDOM:g}."
    )
    draw_example(result)
    take(result)


def table_of(result: ShortcutExam) -> str:
    """Methods down, families across, and how far each network learned the shortcut, as HTML."""
    families = [network.family for network in result.networks]
    head = "".join(f"<th>{html.escape(palette.family_label(family))}</th>" for family in families)
    body = []
    for method in result.spec.methods:
        rows = {row.family: row for row in result.rows if row.method == method}
        if rows:
            cells = "".join(f"<td>{_cell(rows.get(family))}</td>" for family in families)
            body.append(f"<tr><th>{html.escape(method_label(method))}</th>{cells}</tr>")
    chance = {row.family: row for row in result.rows}
    cells = "".join(
        f"<td>{number(chance[family].random_precision, digits=2)}<small>rank "
        f"{number(chance[family].random_rank)} of {number(chance[family].n_words)} words</small></td>"
        if family in chance else "<td>–</td>"
        for family in families
    )  # fmt: skip
    body.append(f"<tr><th>Random order</th>{cells}</tr>")
    learned = "".join(
        f"<td>{100 * network.accuracy:.0f} %<small>p {number(network.prob_with, digits=2)}, without it "
        f"{number(network.prob_without, digits=2)}</small><small>{len(result.counts(network.family))} of "
        f"{len(result.texts)} texts count</small></td>"
        for network in result.networks
    )
    body.append(f"<tr><th>Verdict follows the word</th>{learned}</tr>")
    table = f"<table class='exam'><tr><th></th>{head}</tr>{''.join(body)}</table>"
    return f"{_STYLE}<div style='overflow-x:auto'>{table}</div>"


def _cell(row: ExamRow | None) -> str:
    if row is None:
        return "–"
    poor = " class='poor'" if row.precision < SELDOM else ""
    ends = f", {number(row.mean_rank_low)} to {number(row.mean_rank_high)}" * (row.mean_rank_low < row.mean_rank_high)
    return (
        f"<b{poor}>{row.precision:.2f}</b> <span>{row.precision_low:.2f} to {row.precision_high:.2f}</span>"
        f"<small>rank {number(row.mean_rank)}{ends}</small>"
    )


# One text -----------------------------------------------------------------------------------------------------------


def draw_example(result: ShortcutExam) -> None:
    """One text with its planted word framed, and where each method ranks it."""
    families = list(dict.fromkeys(row.family for row in result.rows))
    if not families:
        return
    st.markdown("#### One of the texts")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        family = st.selectbox(
            "As the network of this family reads it", families, key=FAMILY, width=260, format_func=palette.family_label
        )
        st.button("Another text", key=ANOTHER, on_click=_next_text, type="tertiary")
    family = family if family in families else families[0]
    counts = result.counts(family)
    text = int(counts[int(st.session_state.get(_SHOWN, 0)) % len(counts)])
    one = result.texts[text]
    st.html(_STYLE + marked(result, text))
    label = messages.plain(result.label_names[one.target][:60])
    st.caption(
        f"The framed word stands for {label}, which the text by itself is not; the verdict follows it."
        + (" The dashed one is too far on to count." if one.decoy else "")
    )
    n_words = int(result.n_words[[network.family for network in result.networks].index(family), text])
    ranks = result.example(family, text)
    shown = "".join(
        f"<span>{html.escape(method_label(method))} <b>{rank:g}</b></span>" for method, rank in ranks.items()
    )
    st.markdown(f"Its rank among the {n_words} words:")
    st.html(f"{_STYLE}<div class='exam-ranks'>{shown}</div>")


def marked(result: ShortcutExam, text: int) -> str:
    """A text with its planted word framed, and its decoy dashed, as HTML."""
    one = result.texts[text]
    spans = sorted([(*one.span, "mark"), *([(*one.decoy, "i")] if one.decoy else [])])
    parts, before = [], 0
    for start, end, tag in spans:
        parts += [html.escape(visible(one.text[before:start])), f"<{tag}>", html.escape(visible(one.text[start:end]))]
        parts.append(f"</{tag}>")
        before = end
    return f"<div class='planted'><bdi>{''.join(parts)}{html.escape(visible(one.text[before:]))}</bdi></div>"


def _next_text() -> None:
    st.session_state[_SHOWN] = int(st.session_state.get(_SHOWN, 0)) + 1


def take(result: ShortcutExam) -> None:
    """Files of an exam; a reproduce bundle needs a model and a text, here the settings sit the exam again."""
    stem = result.name or "exam"
    said = (
        "Settings sit the same exam again: `python -m explorer_core exam --spec FILE`. The networks themselves are not "
        "kept."
    )
    take_away.offer_alone(
        "exam", stem, result, said,
        {
            "Everything (JSON)": (
                lambda: json.dumps(result.to_plain(), indent=2).encode(), f"{stem}.json",
            ),
            "Settings (JSON)": (result.spec.to_json().encode, f"{stem}-settings.json"),
        },
    )  # fmt: skip
