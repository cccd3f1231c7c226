"""Difference: two networks over one text subtracted, verdicts and scores, with the reach of chance beside them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import (
    FIRST_ONLY,
    SECOND_ONLY,
    RunningVerdict,
    SeedSpread,
    VerdictDifference,
    WordAttribution,
    WordDifference,
)
from explorer_core.text import visible
from pages._ui import (
    cache,
    cache_compare,
    cache_words,
    compared,
    compared_pair,
    figures,
    messages,
    rereading,
    scored,
    seed_runs,
    take_away,
    widgets,
    work,
)
from pages._ui.compared import Desk
from pages._ui.compared_pair import Pair
from pages._ui.look import Look

SECTION = {
    "label": "Difference",
    "question": "Where exactly do two of them differ?",
    "kinds": ("recurrent", "transformer"),
    "order": 20,
}
AS, VERDICT_AS = "difference_scores", "difference_verdicts"  # keys, and names in the address
NORMALISED = {"As they are": "raw", "Shares": "share", "Ranks": "rank"}
QUANTITIES = {"Probability": "prob", "Log-odds": "log_odds"}
VERDICTS, WORDS = "difference_verdict_chart", "difference_word_chart"
_NAMED = 6  # words in a sentence


def draw(desk: Desk) -> None:
    """The choice of two, their verdicts, their scores, and what chance does."""
    if not compared.needs(desk, 1, "the difference of two of them, word by word."):
        return
    pair = compared_pair.pick(desk)
    if pair is None:
        return
    found = draw_verdicts(desk, pair)
    st.markdown("#### Scores of the words")
    first, second = (desk.look(info) for info in pair.infos)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        wish = scored.pick_common((first, second))
        shown = st.segmented_control(
            "Scores", list(NORMALISED), default="Shares", required=True, key=AS, bind="query-params",
            help="As they are: logits, whose size differs between networks. Shares: each score over the sum of the "
            "sizes of all, so that both networks have the same to give. Ranks: only the order counts.",
        )  # fmt: skip
    different = draw_words(pair, (first, second), wish, NORMALISED[shown or "Shares"])
    seed_runs.draw(pair.runs)
    offer(desk, pair, found, different)


# Verdicts -----------------------------------------------------------------------------------------------------------


def draw_verdicts(desk: Desk, pair: Pair) -> VerdictDifference | None:
    """Both running verdicts and their difference; `None` while a long text has not been read."""
    from explorer_core.views import verdict_difference

    st.markdown("#### Verdicts, word by word")
    chosen = st.segmented_control(
        "Verdicts as", list(QUANTITIES), default="Probability", required=True, key=VERDICT_AS, bind="query-params",
        help="Log-odds (nats) show how sure a network is where probabilities crowd at 0 or 1.",
    )  # fmt: skip
    quantity = QUANTITIES[chosen or "Probability"]
    waiting = [info for info in dict.fromkeys(pair.infos) if not rereading.may_read(info, desk.text)]
    if waiting:
        rereading.offer(waiting, desk.text)
        return None
    first, second = (cache_compare.running(info, desk.text) for info in pair.infos)
    found = api.compare_verdicts(first, second, desk.target)
    spreads = tuple(
        _spread_of_verdicts(seeds, desk, found.place[side], quantity) for side, seeds in enumerate(pair.seeds)
    )
    st.markdown(told_verdicts(found, pair.names, quantity))
    draw_luck(found.values(quantity), (spreads[0], spreads[1]), pair, "verdicts")
    figure = verdict_difference.render(found, quantity=quantity, names=pair.names, spreads=(spreads[0], spreads[1]))
    figures.chart(figure, VERDICTS, verdict_difference.alt_text(found, quantity=quantity, names=pair.names))
    figures.how_to_read("verdict_difference")
    return found


def told_verdicts(found: VerdictDifference, names: tuple[str, str], quantity: str) -> str:
    """Where the two lie furthest apart and how they end, as Markdown."""
    gap = found.difference(quantity)
    most = int(np.abs(gap).argmax())
    first, second = (messages.plain(name) for name in names)
    label = messages.plain(visible(found.target_label)[:60])
    if not gap.any():
        return f"{begun(first)} and {second} say the same after every word: the difference is exactly zero."
    ends = [number(float(row[-1])) for row in found.probs]
    what = "" if quantity == "prob" else " nats of log-odds"
    return (
        f"{begun(first)} ends at {ends[0]} and {second} at {ends[1]} for **{label}**. They lie furthest apart after "
        f"word {most + 1}, {messages.quoted(found.words[most], 40)}: {number(float(gap[most]), signed=True)}{what}."
        f"{told_left_out(found.left_out, names)}"
    )


def told_left_out(left_out: np.ndarray, names: tuple[str, str]) -> str:
    """Which model read words that the other did not read as such."""
    parts = [
        f"{count:,} that only {messages.plain(name)} read as such"
        for name, count in zip(names, left_out.tolist(), strict=True)
        if count
    ]
    return f" Words left out here: {' and '.join(parts)}." if parts else ""


def _spread_of_verdicts(
    seeds: Sequence[cache.ModelInfo], desk: Desk, place: np.ndarray, quantity: str
) -> SeedSpread | None:
    """What the seeds of a side span; `None` for one seed, and for texts whose every beginning costs."""
    if not seeds or any(rereading.is_costly(info, desk.text) for info in seeds):
        return None
    runs: list[RunningVerdict] = [cache_compare.running(info, desk.text) for info in seeds]
    return api.spread_verdicts(runs, desk.target, place, quantity)


def draw_luck(values: np.ndarray, spreads: tuple[SeedSpread | None, SeedSpread | None], pair: Pair, what: str) -> None:
    """How far the seeds of a side lie apart, and at how many words the other lies beyond them."""
    n_words = values.shape[1]
    first, second = spreads
    if first is not None and second is not None:
        n_apart = int(first.apart(second).sum())
        one, two = (messages.plain(name) for name in pair.names)
        st.markdown(
            f"With {len(first.models)} and {len(second.models)} seeds, the {what} of {one} and {two} do not overlap at "
            f"{n_apart} of {n_words} words."
        )
        return
    for side, spread in enumerate(spreads):
        if spread is None:
            continue
        name, other = messages.plain(pair.names[side]), messages.plain(pair.names[1 - side])
        width = spread.high - spread.low
        most = int(width.argmax())
        reach = (
            f"{messages.quoted(spread.words[most], 40)}, where they span {number(float(spread.low[most]))} to "
            f"{number(float(spread.high[most]))}"
        )
        if pair.infos[1 - side].name in spread.models:
            st.markdown(f"The {what} of the {len(spread.models)} seeds lie furthest apart at {reach}.")
            continue
        n_out = int(spread.outside(values[1 - side]).sum())
        st.markdown(
            f"{begun(other)} lies outside of what the {len(spread.models)} seeds of {name} span at {n_out} of "
            f"{n_words} words. The seeds lie furthest apart at {reach}."
        )


def begun(name: str) -> str:
    """A name at the beginning of a sentence."""
    return name[:1].upper() + name[1:]


# Scores -------------------------------------------------------------------------------------------------------------


def draw_words(
    pair: Pair, looks: tuple[Look, Look], wish: scored.Wish, normalisation: str
) -> tuple[WordDifference, tuple[WordAttribution, WordAttribution]] | None:
    """Scores of both by one method and their difference; `None` while they are not there."""
    from explorer_core.views import word_difference

    first = scored.scores(looks[0], wish, place="a", take=scored.choose)
    is_same = looks[0].key == looks[1].key
    second = first if is_same else scored.scores(looks[1], wish, place="b", take=scored.choose)
    if first is None or second is None:
        return None
    found = api.compare_words(first, second, normalisation)
    spreads = tuple(_spread_of_words(pair, side, looks[side], wish, found) for side in range(2))
    for sentence in told_words(found, pair.names):
        st.markdown(sentence)
    draw_luck(found.values, (spreads[0], spreads[1]), pair, "scores")
    figure = word_difference.render(found, names=pair.names, spreads=(spreads[0], spreads[1]))
    figures.chart(figure, WORDS, word_difference.alt_text(found, names=pair.names))
    figures.how_to_read("word_difference")
    st.caption(
        "A model **uses** a word whose size is at least the mean size of its scores over these words, and **ignores** "
        "one whose size is less than a quarter of it. The interval of Kendall’s tau is that of Fieller, Hartley and "
        "Pearson 1957, as if the words were drawn at random; with few words it is wide."
    )
    return found, (first, second)


def told_words(found: WordDifference, names: tuple[str, str]) -> list[str]:
    """How alike both rank the words, and which words one alone uses, as Markdown."""
    first, second = (messages.plain(name) for name in names)
    if not found.scores[0].any() and not found.scores[1].any():
        return [f"Neither {first} nor {second} gives any word a score."]
    if not (found.scores[0] - found.scores[1]).any():
        said = [f"{begun(first)} and {second} give every word the same score: the difference is exactly zero."]
    else:
        said = [
            f"Kendall’s tau of {first} and {second} over {len(found.words)} words is "
            f"**{number(found.tau, signed=True)}** (95 % interval {number(found.tau_low, signed=True)} to "
            f"{number(found.tau_high, signed=True)}): +1 would be the same order, 0 none in common."
            f"{told_left_out(found.left_out, names)}"
        ]
        most = int(np.abs(found.difference).argmax())
        said.append(
            f"They differ most on {messages.quoted(found.words[most], 40)}: "
            f"{number(float(found.values[0, most]), signed=True)} in {first}, "
            f"{number(float(found.values[1, most]), signed=True)} in {second}."
        )
    for name, other, mark in ((first, second, FIRST_ONLY), (second, first, SECOND_ONLY)):
        marked = dict.fromkeys(found.words[at] for at in np.flatnonzero(found.used_by == mark).tolist())
        only = [messages.quoted(word, 24) for word in marked]
        if only:
            more = f" and {len(only) - _NAMED} more" if len(only) > _NAMED else ""
            said.append(f"{begun(name)} uses, and {other} ignores: {', '.join(only[:_NAMED])}{more}.")
    return said


def _spread_of_words(pair: Pair, side: int, look: Look, wish: scored.Wish, found: WordDifference) -> SeedSpread | None:
    """What the seeds of a side span: at once where that is quick, else when asked for."""
    seeds = pair.seeds[side]
    if not seeds:
        return None
    looks = [_like(look, info) for info in seeds]
    key = f"seeds {' '.join(scored.key_of(one, wish) for one in looks)}"
    task = work.task(key)
    seconds = sum(cache_words.price(*one.key, wish.method, wish.knobs).seconds for one in looks)
    is_there = task is not None and task.state == "done"
    if not is_there and seconds > scored.AT_ONCE_S * 2:
        if task is None and seconds > scored.UNASKED_S:
            st.caption(
                f"Scores of {len(seeds)} seeds of {messages.plain(pair.names[side])} take about "
                f"{widgets.duration(seconds)}."
            )
            if not st.button("Score the seeds", key=f"seeds_score_{side}"):
                return None
        if task is None:
            work.start(key, f"Scoring {len(seeds)} seeds", functools.partial(_score_all, looks, wish))
        if not work.draw(key, patience_s=0.5):
            work.draw_again(key, "Score the seeds again", f"seeds_again_{side}")
            return None
    scores = [cache_words.attribution(*one.key, one.target, wish.method, wish.knobs) for one in looks]
    return api.spread_words(scores, found.normalisation, found.place[side])


def _score_all(looks: Sequence[Look], wish: scored.Wish, progress: work.Progress) -> bool:
    for number_done, look in enumerate(looks):
        cache_words.attribution(
            *look.key, look.target, wish.method, wish.knobs,
            _progress=lambda share, done=number_done: progress((done + share) / len(looks)),  # type: ignore[misc]
        )  # fmt: skip
        progress((number_done + 1) / len(looks))
    return True


# Shared -------------------------------------------------------------------------------------------------------------


def _like(look: Look, info: cache.ModelInfo) -> Look:
    return Look(info, look.text, cache.trace(info.name, info.fingerprint, look.text, False), look.target)


def offer(
    desk: Desk,
    pair: Pair,
    verdicts: VerdictDifference | None,
    different: tuple[WordDifference, tuple[WordAttribution, WordAttribution]] | None,
) -> None:
    """What is shown, to be taken away."""
    if different is None:
        return
    found, scores = different
    made = [[take_away.as_made("attribute", one, {"method": one.method, "target": one.target, **one.knobs})]
            for one in scores]  # fmt: skip
    came_out = [api.Compared("compare_words", "attribute", {"normalisation": found.normalisation}, found, True)]
    if verdicts is not None:
        for mine, info in zip(made, pair.infos, strict=True):
            mine.append(take_away.as_made("trace_running", cache_compare.running(info, desk.text), {}))
        arguments = {"target": verdicts.target}
        came_out.append(api.Compared("compare_verdicts", "trace_running", arguments, verdicts, True))
    more = {"Reproduce bundle (zip)": take_away.bundle_of_several(pair.infos, desk.text, made, came_out)}
    if verdicts is not None:
        more["Verdicts (CSV)"] = (functools.partial(take_away.csv, verdicts), "verdict-difference.csv")
    take_away.offer_alone(
        "difference", "word-difference", found,
        take_away.SEVERAL,
        more,
    )  # fmt: skip
