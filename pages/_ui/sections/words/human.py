"""Human agreement: whether methods mark the words that people marked, over many texts."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import HumanAgreement
from explorer_core.results.human_agreement import AUPRC
from explorer_core.text import visible
from pages._ui import cache, cache_agreement, figures, many_texts, messages, scored, take_away
from pages._ui.look import Look

SECTION = {
    "label": "People",
    "question": "Does it mark the words a person would?",
    "kinds": ("recurrent", "transformer"),
    "order": 70,
}
KEY, METHODS, CHART = "human", "human_methods", "words_human"
_EVERY = ""  # phenomenon
_TARGETS = {"predicted": "the class the network predicts", "gold": "the class the text is labelled with"}
_N_SHOWN, _MOST_WORDS, _BEFORE = 6, 70, 8
_STYLE = (
    "<style>table.human{border-collapse:collapse;font-variant-numeric:tabular-nums}table.human td,table.human th"
    "{padding:.3rem 1rem .3rem 0;white-space:nowrap;"
    "border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "table.human .n{text-align:right}table.human small{opacity:.7}</style>"
)
_TEXT_STYLE = (
    "<style>p.marks{font-size:1.05rem;line-height:1.75;margin:0;overflow-wrap:anywhere}"
    "p.marks .m{text-decoration:underline;text-decoration-thickness:3px;text-underline-offset:4px}"
    "p.marks .t{background:rgba(0,134,210,.38);border-radius:3px;padding:.05em .12em}</style>"
)


def draw(look: Look) -> None:
    """The choice of texts and methods, and what they come to."""
    model = cache.load(look.info.name, look.info.fingerprint)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        source = many_texts.pick_source(KEY)
        phenomenon = _pick_phenomenon() if source == many_texts.STARTER else _EVERY
        n_texts = many_texts.pick_n_texts(look, KEY)
        target, only_right = _pick_class()
    texts: many_texts.Rationales | None = (many_texts.STARTER, "{}", None, "auto", phenomenon)
    if source == many_texts.FILE:
        texts = many_texts.pick_marked_file(KEY)
    methods = many_texts.pick_methods(look, METHODS, api.cheap_methods(model))
    if texts is None or not methods:
        if not methods:
            st.info("Choose at least one method.")
        return
    data = cache_agreement.rationales(*texts)
    n_used = min(n_texts, len(data))
    asked = (look.info.name, look.info.fingerprint, texts, methods, n_texts, target, only_right)
    prices = cache_agreement.prices(*asked[:2], repr(texts), methods, n_used, data.texts)
    found = many_texts.measure(
        look, f"human {asked!r}", "Measure agreement", prices, n_used,
        lambda progress: cache_agreement.human(*asked, _progress=progress),
    )  # fmt: skip
    if found is not None:
        draw_found(look, found)


def _pick_phenomenon() -> str:
    groups = cache_agreement.rationales(many_texts.STARTER, "{}", None, "auto", _EVERY).groups["phenomenon"]
    names = [_EVERY, *sorted({name for name in groups if name})]
    return st.selectbox(
        "Phenomenon", names, key=f"{KEY}_phenomenon", width=190,
        format_func=lambda name: name.replace("_", " ") or "every phenomenon",
        help="What decides the text: a negation, a contrast with but, irony and so on.",
    )  # fmt: skip


def _pick_class() -> tuple[str, bool]:
    """Whose logit is explained, and whether texts judged wrongly are used."""
    with st.popover("Class explained"):
        target = st.radio(
            "The score of a word is for", list(_TARGETS), key=f"{KEY}_target", format_func=_TARGETS.__getitem__,
        )  # fmt: skip
        only_right = st.toggle(
            "Leave out texts judged wrongly", key=f"{KEY}_right",
            help="People marked the words that carry the label: a network that decides otherwise goes by others.",
        )  # fmt: skip
    return target, only_right


# What was found -----------------------------------------------------------------------------------------------------


def draw_found(look: Look, found: HumanAgreement) -> None:
    """Chart, table, and the texts where person and method differ most."""
    from explorer_core.views import human_agreement

    st.markdown(told(found))
    figures.chart(human_agreement.render(found), CHART, human_agreement.alt_text(found))
    figures.how_to_read("human_agreement")
    st.html(table_of(found))
    st.caption(
        "Mean over texts with its 95 % interval. Token F1: as many words with the largest scores are taken as people "
        "marked, so that precision, recall and F1 are one number. Precision at 3: share of marked words among the "
        "three with the largest scores. A word counts as marked if any of its characters was. Signed scores are "
        "ranked as they are, for the class explained, others by size."
    )
    for sentence in left_out_told(found):
        st.caption(messages.plain(sentence))
    draw_texts(look, found)
    take_away.offer_alone(
        KEY, f"{look.info.name.replace('/', '-')}-human", found,
        "No bundle: these numbers come from many texts. The arrays hold every text, word, mark and score; "
        "python -m explorer_core agree makes them again.",
    )  # fmt: skip


def told(found: HumanAgreement) -> str:
    """Which method agrees best and how far from chance, as Markdown."""
    at = found.measures.index(AUPRC)
    best, chance = int(found.mean[:, at].argmax()), float(found.random[at])
    label = messages.plain(scored.Wish(found.methods[best]).about.label)
    said = (
        f"Over {len(found.texts):,} texts **{label}** comes closest to the words people marked: AUPRC "
        f"{number(float(found.mean[best, at]))}, words in random order {number(chance)}."
    )
    if found.low[best, at] <= found.random_high[at]:
        return said + " That is within what random order may come to: no method here agrees with people."
    lucky = [
        messages.plain(scored.Wish(name).about.label)
        for row, name in enumerate(found.methods)
        if found.low[row, at] <= found.random_high[at]
    ]
    return said + (f" Not surely better than random order: {', '.join(lucky)}." if lucky else "")


def left_out_told(found: HumanAgreement) -> list[str]:
    """What was not used, and what a person should know of the rest."""
    said = [f"Left out: {n:,} text{'s' * (n != 1)} with {why}." for why, n in found.left_out.items()]
    if found.n_wrong:
        whose = "the label" if found.target == "gold" else "the class the network predicts, not the label"
        said.append(f"{found.n_wrong:,} of the texts are judged wrongly; in them too scores are for {whose}.")
    if found.n_truncated:
        said.append(f"{found.n_truncated:,} texts are longer than the network reads; only the words it read count.")
    return said


def table_of(found: HumanAgreement) -> str:
    """Every measure of each method and of random order, as HTML."""
    from explorer_core.views import human_agreement

    head = "".join(f"<th class='n'>{html.escape(human_agreement.title_of(name))}</th>" for name in found.measures)
    rows = []
    order = np.argsort(-found.mean[:, found.measures.index(AUPRC)], kind="stable")
    named = [(scored.Wish(found.methods[row]).about.label, found.mean[row], found.low[row], found.high[row])
             for row in order]  # fmt: skip
    for label, mean, low, high in (*named, ("random order", found.random, found.random_low, found.random_high)):
        cells = "".join(
            f"<td class='n'>{value:.2f} <small>{below:.2f}–{above:.2f}</small></td>"
            for value, below, above in zip(mean, low, high, strict=True)
        )
        rows.append(f"<tr><td>{html.escape(label)}</td>{cells}</tr>")
    return f"{_STYLE}<table class='human'><tr><th></th>{head}</tr>{''.join(rows)}</table>"


# Single texts -------------------------------------------------------------------------------------------------------


def draw_texts(look: Look, found: HumanAgreement) -> None:
    """The texts a method and people see most differently, each with a way to open it."""
    st.markdown("#### Where method and person differ most")
    labels = {name: scored.Wish(name).about.label for name in found.methods}
    at = found.measures.index(AUPRC)
    best = found.methods[int(found.mean[:, at].argmax())]
    if st.session_state.get(f"{KEY}_of") not in (None, *labels):
        del st.session_state[f"{KEY}_of"]
    method = st.selectbox("Method", list(labels), index=list(labels).index(best), key=f"{KEY}_of", width=280,
                          format_func=labels.__getitem__)  # fmt: skip
    row = found.methods.index(method)
    st.html(f"{_TEXT_STYLE}<p class='marks' style='font-size:.9rem'><span class='m'>underlined</span> by people, "
            "<span class='t'>coloured</span> by the method: as many words with its largest scores</p>")  # fmt: skip
    lost = found.expected[at] - found.values[row, at]
    for text in np.argsort(-lost, kind="stable")[:_N_SHOWN].tolist():
        left, right = st.columns([6, 1], vertical_alignment="center")
        with left:
            st.html(marks_of(found, row, text))
            st.caption(_of_text(found, row, text))
        right.button(
            "Open", key=f"{KEY}_open_{text}", on_click=many_texts.open_text, args=(look, found.texts[text], "method"),
            kwargs={scored.METHOD: method}, help="Read this text here, by this method.",
        )  # fmt: skip


def _of_text(found: HumanAgreement, row: int, text: int) -> str:
    at = found.measures.index(AUPRC)
    said = f"AUPRC {number(float(found.values[row, at, text]))}, random order {number(float(found.expected[at, text]))}"
    judged = messages.plain(visible(found.labels[int(found.predicted[text])])[:60])
    if found.true[text] < 0:
        return f"{said}; judged {judged}"
    true = messages.plain(visible(found.labels[int(found.true[text])])[:60])
    return f"{said}; labelled {true}, judged {judged}"


def marks_of(found: HumanAgreement, row: int, text: int) -> str:
    """A text with the marked words underlined and the method's top words coloured, as HTML; long ones are cut."""
    words = found.words_of(text)
    spans, marked = found.word_spans[words], found.marked[words]
    top = np.zeros(len(marked), dtype=bool)
    top[found.top_words(row, text)] = True
    first = max(int(np.flatnonzero(marked | top)[0]) - _BEFORE, 0) if len(marked) > _MOST_WORDS else 0
    last = min(first + _MOST_WORDS, len(marked)) - 1
    whole, parts = found.texts[text], []
    end = int(spans[first][0])
    for word in range(first, last + 1):
        start = int(spans[word][0])
        parts.append(html.escape(visible(whole[end:start])))
        kinds = " ".join(kind for kind, is_so in (("m", marked[word]), ("t", top[word])) if is_so)
        end = int(spans[word][1])
        shown = html.escape(visible(whole[start:end])[:80])
        parts.append(f"<span class='{kinds}'>{shown}</span>" if kinds else shown)
    before, after = "… " if first else "", " …" if last + 1 < len(marked) else ""
    return f"{_TEXT_STYLE}<p class='marks' dir='auto'>{before}{''.join(parts)}{after}</p>"
