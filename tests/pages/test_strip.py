"""The word strip: what goes to the browser, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer_core.palette import NEGATIVE, POSITIVE
from explorer_core.text import read_text
from pages._ui import linked, strip
from tests.conftest import build_tiny

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "a\u202eb",
    "c\u2066d",
    "e\u200bf",
    "g\x07h",
    "رائع",
    "👩\u200d👧",
    "]]></script>",
)


def sent(app: AppTest, at: int = 0) -> dict:
    """What the strip got."""
    return json.loads(app.get("bidi_component")[at].proto.json)


def draw(words, values, **options):
    """The payload of one strip, drawn by a page of its own."""

    def page(words, values, options):
        from pages._ui import strip

        strip.word_strip("strip", words, values, **options)

    app = AppTest.from_function(
        page, default_timeout=60, kwargs={"words": words, "values": values, "options": options}
    ).run()
    assert not app.exception
    return sent(app)


def test_hostile_characters_travel_as_visible_escapes_and_markup_as_plain_text():
    payload = draw(HOSTILE, None, scale=strip.verdict_scale(("negative", "positive"), 1))
    assert payload["words"] == [
        "<img src=x onerror=alert(1)>", "a\\u202eb", "c\\u2066d", "e\\u200bf", "g\\u0007h", "رائع", "👩\u200d👧",
        "]]></script>",
    ]  # fmt: skip
    assert payload["values"] == [None] * len(HOSTILE)


def test_no_script_of_ours_writes_markup():
    for element in ("bus.js", "chart_cursors.js", "strip.js", "maps.js"):
        source = Path(strip.__file__).with_name(element).read_text(encoding="utf-8")
        for door in ("innerHTML =", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert door not in source, element


def test_numbers_have_three_digits_and_signed_ones_their_sign():
    scale = strip.Scale(-2.0, 2.0, 0.0, "Bars: logit", signed=True, pivot_name="0")
    payload = draw(("a", "b", "c"), np.array([0.0, -0.12345, 2.0]), scale=scale)
    assert payload["numbers"] == ["0", "−0.123", "+2.00"]
    assert (payload["scale"]["low"], payload["scale"]["high"], payload["scale"]["pivot"]) == (-2.0, 2.0, 0.0)
    assert (payload["scale"]["lowName"], payload["scale"]["highName"]) == ("−2.00", "+2.00")


def test_a_value_that_is_no_number_has_no_bar_and_says_so():
    payload = draw(("a", "b"), np.array([np.nan, 0.5]), scale=strip.verdict_scale(("negative", "positive"), 1))
    assert payload["values"] == [None, 0.5]
    assert payload["numbers"][0] == "n/a"


@pytest.mark.parametrize(
    ("labels", "target", "colors", "pivot"),
    [
        (("negative", "positive"), 1, (NEGATIVE, POSITIVE), 0.5),
        (("negative", "positive"), 0, (POSITIVE, NEGATIVE), 0.5),
        (("positive", "negative"), 0, (NEGATIVE, POSITIVE), 0.5),
    ],
)
def test_bars_of_a_verdict_part_at_one_half_into_the_colours_of_both_classes(labels, target, colors, pivot):
    scale = strip.verdict_scale(labels, target)
    assert (scale.low_color, scale.high_color) == colors
    assert (scale.low, scale.pivot, scale.high) == (0.0, pivot, 1.0)


def test_bars_of_one_class_among_many_rise_from_zero():
    assert strip.verdict_scale(("a", "b", "c"), 1).pivot == 0.0


@pytest.mark.parametrize(
    ("words", "way"),
    [(("good",), "ltr"), (("123", "!", "كان", "good"), "rtl"), (("שלום",), "rtl"), (("12", "!"), "ltr"), ((), "ltr")],
)
def test_the_first_letter_with_a_direction_decides_the_line(words, way):
    assert strip.direction_of(words) == way


def test_special_unknown_joined_and_unread_tokens_are_marked():
    model = build_tiny("bert", max_tokens=8)
    reading = read_text(model.tokenizer, "good \u2603 unbelievably " + "movie " * 60, model.max_tokens)
    payload = draw(reading.words, None, scale=strip.verdict_scale(("a", "b"), 0), reading=reading)
    assert payload["tokens"][0]["special"] and payload["tokens"][-1]["special"]
    assert payload["unknown"] == [1]
    assert [token["unknown"] for token in payload["tokens"]].count(True) == 1
    assert any(token["follows"] for token in payload["tokens"])
    assert len(payload["unread"]) == strip.MAX_UNREAD_SHOWN
    assert payload["unreadMore"] == f"and {len(reading.truncated_words) - strip.MAX_UNREAD_SHOWN} more words"


def test_special_tokens_carry_values_of_their_own():
    model = build_tiny("bert")
    reading = read_text(model.tokenizer, "good movie", model.max_tokens)
    values = np.linspace(0, 1, len(reading.tokens))
    scale = strip.verdict_scale(("a", "b"), 1)
    payload = draw(reading.words, None, scale=scale, reading=reading, token_values=values)
    assert payload["tokens"][0]["special"]
    assert payload["tokenValues"] == pytest.approx(values)
    assert payload["tokenNumbers"][-1] == "1.00"


@pytest.mark.parametrize("n_words", [1, 1500])
def test_one_word_and_fifteen_hundred_are_drawn(n_words):
    payload = draw(("word",) * n_words, np.linspace(0, 1, n_words), scale=strip.verdict_scale(("a", "b"), 1))
    assert len(payload["words"]) == len(payload["values"]) == n_words


def test_what_a_person_chooses_never_travels_back_with_the_words():
    def page():
        import numpy as np

        from pages._ui import linked, strip

        scale = strip.verdict_scale(("a", "b"), 1)
        strip.word_strip("strip", ("x", "y"), np.array([0.1, 0.9]), scale=scale, selected=1)
        linked.tell("teller", "text", ("x", "y"), unit=3)

    app = AppTest.from_function(page, default_timeout=60).run()
    before = sent(app)
    app.session_state["chosen:text"] = {"stamp": linked.stamp("text", ("x", "y")), "word": 0}
    app.run()
    assert sent(app) == before
    assert sent(app, 1) == {"group": "text", "stamp": before["stamp"], "unit": 3}


def test_a_choice_belongs_to_its_text(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    linked.choose_word("g", ("a", "b"), 1)
    assert linked.chosen_word("g", ("a", "b"), 0) == 1
    assert linked.chosen_word("g", ("a", "c"), 0) == 0
    assert linked.chosen_word("other", ("a", "b")) is None


def test_the_strip_says_how_to_select_a_run_only_where_runs_are_of_use():
    scale = strip.verdict_scale(("a", "b"), 1)
    assert draw(("x", "y"), None, scale=scale)["spans"] is False
    assert draw(("x", "y"), None, scale=scale, spans=True)["spans"] is True


def test_a_run_of_words_belongs_to_its_text_and_is_let_go_of(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    assert linked.chosen_span("g", ("a", "b", "c")) is None
    linked.choose_span("g", ("a", "b", "c"), (1, 2))
    linked.choose_word("g", ("a", "b", "c"), 0)
    assert linked.chosen_span("g", ("a", "b", "c")) == (1, 2)
    assert linked.chosen_span("g", ("a", "b", "d")) is None
    assert linked.chosen_span("other", ("a", "b", "c")) is None
    linked.choose_span("g", ("a", "b", "c"), None)
    assert linked.chosen_span("g", ("a", "b", "c")) is None


@pytest.mark.parametrize(
    "said",
    [
        None, 1, "12", [], [1], [0, 1, 2], [0, 5], [-1, 2], [None, 1], ["0", "1"], [True, 2], [[0], 1], {"0": 1},
        {0: 1, 1: 2}, [float("nan"), 1], [0, float("inf")], [1e300, 0], b"12",
    ],
)  # fmt: skip
def test_nonsense_from_the_browser_selects_no_run(said):
    assert linked.as_span(said, 5) is None


@pytest.mark.parametrize(("said", "span"), [([1, 3], (1, 3)), ([3, 1], (1, 3)), ((2.0, 2.0), (2, 2)), ([0, 4], (0, 4))])
def test_two_numbers_from_the_browser_are_the_ends_of_a_run(said, span):
    assert linked.as_span(said, 5) == span


def test_a_remembered_run_that_is_none_is_not_handed_on(monkeypatch):
    words = ("a", "b")
    monkeypatch.setattr(st, "session_state", {"chosen_span:g": {"stamp": linked.stamp("g", words), "span": [0, 9]}})
    assert linked.chosen_span("g", words) is None


def test_a_control_of_the_server_moves_the_strip_and_a_word_from_the_browser_is_not_told_back(monkeypatch):
    told = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(linked, "_teller", lambda *, key, data, width: told.append(data))
    words = ("a", "b", "c")
    linked.tell("k", "g", words, word=2)
    assert told[-1] == {"group": "g", "stamp": linked.stamp("g", words), "word": 2}
    assert linked.chosen_word("g", words) == 2
    st.session_state["element"] = {"word": 1}
    linked.on_change("element", "word", lambda said: linked.choose_word("g", words, linked.as_index(said, 3)))()
    linked.tell("k", "g", words, word=linked.chosen_word("g", words))
    assert "word" not in told[-1]
    linked.tell("k", "g", words, word=99, unit=4)
    assert told[-1] == {"group": "g", "stamp": linked.stamp("g", words), "unit": 4}
    assert linked.chosen_word("g", words) == 1


@pytest.mark.parametrize("said", [None, "1", True, float("nan"), -1, 5, [1], {"word": 1}, 1e300, float("inf")])
def test_nonsense_from_the_browser_chooses_nothing(said):
    assert linked.as_index(said, 5) is None


def test_a_number_from_the_browser_chooses_its_word():
    assert linked.as_index(3, 5) == linked.as_index(3.0, 5) == 3
