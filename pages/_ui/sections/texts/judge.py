"""How well the models do on the texts: scores with intervals; without labels what they decide and how sure they are."""

from __future__ import annotations

import json

import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import Judgement, JudgingPrice, TextTable
from pages._ui import cache, cache_texts, figures, messages, take_away, work
from pages._ui.cache_texts import Desk
from pages._ui.widgets import duration

SECTION = {
    "label": "Judge",
    "question": "How well do the models do on these texts?",
    "kinds": ("recurrent", "transformer"),
    "order": 20,
}
MODEL = "texts_model"  # key
_TICK_S = 1.0
_SAID = "There is no bundle of it: the rows are the numbers, and the file and the models make them again."
_STYLE = (
    "<style>table.judged{display:block;overflow-x:auto;border-collapse:collapse;margin:.3rem 0 .6rem;"
    "font-variant-numeric:tabular-nums}"
    "table.judged td,table.judged th{padding:.3rem .8rem .3rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400}table.judged th{opacity:.75;font-size:.85rem}"
    "table.judged bdi{white-space:nowrap}table.judged .range{opacity:.7;font-size:.85rem;white-space:nowrap}</style>"
)


def draw(desk: Desk) -> None:
    """The press, how far it is, and what came out."""
    if desk.table is None:
        st.info("Give a file or paste texts under **Texts** first; here you will see how well the models judge them.")
        return
    if not desk.models:
        st.info("Choose one or more models in the sidebar.")
        return
    models = alike(desk)
    others = [info.name for info in desk.models if info not in models]
    if others:
        first = messages.plain(models[0].name)
        st.caption(f"Left out: {messages.plain(', '.join(others))}, whose classes are not those of {first}.")
    mapping = cache_texts.mapping_of(desk)
    key = key_of(desk, models, mapping)
    offer(desk, models, mapping, key)
    if work.is_idle(key):
        draw_board(key)
    else:
        st.fragment(draw_board, run_every=_TICK_S)(key)


def alike(desk: Desk) -> list[cache.ModelInfo]:
    """The chosen models that have the classes of the first."""
    return [info for info in desk.models if sorted(info.labels) == sorted(desk.models[0].labels)]


def find(desk: Desk) -> Judgement | None:
    """What has been judged of what is chosen now, if anything."""
    if desk.table is None or not desk.models:
        return None
    return cache_texts.boards().get(key_of(desk, alike(desk), cache_texts.mapping_of(desk)))


def key_of(desk: Desk, models: list[cache.ModelInfo], mapping: dict[str, str | None]) -> str:
    """All of what is judged, as the key of its work."""
    assert desk.table is not None
    which = [(info.name, info.fingerprint) for info in models]  # two names may be of the same weights
    return f"judge {desk.table.digest} {len(desk.table)} {which!r} {json.dumps(mapping, sort_keys=True)}"


def offer(desk: Desk, models: list[cache.ModelInfo], mapping: dict[str, str | None], key: str) -> None:
    """The button, unless it is done or under way."""
    table, boards = desk.table, cache_texts.boards()
    assert table is not None
    found = work.task(key)
    is_there = key in boards and boards[key].is_finished
    if found is not None and found.state == "cancelled":
        st.caption("Cancelled. What was read is kept: press again, and it goes on from there.")
    elif not is_there:
        work.draw(key)
    if is_there or not work.is_idle(key):
        return
    n_labelled = int((table.classes(mapping, models[0].labels) >= 0).sum())
    what = f"{n_labelled:,} of them with a label" if n_labelled else "without labels"
    count = f"{len(models)} models read" if len(models) > 1 else f"{messages.plain(models[0].name)} reads"
    priced = _price(key, table, models)
    st.markdown(
        f"{count} {len(table):,} texts, {what}. Each different text is read once, and remembered. {price_words(priced)}"
    )
    if st.button("Judge them", key="texts_judge", type="primary"):
        with messages.guard():
            start(desk, models, mapping, key)
        st.rerun()


@st.cache_data(max_entries=32, ttl=600, show_spinner="Looking how long it takes")
def _price(key: str, _table: TextTable, _models: list[cache.ModelInfo]) -> tuple[JudgingPrice, ...]:
    return api.price_judging([cache.load(info.name, info.fingerprint) for info in _models], _table)


def price_words(prices: tuple[JudgingPrice, ...]) -> str:
    """What it will take, as Markdown."""
    seconds = sum(one.seconds for one in prices)
    n_known, n_texts = sum(one.n_known for one in prices), sum(one.n_texts for one in prices)
    if n_known == n_texts:
        return "All of it has been read before: this takes a moment."
    before = f" {n_known / n_texts:.0%} of it has been read before." if n_known else ""
    slowest = max(prices, key=lambda one: one.seconds)
    most = ""
    if len(prices) > 1 and slowest.seconds > max(0.6 * seconds, 10):
        most = f", {duration(slowest.seconds)} of it for {messages.plain(slowest.model)}"
    tokens = sum(one.n_tokens for one in prices)
    return f"About **{duration(seconds)}** on this machine{most}: {number(tokens)} tokens.{before}"


def start(desk: Desk, models: list[cache.ModelInfo], mapping: dict[str, str | None], key: str) -> None:
    """Begin judging in the background."""
    table, boards = desk.table, cache_texts.boards()
    assert table is not None
    boards.pop(key, None)
    for old in list(boards)[: max(len(boards) - cache_texts.MOST_JUDGED + 1, 0)]:
        boards.pop(old, None)

    def watch(judged: Judgement) -> None:
        boards[key] = judged

    def judge(progress: work.Progress) -> bool:
        cache.settle_scoring()
        loaded = [cache.load(info.name, info.fingerprint) for info in models]
        watch(api.judge(loaded, table, mapping, progress=progress, watch=watch))
        return True

    work.start(key, f"Judging {len(table):,} texts", judge)


# What came out ------------------------------------------------------------------------------------------------------


def draw_board(key: str) -> None:
    """Everything judged so far."""
    judged = cache_texts.boards().get(key)
    if judged is None:
        return
    if not judged.is_finished:
        done = f"{', '.join(judged.models)}, the first {len(judged):,} texts"
        st.caption(f"So far: {messages.plain(done)}. Intervals are rough until all is read.")
    if judged.n_unread:
        st.caption(f"{judged.n_unread:,} texts hold nothing some model can read; they are left out.")
    if judged.has_labels:
        draw_scores(judged)
    draw_decisions(judged)
    draw_effects(judged)
    if judged.is_finished:
        take(judged)


def draw_scores(judged: Judgement) -> None:
    """Scores of every model, then confusion and classes of one, and calibration of all."""
    from explorer_core.views import _judged_tables, confusion, reliability

    st.html(_STYLE + _judged_tables.scores_table(judged))
    st.caption(_judged_tables.bootstrap_sentence(judged.scores[0]))
    for sentence in _told(judged.table.digest, judged.fingerprints, judged) if judged.is_finished else ():
        st.warning(messages.plain(sentence))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Which class is taken for which")
        names = list(judged.models)
        chosen = st.selectbox("Model", names, key=MODEL, label_visibility="collapsed") if len(names) > 1 else names[0]
        model = names.index(chosen) if chosen in names else 0
        figures.chart(confusion.render(judged, model=model), "texts_confusion", confusion.alt_text(judged, model=model))
        st.html(_STYLE + _judged_tables.classes_table(judged, model, with_f1=False))
        figures.how_to_read("confusion")
    with right:
        st.markdown("#### Is it as often right as it says?")
        figures.chart(reliability.render(judged), "texts_reliability", reliability.alt_text(judged))
        st.markdown(messages.plain(" ".join(map(_judged_tables.temperature_sentence, judged.scores))))
        figures.how_to_read("reliability")


@st.cache_resource(max_entries=16, ttl=600, show_spinner=False)
def _told(digest: str, prints: tuple[str, ...], _judged: Judgement) -> tuple[str, ...]:
    """`api.tell_training`, kept."""
    return api.tell_training(_judged)


def draw_decisions(judged: Judgement) -> None:
    """What the models decide for, how sure they are, and how often they differ."""
    from explorer_core.views import _judged_tables, decisions

    st.markdown("#### What they decide for, and how sure they are")
    figures.chart(decisions.render(judged), "texts_decisions", decisions.alt_text(judged))
    figures.how_to_read("decisions")
    if judged.agreement is not None:
        st.markdown("#### How often they differ")
        st.html(_STYLE + _judged_tables.agreement_table(judged))
        split = judged.agreement.n_split
        st.caption(
            f"Share of the texts two models decide differently; in brackets Cohen's kappa, agreement beyond chance. On "
            f"{split:,} of {len(judged):,} texts not all decide alike."
        )


def draw_effects(judged: Judgement) -> None:
    """What length and unknown words do."""
    from explorer_core.views import text_effect

    shown = [place for place, one in enumerate(judged.effects) if (one.n_texts > 0).sum(1).max(initial=0) > 1]
    if not shown:
        return
    st.markdown("#### Do long texts or unknown words make it harder?" if judged.has_labels else "#### By length")
    for place, column in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        with column:
            drawn = text_effect.render(judged, effect=place)
            figures.chart(drawn, f"texts_effect_{place}", text_effect.alt_text(judged, effect=place))
    figures.how_to_read("text_effect")


def take(judged: Judgement) -> None:
    """Every row and number to be taken away."""
    lines = {"Rows (JSON lines)": (lambda: "\n".join(judged.to_jsonl()).encode(), "judged.jsonl")}
    take_away.offer_alone("texts_judged", "judged", judged, _SAID, lines)
