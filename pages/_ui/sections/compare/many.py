"""Many texts: who is right more often, who decides alike, for which reasons, and where the evidence lies."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import THIRDS, AccuracyComparison, EvidenceThirds, Judgement
from explorer_core.text import visible
from pages._ui import (
    cache_compare_many,
    cache_texts,
    compare_reasons,
    compare_split,
    compare_texts,
    compared,
    figures,
    judged_texts,
    messages,
    score_table,
    take_away,
    text_rows,
    way_back,
    work,
)
from pages._ui.cache_texts import Desk as TextsDesk
from pages._ui.compared import Desk

SECTION = {
    "label": "Many texts",
    "question": "Who is right more often, and for the same reasons?",
    "kinds": ("recurrent", "transformer"),
    "order": 60,
    "alone": True,
}
SOURCE = "many_texts"  # key, and name in the address
KEYS = (SOURCE, *compare_split.KEYS, *compare_reasons.KEYS, text_rows.OPENS)
EVIDENCE = "many_evidence"  # key of the chart
SPLITS = {
    "test": "Starter corpus, test rows",
    "held out": "Starter corpus, validation and test rows",
    "all": "Starter corpus, all rows (learned from)",
}
_SAID = "There is no bundle of it: the rows are the numbers, and the texts and the models make them again."
_SURE, _LEAST_P = 0.05, 1e-4
_PATIENCE_S = 2.0


def draw(desk: Desk) -> None:
    """The texts, the press, and the comparison."""
    way_back.follow()
    if not compared.needs(desk, 2, "which of them is right more often, and whether they go by the same words."):
        return
    way_back.bring_back("many", KEYS)
    texts = compare_texts.pick(desk, SOURCE, SPLITS)
    way_back.keep("many", KEYS)
    if texts is None:
        return
    with messages.guard():
        begin_known(texts)
    found = judged_texts.finished(texts, "who is right more often, and for which reasons")
    if found is not None:
        explore(texts, *found)
        way_back.keep("many", KEYS)


def begin_known(texts: TextsDesk) -> None:
    """Judge at once what every model has read before: it takes a moment, and a link need not ask for a press."""
    from pages._ui.sections.texts import judge  # sections are imported when they are drawn

    models, mapping = judge.alike(texts), cache_texts.mapping_of(texts)
    key = judge.key_of(texts, models, mapping)
    if key in cache_texts.boards() or work.task(key) is not None or texts.table is None:
        return
    prices = cache_compare_many.price_judging(cache_compare_many.keys_of(models), texts.table.digest, texts.table)
    if all(one.n_known == one.n_texts for one in prices):
        judge.start(texts, models, mapping, key)
        work.wait(key, _PATIENCE_S)


def explore(texts: TextsDesk, key: str, judged: Judgement) -> None:
    """Everything that was judged, model against model."""
    page = draw_accuracy(key, judged) if judged.has_labels else None
    draw_agreement(judged)
    is_starter = texts.choice.is_empty
    if judged.has_labels and is_starter:
        draw_evidence(cache_compare_many.marked_evidence(key, judged))
    st.markdown("#### The same label for other reasons")
    reasons = compare_reasons.draw(texts, key, judged, page)
    if reasons is not None and judged.has_labels and not is_starter:
        from explorer_core import api

        draw_evidence(api.locate_evidence(judged, reasons))


# Who is right more often --------------------------------------------------------------------------------------------


def draw_accuracy(key: str, judged: Judgement) -> str | None:
    """Accuracy of every model, and McNemar's test of every pair; returns what `compare_split.draw` does."""
    found = cache_compare_many.accuracy(key, judged)
    names = names_of(judged)
    rows = [
        [_name(name), f"{scores.accuracy:.3f} {_ends(*scores.intervals['accuracy'])}",
         f"{scores.macro_f1:.3f} {_ends(*scores.intervals['macro_f1'])}"]
        for name, scores in zip(names, judged.scores, strict=True)
    ]  # fmt: skip
    st.markdown("#### How often each is right")
    st.html(score_table.table(("model", "accuracy", "macro F1"), rows))
    st.caption(f"Over {found.n_texts:,} texts with a label; in brackets 95 % intervals (bootstrap).")
    st.markdown("#### Which differences are more than chance")
    st.markdown(told(found, names))
    page = compare_split.draw(found, judged, names)
    notes = [
        "McNemar’s exact test looks only at the texts on which just one of two models is right. With "
        f"{len(found.pairs)} pairs, some p falls low by chance: “p of all” holds for all of them together (Holm 1979)."
    ]
    if found.n_rows < found.n_texts:
        notes.append(f"The texts are pieces of {found.n_rows:,} rows, which the test does not know: it is too sure.")
    st.caption(" ".join(notes))
    take_away.offer_alone("many_accuracy", "accuracy", found, _SAID)
    return page


def told(found: AccuracyComparison, names: list[str]) -> str:
    """How many pairs differ beyond chance, as Markdown."""
    sure = [pair for pair in range(len(found.pairs)) if found.p_holm[pair] < _SURE]
    n_pairs = len(found.pairs)
    if not sure:
        return f"None of the {n_pairs} pairs differs by more than chance." if n_pairs > 1 else "That may be chance."
    if len(sure) == n_pairs > 1:
        return f"All {n_pairs} pairs differ by more than chance."
    lower = {found.pairs[pair][0 if found.difference[pair] < 0 else 1] for pair in sure}
    if len(sure) > 1 and len(lower) == 1:
        return f"**{messages.plain(names[lower.pop()])}** is right less often than the others by more than chance; " \
               "between those no difference is sure."  # fmt: skip
    said = [" and ".join(messages.plain(names[one]) for one in found.pairs[pair]) for pair in sure]
    return f"Beyond chance: {'; '.join(said)}."


# Who decides alike --------------------------------------------------------------------------------------------------


def draw_agreement(judged: Judgement) -> None:
    """How often each two decide alike."""
    found = judged.agreement
    assert found is not None
    st.markdown("#### How often they decide alike")
    names = names_of(judged)
    rows = [
        [_name(names[one]), *(
            "–" if one == other else f"{1 - float(share):.1%} {_kappa(float(found.kappa[one, other]))}"
            for other, share in enumerate(row))]
        for one, row in enumerate(found.differs)
    ]  # fmt: skip
    st.html(score_table.table(("", *names), rows))
    st.caption(
        "Share of the texts two models decide alike; in brackets Cohen’s kappa, agreement beyond chance. On "
        f"{found.n_split:,} of {len(judged):,} texts not all decide alike."
    )


# Where the evidence lies --------------------------------------------------------------------------------------------


def draw_evidence(found: EvidenceThirds) -> None:
    """Accuracy by the place of the evidence, and BiLSTM against LSTM."""
    from explorer_core.views import evidence_thirds

    st.markdown("#### Early and late evidence")
    st.markdown(told_evidence(found))
    figures.chart(evidence_thirds.render(found), EVIDENCE, evidence_thirds.alt_text(found))
    if found.n_left_out:
        st.caption(f"Left out: {found.n_left_out:,} texts without a label or a place of evidence, or too short.")
    figures.how_to_read("evidence_thirds")
    take_away.offer_alone("many_evidence", "evidence", found, _SAID)


def told_evidence(found: EvidenceThirds) -> str:
    """What the BiLSTM gains on the LSTM in each third, as Markdown."""
    where = "the words that are marked in the corpus" if found.how == "marks" else "the models’ own scores"
    if found.contrast is None:
        return (
            f"By {where}. Choose an LSTM and a BiLSTM together to see whether reading from both ends helps where the "
            "evidence lies early."
        )
    parts = []
    for third in np.flatnonzero(found.n_texts).tolist():
        values = (100 * float(one[third]) for one in (found.difference, found.difference_low, found.difference_high))
        middle, low, high = (number(value, signed=True, digits=2) for value in values)
        p = float(found.p[third])
        said_p = "below 0.0001" if p < _LEAST_P else number(p, digits=2)
        parts.append(f"{THIRDS[third]} {middle} points ({low} to {high}, p {said_p})")
    is_sure = [third for third in range(3) if found.n_texts[third] and found.p[third] < _SURE / 3]
    verdict = "" if is_sure else " None of these is more than chance."
    return f"By {where}. BiLSTM less LSTM, evidence in the {', in the '.join(parts)}.{verdict}"


def names_of(judged: Judgement) -> list[str]:
    """What each model is called, plain text."""
    from explorer_core.views import _many

    return _many.names_of(judged.models, judged.architectures)


def _name(name: str) -> str:
    return f"<bdi>{html.escape(visible(name)[:40])}</bdi>"


def _ends(low: float, high: float) -> str:
    return f"<span class='range'>({low:.3f} to {high:.3f})</span>"


def _kappa(value: float) -> str:
    return f"<span class='range'>({'–' if value != value else f'{value:.2f}'})</span>"
