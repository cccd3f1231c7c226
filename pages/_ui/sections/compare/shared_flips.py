"""Shared flips: the fewest words that, taken away or swapped, turn each network, and those that turn all of them."""

from __future__ import annotations

import html
from collections.abc import Mapping

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.palette import class_colors
from explorer_core.results import DELETE, SWAP, SharedFlips
from explorer_core.text import visible
from pages._ui import cache_compare, compared, figures, messages, scored, take_away, widgets, work
from pages._ui.compared import Desk
from pages._ui.digest import short

SECTION = {
    "label": "Shared flips",
    "question": "Which few words turn all of them?",
    "kinds": ("recurrent", "transformer"),
    "order": 40,
}
BUDGET = "flips_budget"  # key, and name in the address
BUDGETS = {"6,000 texts": 6_000, "30,000 texts": 30_000, "150,000 texts": 150_000}
_SHOWN = 40  # rows on the page
_KINDS = {DELETE: "words taken away", SWAP: "words swapped"}
_STYLE = (
    "<style>.shared{overflow-x:auto}.shared table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "margin:.2rem 0 .8rem;font-size:.86rem}"
    ".shared td,.shared th{padding:.32rem .65rem .32rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;vertical-align:top}.shared th{opacity:.75;font-size:.82rem;white-space:nowrap}"
    ".shared .still{opacity:.5}.shared .turned{font-weight:600}.shared .group{padding-top:.9rem;font-weight:600}"
    ".shared .dot{display:inline-block;width:.55rem;height:.55rem;border-radius:50%;margin-right:.35rem}"
    ".shared .edit{min-width:8rem;max-width:24rem;overflow-wrap:anywhere}"
    ".shared td.verdict{white-space:nowrap}</style>"
)


def draw(desk: Desk) -> None:
    """What was found, in sentences and in one table with a column for each model."""
    if not compared.needs(desk, 1, "the fewest words that turn each of them."):
        return
    chosen = st.selectbox(
        "Budget", list(BUDGETS), key=BUDGET, bind="query-params", width=180,
        help="Edited texts each model reads at most. Every choice of one and of two words is tried where the budget "
        "allows; a choice of words that does not fit is not begun.",
    )  # fmt: skip
    budget = BUDGETS[chosen]
    found = search(desk, budget)
    if found is None:
        return
    names = desk.short_names
    for sentence in told(found, names):
        st.markdown(sentence)
    st.html(summary_of(found, names))
    if found.kinds:
        st.html(table_of(found, names))
    if len(found.kinds) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(found.kinds)} edits are shown; the table to take away has all.")
    for sentence in said_of_search(found, names):
        st.caption(sentence)
    figures.small(
        "− takes a word away, → puts another in its place, + puts one in behind it. Each cell is what a network "
        "decides after the edit, and how sure it is; bold is another class than before. "
        "Edits that turn more networks stand higher, then those of fewer words.",
        "That these words made the verdict: an edited text can be one no person would write, and taken-away words "
        "leave a hole that each network fills in its own way.",
        "turned: argmax z(edited) ≠ argmax z(text)",
        "Gardner et al. 2020, Evaluating Models’ Local Decision Boundaries via Contrast Sets; Li, Monroe and Jurafsky "
        "2016, Understanding neural networks through representation erasure",
    )
    came_out = [api.Compared("find_shared_flips", "", {"budget": budget}, found)]
    bundle = take_away.bundle_of_several(desk.models, desk.text, [[] for _ in desk.models], came_out)
    take_away.offer_alone("shared-flips", "shared-flips", found, take_away.SEVERAL, {"Reproduce bundle (zip)": bundle})


def search(desk: Desk, budget: int) -> SharedFlips | None:
    """The answer, in the background where it takes long; `None` until it is there."""
    models = cache_compare.keys_of(desk.models)
    said = f"{models} {budget} {desk.text}"
    key = f"shared flips {short(said)}"
    if work.task(key) is None:
        price = cache_compare.flips_price(models, desk.text, budget)
        if price.seconds > scored.UNASKED_S and key not in st.session_state:
            with st.container(border=True):
                st.markdown(
                    f"To try {told_tries(price.n_tried)}, each of {len(models)} models reads {price.n_readings:,} "
                    f"edited texts: about {widgets.duration(price.seconds)} on this machine."
                )
                if not st.button("Look for them", key="flips_ask"):
                    return None
            st.session_state[key] = True
        work.start(
            key, f"Editing the text for {len(models)} models",
            lambda progress: cache_compare.shared_flips(models, desk.text, budget, _progress=progress),
        )  # fmt: skip
    found: SharedFlips | None = work.draw(key, patience_s=1.0)
    work.draw_again(key, "Look again", "flips_again")
    return found


def told_tries(n_tried: Mapping[str, int]) -> str:
    """What is tried, as Markdown."""
    parts = []
    for kind, what in (("delete", "taken away"), ("swap", "swapped")):
        size = n_tried.get(kind, 0)
        if size:
            parts.append(f"every word{' and every two words' if size > 1 else ''} {what}")
    return " and ".join(parts) or "a single word (which this budget does not allow)"


# What was found -----------------------------------------------------------------------------------------------------


def told(found: SharedFlips, names: dict[str, str]) -> list[str]:
    """Whether something turns all, and who is hard to turn, as Markdown."""
    n_models = len(found.models)
    every = "the model" if n_models == 1 else "both models" if n_models == 2 else f"all {n_models} models"
    said = []
    all_turned = np.flatnonzero(found.flips_all)
    if len(all_turned):
        first = int(all_turned[0])
        count = "One edit turns" if len(all_turned) == 1 else f"{len(all_turned)} edits shown turn"
        said.append(f"{count} {every}; the smallest: {messages.quoted(found.described[first], 80)}.")
    else:
        said.append(f"No edit of one or two words that was tried turns {every}.")
    never = [
        messages.plain(names[name])
        for at, name in enumerate(found.models)
        if not found.smallest(at, DELETE) and not found.smallest(at, SWAP)
    ]
    if never and n_models > 1:
        said.append(f"Nothing that was tried turns {_listed(never)}.")
    return said


def said_of_search(found: SharedFlips, names: dict[str, str]) -> list[str]:
    """How far the search went and what it left out, as Markdown."""
    said = []
    for kind, what in _KINDS.items():
        n_single, size = found.n_possible[kind], found.n_tried[kind]
        if not n_single:
            said.append("No word of this text is one that the corpus swaps, and none takes a “not”.")
        elif size == 0:
            said.append(f"{what.capitalize()}: not tried, the budget allows fewer texts than there are.")
        elif size == 1 and n_single > 1:
            said.append(f"{what.capitalize()}: every single one was tried; two at a time do not fit the budget.")
        else:
            upto = "every one" if n_single == 1 else "every one and every two"
            said.append(f"{what.capitalize()}: {upto} of {n_single:,} possible ones were tried.")
    ways = dict.fromkeys(found.removals)
    how = {"mask": "replaced by [MASK]", "unk": "read as unknown", "drop": "left out"}
    each = []
    for way in ways:
        who = [names[name] for name, one in zip(found.models, found.removals, strict=True) if one == way]
        each.append(f"{how[way]} for {_listed([messages.plain(name) for name in who])}")
    said.append(f"A word taken away is {'; '.join(each)}. Deletions and swaps are not mixed, and more than two words "
                "together are not tried.")  # fmt: skip
    n_left = int(found.left_out.max(initial=0))
    if n_left:
        said.append(f"Words that not all models read as such were not changed: up to {n_left:,}.")
    return said


def summary_of(found: SharedFlips, names: dict[str, str]) -> str:
    """What each model decides, and the fewest words that turn it, as HTML."""
    rows = []
    colors = class_colors(found.labels)
    for at, name in enumerate(found.models):
        decided = int(found.logits[at].argmax())
        shifted = np.exp(found.logits[at] - found.logits[at].max())
        prob = float(shifted[decided] / shifted.sum())
        rows.append(
            f"<tr><td>{_name(names[name])}</td><td class='verdict'>{_dot(colors[decided])}"
            f"{_name(found.labels[decided])} {number(prob)}</td>"
            + "".join(f"<td>{_fewest(found, at, kind)}</td>" for kind in _KINDS)
            + "</tr>"
        )
    head = "<tr><th>model</th><th>decides</th><th>fewest words taken away</th><th>fewest swapped</th></tr>"
    return f"{_STYLE}<div class='shared'><table>{head}{''.join(rows)}</table></div>"


def table_of(found: SharedFlips, names: dict[str, str]) -> str:
    """Every edit with what each model decides after it, those that turn most first, as HTML."""
    colors = class_colors(found.labels)
    n_models = len(found.models)
    head = "".join(f"<th>{_name(names[name])}</th>" for name in found.models)
    rows, turned_before = [], -1
    counts = found.flips.sum(0)
    for edit in range(min(len(found.kinds), _SHOWN)):
        if counts[edit] != turned_before and n_models > 1:
            turned_before = int(counts[edit])
            group = f"Turn all {n_models}" if turned_before == n_models else f"Turn {turned_before} of {n_models}"
            rows.append(f"<tr><td class='group' colspan='{n_models + 1}'>{group}</td></tr>")
        cells = "".join(
            f"<td class='verdict {'turned' if found.flips[at, edit] else 'still'}'>"
            f"{_dot(colors[found.new_labels[at, edit]])}{_name(found.labels[found.new_labels[at, edit]])} "
            f"{number(float(found.new_probs[at, edit]))}</td>"
            for at in range(n_models)
        )
        rows.append(f"<tr><td class='edit'><bdi>{_edit(found.described[edit])}</bdi></td>"
                    f"{cells}</tr>")  # fmt: skip
    return f"<div class='shared'><table><tr><th>edit</th>{head}</tr>{''.join(rows)}</table></div>"


def _fewest(found: SharedFlips, at: int, kind: str) -> str:
    size = found.smallest(at, kind)
    if size:
        return f"{size} word{'s' if size > 1 else ''}"
    tried = min(found.n_tried[kind], found.n_possible[kind])
    if not found.n_possible[kind]:
        return "nothing to swap"
    return f"none of up to {tried}" if tried else "not tried"


def _name(text: str) -> str:
    return f"<bdi>{html.escape(visible(text)[:40])}</bdi>"


def _edit(described: str) -> str:
    """What is done; a sign stays on the line of its word."""
    shown = visible(described)[:100]
    for sign in ("− ", "+ ", "→ "):
        shown = shown.replace(sign, f"{sign[0]}\u00a0")
    return html.escape(shown)


def _dot(color: str) -> str:
    return f"<span class='dot' style='background:{color}'></span>"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
