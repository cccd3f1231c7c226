"""Checkpoints: the same text at every saved epoch of a run, and when the run learned what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.errors import NotFoundError
from explorer_core.numerals import nice_limit, number
from explorer_core.palette import class_colors
from explorer_core.results import Checkpoint, CheckpointTrace, Connectivity, PairHistory
from explorer_core.text import visible
from pages._ui import (
    cache_checkpoints,
    figures,
    gradient_strip,
    linked,
    messages,
    rereading,
    state,
    strip,
    take_away,
    work,
)
from pages._ui.look import Look
from pages._ui.widgets import duration

SECTION = {
    "label": "Checkpoints",
    "question": "How did the verdict come about, epoch by epoch?",
    "kinds": ("recurrent", "transformer"),
    "order": 50,
    "own_strip": True,
}
EPOCH, LAYER, DIRECTION = "epoch", "epoch_layer", "epoch_direction"
STRIP, VERDICT, CHANGES, GATES = "epoch_strip", "epoch_verdict", "epoch_changes", "epoch_gates"
MAP, PAIRS = "epoch_connectivity", "epoch_pairs"
CHARTS = (VERDICT, CHANGES, GATES)  # keys of charts over words, which show a line at the chosen word
_MOST_CHANGES = 3  # words named in the sentence


def draw(look: Look) -> None:
    """The slider over the epochs, everything that moves with it, and the pairs."""
    found = list_whole(look)
    if not found:
        return
    steps = tuple(one.step for one in found)
    read = read_text_at(look, steps)
    if read is None:
        return
    trace, problems = read
    for problem in problems:
        st.caption(messages.plain(problem))
    index = pick_epoch(trace)
    draw_strip(trace, index)
    draw_lines(trace, index)
    draw_inside(look, trace, index, steps)
    pairs = draw_pairs(look, steps, index if len(trace.step) == len(steps) else None)
    offer(look, trace, [one for one in found if one.step in trace.step.tolist()][index], pairs)


# Which, and reading them --------------------------------------------------------------------------------------------


def list_whole(look: Look) -> list[Checkpoint]:
    """The checkpoints of the run that can be read; what cannot, and why there are none, is said."""
    try:
        found = api.list_checkpoints(look.info.name)
    except NotFoundError as error:
        st.info(messages.plain(str(error)))
        return []
    whole = [one for one in found if not one.problem]
    for one in found:
        if one.problem:
            st.caption(messages.plain(one.problem))
    if not whole:
        with st.container(border=True):
            st.markdown(
                f"**{messages.plain(look.info.name)} has no checkpoint that can be read.** A run keeps one after every "
                "epoch, as many as fit into its share of the disk; a model that was imported comes without. Train one "
                "for a few epochs to see here how its verdict came about."
            )
            st.page_link("pages/models.py", label="Train a model")
    return whole


def read_text_at(look: Look, steps: tuple[int, ...]) -> tuple[CheckpointTrace, tuple[str, ...]] | None:
    """The text at every checkpoint; read at once where that is quick, else when it is asked for."""
    mapped = is_mapped(look)
    found = cache_checkpoints.read(look, steps, mapped=mapped)
    key = cache_checkpoints.reading_key(look, steps, mapped=mapped)
    if found is not None or not work.is_idle(key):
        return found
    if work.task(key) is None and not rereading.is_costly(look.info, look.text):
        cache_checkpoints.begin_reading(look, steps, mapped=mapped)
        found = cache_checkpoints.read(look, steps, mapped=mapped)
    elif st.button(f"Read the text at {len(steps)} checkpoints", key="epoch_read"):
        cache_checkpoints.begin_reading(look, steps, mapped=mapped)
        st.rerun()
    return found


def is_mapped(look: Look) -> bool:
    """Whether connectivity comes with the rest: one walk back a checkpoint, of a text that is not too long."""
    return not look.info.rereads and len(look.trace.words) <= cache_checkpoints.MOST_MAPPED_WORDS


def pick_epoch(trace: CheckpointTrace) -> int:
    """Index of the chosen checkpoint; asked only where there is a choice."""
    names = [_name(trace, index) for index in range(len(trace.step))]
    if len(names) < 2:
        st.caption(
            f"Only one checkpoint of this run was kept ({names[0]}): it was trained for one epoch, or more did not fit "
            "into its share of the disk."
        )
        return 0
    chosen = st.session_state[EPOCH] if EPOCH in st.session_state else st.query_params.get(EPOCH)
    if chosen not in names:
        st.session_state[EPOCH] = names[-1]
    picked = st.select_slider(
        "Saved epoch", names, key=EPOCH, bind="query-params",
        help="Everything below is the network as it was after this epoch.",
    )  # fmt: skip
    return names.index(picked)


# What moves with it -------------------------------------------------------------------------------------------------


def draw_strip(trace: CheckpointTrace, index: int) -> None:
    """The text with the verdict after each word at the chosen epoch."""
    probs, target = trace.running_probs[index], trace.target  # [word, class]
    predicted = int(probs[-1].argmax())
    strip.word_strip(
        STRIP, trace.words, probs[:, target], scale=strip.verdict_scale(trace.labels, target),
        group=gradient_strip.GROUP, reading=trace.reading, notes=trace.reading.notes, selected=first_word(trace, index),
        headline=strip.Headline(
            label=trace.labels[predicted], value=number(float(probs[-1, predicted])),
            color=class_colors(trace.labels)[predicted], more=f"at {_name(trace, index)}",
        ),
        charts=CHARTS,
    )  # fmt: skip
    st.markdown(changes_in_words(trace, index))


def first_word(trace: CheckpointTrace, index: int) -> int:
    """The word chosen before anyone clicks: the one that changed most."""
    return int(np.abs(trace.changes(index) if index else trace.word_steps[0]).argmax())


def changes_in_words(trace: CheckpointTrace, index: int) -> str:
    """What changed since the epoch before, as Markdown: the words that gained and lost most, and the chosen one."""
    label = messages.plain(visible(trace.target_label)[:40])
    steps, changes = trace.word_steps, trace.changes(index)
    if not index:
        most = int(np.abs(steps[0]).argmax())
        return (
            f"This is the first epoch that was saved. The word that moves the logit of {label} most is "
            f"{_quoted(trace, most)}, by {number(float(steps[0, most]), signed=True)}."
        )
    order = [int(word) for word in np.argsort(-np.abs(changes), kind="stable")[:_MOST_CHANGES] if changes[word]]
    before = _name(trace, index - 1)
    if not order:
        return f"No word moves the logit of {label} otherwise than at {before}."
    parts = [
        f"{_quoted(trace, word)} gained {number(float(changes[word]), signed=True)}"
        if changes[word] > 0
        else f"{_quoted(trace, word)} lost {number(-float(changes[word]))}"
        for word in order
    ]
    said = f"Since {before}, in the logit of {label}: {', '.join(parts)}."
    word = linked.chosen_word(gradient_strip.GROUP, trace.words, first_word(trace, index))
    if word is not None:
        said += (
            f" Reading {_quoted(trace, word)} now moves it by {number(float(steps[index, word]), signed=True)} "
            f"({before}: {number(float(steps[index - 1, word]), signed=True)})."
        )
    return said


def draw_lines(trace: CheckpointTrace, index: int) -> None:
    """Verdict and gradient at every epoch, and the change since the one before."""
    from explorer_core.views import checkpoint_changes, checkpoint_verdict

    figures.chart(
        checkpoint_verdict.render(trace, index=index), VERDICT, checkpoint_verdict.alt_text(trace, index=index)
    )
    figures.how_to_read("checkpoint_verdict")
    if len(trace.step) > 1:
        st.markdown("#### What changed since the epoch before")
        figures.chart(
            checkpoint_changes.render(trace, index=index), CHANGES, checkpoint_changes.alt_text(trace, index=index)
        )
        figures.how_to_read("checkpoint_changes")


def draw_inside(look: Look, trace: CheckpointTrace, index: int, steps: tuple[int, ...]) -> None:
    """Gates and connectivity at the chosen epoch."""
    if trace.state_names:
        draw_gates(trace, index)
    st.markdown("#### Which words each verdict rests on")
    if len(trace.words) > cache_checkpoints.MOST_MAPPED_WORDS:
        st.caption(
            f"For texts of more than {cache_checkpoints.MOST_MAPPED_WORDS:,} words connectivity is not kept for every "
            "epoch; the section Connectivity has it for the trained model."
        )
        return
    mapped = trace if trace.strength is not None else ask_for_map(look, steps)
    if mapped is not None:
        draw_map(mapped, index)


def draw_gates(trace: CheckpointTrace, index: int) -> None:
    """Every gate in the mean over the units."""
    from explorer_core.views import checkpoint_gates

    st.markdown("#### The gates" if trace.state_names != ("hidden",) else "#### The hidden state")
    n_layers, n_directions = trace.state_mean.shape[1:3]
    layer = direction = 0
    with st.container(horizontal=True, gap="medium"):
        if n_layers > 1:
            options = [str(one + 1) for one in range(n_layers)]
            layer = options.index(st.selectbox("Layer", options, index=n_layers - 1, key=LAYER, width=140))
        if n_directions > 1:
            ways = list(trace.directions)
            direction = ways.index(st.selectbox("Direction", ways, key=DIRECTION, width=160))
    place = {"index": index, "layer": layer, "direction": direction}
    figures.chart(checkpoint_gates.render(trace, **place), GATES, checkpoint_gates.alt_text(trace, **place))
    figures.how_to_read("checkpoint_gates")


def ask_for_map(look: Look, steps: tuple[int, ...]) -> CheckpointTrace | None:
    """Connectivity of a network that reads every beginning anew: offered, and drawn once it was asked for."""
    found = cache_checkpoints.read(look, steps, mapped=True)
    if found is not None:
        return found[0]
    if work.is_idle(cache_checkpoints.reading_key(look, steps, mapped=True)):
        st.caption(
            f"{look.info.family} reads every beginning of the text anew for this, at each of {len(steps)} checkpoints."
        )
        if st.button("Find it at every epoch", key="epoch_map"):
            cache_checkpoints.begin_reading(look, steps, mapped=True)
            st.rerun()
    return None


def draw_map(trace: CheckpointTrace, index: int) -> None:
    """Words by words at the chosen epoch."""
    from explorer_core.views import connectivity

    assert trace.strength is not None
    found = Connectivity(
        model=trace.model, architecture=trace.architecture, labels=trace.labels, fingerprint=trace.fingerprints[index],
        reading=trace.reading, target=trace.target, strength=trace.strength[index],
    )  # fmt: skip
    top = nice_limit(float(trace.strength.max(initial=0.0)))  # one scale for all epochs
    figures.chart(connectivity.render(found, top=top, height=520), MAP, connectivity.alt_text(found))
    figures.how_to_read("connectivity")


# When it learned what -----------------------------------------------------------------------------------------------


def draw_pairs(look: Look, steps: tuple[int, ...], index: int | None) -> PairHistory | None:
    """Pairs of the starter corpus judged right on both sides, by phenomenon and epoch; on a press."""
    from explorer_core.views import checkpoint_pairs

    st.markdown("#### When did it learn *not*?")
    key = cache_checkpoints.judging_key(look, steps)
    found: PairHistory | None = work.draw(key)
    if found is None:
        if work.is_idle(key):
            seconds = cache_checkpoints.judging_s(look.info.name, look.info.fingerprint) * len(steps)
            st.caption(
                "The starter corpus has pairs of reviews that differ by a small edit, such as a *not*, which turns "
                "the verdict. Pairs the run did not learn from are judged at every saved epoch: about "
                f"{duration(seconds)} on this machine."
            )
            if st.button("Judge the pairs at every epoch", key="epoch_judge"):
                cache_checkpoints.begin_judging(look, steps)
                st.rerun()
        return None
    st.markdown(learned_in_words(found))
    figures.chart(checkpoint_pairs.render(found, index=index), PAIRS, checkpoint_pairs.alt_text(found, index=index))
    figures.how_to_read("checkpoint_pairs")
    return found


def learned_in_words(found: PairHistory) -> str:
    """Which phenomena were learned, and from which epoch on, as Markdown."""
    learned: dict[int, list[str]] = {}
    open_ones: list[str] = []
    for name in found.names[1:]:
        at = found.learned(name)
        (learned.setdefault(at, []) if at is not None else open_ones).append(name.replace("_", " "))
    parts = [
        f"from epoch {found.epoch[at]:g} on {_listed(names)}" for at, names in sorted(learned.items())
    ]  # fmt: skip
    said = f"More than one pair in two, its whole 95 % interval above 0.5: {'; '.join(parts)}." if parts else ""
    if open_ones:
        said += f" Not so, or too few pairs to say: {_listed(open_ones)}."
    return messages.plain(said.strip())


def offer(look: Look, trace: CheckpointTrace, checkpoint: Checkpoint, pairs: PairHistory | None) -> None:
    """What is shown, to be taken away."""
    name, stem = _name(trace, trace.step.tolist().index(checkpoint.step)), f"{trace.model}-{checkpoint.step}"
    address = {key: value for key, value in st.query_params.to_dict().items() if key != state.TEXT}
    take_away.offer_alone(
        "epochs", f"{trace.model}-checkpoints", trace,
        f"Arrays and table hold every epoch. The bundle is of {name}, whose weights are found again by the name "
        f"{trace.model}@{checkpoint.step}; the pairs take no text, and come as a table.",
        {
            f"Reproduce bundle of {name} (zip)": (
                lambda: cache_checkpoints.bundle(look, checkpoint, address), f"{stem}-bundle.zip"
            ),
            **({} if pairs is None else {"Pairs (CSV)": (lambda: take_away.csv(pairs), f"{trace.model}-pairs.csv")}),
        },
    )  # fmt: skip


def _name(trace: CheckpointTrace, index: int) -> str:
    return f"epoch {trace.epoch[index]:.4g}"


def _quoted(trace: CheckpointTrace, word: int) -> str:
    return f"“{messages.plain(trace.words[word][:40])}”"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
