"""Flips: the fewest words whose absence turns the verdict."""

from __future__ import annotations

import html
import math

import numpy as np
import streamlit as st

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import Flips
from explorer_core.results.flips import MOST_KEPT
from explorer_core.text import visible
from pages._ui import cache_words, figures, messages, scored, strip, take_away, widgets, work
from pages._ui.digest import short
from pages._ui.look import Look

SECTION = {
    "label": "Flips",
    "question": "How few words turn the verdict when they are taken away?",
    "kinds": ("recurrent", "transformer"),
    "order": 40,
}
STRIP = "words_flips"
BUDGET = 6_000  # texts
REMOVED_BY = {"mask": "mask", "unk": "unknown"}
_SHOWN = 12
_STYLE = (
    "<style>table.flips{border-collapse:collapse}table.flips td,table.flips th{padding:.3rem 1.2rem .3rem 0;"
    "border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "table.flips .n{text-align:right;font-variant-numeric:tabular-nums}</style>"
)


def draw(look: Look) -> None:
    """The smallest deletions, in a sentence, on the strip and in a table."""
    found = search(look)
    if found is None:
        return
    draw_strip(found)
    st.markdown(f"{told(found)} A word is taken away {removal_told(found, look.info.kind)}.")
    if len(found.deletions):
        st.html(table_of(found))
    if len(found.deletions) > _SHOWN:
        st.caption(f"The strongest {_SHOWN} of {_choices(found)}; the files below hold the rest.")
    figures.small(
        "A margin is the logit of the class decided for before, less the largest of the others: below zero the verdict "
        "has turned.",
        "That these words made the verdict: what is left without them is a text the network may never have seen the "
        "like of.",
        "margin = z(decided) − max z(other)",
        "Li, Monroe and Jurafsky 2016, Understanding neural networks through representation erasure",
    )
    take_away.offer("words-flips", look, {"find_flips": (found, {"budget": BUDGET})}, as_json=True)


def draw_strip(found: Flips) -> None:
    """The text; where a choice of words turns the verdict, with the share of such choices each word is in."""
    n_found, n_words = len(found.deletions), len(found.words)
    shares = np.bincount(found.deletions.ravel().astype(int), minlength=n_words) / max(n_found, 1)
    bars = "the words taken away" if n_found == 1 else f"share of {_choices(found)} with the word"
    strip.word_strip(
        STRIP, found.words, shares if n_found else None, group="words", reading=found.reading, view="words",
        scale=strip.Scale(0, 1, 0, f"Bars: {bars}", palette.PURPLE, palette.PURPLE),
        selected=int(found.deletions[0][0]) if n_found else None, notes=found.reading.notes,
    )  # fmt: skip


def search(look: Look) -> Flips | None:
    """The answer, in the background where it takes long; `None` until it is there."""
    key = f"flips {look.info.fingerprint} {short(look.text)}"
    if work.task(key) is None:
        price = cache_words.price(*look.key, "leave_one_out", "{}")
        n_words = max(price.n_passes - 1, 1)
        n_most = min(BUDGET, sum(math.comb(n_words, size) for size in (1, 2, 3)))
        seconds = price.seconds / price.n_passes * n_most
        if seconds > scored.UNASKED_S and key not in st.session_state:
            with st.container(border=True):
                st.markdown(
                    f"To try every word, every pair and every three of them, this text is read up to {n_most:,} times: "
                    f"{widgets.duration(seconds)} on this machine, less where few words suffice."
                )
                if not st.button("Look for them", key="words_flips_ask"):
                    return None
            st.session_state[key] = True
        work.start(key, "Taking words away", lambda progress: cache_words.flips(*look.key, BUDGET, _progress=progress))
    found: Flips | None = work.draw(key, patience_s=1.0)
    work.draw_again(key, "Look again", "words_flips_again")
    return found


def told(found: Flips) -> str:
    """What was found, in a sentence, as Markdown."""
    n_words = len(found.words)
    was = messages.plain(found.labels[int(found.logits.argmax())][:60])
    if not found.n_words:
        if found.is_exact:
            return f"No choice of up to {found.n_tried} words turns the verdict **{was}**."
        return (
            f"Even with {found.n_tried} of {n_words} words taken away, one after the other, each time the one that "
            f"helped most, the verdict stays **{was}**."
        )
    first = ", ".join(messages.quoted(word, 24) for word in found.named(0))
    now = messages.plain(found.labels[int(found.new_labels[0])][:60])
    sure = (
        "No fewer words do: every smaller choice was tried."
        if found.is_exact
        else ("Fewer may do: they were taken away one after the other, each time the one that helped most.")
    )
    count = f"One of {n_words} words is" if found.n_words == 1 else f"{found.n_words} of {n_words} words are"
    return f"{count} enough: without {first} the verdict turns from **{was}** to **{now}**. {sure}"


def removal_told(found: Flips, kind: str) -> str:
    """How a network of a kind does without a word, as the end of a sentence."""
    if found.removal == "drop":
        return "by hiding it from attention" if kind == "transformer" else "by reading the text without it"
    return f"by reading the {REMOVED_BY[found.removal]} token in its place"


def _choices(found: Flips) -> str:
    """How many choices are known; where more may have been found, that these are the strongest."""
    n_found = len(found.deletions)
    return f"the {n_found:,} strongest choices" if n_found == MOST_KEPT else f"the {n_found:,} choices"


def table_of(found: Flips) -> str:
    """Every deletion of the smallest size, the strongest first, as HTML."""
    rows = "".join(
        f"<tr><td><bdi>{html.escape(visible(' · '.join(found.named(index)))[:80])}</bdi></td>"
        f"<td class='n'>{', '.join(str(word + 1) for word in found.deletions[index])}</td>"
        f"<td class='n'>{number(float(found.margins[index]), signed=True)}</td>"
        f"<td>{html.escape(visible(found.labels[int(found.new_labels[index])])[:60])}</td></tr>"
        for index in range(min(len(found.deletions), _SHOWN))
    )
    head = "<tr><th>without</th><th>place</th><th>margin, logits</th><th>decides</th></tr>"
    return f"{_STYLE}<table class='flips'>{head}{rows}</table>"
