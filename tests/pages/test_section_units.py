"""The section Unit cards: a corpus is priced, read in the background and kept; its cards lead into its texts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.results import Exportable
from pages._ui import cache, corpus, inside, linked, reading, state, take_away, work
from pages._ui.sections.states import units
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE, VIEW = "pages/states.py", "Unit cards"
TEXTS = (
    "the film was good",
    "a dull plot , never lovely",
    "we loved it",
    "boring <b>x</b> ![a](http://h/i.png)",
    "it is \u202e bad & dull",
    "good",
)
LIMIT_S = 60


def small_corpus(labels=("negative", "positive"), texts=TEXTS):
    index = np.arange(len(texts)) % len(labels)
    split = np.where(index == 0, "train", "test")
    return LabelledTexts(tuple(texts), index.astype(np.int64), tuple(labels), split, "small corpus", "Small.")


@pytest.fixture
def data(monkeypatch):
    """What stands in for the starter corpus."""
    found = {"corpus": small_corpus()}
    monkeypatch.setattr(api, "read_data", lambda spec: found["corpus"])
    return found


@pytest.fixture
def open_units(open_app, home, warmed, data):
    def opener(family: str = "lstm", *, built: bool = True, **address):
        model = save_tiny(home, f"starter-{family}", family)
        if built:
            api.index_states(cache.load(f"starter-{family}", model.fingerprint), data["corpus"])
        app = open_app(PAGE, view=VIEW, **{"text": "not bad at all", "models": [f"starter-{family}"], **address})
        assert not app.exception
        return app

    return opener


def tables(app):
    return [frame.value for frame in app.dataframe]


def n_words():
    info = cache.model_info("starter-lstm")
    return sum(len(cache.reading(info.name, info.fingerprint, text).words) for text in TEXTS)


def key_of_work(app):
    info = cache.model_info("starter-lstm")
    return "\0".join(("index", info.fingerprint, "starter", "{}", "all", "1", "0", "hidden"))


# Reading the corpus -------------------------------------------------------------------------------------------------


def test_nothing_is_read_before_the_press_and_the_price_is_said(open_units, home):
    app = open_units(built=False)
    assert not (home / ".index").exists()
    assert f"6 texts, about {n_words()} words" in said(app)
    assert [button.key for button in app.button if button.key == "corpus_read"]
    assert not app.dataframe


def test_the_corpus_is_read_in_the_background_and_then_kept(open_units):
    app = open_units(built=False)
    app.button(key="corpus_read").click().run()
    assert work.wait(key_of_work(app), LIMIT_S).state == "done"
    app.run()
    assert not app.exception
    assert f"over 6 texts, {n_words()} words" in said(app)
    work.forget(key_of_work(app))
    assert f"over 6 texts, {n_words()} words" in said(app.run())


def test_reading_that_fails_says_why_and_can_be_tried_again(open_units, monkeypatch):
    from explorer_core import settings

    app = open_units(built=False)
    monkeypatch.setattr(settings, "MAX_INDICES_MIB", 0)
    app.button(key="corpus_read").click().run()
    assert work.wait(key_of_work(app), LIMIT_S).state == "failed"
    app.run()
    assert "on disk; at most 0 are kept" in said(app)
    assert app.button(key="corpus_read")


# The card -----------------------------------------------------------------------------------------------------------


def test_every_family_has_cards(open_units, family):
    app = open_units(family)
    assert not app.error
    assert "over 6 texts" in said(app)
    assert len(tables(app)) == 2


def test_the_card_shows_what_the_front_desk_says(open_units, data):
    app = open_units(unit="5")
    info = cache.model_info("starter-lstm")
    index = api.open_index(cache.load(info.name, info.fingerprint), data["corpus"])
    card = api.unit_card(index, 5)
    highest, lowest = tables(app)
    assert highest["Value"].tolist() == card.top_places.value.tolist()
    assert lowest["Value"].tolist() == card.bottom_places.value.tolist()
    assert highest["Label"].tolist() == list(card.top_places.labels)
    assert "Unit 5 over" in said(app)


def test_hostile_words_stay_words(open_units):
    app = open_units(text="<img src=x onerror=alert(1)> \u202e")
    shown = "\n".join(frame.to_csv() for frame in tables(app))
    assert "<b>x</b>" in shown  # a cell shows text as it stands
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_hostile_labels_are_escaped_in_the_facts(open_units, data):
    data["corpus"] = small_corpus(("<i>no</i>", "<b>yes</b>", "\u202ex"))
    app = open_units()
    facts = next(node.proto.body for node in app.get("html") if "class='facts'" in node.proto.body)
    assert "<i>" not in facts
    assert "&lt;b&gt;yes&lt;/b&gt;" in facts
    assert "\u202e" not in facts


def test_a_corpus_of_one_text_has_cards_too(open_units, data):
    data["corpus"] = small_corpus(("only",), ("good film",))
    app = open_units()
    assert "over 1 texts, 2 words" in said(app)
    assert [len(frame) for frame in tables(app)] == [1, 1]


def test_a_similar_unit_is_one_press_away(open_units):
    app = open_units(unit="5")
    button = next(button for button in app.button if (button.key or "").startswith("card-unit-"))
    unit = int(button.key.removeprefix("card-unit-"))
    button.click().run()
    assert app.session_state[inside.UNIT] == unit
    assert f"Unit {unit} over" in said(app)


def test_a_chosen_place_opens_its_text_at_its_word_and_leads_back(open_units, data):
    app = open_units(unit="5")
    info = cache.model_info("starter-lstm")
    places = api.unit_card(api.open_index(cache.load(info.name, info.fingerprint), data["corpus"]), 5).top_places
    table = next(frame for frame in app.dataframe if "highest" in frame.proto.id)
    choose_row(app, table, 1)
    opened = data["corpus"].texts[places.document[1]]
    assert app.text_area(key=state.TEXT).value == opened
    words = cache.reading(info.name, info.fingerprint, opened).words
    chosen = app.session_state[f"chosen:{reading.GROUP}"]
    assert (chosen["word"], chosen["stamp"]) == (places.first[1], linked.stamp(reading.GROUP, words))
    app.button(key="corpus_back_button").click().run()
    assert app.text_area(key=state.TEXT).value == "not bad at all"


def choose_row(app, table, row):
    """What the browser says when a row is chosen."""
    from streamlit.proto.WidgetStates_pb2 import WidgetState

    said_by_browser = WidgetState(id=table.proto.id)
    said_by_browser.string_value = json.dumps({"selection": {"rows": [row], "columns": [], "cells": []}})
    states = app._tree.get_widget_states()
    states.widgets.append(said_by_browser)
    app._run(states)
    assert not app.exception


def test_other_states_of_the_layer_are_another_corpus_to_read(open_units):
    app = open_units()
    app.selectbox(key=corpus.QUANTITY).set_value("forget").run()
    assert app.button(key="corpus_read")
    app.selectbox(key=corpus.QUANTITY).set_value("hidden").run()
    assert len(tables(app)) == 2


def test_a_quantity_of_another_family_falls_back_to_the_hidden_state(open_units):
    app = open_units("gru", quantity="Forget gate f")
    assert app.selectbox(key=corpus.QUANTITY).value == "hidden"
    assert len(tables(app)) == 2


def test_a_file_is_asked_for_before_anything_is_read(open_units):
    app = open_units()
    app.selectbox(key=corpus.SOURCE).set_value(corpus.FILE).run()
    assert "Give a file of texts with labels" in said(app)
    assert not app.dataframe


def test_what_is_offered_to_take_away_can_be_made_again(open_units, monkeypatch):
    made: dict[str, tuple[Exportable, dict, dict]] = {}
    monkeypatch.setattr(take_away, "offer", lambda key, look, calls, figures=None: made.update(calls))
    open_units(unit="5")
    assert list(made) == ["unit_card", "similar_units"]
    for result, arguments, source in made.values():
        json.dumps([arguments, source])
        assert result.unit == arguments["unit"] == 5
        assert source["data"] == {"source": "starter", "options": {}}
        assert source["index"] == {"split": "all", "layer": 1, "direction": 0, "quantity": "hidden"}
    assert units.SECTION["label"] == VIEW
