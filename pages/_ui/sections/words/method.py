"""One method: the text with a signed bar under each word, what it adds up to, and how far it can be believed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer_core import palette
from explorer_core.numerals import nice_limit, number
from explorer_core.results import TrustCard, WordAttribution, softmax
from explorer_core.text import visible
from pages._ui import many_texts, messages, score_pictures, scored, strip, take_away, trust_card
from pages._ui.look import Look

SECTION = {
    "label": "One method",
    "question": "Which words made this prediction?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}
GROUP, STRIP = "words", "words_strip"


def draw(look: Look) -> None:
    """Strip, the scores as bars, waterfall or table, and the trust card."""
    many_texts.draw_way_back(look)
    wish = scored.pick(look, score_pictures.pick_columns)
    above = st.container()
    found = scored.scores(look, wish, take=scored.choose)
    if found is None:
        with above:
            draw_text(look)
        return
    draw_strip(found)
    st.markdown(told(found))
    notes = [note for note in found.notes if note not in found.reading.notes]  # those stand under the strip
    if notes:
        st.caption("How it was computed: " + " ".join(map(messages.plain, notes)))
    is_long = len(found.words) > scored.MANY
    left, right = (st.container(), st.container()) if is_long else st.columns([1, 1], gap="large")
    with left:
        drawn = score_pictures.draw(look, wish, found)
    with right:
        card = trust_card.draw(look, wish)
    offer(look, found, card, drawn)


def draw_text(look: Look) -> None:
    """The text as it will be read while there are no scores: what is cut is seen before anything is paid."""
    trace = look.trace
    strip.word_strip(
        STRIP, trace.words, None, scale=strip.Scale(0, 1, 0, "", "", ""), group=GROUP, reading=trace.reading,
        notes=trace.reading.notes, view="words",
    )  # fmt: skip


def draw_strip(found: WordAttribution) -> None:
    """The text with the score of each word on one fixed scale."""
    label = visible(found.target_label)[:60]
    shown = found.token_scores if score_pictures.shows_tokens(found) else found.scores
    assert shown is not None
    largest = nice_limit(float(np.abs(shown).max(initial=0.0)))
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
        notes=found.reading.notes,
        selected=int(np.abs(found.scores).argmax()), charts=(score_pictures.BARS,), reveals=True,
        view="tokens" if score_pictures.wants_tokens() else "words",
    )  # fmt: skip


def told(found: WordAttribution) -> str:
    """What the scores come to, in a sentence, as Markdown."""
    said = _extremes(found) if found.signed else _largest(found)
    if found.complete and found.move is not None and found.convergence_delta is not None:
        said += (
            f" All scores sum to {number(found.total, signed=True)}; from the baseline "
            f"{messages.quoted(found.baseline)} to the text the logit moves by {number(found.move, signed=True)}: the "
            f"gap is {_share_of_move(found)}."
        )
    elif found.baseline:
        said += f" Compared with: {messages.plain(found.baseline)}. These scores do not promise to add up."
    return said


def _largest(found: WordAttribution) -> str:
    word = int(found.scores.argmax())
    size = f"{number(float(found.scores[word]))} {messages.plain(found.unit)}"
    return f"The verdict hangs most on {messages.quoted(found.words[word], 40)} ({size})."


def _extremes(found: WordAttribution) -> str:
    high, low = int(found.scores.argmax()), int(found.scores.argmin())
    label = messages.plain(found.target_label[:60])
    best, worst = (messages.quoted(found.words[word], 40) for word in (high, low))
    most, least = (f"({number(float(found.scores[word]), signed=True)})" for word in (high, low))
    if found.scores[high] <= 0:
        return f"No word speaks for **{label}**; {worst} speaks most against it {least}."
    if found.scores[low] >= 0:
        return f"{best} speaks most for **{label}** {most}; no word speaks against it."
    return f"{best} speaks most for **{label}** {most}, {worst} most against it {least}."


def _share_of_move(found: WordAttribution) -> str:
    """Size of the gap in logits, and of which share of the move that is."""
    share = found.relative_gap
    assert found.convergence_delta is not None
    gap = number(abs(found.convergence_delta), digits=2)
    if share is None or share == float("inf"):
        return gap
    return f"{gap}, less than 0.01 % of it" if share < 1e-4 else f"{gap}, {100 * share:.2g} % of it"


def offer(look: Look, found: WordAttribution, card: TrustCard | None, drawn: score_pictures.Figures) -> None:
    """What is shown, to be taken away."""
    arguments = {"method": found.method, "target": found.target, **found.knobs}
    take_away.offer("words", look, {"attribute": (found, arguments)}, figures=drawn, as_json=True)
    if card is not None:
        st.download_button(
            "Trust card (CSV)", lambda: take_away.csv(card), f"{look.info.name.replace('/', '-')}-trust.csv",
            "text/csv", on_click="ignore", key="words_trust_csv",
        )  # fmt: skip
