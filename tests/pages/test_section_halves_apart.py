"""The section Two halves of the page Compare: what each half would decide alone, and its shuffled past."""

from __future__ import annotations

import pytest

from explorer_core import api
from explorer_core.results import log_odds
from pages._ui import cache_compare_price, state
from pages._ui.sections.compare import halves as section
from tests.pages.conftest import said, settled
from tests.pages.tiny import save_tiny

PAGE, VIEW, TEXT = "pages/compare.py", "Two halves", "not unbelievably bad but great"


@pytest.fixture
def open_halves(open_app, home, warmed, nothing_left_running, monkeypatch):
    from explorer_core.api import _compare_halves

    monkeypatch.setattr(_compare_halves, "_starter_texts", lambda: ("a dull film", "great acting"))
    rows = ["a dull film", "great acting and a lovely story", "never boring"], [0, 1, 1]
    monkeypatch.setattr(_compare_halves, "_starter_rows", lambda labels: rows)

    def opener(*families, text=TEXT, **address):
        for family in ("lstm", "bilstm", "rnn"):
            save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, view=VIEW, models=[f"starter-{family}" for family in families], text=text, **address)
        assert not app.exception
        return app

    return opener


def test_both_halves_are_told_beside_a_forward_network_of_equal_size(open_halves):
    app = open_halves("bilstm")
    model = api.load_model("starter-bilstm")
    found = api.compare_halves(model, TEXT, 1)
    odds = float(log_odds(api.predict(api.load_model("starter-lstm"), [TEXT]).logits[0], 1))
    for sentence in section.told(found, ("LSTM", odds)):
        assert sentence.replace("\\", "") in said(app)
    assert section.defined(found) in said(app)
    assert "starter-lstm, which reads forward only" in said(app)
    assert len(app.get("plotly_chart")) == 1
    assert len(app.get("download_button")) == 4
    assert not app.error


def test_the_half_left_out_can_be_zero_and_the_address_says_so(open_halves):
    app = open_halves("bilstm", half_fill="zero")
    assert "in place of the other half the classifier reads zero" in said(app)
    app.segmented_control(key=section.FILL).set_value("mean").run()
    assert "its mean over 2 held-out reviews" in said(app)


def test_without_a_network_of_two_halves_one_is_offered(open_halves):
    app = open_halves("lstm", "rnn")
    assert "None of the chosen models reads in two directions" in said(app)
    app.button(key=section.ADD).click().run()
    assert app.session_state[state.MODELS] == ["starter-lstm", "starter-rnn", "starter-bilstm"]
    assert len(app.get("plotly_chart")) == 1


def test_a_text_of_two_words_has_no_other_order(open_halves):
    app = open_halves("bilstm", text="not good")
    assert "too short for another order" in said(app)
    assert "Nothing to shuffle" in said(app)
    assert len(app.get("plotly_chart")) == 1


def test_a_long_text_is_read_in_other_orders_after_a_press(open_halves, monkeypatch):
    monkeypatch.setattr(section, "ASK_ABOVE_WORDS", 3)
    app = open_halves("bilstm")
    assert not app.get("plotly_chart")
    app.button(key=section.START).click().run()
    app = settled(app)
    assert len(app.get("plotly_chart")) == 1
    assert not app.exception


def test_without_a_twin_that_is_said(open_halves, monkeypatch):
    monkeypatch.setattr(cache_compare_price, "twins", lambda *_: ())
    assert "No ready network reads forward only" in said(open_halves("bilstm"))


def test_over_the_held_out_reviews_each_half_is_counted_after_a_press(open_halves):
    app = open_halves("bilstm")
    assert "same verdict as both" not in "".join(node.proto.body for node in app.get("html"))
    app.button(key=section.MANY).click().run()
    app = settled(app)
    assert not app.exception
    found = api.score_halves(api.load_model("starter-bilstm"))
    assert len(found.texts) == 3
    assert section.told_many(found).replace("\\", "") in said(app)
    tables = "".join(node.proto.body for node in app.get("html"))
    for share in found.accuracy:
        assert f"<b>{share:.3f}</b>" in tables
    assert len(app.get("download_button")) == 6
