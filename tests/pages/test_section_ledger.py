"""The sections Word ledger and Two halves: what they say and print, and for whom they are there."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, inside, reading, sections, state
from pages._ui.sections.states import ledger
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/states.py"
LABELS = {"ledger": "Word ledger", "halves": "Two halves"}  # an address names a choice as a person reads it


@pytest.fixture
def open_section(open_app, home, warmed):
    """Open the page at a section with one tiny model of a family."""

    def opener(family: str, view: str, text: str = "not bad at all", **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, text=text, view=LABELS[view], **address)
        assert not app.exception
        assert not app.error
        return app

    return opener


def chart_of(app, key: str) -> dict:
    return json.loads(next(one.proto.spec for one in app.get("plotly_chart") if one.proto.id.endswith(key)))


def table_of(app) -> str:
    return next(node.proto.body for node in app.get("html") if "class='sums'" in node.proto.body)


def labels_of(app) -> list[str]:
    return [option.content for option in app.segmented_control(key=sections.VIEW).proto.options]


def books_of(app, name: str, tanh_share: str = "proportional", target: int = 1):
    return cache.ledger(
        name, cache.model_info(name).fingerprint, app.text_area(key=state.TEXT).value, target, tanh_share
    )


@pytest.mark.parametrize("family", ["lstm", "bilstm"])
def test_the_ledger_prints_sums_that_come_out(open_section, family):
    app = open_section(family, "ledger", target="positive")
    books = books_of(app, f"starter-{family}")
    table = table_of(app)
    assert "logit of positive" in table
    assert number(float(books.logits[1]), signed=True, digits=6) in table
    differences = re.findall(r"<td class='n'>([^<]*)</td></tr>", table)
    assert len(differences) == 3
    assert all(float(text.replace("−", "-")) <= 1e-5 for text in differences)
    assert "How to read this" in said(app)
    assert "2 layers" in said(app)


def test_bars_in_the_section_are_the_ledgers_of_the_target_class(open_section):
    app = open_section("lstm", "ledger", target="negative")
    books = books_of(app, "starter-lstm", target=0)
    heading = " ".join(note["text"] for note in chart_of(app, reading.LEDGER)["layout"]["annotations"])
    assert "logit of negative" in heading
    assert number(float(books.logits[0]), signed=True) in heading


def test_the_share_of_the_tanh_is_a_choice_in_the_address(open_section):
    app = open_section("lstm", "ledger", tanh_share="in reading order")
    assert app.selectbox(key=ledger.SHARE).value == "order"
    by_order, proportional = (books_of(app, "starter-lstm", share) for share in ("order", "proportional"))
    assert by_order.logit_residual <= 1e-5
    assert not np.allclose(by_order.word_scores, proportional.word_scores)


def test_one_unit_and_a_lower_layer_can_be_looked_at(open_section):
    app = open_section("bilstm", "ledger", layer="1", direction="backward")
    app.selectbox(key=ledger.UNITS).select("one unit").run()
    app.number_input(key=inside.UNIT).set_value(7).run()
    assert not app.exception
    headings = [note["text"] for note in chart_of(app, reading.LEDGER)["layout"]["annotations"]]
    assert "unit 7" in headings[0]
    assert "of layer 2, all units" in headings[2]


@pytest.mark.parametrize(
    "text",
    ["terrible", "good bad " * 60, "<b>x</b> ![a](http://h/i.png) \u202e", "so 😀 👩\u200d👧", "كان الفيلم رائعا"],
)
def test_any_text_has_a_ledger_and_halves(open_section, text):
    for view in ("ledger", "halves"):
        app = open_section("bilstm", view, text)
        words = "\n".join(element.value for element in (*app.markdown, *app.caption))
        assert "\u202e" not in words
        assert "![a](" not in words


def test_the_halves_print_a_sum_that_comes_out_and_what_each_would_decide(open_section):
    app = open_section("bilstm", "halves", target="positive")
    found = cache.halves("starter-bilstm", cache.model_info("starter-bilstm").fingerprint, "not bad at all", 1)
    assert f"forward {number(float(found.final[0, 1]), signed=True)}" in table_of(app)
    assert number(float(found.logits[1]), signed=True, digits=6) in table_of(app)
    text = said(app)
    assert "half would decide alone" in text
    assert "Forward half:" in text
    assert "have already seen every word" in text
    chart = chart_of(app, reading.HALVES)
    assert {trace["name"] for trace in chart["data"] if "name" in trace} == {"forward half", "backward half"}


def test_sections_of_the_cell_and_of_two_halves_open_or_hide_for_every_family(open_section, family):
    for view, label in LABELS.items():
        app = open_section(family, view)
        fits = family == "bilstm" or (family == "lstm" and view == "ledger")
        assert (label in labels_of(app)) == fits
        assert (app.segmented_control(key=sections.VIEW).value == view) == fits


# What the sentence says ---------------------------------------------------------------------------------------------


def test_the_sentence_names_who_added_and_who_took_most():
    books = api.lstm_ledger(build_tiny("lstm"), "the plot is not good but the acting was great", "positive")
    sentence = ledger.plain_reading(books).replace("\\", "")
    high, low = int(books.word_scores.argmax()), int(books.word_scores.argmin())
    assert f"“{books.words[high]}” added the most" in sentence
    assert number(books.word_scores[high], signed=True) in sentence
    assert f"“{books.words[low]}” took the most" in sentence
    assert f"{books.top_kept_share[low] * 100:.0f}\u00a0%" in sentence or "less than 1\u00a0%" in sentence


def test_the_sentence_never_holds_markup_of_the_text():
    books = api.lstm_ledger(build_tiny("lstm"), "![x](http://h/i.png) <b> \u202e **bold**")
    sentence = ledger.plain_reading(books)
    assert "](" not in sentence
    assert "<b" not in sentence
    assert "**" not in sentence


def test_a_ledger_that_takes_long_is_priced_and_asked_for(monkeypatch, open_app, home, warmed):
    model = save_tiny(home, "starter-lstm", "lstm")
    model.module.config.pooling = "mean"
    model.module.save_pretrained(home / "starter-lstm")
    monkeypatch.setattr(ledger, "_AT_ONCE_S", 0.0)
    app = open_app(PAGE, text="not bad at all", view=LABELS["ledger"], tanh_share="in reading order")
    assert not app.exception
    assert "all pairs of the 4 tokens" in said(app)
    assert not [one for one in app.get("plotly_chart") if one.proto.id.endswith(reading.LEDGER)]
    app.button(key="ledger_ask").click().run()
    ledger.work.wait(next(iter(ledger.work._desk().jobs)), 20)
    app.run()
    assert "the mean over all places" in said(app)
    assert chart_of(app, reading.LEDGER)
