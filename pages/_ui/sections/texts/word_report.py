"""Which words a model goes by over the whole file, where it is wrong, and which may be shortcuts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core import api
from explorer_core.results import TextTable, WordReport, WordSummary
from explorer_core.text import visible
from pages._ui import cache, cache_report, cache_texts, figures, messages, slice_form, take_away, work
from pages._ui.cache_texts import Desk
from pages._ui.widgets import duration

SECTION = {
    "label": "Words",
    "question": "Which words do the models go by in these texts?",
    "kinds": ("recurrent", "transformer"),
    "order": 45,
}
METHOD, TARGET, N_TEXTS, SHOWN = "report_method", "report_target", "report_n", "report_shown"
_AUTO = "the exact or quickest one of each family"
_TOP, _TICK_S = 24, 1.5
_SAID = "There is no bundle of it: the file and the models make it again."
_HELP = (
    "Top: share of the texts with the word in which the scores of no other word sum to more by size. Turns: share that "
    "would be judged otherwise if its scores were taken off the logit of this class and nothing else changed."
)


def draw(desk: Desk) -> None:
    """The choices, the press, and what came out."""
    if desk.table is None:
        st.info("Give a file or paste texts under **Texts** first. Here you will see which words the models go by.")
        return
    models = [info for info in desk.models if sorted(info.labels) == sorted(desk.models[0].labels)]
    if not models:
        st.info("Choose one or more models in the sidebar.")
        return
    mapping = cache_texts.mapping_of(desk)
    method, target, n_texts = pick(models, len(desk.table))
    which = [(info.name, info.fingerprint) for info in models]  # two names may be of the same weights
    said = json.dumps(mapping, sort_keys=True)
    key = f"words {desk.table.digest} {len(desk.table)} {which!r} {said} {method} {target} {n_texts}"
    offer(desk, models, mapping, key, (method, target, n_texts))
    if work.is_idle(key):
        draw_reports(key, desk.table, len(models))
    else:
        st.fragment(draw_reports, run_every=_TICK_S)(key, desk.table, len(models))


def pick(models: list[cache.ModelInfo], n_given: int) -> tuple[str, str, int]:
    """Method, class and how many texts."""
    fitting = [set(cache_report.methods(info.name, info.fingerprint)[0]) for info in models]
    labels = {about.name: about.label for about in api.list_methods() if about.name in set.intersection(*fitting)}
    own = models[0].labels
    for name, allowed in ((METHOD, (_AUTO, *labels)), (TARGET, own)):
        if st.session_state.get(name) not in (None, *allowed):
            del st.session_state[name]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = st.selectbox(
            "Method", [_AUTO, *labels], key=METHOD, bind="query-params", width=330,
            format_func=lambda name: labels.get(name, name),
        )  # fmt: skip
        target = st.selectbox("Score for the logit of", list(own), index=len(own) - 1, key=TARGET, width=200)
        n_texts = st.number_input(
            "Texts at most", 2, 50_000, min(2_000, max(n_given, 2)), 500, key=N_TEXTS, width=150,
            help="Drawn at random, the same every time, where the file has more.",
        )  # fmt: skip
    return method, target, int(n_texts)


def offer(
    desk: Desk, models: list[cache.ModelInfo], mapping: dict[str, str | None], key: str, wish: tuple[str, str, int]
) -> None:
    """The button with its price, unless it is done or under way."""
    table, (method, target, n_texts) = desk.table, wish
    assert table is not None
    found = cache_report.reports().get(key, {})
    is_there = len(found) == len(models) and all(one.is_finished for one in found.values())
    if not is_there:
        work.draw(key)
    if is_there or not work.is_idle(key):
        return
    chosen = {info.name: _method_of(info, method) for info in models}
    seconds = sum(
        cache_report.price(info.name, info.fingerprint, table.digest, chosen[info.name], n_texts, table).seconds
        for info in models
    )
    names = {about.name: about.label for about in api.list_methods()}
    by = ", ".join(f"{messages.plain(info.name)} by {messages.plain(names[chosen[info.name]])}" for info in models)
    n_read = min(n_texts, len(table))
    of = f"{n_read:,} of {len(table):,} texts" if n_read < len(table) else f"{n_read:,} texts"
    st.markdown(f"Every word of {of}: {by}. About **{duration(seconds)}** on this machine.")
    if st.button("Score the words", key="report_ask", type="primary"):
        with messages.guard():
            start(desk, models, mapping, key, chosen, target, n_texts)
        st.rerun()


def start(
    desk: Desk, models: list[cache.ModelInfo], mapping: dict[str, str | None], key: str, chosen: dict[str, str],
    target: str, n_texts: int,
) -> None:  # fmt: skip
    """Begin in the background, one model after the other."""
    table, kept = desk.table, cache_report.keep(key)
    assert table is not None
    kept.clear()

    def score(progress: work.Progress) -> bool:
        for number, info in enumerate(models):

            def watch(report: WordReport, name: str = info.name) -> None:
                kept[name] = report

            def share(done: float, number: int = number) -> None:
                progress((number + done) / len(models))

            model = cache.load(info.name, info.fingerprint)
            watch(
                api.report_words(
                    model, table, mapping, method=chosen[info.name], target=target, n_texts=n_texts,
                    progress=share, watch=watch,
                )
            )  # fmt: skip
        return True

    work.start(key, f"Scoring the words of {min(n_texts, len(table)):,} texts", score)


def _method_of(info: cache.ModelInfo, wish: str) -> str:
    return cache_report.methods(info.name, info.fingerprint)[1] if wish == _AUTO else wish


# What came out ------------------------------------------------------------------------------------------------------


def draw_reports(key: str, table: TextTable, n_models: int) -> None:
    """Everything that is there so far."""
    found = list(cache_report.reports().get(key, {}).values())
    if not found:
        return
    with messages.guard():
        if not all(one.is_finished for one in found):
            last = found[-1]
            st.caption(f"So far: {last.n_texts:,} texts of {messages.plain(last.model)}, drawn at random.")
        has_labels = bool((found[0].true >= 0).any())
        spec = slice_form.draw(key, table, found[0].labels, has_labels=has_labels)
        wanted = slice_form.as_json(spec)
        among = [_where(key, one.model, one.n_texts, wanted, one, table) for one in found]
        if not all(where.any() for where in among):
            st.info("No text is like that. Leave something out above.")
            return
        pick_order(n_models)
        draw_words([one.summary(where) for one, where in zip(found, among, strict=True)])
        place = 0
        if len(found) > 1:
            name = st.selectbox("Closer look at", [each.model for each in found], key="report_model", width=260)
            place = next((number for number, each in enumerate(found) if each.model == name), 0)
        one = found[place]
        some = one if among[place].all() else one.only(among[place])
        left, right = st.columns(2, gap="large")
        with left:
            draw_mistakes(some)
        with right:
            draw_suspects(f"{key} {wanted}", some)
        if one.is_finished:
            take_away.offer_alone("word_report", "words", one, _SAID)


@st.cache_resource(max_entries=24, show_spinner=False)
def _where(key: str, model: str, n_texts: int, wanted: str, _report: WordReport, _table: TextTable) -> np.ndarray:
    """`api.slice_report`, kept."""
    return api.slice_report(_report, _table, slice_form.spec_of(wanted))


def pick_order(n_models: int) -> None:
    """Which words are drawn."""
    order = ["Strongest", "Most frequent"] + (["Largest difference"] if n_models > 1 else [])
    if st.session_state.get(SHOWN) not in (None, *order):
        del st.session_state[SHOWN]
    st.segmented_control("Words", order, default=order[-1] if n_models > 1 else order[0], required=True, key=SHOWN)


def draw_words(summaries: list[WordSummary]) -> None:
    """Words as dots with their intervals, and the table of all of them."""
    from explorer_core.views import word_report

    summaries = [one for one in summaries if len(one.word)]
    if not summaries:
        st.info("No text is like that.")
        return
    words = words_of(summaries)
    if not words:
        st.info("No word is in enough texts yet.")
        return
    figures.chart(word_report.render(summaries, words), "report_words", word_report.alt_text(summaries, words))
    for one in summaries:
        report, n_texts = one.report, int(one.where.sum())
        name = next(about.label for about in api.list_methods() if about.name == report.method)
        drawn = f" of {report.n_given:,}, drawn by seed {report.seed}" if report.n_texts < report.n_given else ""
        st.caption(
            f"{messages.plain(report.model)}: {messages.plain(name)} over {n_texts:,} texts{drawn}; "
            f"{len(one.word):,} different words. Drawn are words in {_least(n_texts)} texts or more."
        )
    figures.how_to_read("word_report")
    frame = summaries[0].to_frame()
    if len(summaries) == 2 and np.array_equal(summaries[0].where, summaries[1].where):
        frame = api.contrast_words(*(one.report.only(one.where) for one in summaries)).to_frame()
        st.markdown("#### Where the two differ most")
    st.dataframe(shown(frame.head(1_000)), hide_index=True, height=320, column_config=_columns(frame),
                 placeholder="–", alt="Words with their counts and mean scores.")  # fmt: skip
    more = f" The first 1,000 of {len(frame):,} words; the table to take away has all." if len(frame) > 1_000 else ""
    st.caption(_HELP + more)


def words_of(summaries: list[WordSummary]) -> list[str]:
    """The words drawn: with a letter or a digit, in enough texts, by the order chosen."""
    order = st.session_state.get(SHOWN)
    least = _least(int(summaries[0].where.sum()))
    found: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    for one in summaries:
        for place in np.flatnonzero(one.n_texts >= least):
            word = one.report.words[one.word[place]]
            if any(map(str.isalnum, word)):
                found.setdefault(word, []).append(float(one.mean[place]))
                counts[word] = max(counts.get(word, 0), int(one.n_texts[place]))
    if order == "Most frequent":
        return sorted(found, key=lambda word: -counts[word])[:_TOP]
    if order == "Largest difference" and len(summaries) > 1:
        both = [word for word, means in found.items() if len(means) == len(summaries)]
        return sorted(both, key=lambda word: min(found[word]) - max(found[word]))[:_TOP]
    strongest = sorted(found, key=lambda word: -max(map(abs, found[word])))[:_TOP]
    return sorted(strongest, key=lambda word: -sum(found[word]) / len(found[word]))


def _least(n_texts: int) -> int:
    return max(2, min(10, n_texts // 50))


def draw_mistakes(report: WordReport) -> None:
    """Words that pulled to the wrong class."""
    st.markdown("#### Words in wrong decisions")
    frame = report.mistakes() if (report.true >= 0).any() else pd.DataFrame()
    if not len(frame):
        st.caption(
            "No text with a label was judged wrongly." if (report.true >= 0).any() else "The file has no labels."
        )
        return
    frame = frame[[any(map(str.isalnum, word)) for word in frame["word"]]].head(200)
    st.dataframe(shown(frame), hide_index=True, height=280, column_config=_columns(frame),
                 alt="Words of texts that were judged wrongly, by their pull to the wrong class.")  # fmt: skip
    st.caption(
        "Pull: what the word added to the wrong side in texts that were judged wrongly, in logits; wrong share: of all "
        "labelled texts with the word. Frequent words add up: look at the mean too."
    )


def draw_suspects(key: str, report: WordReport) -> None:
    """Words that may be shortcuts, and the rule."""
    st.markdown("#### Suspects of shortcuts")
    found = cache_report.suspects(key, report.model, report.n_texts, report)
    if not (report.true >= 0).any():
        st.caption("The file has no labels; without them no word is suspected.")
        return
    if not found.words:
        st.markdown(f"None of {found.n_tested:,} words that were tested.")
    else:
        frame = found.to_frame()
        st.dataframe(shown(frame), hide_index=True, height=min(280, 35 * (len(frame) + 1) + 2),
                     column_config=_columns(frame), alt="Words that may be shortcuts.")  # fmt: skip
    st.caption(
        f"{found.n_tested:,} words tested, {found.n_strong:,} strong, {found.n_correlated:,} of them go with the "
        f"label, {len(found.words):,} of those without a general sense. Of all labelled texts {found.base_share:.1%} "
        f"are {messages.quoted(report.target_label, 30)}."
    )
    st.caption("**The rule.** " + " ".join(messages.plain(one) for one in found.rule))
    st.caption("**What it cannot know.** " + messages.plain(found.blind))


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with hidden characters of words as escapes."""
    return frame.assign(word=[visible(str(word))[:80] for word in frame["word"]])


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    """How the columns are drawn."""
    names = {
        "word": "Word", "count": "Times", "n_texts": "Texts", "mean": "Mean score", "low": "95 % from", "high": "to",
        "top_share": "Top", "turn_share": "Turns", "n_wrong_texts": "Wrong texts", "wrong_share": "Wrong share",
        "mean_pull": "Mean pull", "sum_of_pull": "Sum of pull", "target_share": "Share of class", "p_value": "p",
        "difference": "Difference", "is_general": "Sentiment word", "n_labelled": "With a label",
        "n_target": "Of the class",
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name in frame.columns:
        label = names.get(name, name)
        if name.endswith("share"):
            found[name] = st.column_config.NumberColumn(label, format="percent")
        elif name == "p_value":
            found[name] = st.column_config.NumberColumn(label, format="%.1e")
        elif pd.api.types.is_float_dtype(frame[name]):
            found[name] = st.column_config.NumberColumn(label, format="%+.3f")
        else:
            found[name] = st.column_config.Column(label)
    return found
