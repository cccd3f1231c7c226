"""Four chapters on what sets the architectures apart, each a text and a claim that the ready models are asked about.

A claim is not taken for granted: each chapter measures it on the networks at hand, says the numbers, and says so where
they do not bear it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.palette import family_label
from explorer_core.results import RunningVerdict, StateLines
from pages._ui import cache, cache_compare

Models = Mapping[str, cache.ModelInfo]
"""A ready model of each family, by the family's name."""


@dataclass(frozen=True)
class Told:
    """What a chapter found.

    Attributes:
        sentence: With its numbers, plain text.
        holds: Whether the networks at hand show what the chapter is about.
    """

    sentence: str
    holds: bool


@dataclass(frozen=True)
class Chapter:
    """One stop of the story.

    Attributes:
        label: On its button.
        claim: What is said of the family, one or two sentences.
        text: What is read.
        families: Whose verdicts are drawn; a chapter needs them all.
        picture: `reach`, `move`, `halves` or `scores`: the second picture.
        tell: Measures the claim: from the models, the text and the index of the positive class.
    """

    label: str
    claim: str
    text: str
    families: tuple[str, ...]
    picture: str
    tell: Callable[[Models, str, int], Told]


def running(info: cache.ModelInfo, text: str) -> RunningVerdict:
    """The verdict after every word, from the cache of the other sections."""
    return cache_compare.running(info, text)


def moves(models: Models, text: str) -> StateLines:
    """How far each word moves the state of each recurrent model."""
    traces = [cache.trace(info.name, info.fingerprint, text, False) for info in models.values()]
    return api.compare_states_of_text(traces, "move")


def forgets(models: Models, text: str, target: int) -> Told:
    """Whether the RNN ends elsewhere than the LSTM, because the last word of weight outshouts what came before it."""
    rnn, lstm = (running(models[name], text).running_probs[:, target] for name in ("rnn", "lstm"))
    gradients = [
        api.trace_gradients(cache.load(models[name].name, models[name].fingerprint), text, target)
        for name in ("rnn", "lstm")
    ]
    half = api.compare_reach(gradients).half_words
    return Told(
        f"The RNN ends at {number(float(rnn[-1]))} for positive, the LSTM at {number(float(lstm[-1]))}. Half of the "
        f"RNN's gradient lies in the last {half[0]} words, half of the LSTM's in the last {half[1]}.",
        bool(rnn[-1] - lstm[-1] > 0.2 and half[0] <= half[1]),
    )


def keeps(models: Models, text: str, target: int) -> Told:
    """Whether a word moves less of the LSTM's state than of the RNN's, and the verdict needs what was kept."""
    found = moves({name: models[name] for name in ("rnn", "lstm")}, text)
    rnn, lstm = (float(np.nanmean(row[1:])) for row in found.values)
    ends = [float(running(models[name], text).running_probs[-1, target]) for name in ("rnn", "lstm")]
    return Told(
        f"From one word to the next the RNN moves {100 * rnn:.0f} % of its state, the LSTM {100 * lstm:.0f} %. Here "
        f"the “Not” must wait until “dull” has come: the LSTM ends at {number(ends[1])} for positive, the RNN at "
        f"{number(ends[0])}.",
        bool(rnn > lstm + 0.05 and ends[1] > 0.5 > ends[0]),
    )


def looks_ahead(models: Models, text: str, target: int) -> Told:
    """Whether the backward half tells against a praise that the forward network falls for."""
    ends = [float(running(models[name], text).running_probs[-1, target]) for name in ("lstm", "bilstm")]
    info = models["bilstm"]
    halves = cache.halves(info.name, info.fingerprint, text, target)
    forward = float(halves.forward[halves.entries.last_token[-1], target])
    backward = float(halves.backward[halves.entries.first_token[0], target])
    return Told(
        f"The LSTM ends at {number(ends[0])} for positive. The BiLSTM ends at {number(ends[1])}: its forward half adds "
        f"{number(forward, signed=True)} to the logit, its backward half {number(backward, signed=True)}.",
        bool(ends[0] > 0.5 > ends[1] and backward < forward),
    )


def rereads(models: Models, text: str, target: int) -> Told:
    """Whether the last word of weight moves BERT and the RNN to different sides."""
    steps, ends = [], []
    for name in ("rnn", "bert"):
        probs = running(models[name], text).running_probs[:, target]
        steps.append(float(probs[2] - probs[1]))
        ends.append(float(probs[-1]))
    word = running(models["bert"], text).words[2]
    return Told(
        f"At “{word}” the RNN moves by {number(steps[0], signed=True)} toward positive, BERT by "
        f"{number(steps[1], signed=True)}: it reads “Hardly” again together with the new word. They end at "
        f"{number(ends[0])} and {number(ends[1])}.",
        bool(steps[0] > 0 > steps[1] and ends[0] > 0.5 > ends[1]),
    )


CHAPTERS = {
    "forgets": Chapter(
        "The RNN forgets",
        "A vanilla RNN writes its whole state anew at every word. What it read a few words ago is soon overwritten, "
        "and the newest strong word wins.",
        "It could have been great.",
        ("rnn", "lstm"),
        "reach",
        forgets,
    ),
    "keeps": Chapter(
        "The LSTM keeps",
        "An LSTM adds to a cell instead of rewriting it, and its forget gate decides how much of the past stays. So a "
        "word can wait in the memory until it is needed.",
        "Not a single dull moment.",
        ("rnn", "lstm"),
        "move",
        keeps,
    ),
    "looks_ahead": Chapter(
        "The BiLSTM looks ahead",
        "A BiLSTM has a second LSTM that begins at the last word. The verdict sees both: what a reader from the left "
        "falls for, the one from the right may have put in its place.",
        "What a waste of a brilliant cast.",
        ("lstm", "bilstm"),
        "halves",
        looks_ahead,
    ),
    "rereads": Chapter(
        "BERT re-reads",
        "BERT has no state to keep: with every new word it looks at all words again, each in the light of all others. "
        "One word can turn the meaning of those before it.",
        "Hardly a masterpiece.",
        ("rnn", "bert"),
        "scores",
        rereads,
    ),
}


def models_for(chapter: Chapter, chosen: tuple[cache.ModelInfo, ...]) -> tuple[Models, tuple[str, ...]]:
    """A ready model for each family of a chapter, the chosen ones first, then the starters; and what is missing."""
    ready = [*chosen, *(cache.model_info(card.name) for card in cache.ready_cards() if card.is_starter)]
    found: dict[str, cache.ModelInfo] = {}
    for info in ready:
        if len(info.labels) == 2 and "positive" in info.labels:
            found.setdefault(info.architecture, info)
    here = {name: found[name] for name in chapter.families if name in found}
    return here, tuple(family_label(name) for name in chapter.families if name not in found)
