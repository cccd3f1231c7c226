"""Side by side: up to four methods over the same words, how alike they rank them, and where they differ in sign."""

from __future__ import annotations

import functools
import html
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import WordAttribution, kendall_tau
from pages._ui import figures, messages, scored, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Side by side",
    "question": "Do other methods say the same?",
    "kinds": ("recurrent", "transformer"),
    "order": 20,
}
CHOSEN, CHART = "methods", "words_together"  # key, and name in the address
MOST = 4
FIRST = ("integrated_gradients", "lstm_ledger", "leave_one_out", "attention_rollout", "gradient_norm")
_SMALL = 0.05  # of the largest score: below, a sign means little
_STYLE = (
    "<style>table.taus{border-collapse:collapse;font-variant-numeric:tabular-nums}table.taus td,table.taus th"
    "{padding:.25rem 1rem .25rem 0;border-bottom:1px solid rgba(128,132,140,.25);text-align:left;font-weight:400}"
    "</style>"
)


def draw(look: Look) -> None:
    """A panel for each method, and what they have in common."""
    fitting = scored.methods(look)
    first = [name for name in FIRST if name in fitting][:3]
    chosen = st.multiselect(
        "Methods", list(fitting), default=first, max_selections=MOST, key=CHOSEN, bind="query-params",
        format_func=lambda name: fitting[name].label,
    )  # fmt: skip
    if not chosen:
        st.info("Choose at least one method.")
        return
    found = [
        scored.scores(look, scored.Wish(name), place=name, take=functools.partial(_take_instead, name))
        for name in chosen
    ]
    there = [one for one in found if one is not None]
    if not there:
        return
    from explorer_core.views import word_scores

    for sentence in differences(there):
        st.markdown(sentence)
    figures.chart(word_scores.render(there, width=1000), CHART, word_scores.alt_text(there))
    figures.how_to_read("word_scores")
    if len(there) > 1:
        st.markdown("#### How alike they rank the words")
        st.html(table_of(there))
        st.caption("Kendall's tau, from −1 (turned round) to +1 (alike); where a method has no sign, of sizes.")
    take_away.offer(
        "words-together", look,
        {"attribute": [(one, {"method": one.method, "target": one.target, **one.knobs}) for one in there]},
        figures={"word_scores": functools.partial(word_scores.render, there)}, as_json=True,
    )  # fmt: skip


def _take_instead(name: str, other: str) -> None:
    """Put another method in the place of a dear one, once."""
    chosen = [other if one == name else one for one in st.session_state[CHOSEN]]
    st.session_state[CHOSEN] = list(dict.fromkeys(chosen))


def differences(found: Sequence[WordAttribution]) -> list[str]:
    """The words two complete or signed methods see on different sides, named, as Markdown."""
    said, n_alike = [], 0
    signed = [one for one in found if one.signed]
    for one, other in combinations(signed, 2):
        large = np.minimum(_sizes(one), _sizes(other)) > _SMALL
        words = np.flatnonzero(large & (one.scores * other.scores < 0))
        names = f"{_label(one)} and {_label(other)}"
        if len(words):
            listed = ", ".join(
                f"{messages.quoted(one.words[word], 24)} ({number(float(one.scores[word]), signed=True)} and "
                f"{number(float(other.scores[word]), signed=True)})"
                for word in words[:6]
            )
            more = f" and {len(words) - 6} more" if len(words) > 6 else ""
            what = "one word" if len(words) == 1 else f"{len(words)} words"
            said.append(f"{names} see {what} on different sides: {listed}{more}.")
        else:
            n_alike += 1
            said.append(f"{names} see every word of weight on the same side.")
    if n_alike > 1 and n_alike == len(said):
        return [f"All {len(signed)} methods with a sign see every word of weight on the same side."]
    return said


def table_of(found: Sequence[WordAttribution]) -> str:
    """Rank correlation of every pair, as HTML."""
    head = "".join(f"<th>{html.escape(_label(one))}</th>" for one in found)
    rows = "".join(
        f"<tr><td>{html.escape(_label(one))}</td>"
        + "".join(f"<td>{'' if one is other else number(kendall_tau(one, other), signed=True)}</td>" for other in found)
        + "</tr>"
        for one in found
    )
    return f"{_STYLE}<table class='taus'><tr><th></th>{head}</tr>{rows}</table>"


def _sizes(found: WordAttribution) -> np.ndarray:
    sizes = np.abs(found.scores)
    return sizes / (sizes.max(initial=0.0) or 1.0)


def _label(found: WordAttribution) -> str:
    return scored.Wish(found.method).about.label
