"""The two halves of a bidirectional network: what each has read so far, and what each adds to the verdict."""

from __future__ import annotations

import functools

import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import BiLstmHalves
from pages._ui import cache, figures, messages, reading, sums, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Two halves",
    "question": "What does each half add to the verdict?",
    "kinds": ("recurrent",),
    "needs_backward": True,
    "order": 25,
}


def draw(look: Look) -> None:
    """Both halves over the words, and what they come to."""
    from explorer_core.views import halves as view

    found = cache.halves(*look.key, look.target)
    st.markdown(plain_reading(found))
    figures.chart(view.render(found), reading.HALVES, view.alt_text(found))
    figures.how_to_read("halves")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### The sum")
        sums.draw([sum_of(found)])
        if found.n_layers > 1:
            st.caption(
                f"This network has {found.n_layers} layers. The layers below the top one have read the whole text in "
                "both directions, so both halves of the top layer have already seen every word: the lines show where "
                "each half stands, not what it knows only from its side."
            )
    with right:
        st.markdown("#### What each half would decide alone")
        draw_alone(found)
    take_away.offer("halves", look, {"trace_halves": (found, {"target": look.target})},
                    figures={"halves": functools.partial(view.render, found)})  # fmt: skip


def plain_reading(found: BiLstmHalves) -> str:
    """One sentence from the numbers, as Markdown."""
    forward, backward = (float(value) for value in found.final[:, found.target])
    label = f"“{messages.plain(found.labels[found.target][:40])}”"
    more, less = ("forward", "backward") if abs(forward) >= abs(backward) else ("backward", "forward")
    sizes = {"forward": forward, "backward": backward}
    agree = "they pull the same way" if forward * backward > 0 else "they pull against each other"
    return (
        f"The {more} half moves the logit of {label} more ({number(sizes[more], signed=True)}) than the {less} half "
        f"({number(sizes[less], signed=True)}): {agree}."
    )


def sum_of(found: BiLstmHalves) -> sums.Sum:
    """Both halves and the bias against the logit of the target."""
    target = found.target
    forward, backward = (float(value) for value in found.final[:, target])
    left, right = forward + backward + float(found.bias[target]), float(found.logits[target])
    what = (
        f"forward {number(forward, signed=True)}, backward {number(backward, signed=True)}, bias "
        f"{number(float(found.bias[target]), signed=True)} = logit of {found.labels[target][:24]}"
    )
    return sums.Sum(what, left, right, abs(left - right))


def draw_alone(found: BiLstmHalves) -> None:
    """The class each half would choose with its share and the bias, beside the network's own."""
    rows = zip(("Forward half", "Backward half", "Both"), (*found.alone, found.probs), strict=True)
    for name, probs in rows:
        best = int(probs.argmax())
        st.markdown(f"{name}: **{messages.plain(found.labels[best][:40])}**, probability {number(float(probs[best]))}")
    st.caption("Softmax of the share of that half and the bias. The network was never trained to decide with one half.")
