"""The page States: every family, every kind of text, and what is said when there is nothing to show."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from explorer_core import api, settings
from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace
from pages._ui import cache, inside, linked, reading, rereading, state, take_away
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.test_maps import unpacked
from tests.pages.tiny import save_tiny

PAGE = "pages/states.py"


@pytest.fixture
def open_states(open_app, home, warmed):
    """Open the page with one tiny model of a family."""

    def opener(family: str = "lstm", **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, **address)
        assert not app.exception
        return app

    return opener


def component(app, key: str):
    return next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith(key))


def strip_of(app) -> dict:
    return json.loads(
        next(node for node in app.get("bidi_component") if node.proto.id.endswith("states_strip")).proto.json
    )


def maps_of(app):
    return unpacked(
        next(node for node in app.get("bidi_component") if node.proto.id.endswith("states_maps")).proto.bytes
    )


def trace_of(app, name: str):
    info = cache.model_info(name)
    return cache.trace(name, info.fingerprint, app.text_area(key=state.TEXT).value, True)


def test_every_family_is_drawn_whole(open_states, family):
    app = open_states(family, text="not bad at all")
    trace = trace_of(app, f"starter-{family}")
    assert strip_of(app)["words"] == ["not", "bad", "at", "all"]
    assert len(app.get("plotly_chart")) == (2 if isinstance(trace, RecurrentTrace) else 4)
    head, _ = maps_of(app)
    assert len(head["columns"]) == 4
    expected = list(trace.quantities()) if isinstance(trace, RecurrentTrace) else ["hidden"]
    assert [panel["name"] for panel in head["panels"]] == expected
    assert "How to read this" in said(app)
    assert "What it does not show" in said(app)
    assert not app.error


@pytest.mark.parametrize(
    "text",
    ["terrible", "good " * 100, "<b>x</b> ![a](http://h/i.png) \u202e", "so good 😀 👩\u200d👧", "كان الفيلم رائعا"],
    ids=["one word", "a hundred words", "hostile", "emoji", "Arabic"],
)
def test_any_text_is_drawn(open_states, text):
    app = open_states(text=text)
    assert not app.error
    assert strip_of(app)["words"]
    assert len(app.get("plotly_chart")) == 2


def test_bars_are_the_models_own_running_verdict(open_states):
    app = open_states(text="not bad at all", target="positive")
    trace = trace_of(app, "starter-lstm")
    logits = trace.running_logits_by_word
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.allclose(strip_of(app)["values"], probs[:, 1], atol=1e-5)
    assert strip_of(app)["headline"]["label"] == trace.labels[trace.logits.argmax()]


def test_the_target_class_turns_the_bars_round(open_states):
    positive = strip_of(open_states(text="not bad", target="positive"))["values"]
    negative = strip_of(open_states(text="not bad", target="negative"))["values"]
    assert np.allclose(np.add(positive, negative), 1, atol=1e-5)


def test_maps_follow_layer_and_direction_of_the_address(open_states):
    app = open_states("bilstm", text="not bad at all", layer="1", direction="backward")
    trace = trace_of(app, "starter-bilstm")
    head, cells = maps_of(app)
    limit = head["panels"][0]["limit"]
    shown = (cells[0].astype(float) - 128) / 127 * limit  # [unit, word]
    expected = np.clip(trace.hidden[0, 1, trace.pos_of_words(1)], -limit, limit)
    assert np.allclose(shown.T, expected, atol=limit / 250)


def test_maps_can_show_every_token_with_its_word(open_states):
    app = open_states("bert", text="unbelievably good", columns="tokens")
    trace = trace_of(app, "starter-bert")
    head, _ = maps_of(app)
    assert head["columns"] == list(trace.tokens)
    assert head["wordOfColumn"] == trace.word_of_token.tolist()


@pytest.mark.parametrize(
    "address", [{"layer": "99"}, {"direction": "up"}, {"unit": "9999"}, {"unit": "x"}, {"columns": ""}]
)
def test_nonsense_in_the_address_opens_the_page_as_it_is(open_states, address):
    app = open_states("bilstm", text="not bad", **address)
    assert not app.error
    assert len(app.get("plotly_chart")) == 2


def test_exact_values_of_the_chosen_unit_and_word_are_in_the_table(open_states):
    app = open_states(text="not bad at all")
    trace = trace_of(app, "starter-lstm")
    app.number_input(key=inside.UNIT).set_value(7)
    app.session_state["chosen:states"] = {"stamp": linked.stamp(reading.GROUP, trace.words), "word": 2}
    app.run()
    table = next(node.proto.body for node in app.get("html") if "<table" in node.proto.body)
    for values in trace.quantities().values():
        for word in (1, 2):
            value = values[-1, 0, trace.pos_of_words()[word], 7]
            assert number(abs(value), digits=6) in table


def test_words_in_the_table_are_never_markup(open_states):
    app = open_states(text="</td><script>alert(1)</script> \u202ex")
    table = next(node.proto.body for node in app.get("html") if "<table" in node.proto.body)
    assert "<script" not in table
    assert "\u202e" not in table


@pytest.mark.parametrize(("kept", "asked", "unit"), [(400, {}, 15), (9, {}, 9), (None, {"unit": "3"}, None)])
def test_a_unit_chosen_before_is_kept_where_the_model_has_it(monkeypatch, kept, asked, unit):
    monkeypatch.setattr(st, "session_state", {} if kept is None else {inside.UNIT: kept})
    monkeypatch.setattr(st, "query_params", asked)
    inside.clamp_unit(api.trace_states(build_tiny("lstm"), "not bad"))
    assert st.session_state.get(inside.UNIT) == unit


def test_the_first_unit_shown_is_the_one_that_moves_most(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "query_params", {})
    trace = api.trace_states(build_tiny("lstm"), "not bad at all")
    inside.clamp_unit(trace)
    top = np.vstack([np.zeros(16), trace.hidden[-1, 0]])
    assert st.session_state[inside.UNIT] == (top.max(0) - top.min(0)).argmax()


def test_several_models_share_the_axis_and_one_is_looked_into(open_app, ready_home, warmed):
    app = open_app(PAGE, models=["starter-lstm", "starter-gru", "starter-bert"], text="not bad", look="starter-gru")
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [trace["name"] for trace in chart["data"] if trace.get("name")]
    assert names == ["GRU", "LSTM", "BERT"]
    assert [panel["name"] for panel in maps_of(app)[0]["panels"]] == ["hidden", "reset", "update", "candidate"]


def test_a_model_with_other_classes_is_left_out_and_said(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm")
    save_tiny(home, "topics", "gru", labels=("sport", "politics", "weather"))
    app = open_app(PAGE, models=["starter-lstm", "topics"], text="not bad")
    assert "topics is not drawn. Its classes are sport, politics, weather, those of starter-lstm are" in said(app)


def test_two_models_of_one_family_are_told_apart(open_app, home, warmed):
    save_tiny(home, "one", "lstm")
    save_tiny(home, "other", "lstm")
    chart = json.loads(open_app(PAGE, models=["one", "other"], text="not bad").get("plotly_chart")[0].proto.spec)
    assert {trace["name"] for trace in chart["data"] if trace.get("name")} == {"one", "other"}


def test_rereading_a_long_text_is_asked_for_with_its_price_and_not_started(open_states, monkeypatch):
    monkeypatch.setattr(settings, "ASK_BEFORE_REREADING_WORDS", 5)
    app = open_states("bert", text="the film was not good at all")
    assert "all 7 beginnings" in said(app)
    assert strip_of(app)["values"] == [None] * 7
    assert len(app.get("plotly_chart")) == 3
    app.button(key=rereading.ASK).click().run()
    assert rereading.wait(cache.model_info("starter-bert"), "the film was not good at all", 60)
    app.run()
    assert None not in strip_of(app)["values"]
    assert len(app.get("plotly_chart")) == 4


def test_a_network_that_reads_once_is_never_asked_about(open_states, monkeypatch):
    monkeypatch.setattr(settings, "ASK_BEFORE_REREADING_WORDS", 5)
    assert "beginnings" not in said(open_states("lstm", text="the film was not good at all"))


def test_without_a_model_the_page_says_what_to_do(open_app):
    app = open_app(PAGE)
    assert not app.exception
    assert "No model to look into yet" in said(app)


@pytest.mark.parametrize("text", ["   ", "\n\t"])
def test_without_a_text_the_page_says_what_to_do(open_states, text):
    app = open_states(text=text)
    assert "Nothing to read yet" in said(app)
    assert not app.error


def test_a_text_that_is_too_long_is_refused_in_words(open_states):
    app = open_states()
    app.text_area(key=state.TEXT).input("a" * (settings.MAX_TEXT_CHARS + 1)).run()
    assert f"at most {settings.MAX_TEXT_CHARS:,}" in said(app)
    assert "bug" not in said(app)


def test_what_is_taken_away_is_the_trace(open_states):
    trace = trace_of(open_states(text="not bad"), "starter-lstm")
    arrays = np.load(io.BytesIO(take_away.npz(trace)))
    assert np.array_equal(arrays["hidden"], trace.hidden)
    frame = pd.read_csv(io.BytesIO(take_away.csv(trace)))
    assert np.allclose(frame["hidden"], trace.hidden.ravel(), atol=1e-6)
    assert set(frame["word"]) == {"not", "bad"}
