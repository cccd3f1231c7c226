"""Rank agreement: whether attention, gradients and erasure rank the words alike, in this text and over many."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import AgreementMap, WordAttribution, kendall_tau, word_ranks
from explorer_core.text import visible
from explorer_core.training.spec import DataSpec
from pages._ui import cache, cache_agreement, figures, linked, many_texts, messages, scored, take_away
from pages._ui.digest import short
from pages._ui.look import Look

SECTION = {
    "label": "Ranks",
    "question": "Do attention, gradients and erasure rank the words alike?",
    "kinds": ("recurrent", "transformer"),
    "order": 50,
}
KEY, METHODS, CHART, MAP, TABLE = "ranks", "rank_methods", "words_ranks", "words_agreement", "words_agreement_table"
MOST = 4
_NAMED = 3
_N_TEXTS = 40


def draw(look: Look) -> None:
    """The ranks in this text, and the map over many."""
    many_texts.draw_way_back(look)
    model = cache.load(look.info.name, look.info.fingerprint)
    methods = many_texts.pick_methods(look, METHODS, api.compared_methods(model), most=MOST)
    if look.info.kind == "recurrent":
        st.caption(
            "This network has no attention to follow: the size of its gradient stands in its place, integrated "
            "gradients for gradients, leave one out for erasure."
        )
    if len(methods) < 2:
        st.info("Choose at least two methods.")
        return
    draw_text(look, methods)
    st.markdown("#### Over many texts")
    draw_map(look, methods)


# This text ----------------------------------------------------------------------------------------------------------


def draw_text(look: Look, methods: Sequence[str]) -> None:
    """The rank of every word of this text by each method."""
    found = [scored.scores(look, scored.Wish(name), place=name) for name in methods]
    there = [one for one in found if one is not None]
    if len(there) < 2:
        return
    from explorer_core.views import word_ranks as view

    st.markdown(told(there))
    figures.chart(view.render(there, width=1000), CHART, view.alt_text(there))
    figures.how_to_read("word_ranks")
    take_away.offer(
        "words-ranks", look,
        {"attribute": [(one, {"method": one.method, "target": one.target, **one.knobs}) for one in there]},
        figures={"word_ranks": functools.partial(view.render, there)},
    )  # fmt: skip


def told(found: Sequence[WordAttribution]) -> str:
    """How alike the methods rank the words, and which they put furthest apart, as Markdown."""
    from explorer_core.views.word_ranks import widest

    pairs = [
        f"{_label(one)} and {_label(other)} {number(kendall_tau(one, other), signed=True, digits=2)}"
        for place, one in enumerate(found)
        for other in found[place + 1 :]
    ]
    ranks = word_ranks(found)
    apart = []
    for word in widest(ranks)[:_NAMED].tolist():
        high, low = int(ranks[:, word].argmin()), int(ranks[:, word].argmax())
        if ranks[high, word] < ranks[low, word]:
            apart.append(
                f"{messages.quoted(found[0].words[word], 24)} (rank {ranks[high, word]:g} by {_label(found[high])}, "
                f"{ranks[low, word]:g} by {_label(found[low])})"
            )
    said = f"Kendall's tau in this text, of scores with their signs where both methods have them: {'; '.join(pairs)}."
    return said + (f" Furthest apart by size: {', '.join(apart)}." if apart else " Every word has one rank by size.")


# Over many ----------------------------------------------------------------------------------------------------------


def draw_map(look: Look, methods: tuple[str, ...]) -> None:
    """The choice of texts, the map, and its texts in a table that opens them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        source = many_texts.pick_source(KEY)
        n_texts = many_texts.pick_n_texts(look, KEY, _N_TEXTS)
    spec = DataSpec(source) if source == many_texts.STARTER else many_texts.pick_labelled_file(KEY)
    if spec is None:
        return
    options, split = many_texts.as_json(spec), "test" if source == many_texts.STARTER else "all"
    data = cache.corpus_texts(spec.source, options)
    texts = tuple(data.texts[row] for row in data.rows(split))
    n_used = min(n_texts, len(texts))
    asked = (look.info.name, look.info.fingerprint, spec.source, options, split, methods, n_texts)
    prices = cache_agreement.prices(*asked[:2], repr(asked[2:5]), methods, n_used, texts)
    found = many_texts.measure(
        look, f"agreement {asked!r}", "Map the agreement", prices, n_used,
        lambda progress: cache_agreement.agreement(*asked, _progress=progress),
    )  # fmt: skip
    if found is None:
        return
    from explorer_core.views import agreement_map

    chosen = found.texts.index(look.text) if look.text in found.texts else None
    st.markdown(map_told(found))
    figures.chart(agreement_map.render(found, chosen=chosen), MAP, agreement_map.alt_text(found))
    figures.how_to_read("agreement_map")
    for why, n in found.left_out.items():
        st.caption(messages.plain(f"Left out: {n:,} text{'s' * (n != 1)} with {why}."))
    draw_table(look, found)
    take_away.offer_alone(
        KEY, f"{look.info.name.replace('/', '-')}-agreement", found,
        "No bundle: these numbers come from many texts; the table has a row for each.",
    )  # fmt: skip


def map_told(found: AgreementMap) -> str:
    """Which two methods agree most and least, as Markdown."""
    from explorer_core.views.agreement_map import pair_label

    def said(pair: int) -> str:
        low, high = (number(float(ends[pair]), signed=True) for ends in (found.low, found.high))
        label = messages.plain(pair_label(found, pair))
        return f"**{label}** (median tau {number(float(found.median[pair]), signed=True)}, {low} to {high})"

    best, worst = int(found.median.argmax()), int(found.median.argmin())
    sentence = f"Over {len(found.texts):,} texts of {messages.plain(found.dataset)} "
    if best == worst:
        return f"{sentence}the pair is {said(best)}."
    return f"{sentence}{said(best)} rank words most alike, {said(worst)} least."


def draw_table(look: Look, found: AgreementMap) -> None:
    """The texts, those the methods disagree on most first; a row opens its text above."""
    st.markdown("##### Texts on which they disagree most")
    order = np.argsort(found.tau.min(0), kind="stable")
    key = f"{TABLE}_{short(repr((found.fingerprint, found.methods, found.dataset, len(found.texts))))}"
    st.dataframe(
        frame_of(found, order), hide_index=True, key=key, on_select=functools.partial(_open, key, look, found, order),
        selection_mode="single-row", height=320, alt="Texts by how little the methods agree on them.",
        column_config=_columns(found),
    )  # fmt: skip
    names = ", ".join(f"{initials(name)}: {scored.Wish(name).about.label}" for name in found.methods)
    st.caption(messages.plain(f"Choose a row to look at its ranks above. Kendall's tau of pairs; {names}."))


def frame_of(found: AgreementMap, order: np.ndarray) -> Any:
    """The table: tau of every pair, the text, its label and what the network decides."""
    import pandas as pd

    names = {-1: "–"} | {index: visible(label)[:60] for index, label in enumerate(found.labels)}
    columns: dict[str, Any] = {"Text": [visible(found.texts[row])[:400] for row in order]}
    columns |= {short_pair(found, pair): found.tau[pair, order] for pair in range(len(found.pairs))}
    columns |= {
        "Words": found.n_words[order],
        "Label": [names[int(label)] for label in found.true[order]],
        "Judged": [names[int(label)] for label in found.predicted[order]],
    }
    return pd.DataFrame(columns)


def short_pair(found: AgreementMap, pair: int) -> str:
    """The initials of the two methods of a pair."""
    return " – ".join(initials(found.methods[method]) for method in found.pairs[pair])


def initials(method: str) -> str:
    """First letters of a method's label, such as `LOO`."""
    return "".join(word[0] for word in scored.Wish(method).about.label.split()).upper()


def _columns(found: AgreementMap) -> dict[str, Any]:
    from explorer_core.views.agreement_map import pair_label

    taus = {
        short_pair(found, pair): st.column_config.NumberColumn(
            format="%+.2f", width=80, help=f"Kendall's tau of {pair_label(found, pair)}."
        )
        for pair in range(len(found.pairs))
    }
    return taus | {"Text": st.column_config.TextColumn(width=330), "Words": st.column_config.NumberColumn(width=60)}


def _open(key: str, look: Look, found: AgreementMap, order: np.ndarray) -> None:
    """A callback: open the text of the chosen row."""
    said = st.session_state.get(key)
    for row in said["selection"]["rows"] if said else ():
        at = linked.as_index(row, len(order))
        if at is not None:
            many_texts.open_text(look, found.texts[int(order[at])], "ranks")


def _label(found: WordAttribution) -> str:
    return messages.plain(scored.Wish(found.method).about.label)
