"""The section Find a pattern: a span, a threshold, and where in a corpus the same units are on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.results import PatternMatches
from explorer_core.text import visible
from explorer_core.unit_pattern import states_after_words, units_on
from pages._ui import cache, linked, reading, state, take_away
from pages._ui.sections.states import pattern
from tests.pages.conftest import said
from tests.pages.test_section_units import TEXTS, choose_row, small_corpus
from tests.pages.tiny import save_tiny

PAGE, VIEW, TEXT = "pages/states.py", "Find a pattern", "a dull plot , never lovely"


@pytest.fixture
def data(monkeypatch):
    """What stands in for the starter corpus."""
    found = {"corpus": small_corpus()}
    monkeypatch.setattr(api, "read_data", lambda spec: found["corpus"])
    return found


@pytest.fixture
def open_pattern(open_app, home, warmed, data):
    def opener(family: str = "lstm", *, built: bool = True, **address):
        model = save_tiny(home, f"starter-{family}", family)
        if built:
            api.index_states(cache.load(f"starter-{family}", model.fingerprint), data["corpus"])
        app = open_app(PAGE, view=VIEW, **{"text": TEXT, "models": [f"starter-{family}"], **address})
        assert not app.exception
        return app

    return opener


def set_to(app, span, threshold=-0.5):
    """Choose words and a threshold."""
    app.select_slider(key=pattern.SPAN).set_value(span)
    app.slider(key=f"{pattern.THRESHOLD}_state").set_value(threshold)
    app.run()
    assert not app.exception
    return app


def expected(app, data, family, span, threshold, **more) -> PatternMatches:
    info = cache.model_info(f"starter-{family}")
    model = cache.load(info.name, info.fingerprint)
    trace = cache.trace(info.name, info.fingerprint, app.text_area(key=state.TEXT).value, True)
    return api.find_pattern(api.open_index(model, data["corpus"]), trace, span, threshold, **more)


def test_every_family_finds_its_own_text_whole(open_pattern, data, family):
    app = set_to(open_pattern(family), (1, 2))
    found = expected(app, data, family, (1, 2), -0.5)
    (table,) = [frame.value for frame in app.dataframe]
    assert table["Score"].tolist() == found.matches.value.tolist()
    assert table["Here"].tolist() == [visible(text) for text in found.matches.inside]
    assert table["Score"][table["Text"] == 1 + TEXTS.index(TEXT)].tolist() == [1.0]
    assert f"{len(found.units)} of 16 units are on throughout" in said(app)
    assert not app.error


def test_the_picture_shows_the_pattern_before_a_corpus_is_read(open_pattern, home):
    app = set_to(open_pattern(built=False), (1, 3))
    info = cache.model_info("starter-lstm")
    values = states_after_words(cache.trace(info.name, info.fingerprint, TEXT, True), 1, 0, "hidden")
    assert f"{int(units_on(values, (1, 3), -0.5).sum())} of 16 units are on throughout" in said(app)
    assert app.button(key="corpus_read")
    assert not app.dataframe
    assert not (home / ".index").exists()


def test_sides_that_must_be_off_narrow_the_pattern(open_pattern, data):
    app = set_to(open_pattern(), (1, 1), 0.0)
    app.toggle(key=pattern.BEFORE).set_value(True).run()
    info = cache.model_info("starter-lstm")
    values = states_after_words(cache.trace(info.name, info.fingerprint, TEXT, True), 1, 0, "hidden")
    wanted = np.flatnonzero(units_on(values, (1, 1), 0.0, off_before=True))
    if len(wanted):
        assert f"{len(wanted)} of 16 units are on throughout" in said(app)
    else:
        assert "No unit is at 0 or above" in said(app)


def test_a_threshold_too_high_says_so_and_offers_a_lower_one(open_pattern):
    app = set_to(open_pattern(), (0, 5), 1.0)
    assert "Lower the threshold" in said(app)
    assert not app.dataframe
    app.button(key="pattern_lower").click().run()
    assert not app.info
    assert "of 16 units are on throughout" in said(app)
    assert len(app.dataframe) == 1


def test_words_chosen_in_the_strip_move_the_span(open_pattern):
    app = open_pattern()
    info = cache.model_info("starter-lstm")
    words = cache.reading(info.name, info.fingerprint, TEXT).words
    app.session_state[f"chosen_span:{reading.GROUP}"] = {"stamp": linked.stamp(reading.GROUP, words), "span": (2, 4)}
    app.run()
    assert app.select_slider(key=pattern.SPAN).value == (2, 4)


def test_words_set_by_the_slider_are_those_of_the_strip(open_pattern):
    app = set_to(open_pattern(), (3, 4))
    assert app.session_state[f"chosen_span:{reading.GROUP}"]["span"] == (3, 4)


def test_a_span_is_forgotten_with_its_text(open_pattern):
    app = set_to(open_pattern(), (4, 5))
    app.text_area(key=state.TEXT).set_value("not bad").run()
    assert not app.exception
    assert max(app.select_slider(key=pattern.SPAN).value) < 2


@pytest.mark.parametrize(
    "text", ["terrible", "good " * 60, "<img src=x> \u202e [a](http://h)", "so good 😀", "كان الفيلم رائعا"]
)
def test_any_text_can_be_looked_for(open_pattern, text):
    app = open_pattern(text=text)
    assert not app.error
    assert "\u202e" not in "".join(frame.value.to_csv() for frame in app.dataframe)


def test_gates_and_cells_have_a_threshold_of_their_own(open_pattern, data):
    app = open_pattern(quantity="Forget gate f")
    slider = app.slider(key=f"{pattern.THRESHOLD}_gate")
    assert (slider.min, slider.max, slider.value) == (0.0, 1.0, 0.9)
    app.selectbox(key="quantity").set_value("cell").run()
    slider = app.slider(key=f"{pattern.THRESHOLD}_state")
    assert slider.min == -slider.max
    assert not app.exception


def test_a_chosen_match_opens_its_text_with_the_place_marked(open_pattern, data):
    app = set_to(open_pattern(), (1, 2))
    found = expected(app, data, "lstm", (1, 2), -0.5)
    row = next(row for row, number in enumerate(found.matches.document) if TEXTS[number] != TEXT)
    choose_row(app, app.dataframe[0], row)
    assert app.text_area(key=state.TEXT).value == TEXTS[found.matches.document[row]]
    place = (int(found.matches.first[row]), int(found.matches.last[row]))
    assert app.select_slider(key=pattern.SPAN).value == place
    app.button(key="corpus_back_button").click().run()
    assert app.text_area(key=state.TEXT).value == TEXT
    assert app.select_slider(key=pattern.SPAN).value == (1, 2)


def test_what_is_offered_to_take_away_can_be_made_again(open_pattern, data, monkeypatch):
    made: dict = {}
    monkeypatch.setattr(take_away, "offer", lambda key, look, calls, figures=None: made.update(calls))
    app = set_to(open_pattern(), (1, 2))
    result, arguments, source = made["find_pattern"]
    json.dumps([arguments, source])
    again = expected(app, data, "lstm", **arguments)
    assert again.to_frame().equals(result.to_frame())
    assert source["index"] == {"split": "all", "layer": 1, "direction": 0, "quantity": "hidden"}
