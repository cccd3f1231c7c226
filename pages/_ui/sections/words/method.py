"""One method: the text with a signed bar under each word, what it adds up to, and how far it can be believed."""

from __future__ import annotations

import functools
import html

import numpy as np
import streamlit as st

from explorer_core import palette
from explorer_core.numerals import nice_limit, number
from explorer_core.results import TrustCard, WordAttribution, softmax
from explorer_core.results.trust import RULE
from explorer_core.text import visible
from pages._ui import cache_words, figures, messages, scored, strip, take_away, widgets, work
from pages._ui.look import Look

SECTION = {
    "label": "One method",
    "question": "Which words made this prediction?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}
GROUP, STRIP, BARS = "words", "words_strip", "words_bars"
_MARKS = {"good": "✓", "doubtful": "~", "bad": "✗", "told": "·"}
_STYLE = (
    "<style>table.trust{border-collapse:collapse;width:100%}table.trust td{padding:.35rem .6rem .35rem 0;"
    "border-bottom:1px solid rgba(128,132,140,.25);vertical-align:top;font-size:.92rem}"
    "table.trust td.mark{font-weight:700;width:1.4rem}table.trust .means{opacity:.75;font-size:.85rem}"
    ".grade{font-size:1.25rem;font-weight:600;margin:.2rem 0 .4rem}</style>"
)


def draw(look: Look) -> None:
    """Strip, bars and trust card."""
    wish = scored.pick(look)
    found = scored.scores(look, wish)
    if found is None:
        return
    draw_strip(look, found)
    st.markdown(told(found))
    for note in found.notes:
        st.caption(messages.plain(note))
    left, right = st.columns(2, gap="large")
    with left:
        draw_bars(found)
    with right:
        card = draw_card(look, wish)
    offer(look, found, card)


def draw_strip(look: Look, found: WordAttribution) -> None:
    """The text with the score of each word on one fixed scale."""
    label = visible(found.target_label)[:60]
    largest = nice_limit(float(np.abs(found.scores).max(initial=0.0)))
    colors = palette.class_colors(found.labels)
    mine = colors[found.target]
    other = colors[1 - found.target] if len(colors) == 2 else palette.GREY
    if found.signed:
        scale = strip.Scale(-largest, largest, 0.0, f"Bars: {found.unit} for or against {label}", other, mine,
                            signed=True, pivot_name="0")  # fmt: skip
    else:
        scale = strip.Scale(0.0, largest, 0.0, f"Bars: {found.unit}, without a sign", palette.PURPLE, palette.PURPLE)
    predicted = int(found.logits.argmax())
    strip.word_strip(
        STRIP, found.words, found.scores, scale=scale, group=GROUP, reading=found.reading,
        token_values=found.token_scores,
        headline=strip.Headline(
            found.labels[predicted], number(float(softmax(found.logits)[predicted])), colors[predicted],
            f"logit of {label} is {number(found.value, signed=True)}",
        ),
        selected=int(np.abs(found.scores).argmax()), charts=(BARS,), reveals=True,
    )  # fmt: skip


def told(found: WordAttribution) -> str:
    """What the scores come to, in a sentence, as Markdown."""
    order = np.argsort(-found.scores, kind="stable")
    label = messages.plain(found.target_label[:60])
    best = messages.quoted(found.words[order[0]], 40)
    said = f"{best} speaks most for **{label}** ({number(float(found.scores[order[0]]), signed=found.signed)})"
    if not found.signed:
        said = (
            f"The verdict hangs most on {best} ({number(float(found.scores[order[0]]))} {messages.plain(found.unit)})"
        )
    elif len(order) > 1 and found.scores[order[-1]] < 0:
        worst = messages.quoted(found.words[order[-1]], 40)
        said += f", {worst} most against it ({number(float(found.scores[order[-1]]), signed=True)})"
    said += "."
    if found.complete and found.move is not None and found.convergence_delta is not None:
        share = "" if found.relative_gap in (None, float("inf")) else f", {100 * (found.relative_gap or 0):.2g} % of it"
        said += (
            f" All scores sum to {number(found.total, signed=True)}; from the baseline "
            f"({messages.plain(found.baseline)}) to the text the logit moves by {number(found.move, signed=True)}: the "
            f"gap is {number(abs(found.convergence_delta))}{share}."
        )
    elif found.baseline:
        said += f" Compared with: {messages.plain(found.baseline)}. These scores do not promise to add up."
    return said


def draw_bars(found: WordAttribution) -> None:
    """The scores as bars, with standard errors where samples were drawn."""
    from explorer_core.views import word_scores

    figures.chart(word_scores.render([found], width=560), BARS, word_scores.alt_text([found]))
    figures.how_to_read("word_scores")


def draw_card(look: Look, wish: scored.Wish) -> TrustCard | None:
    """How far the scores hold: the quick card, and the full one on demand."""
    st.markdown("#### Can I believe it?")
    asked = (*look.key, look.target, wish.method, wish.knobs)
    key = f"trust {scored.key_of(look, wish)}"
    full_key = f"{key} full"
    full = work.draw(full_key)
    quick: TrustCard | None = full
    if quick is None:
        if work.task(key) is None:
            work.start(key, "Judging the scores", lambda progress: cache_words.card(*asked, False, _progress=progress))
        quick = work.draw(key, patience_s=2.0)
    if quick is None:
        return None
    st.html(_card(quick))
    if full is None and work.is_idle(full_key):
        seconds = (work.task(key).elapsed_s if work.task(key) else 1.0) * 4  # type: ignore[union-attr]
        if st.button(
            "Measure more", key="words_full_card",
            help=f"Other baselines, shuffled weights, captum's infidelity and sensitivity: about "
            f"{widgets.duration(seconds)}.",
        ):  # fmt: skip
            work.start(full_key, "Measuring more", lambda progress: cache_words.card(*asked, True, _progress=progress))
            st.rerun()
    with st.popover("The rule"):
        st.markdown(messages.plain(RULE))
    return quick


def _card(card: TrustCard) -> str:
    rows = "".join(
        f"<tr><td class='mark' title='{line.verdict}'>{_MARKS[line.verdict]}</td><td><b>{html.escape(line.label)}.</b> "
        f"{html.escape(line.said)}<div class='means'>{html.escape(line.means)}</div></td></tr>"
        for line in card.lines
    )
    grade = html.escape(card.grade[0].upper() + card.grade[1:])
    return f"{_STYLE}<div class='grade'>{grade}</div><table class='trust'>{rows}</table>"


def offer(look: Look, found: WordAttribution, card: TrustCard | None) -> None:
    """What is shown, to be taken away."""
    from explorer_core.views import word_scores

    arguments = {"method": found.method, "target": found.target, **found.knobs}
    take_away.offer(
        "words", look, {"attribute": (found, arguments)},
        figures={"word_scores": functools.partial(word_scores.render, [found])},
    )  # fmt: skip
    if card is not None:
        st.download_button(
            "Trust card (CSV)", lambda: take_away.csv(card), f"{look.info.name.replace('/', '-')}-trust.csv",
            "text/csv", on_click="ignore", key="words_trust_csv",
        )  # fmt: skip
