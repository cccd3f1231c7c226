"""The section Memory: every family, both ways to swap, what is clicked, and a long text that is asked for first."""

from __future__ import annotations

import json

import numpy as np
import pytest
import streamlit as st

from explorer_core import api, settings
from pages._ui import cache, inside, linked, reading, state, work
from pages._ui.sections.states import memory as section
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/states.py"
TEXT = "not bad at all"


@pytest.fixture
def open_memory(open_app, home, warmed):
    """Open the section with one tiny model of a family."""

    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, view="Memory", text=text, **address)
        assert not app.exception
        return app

    return opener


def memory_of(app, family: str, swap: str = "unknown"):
    info = cache.model_info(f"starter-{family}")
    return cache.memory(info.name, info.fingerprint, app.text_area(key=state.TEXT).value, swap)


def charts_of(app) -> dict[str, dict]:
    found = {}
    for node in app.get("plotly_chart"):
        for key in (section.UNITS, reading.MEMORY_WORDS, reading.MEMORY_UNIT):
            if node.proto.id.endswith(key):
                found[key] = json.loads(node.proto.spec)
    return found


def test_every_recurrent_family_is_drawn_whole(open_memory, recurrent_family):
    app = open_memory(recurrent_family)
    assert not app.error
    assert set(charts_of(app)) == {section.UNITS, reading.MEMORY_WORDS, reading.MEMORY_UNIT}
    memory = memory_of(app, recurrent_family)
    frame = app.dataframe[0].value
    words, units = memory.farthest_from_promise(1, 0, section.MOST_CASES)
    assert list(frame["Unit"]) == units.tolist()
    assert list(frame["Word"]) == [memory.words[word] for word in words]
    assert np.allclose(frame["Measured"], 100 * memory.measured_kept[1, 0][words, units])
    assert ("Promised" in frame) == (recurrent_family != "rnn")
    assert ("only the measurement is shown" in said(app)) == (recurrent_family == "rnn")
    gate = {"rnn": "", "gru": "update gates promise"}.get(recurrent_family, "forget gates promise")
    assert gate in said(app)


def test_a_bert_is_not_offered_its_memory(open_memory):
    app = open_memory("bert")
    assert "keep its promise" not in said(app)


def test_words_are_dropped_and_the_backward_half_is_read_when_asked_for(open_memory):
    app = open_memory("bilstm", swap="dropped", direction="backward", layer="1", unit="3")
    memory = memory_of(app, "bilstm", "drop")
    said_now = section.sentence_of(memory, 0, 1, 3)
    assert said_now.replace("\\", "") in said(app)
    assert "at the start of the text" in said_now
    _, units = memory.farthest_from_promise(0, 1, section.MOST_CASES)
    assert list(app.dataframe[0].value["Unit"]) == units.tolist()


@pytest.mark.parametrize("text", ["terrible", "<b>x</b> ![a](http://h/i.png) \u202e", "so good 😀", "كان الفيلم رائعا"])
def test_any_text_is_drawn_without_markup(open_memory, text):
    app = open_memory(text=text)
    assert not app.error
    assert len(charts_of(app)) == 3
    assert not [word for table in app.dataframe for word in table.value["Word"] if "\u202e" in word]


def test_a_text_of_unknown_words_says_that_nothing_is_measured(open_memory, monkeypatch):
    app = open_memory(text="رائع كان")
    assert "swapping changes nothing" in said(app)
    assert not app.dataframe
    app.selectbox(key=section.SWAP).select("drop").run()
    assert "swapping changes nothing" not in said(app)
    assert len(app.dataframe[0].value)


def test_a_long_text_is_read_only_when_asked_for_and_then_in_the_background(open_memory, monkeypatch):
    monkeypatch.setattr(settings, "ASK_BEFORE_SWAPPING_WORDS", 5)
    text = "the film was not good at all"
    app = open_memory(text=text)
    assert "each of the 7 words is swapped" in said(app)
    assert not charts_of(app)
    assert work.task(key_of(text)) is None
    app.button(key="states_memory_ask").click().run()
    assert work.wait(key_of(text), 20).state == "done"
    app.run()
    assert len(charts_of(app)) == 3
    assert "words is swapped" not in said(app)


def test_a_text_of_few_but_long_words_is_read_only_when_asked_for(open_memory, monkeypatch):
    sizes, read = [], api.trace_memory

    def watched(model, text, **more):
        sizes.append(len(text))
        return read(model, text, **more)

    monkeypatch.setattr(api, "trace_memory", watched)
    app = open_memory(text=" ".join("abcdefghij"[index % 10] * 90 for index in range(40)))
    assert "each of the 40 words is swapped" in said(app)
    assert max(sizes) <= 600  # what is read to say what it costs


def test_a_cancelled_reading_is_offered_again(open_memory, monkeypatch):
    monkeypatch.setattr(settings, "ASK_BEFORE_SWAPPING_WORDS", 5)
    text = "the film was not good at all"

    def stop(*_, progress, **__):
        work.cancel(key_of(text))
        progress(0.5)

    app = open_memory(text=text)
    monkeypatch.setattr(api, "trace_memory", stop)
    app.button(key="states_memory_ask").click().run()
    assert work.wait(key_of(text), 20).state == "cancelled"
    app.run()
    assert "cancelled" in said(app)
    assert app.button(key="states_memory_ask")
    work.forget(key_of(text))


def key_of(text: str) -> str:
    info = cache.model_info("starter-lstm")
    return "\0".join(("memory", info.name, info.fingerprint, text, "unknown"))


def test_the_beginning_of_a_text_is_its_first_words():
    assert section._beginning("not  bad, at all", 3) == "not  bad,"
    assert section._beginning("not bad", 9) == "not bad"


# What is clicked ----------------------------------------------------------------------------------------------------


@pytest.fixture
def session(monkeypatch):
    kept: dict = {}
    monkeypatch.setattr(st, "session_state", kept)
    return kept


def test_a_clicked_dot_chooses_its_unit_and_nothing_else_does(session):
    session[section.UNITS] = {"selection": {"points": [{"curve_number": 0, "point_index": 2}]}}
    section._choose_dot([4, 7, 9])
    assert session[inside.UNIT] == 9
    for point in ({"curve_number": 1, "point_index": 0}, {"curve_number": 0, "point_index": 3},
                  {"curve_number": 0, "point_index": "x"}, {}):  # fmt: skip
        session[section.UNITS] = {"selection": {"points": [point]}}
        section._choose_dot([4, 7, 9])
        assert session[inside.UNIT] == 9


def test_a_chosen_row_chooses_its_unit_and_its_word(session):
    words = ("not", "bad")
    session[section.CASES] = {"selection": {"rows": [1]}}
    section._choose_case([0, 1], [5, 6], words)
    assert session[inside.UNIT] == 6
    assert linked.chosen_word(reading.GROUP, words) == 1
    session[section.CASES] = {"selection": {"rows": [8]}}
    section._choose_case([0, 1], [5, 6], words)
    assert session[inside.UNIT] == 6


# In words -----------------------------------------------------------------------------------------------------------


def test_the_sentence_says_the_middle_unit_and_the_chosen_one(recurrent_family):
    memory = api.trace_memory(build_tiny(recurrent_family), TEXT)
    sentence = section.sentence_of(memory, 0, 0, 5)
    middle = section._percent(float(np.median(memory.unit_measured[0, 0])))
    assert f"still holds **{middle}** at the end of the text" in sentence
    assert section._percent(float(memory.unit_measured[0, 0, 5])) in sentence
    assert f"its {memory.state} state" in sentence
    assert ("half-life" in sentence) == (recurrent_family != "rnn")


def test_a_horizon_beyond_the_text_is_said_to_be_longer():
    memory = api.trace_memory(build_tiny("lstm"), "terrible")
    assert "its horizon is longer than this text" in section.sentence_of(memory, 0, 0, 0)
