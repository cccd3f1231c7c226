"""The section Attention: a grid of heads, one enlarged, every head in a number, and rollout."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, heads, inside, state
from pages._ui.sections.states import attention
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.test_heads import unpacked
from tests.pages.tiny import save_tiny

PAGE = "pages/states.py"


@pytest.fixture
def open_attention(open_app, home, warmed):
    def opener(**address):
        save_tiny(home, "starter-bert", "bert")
        app = open_app(PAGE, view="Attention", **address)
        assert not app.exception
        return app

    return opener


def element_of(app, key: str):
    found = next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith(key))
    return unpacked(found.bytes)


def summary_of(app):
    info = cache.model_info("starter-bert")
    text = app.text_area(key=state.TEXT).value
    return api.summarise_attention(cache.trace(info.name, info.fingerprint, text, True))


@pytest.mark.parametrize(
    "text",
    [
        "terrible",
        "good , not bad ! " * 26,
        "<b>x</b> ![a](http://h/i.png) \u202e",
        "so good 😀 👩\u200d👧",
        "كان الفيلم",
    ],
    ids=["one word", "a hundred words", "hostile", "emoji", "Arabic"],
)
def test_any_text_is_drawn_with_all_its_heads(open_attention, text):
    app = open_attention(text=text)
    assert not app.error
    summary = summary_of(app)
    head, cells = element_of(app, attention.GRID)
    assert cells.shape[:2] == summary.entropy.shape
    assert head["nEntries"] == len(summary.entries)
    assert len(head["notes"]) == summary.entropy.size
    assert len(app.get("plotly_chart")) >= 2


def test_the_enlarged_head_is_that_of_the_address_exactly(open_attention):
    app = open_attention(text="unbelievably good plot", head="2.3")
    summary = summary_of(app)
    head, cells = element_of(app, attention.ONE)
    assert np.array_equal(cells, summary.word_pattern[1, 2])
    assert head["title"] == "Layer 2, head 3"
    assert head["entries"] == list(summary.entries)
    assert number(float(summary.entropy[1, 2])) in said(app)


def test_tokens_are_shown_as_the_network_reads_them(open_attention):
    app = open_attention(text="unbelievably good plot", head="1.1", columns="tokens")
    info = cache.model_info("starter-bert")
    trace = cache.trace(info.name, info.fingerprint, "unbelievably good plot", True)
    head, cells = element_of(app, attention.ONE)
    assert np.array_equal(cells, trace.attn_pattern[0, 0])
    assert head["entries"] == list(trace.tokens)
    assert head["wordOfEntry"] == trace.word_of_token.tolist()


def test_the_head_first_shown_is_the_one_that_looks_most_at_other_words(open_attention):
    app = open_attention(text="not that bad at all")
    shares = summary_of(app).quantities()
    others = 1 - shares["opening"] - shares["closing"] - shares["itself"]
    layer, head = np.unravel_index(others.argmax(), others.shape)
    assert app.selectbox(key=attention.HEAD).value == heads.name_head(layer, head)


@pytest.mark.parametrize("address", [{"head": "9.9"}, {"head": "x"}, {"quantity": "beauty"}, {"columns": ""}])
def test_nonsense_in_the_address_shows_the_section_as_it_is(open_attention, address):
    app = open_attention(text="not bad", **address)
    assert not app.error
    assert element_of(app, attention.ONE)[1].shape == (4, 4)


@pytest.mark.parametrize(
    ("kept", "asked", "head"),
    [("12.12", {}, "first"), ("2.1", {}, "2.1"), (None, {}, "first"), (None, {"head": "1.2"}, None)],
)
def test_a_head_chosen_before_is_kept_where_the_model_has_it(monkeypatch, kept, asked, head):
    monkeypatch.setattr(st, "session_state", {} if kept is None else {attention.HEAD: kept})
    monkeypatch.setattr(st, "query_params", asked)
    summary = api.summarise_attention(api.trace_states(build_tiny("bert"), "not that bad"))
    options = [heads.name_head(*place) for place in np.ndindex(2, 4)]
    attention.clamp_head(summary, options)
    shares = summary.quantities()
    others = 1 - shares["opening"] - shares["closing"] - shares["itself"]
    expected = options[int(others.argmax())] if head == "first" else head
    assert st.session_state.get(attention.HEAD) == expected


def test_the_map_of_heads_follows_the_chosen_number(open_attention):
    app = open_attention(text="not that bad")
    app.selectbox(key=attention.QUANTITY).set_value("closing").run()
    summary = summary_of(app)
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    heat = next(trace for spec in specs for trace in spec["data"] if trace["type"] == "heatmap")
    values = np.frombuffer(base64.b64decode(heat["z"]["bdata"]), dtype="<f4")
    assert np.allclose(values.reshape(summary.entropy.shape), summary.quantities()["closing"], atol=1e-6)


def test_pooling_and_what_attention_is_not_are_said(open_attention):
    app = open_attention(text="good " * 110)
    assert "Attention is not attribution" in said(app)
    assert "This text has 112 entries" in said(app)
    assert "block of up to 2 x 2" in said(app)
    assert inside.COLUMNS in app.session_state
