"""Two halves: what each half of a bidirectional network would decide alone, and what its order of words is worth."""

from __future__ import annotations

import functools
import html
from collections.abc import Sequence

import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import HalfHonesty, HalfScores, log_odds
from explorer_core.text import visible
from pages._ui import cache, cache_compare_price, figures, messages, state, take_away, work
from pages._ui.compared import Desk

SECTION = {
    "label": "Two halves",
    "question": "What would each half of a bidirectional network decide alone?",
    "kinds": ("recurrent", "transformer"),
    "order": 90,
}
MODEL, FILL = "half_model", "half_fill"  # keys, and names in the address
ADD, CHART, START, MANY = "half_add", "half_chart", "half_start", "half_many"
_READERS = ("Both halves", "Forward half alone", "Backward half alone", "Forward half, past shuffled",
            "Backward half, past shuffled")  # fmt: skip
FILLS = {"mean": "its mean over reviews", "zero": "zero"}
_STYLE = (
    "<style>table.apart{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "table.apart td,table.apart th{padding:.4rem .6rem .4rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400}table.apart td:first-child{white-space:nowrap}"
    "table.apart th{font-weight:600;opacity:.8}</style>"
)
ASK_ABOVE_WORDS = 250  # the text is read 61 times; above this only when asked for


def draw(desk: Desk) -> None:
    """The choice of a network with two halves, the picture, and every number."""
    found = [info for info in desk.models if info.kind == "recurrent" and info.rereads]
    if not found:
        _draw_none(desk)
        return
    with st.container(horizontal=True, gap="large"):
        names = [info.name for info in found]
        name = names[0]
        if len(found) > 1:
            name = st.segmented_control(
                "Network", names, default=names[0], required=True, key=MODEL, bind="query-params",
                format_func=desk.short_names.__getitem__,
            )  # fmt: skip
        fill = st.segmented_control(
            "In place of the other half", list(FILLS), default="mean", required=True, key=FILL, bind="query-params",
            format_func=FILLS.__getitem__,
            help="The classifier always reads two halves. The one that is left out is replaced by its mean over 200 "
            "held-out reviews of the starter corpus, or by zero.",
        )  # fmt: skip
    info = next((one for one in found if one.name == name), found[0])
    apart = _compute(desk, info, fill or "mean")
    if apart is not None:
        _draw_found(desk, info, apart)
    _draw_many(info, fill or "mean")


def _draw_none(desk: Desk) -> None:
    """What to choose, and a button that chooses it where one is ready."""
    st.info(
        "None of the chosen models reads in two directions by separate halves. With a BiLSTM you will see what its "
        "forward and its backward half would each decide alone."
    )
    for card in cache.ready_cards():
        if card.architecture == "bilstm" and (not desk.models or card.labels == desk.labels):
            if st.button(f"Add {messages.plain(card.name)}", key=ADD, type="primary"):
                state.choose_too(card.name)
                st.rerun()
            return


def _compute(desk: Desk, info: cache.ModelInfo, fill: str) -> HalfHonesty | None:
    """The halves held apart; of a long text in the background, after a press."""
    asked = (info.name, info.fingerprint, desk.text, desk.target, fill)
    n_words = len(cache.reading(*asked[:3]).words)
    if n_words <= ASK_ABOVE_WORDS:
        return cache_compare_price.halves(*asked)
    key = f"halves apart {asked!r}"
    found: HalfHonesty | None = work.draw(key)
    if found is None and work.is_idle(key):
        st.markdown(f"The text has {n_words:,} words, and it is read 61 times, in other orders.")
        if st.button("Hold the halves apart", key=START, type="primary"):
            work.start(
                key, "Reading in other orders", lambda progress: cache_compare_price.halves(*asked, _progress=progress)
            )
            st.rerun()
    return found


def _draw_found(desk: Desk, info: cache.ModelInfo, found: HalfHonesty) -> None:
    from explorer_core.views import halves_apart as view

    twin, twin_said = _twin(desk, info, found)
    for sentence in told(found, twin):
        st.markdown(sentence)
    figures.chart(view.render(found, twin=twin), CHART, view.alt_text(found, twin=twin))
    figures.how_to_read("halves_apart")
    st.caption(twin_said)
    st.caption(defined(found))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Alone")
        _draw_alone(found)
    with right:
        st.markdown("#### With its past shuffled")
        _draw_shuffled(found)
    take_away.offer(
        "halves-apart", desk.look(info), {"compare_halves": (found, {"target": found.target, "fill": found.fill})},
        figures={"halves_apart": functools.partial(view.render, found, twin=twin)}, as_json=True,
    )  # fmt: skip


def _twin(desk: Desk, info: cache.ModelInfo, found: HalfHonesty) -> tuple[tuple[str, float] | None, str]:
    """A forward network of the size of one half with its log odds, and where it comes from as Markdown."""
    names = cache_compare_price.twins(info.name, info.fingerprint)
    if not names:
        return None, (
            "No ready network reads forward only with the layers, units, pooling and classes of one half. The section "
            "Design your own trains an LSTM beside a BiLSTM on the same rows."
        )
    name = next((name for name in names if name in desk.names), names[0])
    twin = cache.model_info(name)
    trace = cache.trace(twin.name, twin.fingerprint, desk.text, False)
    odds = float(log_odds(trace.logits, found.target))
    said = (
        f"{twin.family} of equal size: {messages.plain(name)}, which reads forward only with as many layers and "
        "units as one half. It was trained by itself, so it had to learn to decide with what the forward half has."
    )
    return (f"{twin.family} of equal size", odds), said


def told(found: HalfHonesty, twin: tuple[str, float] | None) -> list[str]:
    """What the numbers say, as Markdown."""
    label = messages.quoted(found.labels[found.target])
    best = int(found.logits.argmax())
    whole = found.labels[best]
    sides = [int(logits.argmax()) for logits in found.alone]
    names = ("forward", "backward")
    same = [names[index] for index in (0, 1) if sides[index] == best]
    if len(same) == 2:
        said = f"Both halves together decide for {messages.quoted(whole)}, and so would each alone."
    elif same:
        said = f"The network decides for {messages.quoted(whole)}; of its halves only the {same[0]} one would, alone."
    else:
        said = f"The network decides for {messages.quoted(whole)}, which neither of its halves would, alone."
    odds = ", ".join(f"{name} {number(float(value), signed=True)}" for name, value in
                     zip(names, found.odds_alone, strict=True))  # fmt: skip
    lines = [f"**{said}** Log odds of {label}: both {number(found.odds, signed=True)}, {odds}."]
    if found.shuffled.shape[1]:
        away = abs(found.odds_shuffled - found.odds).mean(1)
        turned = found.turned
        more = int(away.argmax())
        lines.append(
            f"With the words of its past in another order the backward half moves the log odds by "
            f"{number(float(away[1]), digits=2)} on average and turns {turned[1]:.0%} of the verdicts; the forward "
            f"half {number(float(away[0]), digits=2)} and {turned[0]:.0%}. Order matters more "
            f"to the {names[more]} half."
        )
    if twin is not None:
        gap = float(found.odds_alone[0]) - twin[1]
        agrees = (found.odds_alone[0] > 0) == (twin[1] > 0)
        lines.append(
            f"A network trained to read forward only says {number(twin[1], signed=True)}: "
            + ("the same side as" if agrees else "the other side than")
            + f" the forward half alone, {number(abs(gap), digits=2)} away."
        )
    return lines


def defined(found: HalfHonesty) -> str:
    """What alone and shuffled mean here, as Markdown."""
    instead = f"its mean over {found.n_references} held-out reviews" if found.fill == "mean" else "zero"
    n_tried = found.shuffled.shape[1]
    if not n_tried:
        orders = "The text is too short for another order."
    elif found.is_every_order:
        orders = f"All {n_tried} orders were tried, that of the text among them."
    else:
        orders = f"{n_tried} orders were drawn with seed {found.seed}."
    layers = (
        " This network has several layers, so both halves of the top one have read the whole text through the layer "
        "below: a half alone knows more than its own side." if found.n_layers > 1 else ""
    )  # fmt: skip
    return (
        f"Alone: in place of the other half the classifier reads {instead}. Past: the words a half reads before its "
        "last one, which for the forward half is the last of the text and for the backward half the first; words stay "
        f"whole, and the other half reads the text as it is. {orders}{layers}"
    )


def _draw_alone(found: HalfHonesty) -> None:
    rows = (("Both halves", found.logits), ("Forward half", found.alone[0]), ("Backward half", found.alone[1]))
    lines = [
        (
            name,
            html.escape(visible(found.labels[int(logits.argmax())][:40])),
            number(float(log_odds(logits, found.target)), signed=True),
            number(float(logits[found.target]), signed=True),
        )
        for name, logits in rows
    ]
    st.html(_table(("", "decides for", "log odds", "logit"), lines))


def _draw_shuffled(found: HalfHonesty) -> None:
    if not found.shuffled.shape[1]:
        st.caption("Nothing to shuffle: a half of this text has fewer than two words before its last one.")
        return
    lines = [
        (
            name,
            number(float(found.logit_mean[index]), signed=True),
            number(float(found.logit_spread[index])),
            f"{found.turned[index]:.0%}",
        )
        for index, name in enumerate(("Forward half", "Backward half"))
    ]
    lines.insert(0, ("Neither", number(float(found.logits[found.target]), signed=True), "0", "0%"))
    st.html(_table(("past of", "mean logit", "spread", "verdicts turned"), lines))
    st.caption("Spread: standard deviation over the orders, of the logit of the class named above the picture.")


def _draw_many(info: cache.ModelInfo, fill: str) -> None:
    """The same question over the held-out reviews, where the model's classes are those of the corpus."""
    if not set(info.labels) & set(cache.corpus_texts("starter", "{}").label_names):
        return
    st.markdown("#### Over the held-out reviews")
    key = f"half scores {info.name} {info.fingerprint} {fill}"
    found: HalfScores | None = work.draw(key)
    if found is None:
        if work.is_idle(key):
            st.markdown("One text says little of a network: how often would each half be right, and with what order?")
            if st.button("Judge the held-out reviews", key=MANY, help="About 5 s on two cores."):
                work.start(
                    key, "Judging the held-out reviews",
                    lambda progress: cache_compare_price.half_scores(
                        info.name, info.fingerprint, fill, _progress=progress
                    ),
                )  # fmt: skip
                st.rerun()
        return
    st.markdown(told_many(found))
    rows = [
        (name, f"<b>{share:.3f}</b>", f"{low:.3f} to {high:.3f}", f"{same:.0%}")
        for name, share, (low, high), same in zip(
            _READERS, found.accuracy, found.interval, found.same, strict=True
        )
    ]  # fmt: skip
    twins = cache_compare_price.twins(info.name, info.fingerprint)
    record = cache_compare_price.record(twins[0], cache.model_info(twins[0]).fingerprint) if twins else None
    if record is not None and record.test_accuracy == record.test_accuracy and "starter" in record.trained_on:
        name = f"{html.escape(visible(twins[0]))}, forward only"
        rows.append((name, f"<b>{record.test_accuracy:.3f}</b>", "by its own record", ""))
    st.html(_table(("", "right", "95 % interval", "same verdict as both"), rows))
    st.caption(
        f"{len(found.texts):,} reviews, each with one order of its words drawn at random; the half that is left out is "
        + ("its mean over these reviews." if found.fill == "mean" else "zero.")
    )
    take_away.offer_alone(
        "halves-many", f"{info.name.replace('/', '-')}-halves", found,
        "No bundle: these numbers come from many texts; `api.score_halves` makes them again.",
    )  # fmt: skip


def told_many(found: HalfScores) -> str:
    """What the shares say, as Markdown."""
    both, forward, backward, forward_moved, backward_moved = found.accuracy
    stronger, weaker = ("forward", "backward") if forward >= backward else ("backward", "forward")
    high, low = max(forward, backward), min(forward, backward)
    moved = {"forward": both - forward_moved, "backward": both - backward_moved}
    more = max(moved, key=moved.__getitem__)
    return (
        f"Both halves are right in {both:.1%}; the **{stronger}** half alone in {high:.1%}, the {weaker} half alone in "
        f"{low:.1%}. Shuffling its past costs the {more} half most: {100 * moved[more]:.1f} points."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as HTML; cells are escaped already."""
    heads = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table class='apart'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f"{_STYLE}<div style='overflow-x:auto'>{table}</div>"
