"""Scores of words as bars, as a waterfall to the logit or as a table, over words or over tokens."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.text import visible
from pages._ui import cache_words, figures, messages, scored, widgets

if TYPE_CHECKING:
    from explorer_core.results import WordAttribution
    from pages._ui.look import Look

OF, SHOW, SORT = "scores_of", "show", "sort"  # keys, and names in the address, which holds the options as they stand
SHOWN = ("Bars", "Waterfall", "Table")
SORTS = {"In reading order": "reading order", "Largest first": "size"}
BARS, TOKEN_BARS, WATERFALL = "words_bars", "words_token_bars", "words_waterfall"
MORE = "words_more_samples"

Figures = dict[str, Callable[[], Any]]


def pick_columns() -> None:
    """Whether words or tokens are shown, by everything in the section."""
    st.segmented_control(
        "Scores of", ["Words", "Tokens"], default="Words", required=True, key=OF, bind="query-params",
        help="Tokens are what the network reads: pieces of words, and special tokens of its own.",
    )  # fmt: skip


def wants_tokens() -> bool:
    """Whether tokens are asked for."""
    return st.session_state.get(OF) == "Tokens"


def shows_tokens(found: WordAttribution) -> bool:
    """Whether tokens are asked for, and the method has scores of them."""
    return wants_tokens() and found.token_scores is not None


def draw(look: Look, wish: scored.Wish, found: WordAttribution) -> Figures:
    """The picture that was chosen; returns what draws it again, by the name of its view."""
    shown = st.segmented_control(
        "Show as", SHOWN, default=SHOWN[0], required=True, key=SHOW, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if wants_tokens() and found.token_scores is None:
        st.caption("This method takes whole words away: it has scores of words, and none of tokens.")
    tokens = shows_tokens(found)
    drawn: Figures = {"word_scores": functools.partial(_bars, found, tokens)}
    if shown == "Waterfall":
        drawn |= _draw_waterfall(found, tokens)
    elif shown == "Table":
        _draw_table(found, tokens)
    else:
        from explorer_core.views import word_scores

        key = TOKEN_BARS if tokens else BARS
        figures.chart(drawn["word_scores"](), key, word_scores.alt_text([found]))
        figures.how_to_read("word_scores")
    _offer_more_samples(look, wish, found)
    return drawn


def _bars(found: WordAttribution, tokens: bool) -> Any:
    from explorer_core.views import word_scores

    n_bars = len(found.reading.tokens if tokens else found.words)
    return word_scores.render([found], tokens=tokens, width=880 if n_bars > scored.MANY else 400, height=230)


def _draw_waterfall(found: WordAttribution, tokens: bool) -> Figures:
    if not found.complete or found.baseline_value is None:
        whole = [about.label for about in registry.describe("attribution").values() if about.extra["complete"]]
        st.info(
            f"{messages.plain(scored.Wish(found.method).about.label)} does not promise that its scores add up to the "
            f"logit, so there is no way from a baseline to it. These methods do: {', '.join(whole)}."
        )
        return {}
    from explorer_core.views import score_waterfall

    chosen = st.segmented_control(
        "Order", list(SORTS), default="In reading order", required=True, key=SORT, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    sort = SORTS[chosen or "In reading order"]
    figure = functools.partial(score_waterfall.render, found, sort=sort, tokens=tokens)
    figures.chart(figure(), WATERFALL, score_waterfall.alt_text(found, sort=sort, tokens=tokens))
    n_all, most = len(found.reading.tokens if tokens else found.words), score_waterfall.MAX_WORDS
    if n_all > most + 1:
        what = "tokens" if tokens else "words"
        st.caption(f"The {most} {what} with the largest scores have a bar each; the other {n_all - most:,} share one.")
    figures.how_to_read("score_waterfall")
    return {"score_waterfall": figure}


def _draw_table(found: WordAttribution, tokens: bool) -> None:
    frame = found.token_frame() if tokens else found.to_frame()
    name = "token" if tokens else "entry"
    frame[name] = [visible(entry)[:80] for entry in frame[name]]
    if tokens:
        frame["word"] = [visible(word)[:80] for word in frame["word"]]
    has_shares = bool(frame["share_of_sum"].notna().any())
    frame["share_of_sum"] *= 100
    frame["rank"] = frame["rank"].astype("Int64")
    column = st.column_config
    st.dataframe(
        frame.drop(columns=["is_word", *([] if has_shares else ["share_of_sum"])]), hide_index=True,
        column_config={
            "entry": column.TextColumn("Word", pinned=True), "token": column.TextColumn("Token", pinned=True),
            "word": column.TextColumn("Of word"),
            "score": column.NumberColumn("Score", format="%+.4f" if found.signed else "%.4f", help=found.unit),
            "share_of_sum": column.NumberColumn("Share", format="%.1f %%", help="Of the sum of all scores."),
            "rank": column.NumberColumn("Rank", format="%d", help="By size, whatever the sign: 1 is the largest."),
            "standard_error": column.NumberColumn("± s.e.", format="%.4f", help="Standard error over the samples."),
            "n_pieces": column.NumberColumn("Pieces", format="%d", help="Tokens the word was read in."),
        },
        placeholder="–", alt="The scores as a table.",
    )  # fmt: skip
    st.caption(
        "A click on a heading sorts. "
        + ("" if has_shares else "The sum of all scores is too near zero to be shared. ")
        + "Shares can exceed 100 % or be negative, where words pull against each other." * (found.signed and has_shares)
    )


def _offer_more_samples(look: Look, wish: scored.Wish, found: WordAttribution) -> None:
    """Where samples are drawn: how sure the scores are, and twice as many samples at a price told before."""
    knobs = {knob.name: knob for knob in registry.load("attribution", found.method).KNOBS}
    if found.standard_error is None or "n_samples" not in knobs:
        return
    n_samples, most = int(found.knobs["n_samples"]), int(knobs["n_samples"].high or 0)
    error = float(np.median(found.standard_error))
    said = f"With {n_samples:,} samples the standard error is {number(error)} {messages.plain(found.unit)} (median "
    said += "over the words)."
    wanted = min(2 * n_samples, most)
    if wanted <= n_samples:
        st.caption(f"{said} More samples than that are not drawn.")
        return
    wish = wish.changed(n_samples=wanted)
    seconds = cache_words.price(*look.key, wish.method, wish.knobs).seconds
    expected = number(error * math.sqrt(n_samples / wanted))
    st.caption(
        f"{said} With {wanted:,} expect about {expected}: it falls with the square root of their number. That takes "
        f"about {widgets.duration(seconds)}."
    )
    label = "Twice as many samples" if wanted == 2 * n_samples else f"{wanted:,} samples, the most there are"
    st.button(label, key=MORE, on_click=_take_more, args=(look, wish, wanted))


def _take_more(look: Look, wish: scored.Wish, wanted: int) -> None:
    st.session_state[scored.knob_key(wish.method, "n_samples")] = wanted
    with messages.guard_callback():
        scored.start(look, wish)
