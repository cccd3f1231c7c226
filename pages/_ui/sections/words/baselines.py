"""Baseline lab: one method from every baseline at once, how far each word's score moves, and whose sign flips."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer_core import registry
from explorer_core.errors import IncompatibleError
from explorer_core.numerals import number
from explorer_core.results import WordAttribution, changes_sign
from pages._ui import figures, messages, scored, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Baselines",
    "question": "What if the text is compared with something else?",
    "kinds": ("recurrent", "transformer"),
    "order": 30,
}
METHOD, CHART, SPREAD = "baseline_method", "words_baselines", "words_baseline_spread"


def draw(look: Look) -> None:
    """A panel for each baseline, and what they disagree on."""
    fitting = {
        name: about
        for name, about in scored.methods(look).items()
        if any(knob.name == "baseline" for knob in registry.load("attribution", name).KNOBS)
    }
    method = st.selectbox("Method", list(fitting), key=METHOD, width=280, format_func=lambda name: fitting[name].label)
    choices = next(knob.choices for knob in registry.load("attribution", method).KNOBS if knob.name == "baseline")
    found, left_out = [], []
    for name in choices:
        try:
            one = scored.scores(look, scored.Wish(method, json.dumps({"baseline": name})), place=name)
        except IncompatibleError as error:
            left_out.append(str(error))
            continue
        if one is not None:
            found.append(one)
    if not found:
        return
    from explorer_core.views import baseline_spread, word_scores

    st.markdown(spread_told(found))
    drawn: dict[str, Callable[[], Any]] = {"word_scores": functools.partial(word_scores.render, found)}
    if len(found) > 1:
        drawn["baseline_spread"] = functools.partial(baseline_spread.render, found)
        figures.chart(baseline_spread.render(found, width=1000), SPREAD, baseline_spread.alt_text(found))
        figures.how_to_read("baseline_spread")
        st.markdown("#### Each baseline by itself")
    figures.chart(word_scores.render(found, height=170, width=1000), CHART, word_scores.alt_text(found))
    figures.how_to_read("word_scores")
    for sentence in left_out:
        st.caption(messages.plain(sentence))
    take_away.offer(
        "words-baselines", look,
        {"attribute": [(one, {"method": one.method, "target": one.target, **one.knobs}) for one in found]},
        figures=drawn, as_json=True,
    )  # fmt: skip


def spread_told(found: list[WordAttribution]) -> str:
    """Which words move most, and whose sign depends on the baseline, as Markdown."""
    scores = np.stack([one.scores for one in found])  # [baseline, word]
    words, flips = found[0].words, np.flatnonzero(changes_sign(found))
    widest = int(np.ptp(scores, axis=0).argmax())
    said = (
        f"Over {len(found)} baselines the score of {messages.quoted(words[widest])} moves most, from "
        f"{number(float(scores[:, widest].min()), signed=True)} to "
        f"{number(float(scores[:, widest].max()), signed=True)}."
    )
    if not len(flips):
        return said + " No word of weight changes sign."
    listed = ", ".join(messages.quoted(words[word], 24) for word in flips[:8])
    more = f" and {len(flips) - 8} more" if len(flips) > 8 else ""
    which = "it" if len(flips) == 1 else "them"
    return said + f" The sign of {listed}{more} depends on the baseline: do not quote {which} without saying which."
