"""Modifiers: minimal pairs by phenomenon, who hears the edit, how far the verdict swings and how long that lasts."""

from __future__ import annotations

import html
import json
from typing import Any

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import ModifierBench, TextPairs, safe_csv
from explorer_core.text import visible
from pages._ui import (
    cache_compare_many,
    cache_texts,
    compare_texts,
    compared,
    figures,
    inside,
    messages,
    modifier_pairs,
    priced_work,
    score_table,
    take_away,
    text_rows,
    way_back,
)
from pages._ui.compared import Desk
from pages._ui.modifier_pairs import names_of, said

SECTION = {
    "label": "Modifiers",
    "question": "Who hears a “not”, and for how long?",
    "kinds": ("recurrent", "transformer"),
    "order": 50,
    "alone": True,
}
SOURCE, COLUMN, N_PAIRS, GROUP, MODEL, SHOWN, ROW, _ = KEYS = (
    "modifiers_texts", "modifiers_column", "modifiers_pairs", "modifiers_phenomenon", "modifiers_model",
    "modifiers_shown", modifier_pairs.ROW, text_rows.OPENS,
)  # fmt: skip
BENCH, LASTING = "modifiers_bench", "modifiers_lasting"  # keys of the charts
SPLITS = {
    "held out": "Starter corpus, validation and test rows",
    "test": "Starter corpus, test rows",
    "all": "Starter corpus, all rows (learned from)",
}
_NONE = "no column"
_FEW = 20  # pairs, below which nothing is said of a phenomenon
_SAID = "There is no bundle of it: a row a pair is the numbers, and the texts and the models make them again."


def draw(desk: Desk) -> None:
    """The pairs, the press, and what came out."""
    way_back.follow()
    if not compared.needs(desk, 1, "how it judges texts that differ by a small edit."):
        return
    way_back.bring_back("modifiers", KEYS)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        texts = compare_texts.pick(desk, SOURCE, SPLITS)
        n_pairs = st.number_input(
            "Pairs at most", 2, 5_000, 500, 50, key=N_PAIRS, bind="query-params", width=150,
            help="Drawn at random where there are more, the same every time.",
        )  # fmt: skip
    if texts is None or texts.table is None:
        return
    found = pick_pairs(texts)
    way_back.keep("modifiers", KEYS)
    if found is None:
        return
    pairs, phenomena, tag = found
    for note in pairs.notes:
        st.caption(messages.plain(note))
    if not len(pairs):
        st.info("There is no such pair. More words may differ, or pairs come from a column.")
        return
    bench = measure(texts, pairs, phenomena, tag, int(n_pairs))
    if bench is not None:
        explore(bench)


def pick_pairs(texts: cache_texts.Desk) -> tuple[TextPairs, str | None, str] | None:
    """The pairs, the column of phenomena, and what tells both from others; `None` while they are not there."""
    from explorer_core import api
    from pages._ui.sections.texts import pairs as of_file  # sections are imported when they are drawn

    table = texts.table
    assert table is not None
    if texts.choice.is_empty:
        return _pairs(table.digest, "pair", table), "phenomenon", f"{table.digest} pair phenomenon"
    options = of_file.pick_way(table)
    if options is None:
        return None
    names = [_NONE, *(name for name in table.columns if not hasattr(table.columns[name], "dtype"))]
    guess = next((name for name in names if name.casefold() in ("phenomenon", "phenomena", "category", "type")), _NONE)
    if st.session_state.get(COLUMN) not in (None, *names):
        del st.session_state[COLUMN]
    column = st.selectbox(
        "Column of phenomena", names, index=names.index(guess), key=COLUMN, bind="query-params", width=260,
        help="Names what each pair is about; without one all pairs are one group.",
    )  # fmt: skip
    found = of_file.find(table, options) if "most_edits" in options else api.find_pairs(table, **options)
    if found is None:
        return None
    return found, None if column == _NONE else column, f"{table.digest} {json.dumps(options, sort_keys=True)} {column}"


@st.cache_resource(max_entries=6, show_spinner=False)
def _pairs(digest: str, ids: str, _table: Any) -> TextPairs:
    from explorer_core import api

    return api.find_pairs(_table, ids=ids)


def measure(
    texts: cache_texts.Desk, pairs: TextPairs, phenomena: str | None, tag: str, n_pairs: int
) -> ModifierBench | None:
    """The bench once it is there; its price is told first."""
    keys = cache_compare_many.keys_of(texts.models)
    mapping = json.dumps(cache_texts.mapping_of(texts), sort_keys=True)
    prices = cache_compare_many.price_modifiers(keys, tag, n_pairs, pairs)
    total, dearest = sum(prices.values()), max(prices, key=lambda name: prices[name])
    n_used = min(n_pairs, len(pairs))
    count = f"{len(keys)} models read" if len(keys) > 1 else f"{messages.plain(keys[0][0])} reads"
    found: ModifierBench | None = priced_work.measured(
        f"modifiers {keys!r} {tag} {mapping} {n_pairs}", "Measure the pairs",
        f"{count} both texts of {n_used:,} of {len(pairs):,} pairs, with the verdict after every word.", total,
        lambda progress: cache_compare_many.modifiers(
            keys, tag, phenomena, mapping, n_pairs, pairs, _progress=progress),
        messages.plain(dearest) if len(prices) > 1 and prices[dearest] > 0.6 * total else "",
    )  # fmt: skip
    return found


# What came out ------------------------------------------------------------------------------------------------------


def explore(bench: ModifierBench) -> None:
    """The pictures, the phenomenon looked into, and its pairs."""
    from explorer_core.views import modifier_bench, modifier_lasting

    for why, count in bench.left_out.items():
        st.caption(messages.plain(f"Left out: {count:,} pair{'s' * (count != 1)} with {why}."))
    for sentence in told(bench):
        st.markdown(sentence)
    figures.chart(modifier_bench.render(bench), BENCH, modifier_bench.alt_text(bench))
    figures.how_to_read("modifier_bench")
    st.markdown("#### One phenomenon")
    for key, names in ((GROUP, bench.groups), (MODEL, bench.models)):
        inside.take_by_name(key, names)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        group = _pick("Phenomenon", list(bench.groups), GROUP, 240)
        shown = _pick("Show", list(modifier_pairs.SHOWN), SHOWN, 240)
        model = _pick("By the verdicts of", list(bench.models), MODEL, 240)
    at = bench.groups.index(group)
    st.html(table_of_group(bench, at))
    st.caption(
        f"In brackets 95 % intervals. **Lasts**: words of the next {bench.horizon}; **at the end**: share of the "
        "effects that are still there when the texts end."
    )
    figures.chart(modifier_lasting.render(bench, group=at), LASTING, modifier_lasting.alt_text(bench, group=at))
    figures.how_to_read("modifier_lasting")
    modifier_pairs.draw(bench, group, bench.models.index(model), shown)
    way_back.keep("modifiers", KEYS)
    lines = {"By phenomenon (CSV)": (lambda: safe_csv(bench.groups_frame()), "modifiers-by-phenomenon.csv")}
    take_away.offer_alone("modifiers", "modifiers", bench, _SAID, lines)


def told(bench: ModifierBench) -> list[str]:
    """What separates the models, and who hears an edit the wrong way round, as Markdown."""
    names = [messages.plain(name) for name in names_of(bench)]
    found = []
    best, worst, group = _widest(bench, "right")
    if group is not None:
        found.append(
            f"**{_title(bench, group)}** separates them most: {names[best]} is right on both sides in "
            f"{_ranged(bench, 'right', best, group)} of {int(bench.n_pairs[group]):,} pairs, {names[worst]} in "
            f"{_ranged(bench, 'right', worst, group)}."
        )
    best, worst, group = _widest(bench, "lasting")
    if group is not None:
        found.append(
            f"**{_title(bench, group)}**: once heard, an edit lasts {_ranged(bench, 'lasting', best, group)} of the "
            f"next {bench.horizon} words in {names[best]}, {_ranged(bench, 'lasting', worst, group)} in {names[worst]}."
        )
    against = [
        f"{names[place]} on {messages.plain(said(bench.groups[group]))} "
        f"({number(float(bench.swing_mean[place, group]), signed=True)} logits)"
        for group in range(1, len(bench.groups)) for place in range(len(names))
        if bench.n_pairs[group] >= _FEW and bench.swing_high[place, group] < 0
    ]  # fmt: skip
    if against:
        found.append(f"An edit moves the verdict the wrong way, beyond chance: {'; '.join(against[:6])}.")
    return found or ["No phenomenon separates these models beyond its intervals."] * (len(names) > 1)


def _title(bench: ModifierBench, group: int) -> str:
    name = said(bench.groups[group])
    return messages.plain(name[:1].upper() + name[1:])


def _widest(bench: ModifierBench, what: str) -> tuple[int, int, int | None]:
    """The two models furthest apart and the group, among those of some pairs in which their intervals do not meet."""
    values, low, high = (getattr(bench, name) for name in (what, f"{what}_low", f"{what}_high"))
    found: tuple[float, int, int, int | None] = (0.0, 0, 0, None)
    for group in np.flatnonzero((bench.n_pairs >= _FEW) & ~np.isnan(values).any(0)).tolist():
        best, worst = int(values[:, group].argmax()), int(values[:, group].argmin())
        gap = float(values[best, group] - values[worst, group])
        if low[best, group] > high[worst, group] and gap > found[0]:
            found = (gap, best, worst, group)
    return found[1:]


def table_of_group(bench: ModifierBench, group: int) -> str:
    """One row a model: right on both sides, swing, how long it lasts; as HTML."""
    rows = [
        [f"<bdi>{html.escape(visible(name)[:40])}</bdi>", *(_cell(bench, what, place, group) for what in
         ("right", "swing", "lasting", "at_end"))]
        for place, name in enumerate(names_of(bench))
    ]  # fmt: skip
    which = f"{said(bench.groups[group])}: " if group else ""
    return score_table.table(
        (f"{which}{int(bench.n_pairs[group]):,} pairs", "both right", "swing, logits", "lasts",
         "at the end"), rows,
    )  # fmt: skip


def _pick(label: str, names: list[str], key: str, width: int) -> str:
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    return str(st.selectbox(label, names, key=key, bind="query-params", width=width,
                            format_func=lambda name: visible(said(name))[:60]))  # fmt: skip


def _cell(bench: ModifierBench, what: str, place: int, group: int) -> str:
    value, low, high = _values(bench, what, place, group)
    if value != value:
        return "–"
    is_signed = what == "swing"
    shown, ends = number(value, signed=is_signed), (number(low, signed=is_signed), number(high, signed=is_signed))
    return f"{shown}<br><span class='range'>({ends[0]} to {ends[1]})</span>"


def _ranged(bench: ModifierBench, what: str, place: int, group: int) -> str:
    value, low, high = _values(bench, what, place, group)
    return f"**{number(value)}** ({number(low)} to {number(high)})"


def _values(bench: ModifierBench, what: str, place: int, group: int) -> tuple[float, float, float]:
    name = "swing_mean" if what == "swing" else what
    value, low, high = (float(getattr(bench, one)[place, group]) for one in (name, f"{what}_low", f"{what}_high"))
    return value, low, high
