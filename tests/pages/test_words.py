"""The page Words: every family, every section, what costs is asked for, and hostile words stay words."""

from __future__ import annotations

import json

import pytest

from explorer_core import api
from explorer_core.results import AttributionPrice
from pages._ui import cache, cache_words, scored, work
from pages._ui.sections.words import baselines, flips, method, together
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/words.py"
TEXT = "not unbelievably bad but great"


@pytest.fixture
def open_words(open_app, home, warmed):
    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, text=text, **address)
        assert not app.exception
        return app

    return opener


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Work in the background ends with its test."""
    yield
    for key in list(work._desk().jobs):
        work.cancel(key)
        assert work.wait(key, 60) is None or work.task(key) is None or work.task(key).is_over


def strip_of(app) -> dict:
    return json.loads(next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith("strip")).json)


def chart(app, key: str) -> dict:
    return json.loads(next(node for node in app.get("plotly_chart") if node.key == key).proto.spec)


def settled(app):
    """The page once its work in the background has ended."""
    for key in list(work._desk().jobs):
        work.wait(key, 60)
    app.run()
    return app


def test_the_strip_shows_the_scores_of_the_desk(open_words, family):
    app = open_words(family, method="leave_one_out", target="positive")
    info = cache.model_info(f"starter-{family}")
    expected = api.attribute(cache.load(info.name, info.fingerprint), TEXT, "leave_one_out", "positive")
    assert strip_of(app)["values"] == pytest.approx(expected.scores.tolist(), rel=1e-4, abs=1e-6)
    drawn = next(one for one in chart(app, method.BARS)["data"] if one["type"] == "bar")
    assert len(drawn["customdata"]) == len(expected.words)
    assert "speaks most for" in said(app)


def test_a_complete_method_says_its_gap_and_an_unsigned_one_says_so(open_words):
    assert "the gap is" in said(open_words(method="integrated_gradients"))
    app = open_words(method="gradient_norm")
    assert "without a sign" in said(app)
    assert "hangs most on" in said(app)


def test_the_trust_card_gives_its_grade_and_its_reasons(open_words):
    app = settled(open_words(method="gradient_norm").run())
    card = next(node.proto.body for node in app.get("html") if "class='grade'" in node.proto.body)
    assert "Do not rely on it" in card  # a tiny network of random weights
    assert "shuffled weights" in card


def test_only_methods_that_fit_are_offered(open_words, family):
    offered = open_words(family).selectbox(key=scored.METHOD).options
    assert ("LSTM ledger" in offered) == (family in ("lstm", "bilstm"))
    assert ("Attention rollout" in offered) == (family == "bert")


def test_methods_stand_side_by_side_with_their_ranks(open_words):
    app = open_words("lstm", view="Side by side")
    assert len([one for one in chart(app, together.CHART)["data"] if one["type"] == "bar"]) == 3
    assert any("class='taus'" in node.proto.body for node in app.get("html"))
    assert "side" in said(app)


def test_words_on_different_sides_are_named():
    model = build_tiny("lstm")
    one = api.attribute(model, TEXT, "leave_one_out", 1)
    other = api.attribute(model, TEXT, "input_x_gradient", 1)
    (sentence,) = together.differences([one, other])
    differ = [
        word
        for word, mine, theirs in zip(one.words, one.scores, other.scores, strict=True)
        if mine * theirs < 0
        and abs(mine) > 0.05 * abs(one.scores).max()
        and abs(theirs) > 0.05 * abs(other.scores).max()
    ]
    assert all(word in sentence for word in differ)
    assert ("different sides" in sentence) == bool(differ)


def test_every_baseline_has_a_panel_or_a_reason(open_words):
    app = open_words("lstm", view="Baselines")
    n_drawn = len([one for one in chart(app, baselines.CHART)["data"] if one["type"] == "bar"])
    n_left_out = sum("has no" in one.value for one in app.caption)
    assert n_drawn + n_left_out == 5
    assert "baselines the score of" in said(app)


def test_the_fewest_words_that_turn_the_verdict_are_named(open_words, family):
    app = settled(open_words(family, view="Flips"))
    info = cache.model_info(f"starter-{family}")
    expected = api.find_flips(cache.load(info.name, info.fingerprint), TEXT, budget=flips.BUDGET)
    if expected.n_words:
        assert any(expected.named(0)[0] in node.proto.body for node in app.get("html") if "flips" in node.proto.body)
        assert ("No fewer words do" in said(app)) == expected.is_exact
    else:
        assert "turn" in said(app)


def test_what_costs_much_is_asked_for_first(open_words, monkeypatch):
    monkeypatch.setattr(cache_words, "price", lambda *_: AttributionPrice(90.0, 5_000, 12.0))
    app = open_words("lstm", method="lime")
    assert "5,000 times" in said(app)
    button = next(one for one in app.button if one.label == "Score the words")
    app = settled(button.click().run().run())
    assert "speaks most for" in said(app)


@pytest.mark.parametrize("text", ["", "   "])
def test_no_text_is_said(open_words, text):
    assert "Nothing to read yet" in said(open_words(text=text))


def test_hostile_words_and_labels_stay_text(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm", labels=("<img src=x>", "![a](http://h/b.png)"))
    for view in ("One method", "Side by side", "Baselines"):
        app = settled(open_app(PAGE, text="</td><script>x</script> [a](http://h) good", view=view).run())
        assert not app.exception
        assert not [one for one in app.get("html") if "<script" in one.proto.body or "<img" in one.proto.body]
        assert not [one.value for one in (*app.caption, *app.markdown) if "![a](" in one.value or "<img" in one.value]


@pytest.mark.parametrize("text", ["terrible", "so good \U0001f60d", "كان الفيلم رائعا", "good bad " * 150])
def test_any_text_is_shown(open_words, text):
    app = open_words("gru", text=text, method="gradient_norm")
    assert not app.error
    assert strip_of(app)["words"]
