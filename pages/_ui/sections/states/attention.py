"""What the attention heads of a BERT look at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core.numerals import nice_limit, number
from explorer_core.results import AttentionSummary, TransformerTrace
from pages._ui import cache, figures, heads, inside, messages, reading, take_away
from pages._ui.look import Look

SECTION = {
    "label": "Attention",
    "question": "What does each head look at?",
    "kinds": ("transformer",),
    "order": 20,
}
GRID, ONE, SUMMARY = "states_heads", "states_head", "states_head_summary"
HEAD, QUANTITY = "head", "quantity"  # keys, and names in the address
_HOW = (
    "Every small square is a head: rows look, columns are looked at, bright means much (colour follows the square root "
    "of the weight); upright stripes are words that everything looks at, diagonals are heads that look at neighbours. "
    "Click a head to enlarge it, a row to choose its word."
)
_NOT = (
    "Attention is not attribution: what a head looks at is not what the verdict rests on (Jain and Wallace 2019; "
    "Bastings and Filippova 2020). Heads often rest on [SEP] or punctuation when they have nothing to do."
)
_FORMULA = (
    "a = softmax(q · k / √d) over the keys; word to word: mean over the tokens that look, sum over those looked at"
)
_SOURCE = "Vaswani et al. 2017, Attention is all you need; Clark et al. 2019, What does BERT look at?"
_POOLED = (
    "This text has {} entries: a cell of a small square is the largest weight of a block of up to {} x {} of them."
)
_WORDS = (
    " A word of several tokens looks as its tokens do on average, and is given what they are given together, so that "
    "every row sums to 1."
)


def draw(look: Look) -> None:
    """The grid of heads, one head enlarged, every head in one number, and attention rollout."""
    _explore(look)


@st.fragment
def _explore(look: Look) -> None:
    from explorer_core.views import attention_rollout, head_summary

    trace = look.trace
    assert isinstance(trace, TransformerTrace)
    summary = cache.attention(*look.key, trace)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer, head = pick_head(summary)
        tokens = pick_entries()
    draw_heads(look, trace, summary, layer, head, tokens)
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        draw_summary(summary, layer, head)
    with right:
        draw_rollout(summary)
    take_away.offer(
        "attention",
        look,
        {"summarise_attention": summary},
        figures={
            "head_summary": lambda: head_summary.render(summary, layer=layer, head=head),
            "attention_rollout": lambda: attention_rollout.render(summary),
        },
    )


def pick_head(summary: AttentionSummary) -> tuple[int, int]:
    """Layer and head that are enlarged, from 0."""
    options = [heads.name_head(*place) for place in np.ndindex(*summary.entropy.shape)]
    clamp_head(summary, options)
    picked = st.selectbox(
        "Layer.head", options, key=HEAD, bind="query-params", width=140,
        help="The head enlarged below; a click in the grid chooses it too. 3.7 is layer 3, head 7; layers count from "
        "the words up.",
    )  # fmt: skip
    return heads.read_head(picked)


def clamp_head(summary: AttentionSummary, options: Sequence[str]) -> None:
    """A head this model has; at first the one that looks most at other words."""
    kept = st.session_state.get(HEAD)
    if kept not in options and (kept is not None or HEAD not in st.query_params):
        st.session_state[HEAD] = options[int(_looks_at_words(summary).argmax())]


def pick_entries() -> bool:
    """Whether rows and columns are tokens instead of words."""
    picked = st.selectbox(
        "Rows and columns", ["words", "tokens"], key=inside.COLUMNS, bind="query-params", width=160,
        help="Words: what the tokens of a word are given is summed, and how they look is averaged.",
    )  # fmt: skip
    return picked == "tokens"


def draw_heads(
    look: Look, trace: TransformerTrace, summary: AttentionSummary, layer: int, head: int, tokens: bool
) -> None:
    """The grid of all heads and one of them enlarged, side by side where there is room."""
    pattern = trace.attn_pattern if tokens else summary.word_pattern
    entries = (
        heads.Entries(trace.tokens, trace.word_of_token)
        if tokens
        else heads.Entries(summary.entries, summary.word_of_entry)
    )
    is_narrow = pattern.shape[1] <= 6
    places = st.columns([1, 1.4], gap="large") if is_narrow else (st.container(), st.container())
    with places[0]:
        heads.head_grid(
            GRID,
            _thumbnails(*look.key, tokens, pattern),
            trace.words,
            notes=_notes(summary),
            n_entries=len(entries.names),
            group=reading.GROUP,
            head_key=HEAD,
        )
    weights = pattern[layer, head]
    with places[1]:
        heads.word_matrix(
            ONE,
            heads.Matrix(
                f"Layer {layer + 1}, head {head + 1}", weights, "share", "looks", "is looked at",
                "What “{}” looks at", min(nice_limit(float(weights.max())), 1.0),
            ),
            entries,
            trace.words,
            group=reading.GROUP,
            selected_word=reading.first_word(trace),
            head=(layer, head),
        )  # fmt: skip
        st.caption(messages.plain(describe_head(summary, layer, head)))
    side, n_entries = heads.side_of(pattern), len(entries.names)
    block = math.ceil(n_entries / side)
    pooled = " " + _POOLED.format(n_entries, block, block) if side < n_entries else ""
    figures.small(_HOW + pooled + ("" if tokens else _WORDS), _NOT, _FORMULA, _SOURCE)


def draw_summary(summary: AttentionSummary, layer: int, head: int) -> None:
    """Every head in one number."""
    from explorer_core.views import head_summary

    st.markdown("#### All heads in one number")
    quantity = st.selectbox(
        "Number", list(summary.quantities()), key=QUANTITY, bind="query-params", width=260,
        format_func=lambda name: head_summary.name_of(summary, name), label_visibility="collapsed",
    )  # fmt: skip
    figure = head_summary.render(summary, quantity=quantity, layer=layer, head=head)
    figures.chart(figure, SUMMARY, head_summary.alt_text(summary, quantity=quantity))
    figures.how_to_read("head_summary")


def draw_rollout(summary: AttentionSummary) -> None:
    """What the first token, which the model's head reads, has of each word if attention were all."""
    from explorer_core.views import attention_rollout

    st.markdown("#### Attention rollout")
    kept = summary.reading_of_text[summary.is_special]
    names = np.array(summary.entries, dtype=object)[summary.is_special]
    parts = ", ".join(f"{name} {number(float(value))}" for name, value in zip(names, kept, strict=True))
    st.caption(messages.plain(f"Words share {number(float(1 - kept.sum()))}; the rest stays with {parts}."))
    figures.chart(attention_rollout.render(summary), reading.ROLLOUT, attention_rollout.alt_text(summary))
    figures.how_to_read("attention_rollout")


def describe_head(summary: AttentionSummary, layer: int, head: int) -> str:
    """One head in a sentence."""
    from explorer_core.views import head_summary

    values = {name: float(found[layer, head]) for name, found in summary.quantities().items()}
    shares = ", ".join(
        f"{head_summary.name_of(summary, name).removeprefix('Share ')} {number(values[name])}"
        for name in summary.share_names
    )
    most = math.log2(len(summary.word_of_entry)) if len(summary.word_of_entry) > 1 else 0.0
    return (
        f"Over the rows of words: entropy {number(values['entropy'])} of at most {number(most)} bits; mean distance "
        f"{number(values['distance'])} words. Share {shares}."
    )


@st.cache_data(max_entries=16, max_size="32MB", show_spinner=False)
def _thumbnails(name: str, fingerprint: str, text: str, tokens: bool, _pattern: np.ndarray) -> np.ndarray:
    return heads.thumbnails(_pattern)


def _notes(summary: AttentionSummary) -> list[str]:
    """A line about each head, layer by layer: how spread, and where most of its attention falls."""
    from explorer_core.views import head_summary

    most = summary.shares.argmax(-1)
    names = [head_summary.name_of(summary, name).removeprefix("Share ") for name in summary.share_names]
    return [
        f"entropy {number(float(summary.entropy[place]))} bits, {number(float(summary.shares[place].max()))} "
        f"{names[most[place]]}"
        for place in np.ndindex(*summary.entropy.shape)
    ]


def _looks_at_words(summary: AttentionSummary) -> np.ndarray:
    """Share of attention that falls on other words, shape [layer, head]."""
    shares = dict(zip(summary.share_names, np.moveaxis(summary.shares, -1, 0), strict=True))
    return 1 - shares["opening"] - shares["closing"] - shares["itself"]
