"""Unit cards: what a unit does over a corpus, where it does it, and which units do the like."""

from __future__ import annotations

import functools
import html
import math
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import Places, SimilarUnits, UnitCard
from explorer_core.text import visible
from pages._ui import cache, corpus, figures, inside, take_away
from pages._ui.look import Look

if TYPE_CHECKING:
    from explorer_core.corpus._index import StateIndex

SECTION = {
    "label": "Unit cards",
    "question": "What does this unit respond to?",
    "kinds": ("recurrent", "transformer"),
    "order": 60,
}
WORDS, PLACES = "states_card_words", "states_card_places"
_VALUE = "Value"
_STYLE = (
    "<style>table.facts{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "table.facts td,table.facts th{padding:.28rem .8rem .28rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;vertical-align:top}table.facts th{font-size:.9rem;opacity:.8;padding-top:.7rem}"
    "table.facts .n{text-align:right;white-space:nowrap;padding-right:0}</style>"
)


def draw(look: Look) -> None:
    """The choice of a corpus, and the chosen unit's card over it."""
    choice = corpus.pick(look, with_unit=True)
    corpus.draw_way_back(look)
    index = None if choice is None else corpus.find(look, choice)
    if choice is None or index is None:
        return
    unit = int(st.session_state.get(inside.UNIT) or 0)
    card, similar = cache.unit_card(index.about.key, unit, index)
    st.markdown(f"#### Unit {unit} over {card.n_texts:,} texts, {card.n_words:,} words")
    corpus.draw_notes(index)
    st.markdown(sentence_of(card, look))
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_words(card)
    with right:
        draw_facts(card)
    draw_similar(similar)
    draw_places(look, index, card)
    take_away.offer(
        "units", look,
        {
            "unit_card": (card, {"unit": unit}, choice.made_from),
            "similar_units": (similar, {"unit": unit, "n": cache.N_SIMILAR}, choice.made_from),
        },
        figures=_figures(card),
    )  # fmt: skip


def sentence_of(card: UnitCard, look: Look) -> str:
    """What the unit does, in one or two sentences."""
    signed = card.quantity in inside.SIGNED
    title = inside.title_of(card.quantity, look.info.architecture)
    ends = f"{number(card.low, signed=signed)} and {number(card.high, signed=signed)}"
    said = f"{title}: 98 % of its values lie between {ends}, their mean is {number(card.mean, signed=signed)}."
    if card.is_dead:
        said += " **This unit is as good as dead here**: that range is below 0.05, whatever is read."
    return said


# Pictures and tables ------------------------------------------------------------------------------------------------


def draw_words(card: UnitCard) -> None:
    """The main picture: words at both ends of the unit's scale."""
    from explorer_core.views import unit_card

    st.markdown("##### Highest and lowest after these words")
    figures.chart(unit_card.render(card), WORDS, unit_card.alt_text(card))
    if card.min_count > 1:
        st.caption(f"Only words with at least {card.min_count:,} places in this corpus.")
    figures.how_to_read("unit_card")


def _figures(card: UnitCard) -> take_away.Figures:
    """What draws the picture, for the bundle."""
    from explorer_core.views import unit_card

    return {"unit_card": functools.partial(unit_card.render, card)}


def draw_facts(card: UnitCard) -> None:
    """What the unit's value goes along with, and what its gates do."""
    rows = [("<th colspan=2>Correlation of its value with</th>", "")]
    shown = range(len(card.label_names)) if len(card.label_names) > 2 else range(len(card.label_names))[-1:]
    rows += [_fact(f"the label {card.label_names[each]}, at the end of a text", _corr(card.label_corr[each]))
             for each in shown]  # fmt: skip
    rows += [_fact(f"how much a word speaks for {card.label_names[each]}", _corr(card.sentiment_corr[each]))
             for each in shown]  # fmt: skip
    rows.append(_fact("the word’s place in its text", _corr(card.position_corr)))
    if card.saturation:
        rows.append(("<th colspan=2>Its gates, over all tokens</th>", ""))
        rows += [
            _fact(f"{name} gate below 0.1 / above 0.9", f"{_percent(low)} / {_percent(high)}")
            for name, (low, high) in card.saturation.items()
        ]
    if card.half_life is not None:
        rows.append(_fact("half-life at its mean keep gate", f"{number(card.half_life)} tokens"))
    cells = "".join(f"<tr>{label}{value}</tr>" for label, value in rows)
    st.html(f"{_STYLE}<table class='facts'>{cells}</table>")
    st.caption(
        "Correlations are Pearson’s r, from −1 to +1. How much a word speaks for a label: the log-odds of the texts "
        f"with it, one added to each count, over {card.n_rated_words:,} words in at least 5 texts. "
        "Half-life: ln(1/2) over the mean of ln(gate)."
    )


def _fact(label: str, value: str) -> tuple[str, str]:
    return f"<td>{html.escape(visible(label))}</td>", f"<td class='n'>{html.escape(value)}</td>"


def _corr(value: float) -> str:
    return "–" if math.isnan(value) else number(float(value), signed=True)


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"


def draw_similar(similar: SimilarUnits) -> None:
    """Units that move with this one and against it, as buttons that switch to them."""
    for title, units, corr in (
        ("Units like this", similar.like, similar.like_corr),
        ("Units against it", similar.unlike, similar.unlike_corr),
    ):
        st.markdown(f"##### {title}")
        if not len(units):
            st.caption("None.")
        with st.container(horizontal=True, gap="small"):
            for unit, r in zip(units, corr, strict=True):
                st.button(
                    f"{unit} ({number(float(r), signed=True, digits=2)})", key=f"card-unit-{unit}",
                    on_click=_switch, args=(int(unit),), help=f"Show unit {unit}; r = {number(float(r), signed=True)}.",
                )  # fmt: skip


def _switch(unit: int) -> None:
    st.session_state[inside.UNIT] = unit


def draw_places(look: Look, index: StateIndex, card: UnitCard) -> None:
    """Where the unit is highest and lowest; a chosen row opens its text."""
    signed = card.quantity in inside.SIGNED
    for name, places in (("highest", card.top_places), ("lowest", card.bottom_places)):
        st.markdown(f"##### Where it is {name}")
        key = f"{PLACES}-{name}-{index.about.key[:8]}-{card.unit}"
        _draw_table(look, index, places, key, signed, f"Where unit {card.unit} is {name}, one place a text.")
    st.caption("One place a text, the extreme first. Choose a row to open its text here, at that word.")


def _draw_table(look: Look, index: StateIndex, places: Places, key: str, signed: bool, alt: str) -> None:
    st.dataframe(
        corpus.table(places, _VALUE),
        hide_index=True,
        key=key,
        column_config=corpus.column_config(_VALUE, "Of the unit, right after the word.", signed=signed),
        selection_mode="single-row",
        on_select=functools.partial(corpus.open_place, key, look, index, places),
        alt=alt,
    )
