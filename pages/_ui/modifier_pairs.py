"""The pairs of a phenomenon in a table, and the edit of one of them with every model's verdicts."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import ALL_PAIRS, ModifierBench
from explorer_core.text import visible
from pages._ui import edits, messages, score_table, text_rows, way_back
from pages._ui.digest import short

ROW = "modifiers_row"  # key, and name in the address
_ALL, _WRONG, _RIGHT, _AGAINST, _FORGOT = SHOWN = (
    "all pairs", "not right on both sides", "right on both sides", "swings the wrong way", "forgotten before the end",
)  # fmt: skip
_AT_MOST, _CELL_CHARS = 200, 200


def draw(bench: ModifierBench, group: str, model: int, shown: str) -> None:
    """The pairs of a phenomenon, those with the smallest swing first, and the edit of the chosen one."""
    places = [int(place) for place in bench.members(group) if _is_shown(bench, model, int(place), shown)]
    places.sort(key=lambda place: float(bench.swing[model, place]))
    name = messages.plain(names_of(bench)[model])
    if not places:
        st.info("No pair is like that.")
        return
    most = f", the first {_AT_MOST} of them" if len(places) > _AT_MOST else ""
    st.markdown(f"**{len(places):,} pairs**{most}; those first that move {name} least to the right side.")
    places = places[:_AT_MOST]
    texts = bench.pairs.table.texts
    tag = short(repr((bench.fingerprints, group, model, shown, bench.pairs.table.digest)))
    chosen = text_rows.draw(
        text_rows.Place("modifiers", ROW, bench.models[model]), tag,
        frame_of(bench, places, model, group == ALL_PAIRS), places,
        [texts[bench.pairs.first[place]] for place in places], height=320,
        column_config={
            "first": st.column_config.TextColumn(width=215), "second": st.column_config.TextColumn(width=215),
            "swing": st.column_config.NumberColumn(format="%+.2f", width=75, help="Logits; above 0 is right."),
            "both right": st.column_config.TextColumn(width=85),
            "lasts": st.column_config.TextColumn(width=105, help="Words after the last changed one."),
        },
        alt=f"Pairs with what {visible(bench.models[model])[:60]} makes of both texts.",
    )  # fmt: skip
    if chosen is None:
        st.caption("The button opens the first text. A row shows its edit here, and opens either text.")
        return
    draw_pair(bench, places[chosen], bench.models[model])


def frame_of(bench: ModifierBench, places: list[int], model: int, with_phenomenon: bool) -> pd.DataFrame:
    """Pairs as they are shown: cut, with hidden characters as escapes."""
    texts = bench.pairs.table.texts
    found = pd.DataFrame(
        {
            "first": [visible(texts[bench.pairs.first[place]][:_CELL_CHARS]) for place in places],
            "second": [visible(texts[bench.pairs.second[place]][:_CELL_CHARS]) for place in places],
            "both right": ["yes" if bench.is_right[model, place] else "no" for place in places],
            "swing": bench.swing[model, places],
            "lasts": [lasts(bench, model, place) for place in places],
        }
    )
    if with_phenomenon and len(bench.groups) > 1:
        found["phenomenon"] = [visible(said(bench.phenomena[place]))[:40] for place in places]
    return found


def lasts(bench: ModifierBench, model: int, place: int) -> str:
    """How long an effect lasts in words a person reads."""
    words, fell = int(bench.lasted[model, place]), bool(bench.fell[model, place])
    if words < 0:
        return "not heard"
    return f"{words} of {int(bench.n_after[place])}" if fell else f"to the end ({words})"


def draw_pair(bench: ModifierBench, place: int, model: str) -> None:
    """The edit inline, every model's verdicts, and ways to open either text."""
    texts = bench.pairs.table.texts
    one, two = texts[bench.pairs.first[place]], texts[bench.pairs.second[place]]
    with st.container(border=True):
        st.html(edits.inline(one, two))
        st.html(verdicts_of(bench, place))
        st.caption(
            "In brackets the margin: logit of the first text’s label less that of the second’s. The swing is the first "
            "margin less the second."
        )
        for name, text in (("first", one), ("second", two)):
            way_back.buttons("modifiers", text, f"modifiers_{name}", model, f"Open the {name} text on")


def verdicts_of(bench: ModifierBench, place: int) -> str:
    """What every model decides for either text, the swing and how long it lasts, as HTML."""
    labels = bench.labels
    rows = [["<i>label</i>", *(html.escape(visible(labels[side])[:40]) for side in bench.true[place]), "", ""]]
    for number_of, name in enumerate(names_of(bench)):
        decided = [html.escape(visible(labels[side])[:40]) for side in bench.predicted[number_of, place]]
        margins = [number(float(one), signed=True) for one in bench.margins[number_of, place]]
        sides = [
            f"{label} <span class='range'>({margin})</span>" for label, margin in zip(decided, margins, strict=True)
        ]
        swing = number(float(bench.swing[number_of, place]), signed=True)
        rows.append([f"<bdi>{html.escape(visible(name)[:40])}</bdi>", *sides, swing, lasts(bench, number_of, place)])
    return score_table.table(("", "first text", "second text", "swing", "lasts"), rows)


def _is_shown(bench: ModifierBench, model: int, place: int, shown: str) -> bool:
    is_right = bool(bench.is_right[model, place])
    return {
        _ALL: True, _WRONG: not is_right, _RIGHT: is_right, _AGAINST: bool(bench.swing[model, place] < 0),
        _FORGOT: bool(bench.fell[model, place]),
    }[shown]  # fmt: skip


def names_of(bench: ModifierBench) -> list[str]:
    """What each model is called, plain text."""
    from explorer_core.views import _many

    return _many.names_of(bench.models, bench.architectures)


def said(group: str) -> str:
    """What a person calls a phenomenon."""
    return group.replace("_", " ")
