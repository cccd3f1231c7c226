"""Verdicts of all models on one axis, a strip of words each on one scale, and their states and gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core import api, palette
from explorer_core.errors import ExplorerError
from explorer_core.numerals import nice_limit, number
from explorer_core.results import (
    Exportable,
    GradientReach,
    ScoreComparison,
    StateLines,
    TextComparison,
    WordAttribution,
    softmax,
)
from explorer_core.text import visible
from pages._ui import (
    cache,
    cache_compare,
    cache_gradients,
    compared,
    figures,
    messages,
    rereading,
    scored,
    strip,
    take_away,
)
from pages._ui.compared import Desk

SECTION = {
    "label": "This text",
    "question": "How does each network read this text?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}
BELOW, STATES = "compare_below", "compare_states"  # keys, and names in the address
VERDICT, CHART = "compare_verdict", "compare_below_chart"
GROUP = "compare"  # elements that choose a word together
BUNDLE = "Reproduce bundle (zip)"
_BELOW = ("Verdict after each word", "Scores of the words", "States and gates", "Reach of the gradient")
_QUANTITIES = {"How far each word moves the state": "move", "Gate that keeps": "keep", "Gate that writes": "write",
               "Size of the state": "size"}  # fmt: skip


def draw(desk: Desk) -> None:
    """Verdicts on one axis, and below them one thing at a time."""
    if not compared.needs(desk, 1, "their verdicts word by word, on one axis."):
        return
    left_out: list[str] = []
    with st.spinner("Reading the text. The first time after a start takes a few seconds."):
        read = [info for info in desk.models if _can_read(info, desk.text, left_out)]
        ready = [info for info in read if rereading.may_read(info, desk.text)]
        found = None
        if ready:
            found = api.compare_running([cache_compare.running(info, desk.text) for info in ready], desk.target)
    for sentence in left_out:
        st.warning(messages.plain(sentence))
    if found is not None:
        draw_verdicts(desk, found)
    waiting = [info for info in read if info not in ready]
    if waiting:
        rereading.offer(waiting, desk.text)
    if not read:
        return
    chosen = st.segmented_control(
        "Below", _BELOW, default=_BELOW[0], required=True, key=BELOW, bind="query-params", label_visibility="collapsed"
    )
    if chosen == _BELOW[1]:
        draw_scores(desk, read)
    elif chosen == _BELOW[2]:
        draw_states(desk, read)
    elif chosen == _BELOW[3]:
        draw_reach(desk, read)
    elif found is not None:
        draw_strips(desk, ready, found)


def _can_read(info: cache.ModelInfo, text: str, left_out: list[str]) -> bool:
    try:
        cache.reading(info.name, info.fingerprint, text)
    except ExplorerError as error:
        left_out.append(f"{info.name} is not drawn. {error}")
        return False
    return True


# Verdicts -----------------------------------------------------------------------------------------------------------


def draw_verdicts(desk: Desk, found: TextComparison) -> None:
    """All running verdicts on one axis, and a line of the table for each."""
    from explorer_core.views import running_verdict

    names = desk.short_names
    lines = [
        running_verdict.VerdictLine(names[model], architecture, probs[: _end(probs)], logits[: _end(probs)])
        for model, architecture, probs, logits in zip(
            found.models, found.architectures, found.running_probs, found.running_logits, strict=True
        )
    ]
    shown: dict[str, Any] = {
        "target": found.target,
        "target_label": visible(desk.labels[found.target])[:60],
        "labels": desk.labels,
    }
    figures.chart(
        running_verdict.render(lines, found.words, **shown), VERDICT,
        running_verdict.alt_text(lines, found.words, **shown),
    )  # fmt: skip
    figures.how_to_read("running_verdict")
    probs = softmax(found.logits)
    rows = [
        {
            "Model": model,
            "Verdict": visible(desk.labels[probs[index].argmax()]),
            "Probability": float(probs[index].max()),
            "Decided at word": f"{found.decided[index] + 1} {visible(found.words[found.decided[index]])[:40]}",
            "Words read": int(np.isfinite(found.running_logits[index]).all(-1).sum()),
        }
        for index, model in enumerate(found.models)
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True,
        column_config={"Probability": st.column_config.NumberColumn(format="%.3f")},
        alt="The verdict of each model over the whole text, and the word since which it leads.",
    )  # fmt: skip


def _end(probs: np.ndarray) -> int:
    """How many words a line covers: those up to the last that was read."""
    return int(np.flatnonzero(np.isfinite(probs).all(-1))[-1]) + 1


def draw_strips(desk: Desk, ready: Sequence[cache.ModelInfo], found: TextComparison) -> None:
    """The words once for each model, with its verdict after each of them, on one scale."""
    scale = strip.verdict_scale(desk.labels, found.target)
    colors = palette.class_colors(desk.labels)
    probs = softmax(found.logits)
    for index, info in enumerate(ready):
        reading = cache.reading(info.name, info.fingerprint, desk.text)
        winner = int(probs[index].argmax())
        decided = int(found.decided[index])
        strip.word_strip(
            f"compare_strip_{index}", found.words, found.running_probs[index, :, found.target], scale=scale,
            group=GROUP, reading=reading if reading.words == found.words else None,
            headline=strip.Headline(
                f"{desk.short_names[info.name]}: {desk.labels[winner]}", number(float(probs[index, winner])),
                colors[winner], f"leading since word {decided + 1}, “{visible(found.words[decided])[:40]}”",
            ),
            notes=reading.notes, charts=(VERDICT,), view="words",
            label=f"Words of the text, with the verdict of {info.name}",
        )  # fmt: skip
    models: Mapping[cache.ModelInfo, take_away.Result] = {
        info: (cache_compare.running(info, desk.text), {}) for info in ready
    }
    offer(desk, "compare-verdicts", found, models, ("trace_running", "compare_running", {"target": found.target}))


# Scores -------------------------------------------------------------------------------------------------------------


def draw_scores(desk: Desk, infos: Sequence[cache.ModelInfo]) -> None:
    """Scores of the words by one method and one tolerance for all, on one scale."""
    looks = [desk.look(info) for info in infos]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        wish = scored.pick_common(looks)
    asked = [(look, scored.scores(look, wish, place=look.info.name)) for look in looks]
    there = [(look, one) for look, one in asked if one is not None]
    if not there:
        return
    found = api.compare_scores([one for _, one in there])
    largest = nice_limit(max(float(np.abs(one.scores).max(initial=0.0)) for _, one in there))
    scale = scale_of(there[0][1], largest)
    colors = palette.class_colors(desk.labels)
    for index, (look, one) in enumerate(there):
        predicted = int(one.logits.argmax())
        gap = "" if one.relative_gap is None else f", scores miss {number(100 * one.relative_gap)} % of its move"
        strip.word_strip(
            f"compare_scores_{index}", found.aligned.words, found.scores[index], scale=scale, group=GROUP,
            reading=one.reading if one.reading.words == found.aligned.words else None,
            headline=strip.Headline(
                f"{desk.short_names[look.info.name]}: {one.labels[predicted]}",
                number(float(softmax(one.logits)[predicted])), colors[predicted],
                f"logit of {visible(one.target_label)[:40]} is {number(one.value, signed=True)}{gap}",
            ),
            notes=one.reading.notes, charts=(VERDICT,), view="words",
            label=f"Words of the text, with their scores in {look.info.name}",
        )  # fmt: skip
    st.caption(
        "One scale for all: a network with larger logits has larger bars. The section **Difference** puts two on equal "
        "footing."
    )
    draw_likeness(desk, found)
    models: Mapping[cache.ModelInfo, take_away.Result] = {
        look.info: (one, {"method": one.method, "target": one.target, **one.knobs}) for look, one in there
    }
    offer(desk, "compare-scores", found, models, ("attribute", "compare_scores", {}))


def draw_likeness(desk: Desk, found: ScoreComparison) -> None:
    """How alike every two of the models rank the words."""
    if len(found.models) < 2:
        return
    names = [desk.short_names[model] for model in found.models]
    st.markdown("#### How alike they rank the words")
    table = pd.DataFrame(found.taus, columns=names)
    table.insert(0, "Model", names)
    st.dataframe(
        table, hide_index=True, width="content", alt="Kendall's tau of the scores of every two models.",
        column_config={name: st.column_config.NumberColumn(format="%+.3f") for name in names},
    )  # fmt: skip
    st.caption(
        "Kendall's tau-b over the words both read, from −1 (turned round) to +1 (alike)"
        f"{'' if found.signed else ', of sizes, because the method has no sign'}."
    )


def scale_of(found: WordAttribution, largest: float) -> strip.Scale:
    """The scale of a method's scores in the colours of the classes."""
    label = visible(found.target_label)[:60]
    if not found.signed:
        return strip.Scale(0.0, largest, 0.0, f"Bars: {found.unit}, without a sign", palette.PURPLE, palette.PURPLE)
    colors = palette.class_colors(found.labels)
    other = colors[1 - found.target] if len(colors) == 2 else palette.GREY
    return strip.Scale(-largest, largest, 0.0, f"Bars: {found.unit} for or against {label}", other,
                       colors[found.target], signed=True, pivot_name="0")  # fmt: skip


# States and gradients -----------------------------------------------------------------------------------------------


def draw_states(desk: Desk, infos: Sequence[cache.ModelInfo]) -> None:
    """One quantity of the states or gates of all models that have it."""
    from explorer_core.views import state_lines

    if st.session_state.get(STATES) not in (None, *_QUANTITIES):
        del st.session_state[STATES]
    chosen = st.selectbox("Quantity", list(_QUANTITIES), key=STATES, bind="query-params", width=330)
    quantity = _QUANTITIES[chosen or next(iter(_QUANTITIES))]
    looks = {info: desk.look(info) for info in infos}
    try:
        found: StateLines = api.compare_states_of_text([look.trace for look in looks.values()], quantity)
    except ExplorerError as error:
        st.info(f"{messages.plain(str(error))} Choose a network that has it, or another quantity.")
        return
    names = [desk.short_names[model] for model in found.models]
    figures.chart(state_lines.render(found, names=names), CHART, state_lines.alt_text(found, names=names))
    if found.left_out:
        st.caption(f"Without such a quantity: {messages.plain(', '.join(found.left_out))}.")
    figures.how_to_read("state_lines")
    models = {info: look.trace for info, look in looks.items()}
    offer(desk, "compare-states", found, models, ("trace_states", "compare_states_of_text", {"quantity": quantity}))


def draw_reach(desk: Desk, infos: Sequence[cache.ModelInfo]) -> None:
    """How far back the gradient of each model reaches."""
    from explorer_core.views import gradient_reach

    traces = {info: cache_gradients.gradients(info.name, info.fingerprint, desk.text, desk.target) for info in infos}
    found: GradientReach = api.compare_reach(list(traces.values()))
    names = [desk.short_names[model] for model in found.models]
    figures.chart(gradient_reach.render(found, names=names), CHART, gradient_reach.alt_text(found, names=names))
    figures.how_to_read("gradient_reach")
    models = {info: (trace, {"target": trace.target}) for info, trace in traces.items()}
    offer(desk, "compare-reach", found, models, ("trace_gradients", "compare_reach", {}))


# Taken away ---------------------------------------------------------------------------------------------------------


def offer(
    desk: Desk,
    key: str,
    found: Exportable,
    models: Mapping[cache.ModelInfo, take_away.Result],
    made_by: tuple[str, str, Mapping[str, Any]],
) -> None:
    """What is shown, to be taken away, with a bundle that computes every model's numbers and the comparison again.

    Args:
        desk: What the section is given.
        key: Of the buttons, and beginning of the files' names.
        found: The comparison.
        models: What each model gave.
        made_by: The call that made each of these, the call that compared them, and its other arguments.
    """
    call, comparison, arguments = made_by
    made = [
        [take_away.as_made(call, *(result if isinstance(result, tuple) else (result,)))] for result in models.values()
    ]
    came_out = [api.Compared(comparison, call, arguments, found)]
    more = {BUNDLE: take_away.bundle_of_several(list(models), desk.text, made, came_out)}
    take_away.offer_alone(key, key, found, take_away.SEVERAL, more)
