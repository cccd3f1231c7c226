"""The text on the page Gradients: under each word, how strongly the logit, or the loss, hangs on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer_core import palette
from explorer_core.numerals import number
from explorer_core.results import Connectivity, GradientTrace
from explorer_core.text import visible
from pages._ui import cache_gradients, inside, linked, messages, state, strip
from pages._ui.look import Look

GROUP = "gradients"  # elements that choose a word together
STRIP, LINES, GATES = "gradients_strip", "gradients_lines", "gradients_gates"
VANISHING, SPECTRUM = "gradients_vanishing", "gradients_spectrum"
# keys of charts over words, which show a line at the chosen word
CHARTS: tuple[str, ...] = (LINES, GATES, VANISHING, SPECTRUM)
OF, LABEL = "of", "label"  # keys, and names in the address
_OF = {"logit": "Logit of the target class", "loss": "Loss with a label"}


@dataclass(frozen=True)
class Asked:
    """Which number y is differentiated: the logit of a class, or the loss with that class as its right label."""

    of: str
    target: int

    @property
    def arguments(self) -> dict[str, int | str]:
        """What `api.trace_gradients` takes."""
        return {"of": "loss", "label": self.target} if self.of == "loss" else {"target": self.target}


def draw(look: Look, *, of_loss: bool = False) -> int | None:
    """The text with the size of the gradient under each word; returns the chosen word.

    Args:
        look: What is looked at.
        of_loss: Whether the loss may be asked for instead of the logit.
    """
    wish = pick(look) if of_loss else Asked("logit", look.target)
    found = gradients(look, wish)
    sizes = found.embedding_norm_by_word
    top = float(sizes.max(initial=0.0)) or 1.0
    text = f"Bars: size of the gradient of {name_of(found)} by the word's vector (L2 norm)"
    chosen = strip.word_strip(
        STRIP, found.words, sizes, scale=strip.Scale(0.0, top, 0.0, text, palette.PURPLE, palette.PURPLE),
        group=GROUP, reading=found.reading, token_values=found.embedding_norm, headline=_headline(found),
        notes=found.reading.notes, selected=int(np.argmax(sizes)), charts=CHARTS,
        reveals=True,
    )  # fmt: skip
    if state.target() not in (None, *found.labels):
        wanted = visible(str(state.target()))[:60]
        st.caption(messages.plain(f"This model has no class {wanted}; shown is {visible(found.target_label)[:60]}."))
    return chosen


def draw_row(look: Look, found: Connectivity, row: int, top: float) -> None:
    """The text with, under each word, how strongly the verdict after one word depends on it.

    Args:
        look: What is looked at.
        found: Its connectivity.
        row: The word the text stops at; those after it have no bar.
        top: End of the scale, the same for all rows.
    """
    sizes = np.where(np.arange(len(found.words)) <= row, found.strength[row], np.nan)
    stop = f"word {row + 1}, “{visible(found.words[row])[:40]}”"
    label = visible(found.target_label)[:60]
    text = f"Bars: size of the gradient of the logit of {label} after {stop}, by each word's vector (L2 norm)"
    scale = strip.Scale(0.0, top, 0.0, text, palette.PURPLE, palette.PURPLE, missing="–")
    strip.word_strip(
        STRIP, found.words, sizes, scale=scale, group=GROUP, reading=found.reading,
        headline=_headline(gradients(look, Asked("logit", look.target))), notes=found.reading.notes,
        selected=len(found.words) - 1, charts=CHARTS,
    )  # fmt: skip


def pick(look: Look) -> Asked:
    """The choice of what is differentiated; a label is asked for with the loss only."""
    labels = look.trace.labels
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        inside.take_by_name(OF, _OF)
        if st.session_state.get(OF) not in (None, *_OF):
            del st.session_state[OF]
        of = st.segmented_control(
            "Gradient of", list(_OF), default="logit", required=True, key=OF, bind="query-params",
            format_func=_OF.__getitem__,
            help="Logit: the raw score of the target class, chosen in the sidebar. Loss: the cross entropy in nats if "
            "the label were right; its gradient is what training follows, and it fades where the verdict is sure.",
        )  # fmt: skip
        if of == "loss":
            if st.session_state.get(LABEL) not in (None, *labels):
                del st.session_state[LABEL]  # a label of another model
            st.selectbox(
                "Right label", list(labels), index=look.target, key=LABEL, bind="query-params", width=200,
                help="The class that would be right.",
            )  # fmt: skip
    return asked(look)


def asked(look: Look) -> Asked:
    """What is differentiated in a section that lets it be chosen."""
    label = st.session_state.get(LABEL)
    if st.session_state.get(OF) != "loss":
        return Asked("logit", look.target)
    return Asked("loss", look.trace.labels.index(label) if label in look.trace.labels else look.target)


def gradients(look: Look, wish: Asked) -> GradientTrace:
    """The gradients of the text, from the cache."""
    return cache_gradients.gradients(*look.key, wish.target, wish.of)


def name_of(found: GradientTrace) -> str:
    """What is differentiated, such as `the logit of positive`."""
    label = visible(found.target_label)[:60]
    return f"the loss with label {label}" if found.of == "loss" else f"the logit of {label}"


def chosen_word(look: Look, wish: Asked | None = None) -> int | None:
    """The word chosen last in this text, at first the one the number hangs on most."""
    found = gradients(look, wish or Asked("logit", look.target))
    return linked.chosen_word(GROUP, found.words, int(np.argmax(found.embedding_norm_by_word)))


def _headline(found: GradientTrace) -> strip.Headline:
    predicted = int(found.logits.argmax())
    unit = " nats" if found.of == "loss" else ""
    return strip.Headline(
        label=found.labels[predicted],
        value=number(float(found.probs[predicted])),
        color=palette.class_colors(found.labels)[predicted],
        more=f"{name_of(found)} is {number(found.value, signed=found.of == 'logit')}{unit}",
    )
