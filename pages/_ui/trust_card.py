"""How far scores may be believed: the grade, what to do about it, every measurement, and more of them on demand."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import registry
from explorer_core.results.trust import GRADES, RULE, TrustCard, TrustLine
from pages._ui import cache_words, messages, scored, widgets, work
from pages._ui.digest import short

if TYPE_CHECKING:
    from pages._ui.look import Look

_MARKS = {"good": "✓", "doubtful": "~", "bad": "✗", "told": "·"}
_NAMES = {"good": "good", "doubtful": "doubtful", "bad": "bad", "told": "told only"}
_PATIENCE_S = 2.0
_ADVICE = {
    "training": "Ask a model that has learned more: train it longer or on more texts on the page Models. A text "
    "without a clear verdict can be the reason too.",
    "gap": "Allow a smaller gap, more points or more samples under Settings.",
    "comprehensiveness": "Take a method that reads the text again without the word, such as leave one out, and look "
    "under Flips at which words turn the verdict.",
    "sufficiency": "The words act together. Look under Flips at the smallest group that decides, before you quote one.",
    "normal_comprehensiveness": "Other orders of the words matter more to the network: compare the methods under Side "
    "by side.",
    "normal_sufficiency": "Other words suffice better: look under Flips at the smallest group that decides.",
    "agreement": "Compare the methods under Side by side, and quote only the words they agree on.",
    "baselines": "Look under Baselines at the words whose sign changes, and name the baseline with every score.",
    "sensitivity": "Take a method that averages over noise, such as SmoothGrad.",
    "without_multiplier": "Take a method that hangs on the weights: here the slope is alike without what was learned.",
    "randomised": "Take a method that hangs on the weights: what it shows here may be the word vectors alone.",
    "exam": "Take a method that finds the planted word in this family; they stand under Shortcut exam.",
}
_MOST_ADVICE = 2
_STYLE = (
    "<style>.verdict-box{background:rgba(128,132,140,.12);border-radius:6px;padding:.7rem .9rem;margin:0 0 .4rem}"
    ".grade{font-size:1.35rem;font-weight:650;line-height:1.3}.counts{font-size:.9rem;opacity:.8}"
    ".next{font-size:.92rem;margin:.45rem 0 0}.next+.next{margin-top:.25rem}"
    "ul.trust{list-style:none;margin:0;padding:0;font-size:.92rem}"
    "ul.trust li{padding:.5rem 0;margin:0;border-bottom:1px solid rgba(128,132,140,.25)}"
    "ul.trust .top{display:flex;justify-content:space-between;gap:.8rem;font-weight:600}"
    "ul.trust .mark{white-space:nowrap}"
    "ul.trust details{font-size:.85rem;opacity:.8;margin-top:.15rem}ul.trust summary{cursor:pointer}</style>"
)


def draw(look: Look, wish: scored.Wish) -> TrustCard | None:
    """The quick card at once where that is cheap, and the full one on demand, which takes its place when it is done."""
    st.markdown("#### Can I believe it?")
    stamp = cache_words.exam_stamp(look.info.architecture, wish.method)  # a newer exam makes the card anew
    key = f"trust {scored.key_of(look, wish)} {stamp}"
    more = work.task(f"{key} full")
    full = more.result if more is not None and more.state == "done" else None
    card: TrustCard | None = full or _quick(look, wish, key)
    if card is not None:
        st.html(as_html(card))
        if not card.is_full:
            _offer_more(look, wish, f"{key} full")
        with st.popover("How the grade is given"):
            st.markdown(messages.plain(RULE))
    return card


def _quick(look: Look, wish: scored.Wish, key: str) -> TrustCard | None:
    task = work.task(key)
    if task is None:
        seconds = cache_words.card_price(*look.key, wish.method, wish.knobs).quick.seconds
        if seconds > scored.UNASKED_S and key not in st.session_state:
            if _ask(
                "To measure how far these scores hold, the text is read again and again with words taken away: about "
                f"{widgets.duration(seconds)} on this machine.",
                "Judge the scores", key,
            ):  # fmt: skip
                _start(look, wish, key, full=False)
                st.rerun()
            return None
        _start(look, wish, key, full=False)
    card: TrustCard | None = work.draw(key, patience_s=_PATIENCE_S)
    if card is not None:
        st.session_state[key] = True  # it is in the cache: no need to ask again
    elif task is not None and task.is_over and _ask("The scores have not been judged.", "Judge the scores", key):
        _start(look, wish, key, full=False)
        st.rerun()
    return card


def _offer_more(look: Look, wish: scored.Wish, key: str) -> None:
    """The slow measurements: their price in words, then a bar that cancels them; the card above stays."""
    work.draw(key)
    if not work.is_idle(key):
        return
    seconds = cache_words.card_price(*look.key, wish.method, wish.knobs).more.seconds
    if _ask(
        f"{more_told(wish)} take about {widgets.duration(seconds)} more.", "Measure more", key,
    ):  # fmt: skip
        _start(look, wish, key, full=True)
        st.rerun()


def more_told(wish: scored.Wish) -> str:
    """What the slow measurements of a method are, as the beginning of a sentence."""
    knobs = {knob.name for knob in registry.load("attribution", wish.method).KNOBS}
    parts = ["The best and the worst order of words"]
    parts += ["other baselines"] if "baseline" in knobs else []
    parts += ["shuffled weights"]
    parts += ["captum's infidelity"] if wish.about.extra["signed"] else []
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _ask(said: str, label: str, key: str) -> bool:
    with st.container(border=True):
        st.markdown(said)
        return st.button(label, key=f"words_{label.lower().replace(' ', '_')}_{short(key)}")


def _start(look: Look, wish: scored.Wish, key: str, *, full: bool) -> None:
    asked = (*look.key, look.target, wish.method, wish.knobs)
    label = "Measuring more" if full else "Judging the scores"
    st.session_state[key] = True
    with messages.guard():
        work.start(key, label, lambda progress: cache_words.card(*asked, full, _progress=progress))


def as_html(card: TrustCard) -> str:
    """The grade, what to do next, and a line for each measurement, whose meaning unfolds."""
    counts = Counter(line.verdict for line in card.lines)
    counted = ", ".join(f"{counts[verdict]} {name}" for verdict, name in _NAMES.items() if counts[verdict])
    mark = dict(zip(GRADES, ("good", "doubtful", "bad"), strict=True))[card.grade]
    advice = "".join(f"<div class='next'>{html.escape(said)}</div>" for said in next_steps(card.lines))
    rows = "".join(_row(line) for line in card.lines)
    grade = html.escape(card.grade[0].upper() + card.grade[1:])
    return (
        f"{_STYLE}<div class='verdict-box'>"
        f"<div class='grade'><span aria-hidden='true'>{_MARKS[mark]}</span> {grade}</div>"
        f"<div class='counts'>Of {len(card.lines)} measurements: {counted}</div>{advice}</div>"
        f"<ul class='trust'>{rows}</ul>"
    )


def next_steps(lines: Sequence[TrustLine]) -> tuple[str, ...]:
    """What a person can do about the lines that are not good, the bad ones first."""
    worst = [line for verdict in ("bad", "doubtful") for line in lines if line.verdict == verdict]
    return tuple(_ADVICE[line.name] for line in worst if line.name in _ADVICE)[:_MOST_ADVICE]


def _row(line: TrustLine) -> str:
    verdict = _NAMES[line.verdict]
    return (
        f"<li><div class='top'><span>{html.escape(line.label)}</span>"
        f"<span class='mark'>{verdict} <span aria-hidden='true'>{_MARKS[line.verdict]}</span></span></div>"
        f"{html.escape(line.said)}"
        f"<details><summary>What this measures</summary>{html.escape(line.means)} {price_told(line)}</details></li>"
    )


def price_told(line: TrustLine) -> str:
    """What a line cost, in a sentence."""
    if not line.n_passes:
        return "Price: nothing is read for it."
    return f"Price: the network read {line.n_passes:,} texts for it."
