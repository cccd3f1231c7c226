"""How to read a gradient: the chain rule with the numbers of one unit at one word, and what a small one means."""

from __future__ import annotations

import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import GradientStep, RecurrentTrace
from explorer_core.text import visible
from pages._ui import equations, messages

_SOURCES = (
    "Sources: [Bengio, Simard and Frasconi 1994](https://doi.org/10.1109/72.279181), Learning long-term dependencies "
    "with gradient descent is difficult. [Pascanu, Mikolov and Bengio 2013](https://arxiv.org/abs/1211.5063), On the "
    "difficulty of training recurrent neural networks. [Zucchet and Orvieto 2024](https://arxiv.org/abs/2405.21064), "
    "Recurrent neural networks: vanishing and exploding gradients are not the end of the story."
)
_MEANS = (
    "**A small gradient means** that a small nudge right there hardly moves this number. In training, that place then "
    "adds next to nothing to the step the weights take: what the network should have done there is hardly learned from "
    "this text. In a chain of many steps each factor below 1 shrinks what comes back, and each above 1 makes it grow "
    "(Bengio et al. 1994, Pascanu et al. 2013)."
)
_MEANS_NOT = (
    "**It does not mean** that the word is forgotten, or that it did not matter. Memory is not gradient: a state can "
    "keep a word to the end where this logit does not look for it, a gate or a tanh at its end lets nothing through "
    "although it decided the verdict, and the loss of a sure verdict has a small gradient everywhere. Nor is a "
    "gradient that neither vanishes nor explodes the end of the story: the longer a network remembers, the more its "
    "output moves with each change of its weights, so that learning gets harder still (Zucchet and Orvieto 2024). "
    "What is kept is measured on the page States, under Memory, by swapping words."
)
_MEANS_NOT_BERT = (
    "**It does not mean** that the word did not matter: a gradient is about nudges, not about taking the word away, "
    "and the loss of a sure verdict has a small gradient everywhere. A BERT has no chain through time: every word "
    "reaches the verdict in as many steps as there are layers, so distance in the text shrinks nothing by itself. In "
    "the last layer the head reads [CLS] alone, and every other vector there has the gradient 0."
)


def draw(step: GradientStep, trace: RecurrentTrace) -> None:
    """The sums of a step with its numbers, and a sentence on what they come to."""
    st.html(equations.draw(step))
    st.caption(messages.plain(f"{sentence(step, trace)} {after(step, trace)} {_signs(trace)}"))


def draw_meaning(*, is_recurrent: bool) -> None:
    """What a small gradient means and does not mean, with its sources."""
    left, right = st.columns(2, gap="large")
    left.markdown(_MEANS)
    right.markdown(_MEANS_NOT if is_recurrent else _MEANS_NOT_BERT)
    st.caption(_SOURCES)


def sentence(step: GradientStep, trace: RecurrentTrace) -> str:
    """What the numbers say: how the number moves with a nudge, and along which way."""
    first = step.equations[0]
    what = "cell" if trace.cell is not None else "state"
    y = f"the {'loss with label' if step.of == 'loss' else 'logit of'} {visible(step.target_label)[:40]}"
    moved = number(abs(first.left) / 100)
    way = "would not move" if first.left == 0 else f"would {'rise' if first.left > 0 else 'fall'} by about {moved}"
    told = f"If unit {step.unit} held 0.01 more in its {what} here, {y} {way}."
    if len(first.worked) == 2 and trace.cell is not None and not step.is_last:
        through, at_once = first.worked.values()
        kept = step.value("∂y/∂c: f₊₁")
        told += (
            f" {number(through / 100, signed=True)} of that goes through the next cell, which keeps "
            f"{number(100 * kept)} % (f₊₁), and {number(at_once / 100, signed=True)} through this word's hidden state."
        )
    return told


def after(step: GradientStep, trace: RecurrentTrace) -> str:
    """What stands behind the symbols with ₊₁, as plain text."""
    if step.pos_after is None:
        end = "at the beginning of the text" if step.direction else "at the end of the text"
        return (
            f"Nothing is read after this word ({end}): all that is marked ₊₁ is 0, and the chain begins here. Choose a "
            "word that is read earlier to see what comes back to it."
        )
    token = visible(trace.tokens[step.pos_after])[:24]
    word = int(trace.word_of_token[step.pos_after])
    way = " This direction reads from the last word to the first." if step.direction else ""
    if word < 0:
        name = f"the special token “{token}”"
    elif word == step.word:
        name = f"the token “{token}” of the same word"
    else:
        name = f"“{visible(trace.words[word])[:24]}” (word {word + 1})"
    return f"₊₁ stands for the next step, {name}.{way}"


def _signs(trace: RecurrentTrace) -> str:
    gates = "each gate at the next step, which reads this state"
    if not trace.gate_names:
        gates = "the units of the next state, of which the strongest is written out"
    return (
        f"y is the number that is differentiated; the sums run over {gates}. Left is what the walk back through the "
        "whole text found, right the sum of this one step, worked out again from the traces and the weights."
    )
