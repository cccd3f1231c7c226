"""The sections of Compare that are about many texts, prices and halves, each driven as a person would."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROW_HEIGHT

TEXT = "the film was not good but the acting was great"
MODELS = ["starter-gru", "starter-rnn", "starter-bilstm"]
SLOW_MS = 60_000

pytestmark = pytest.mark.long


def choose(tab, name: str) -> None:
    """Press a choice that stands on the page as a button."""
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def chart(tab, key: str):
    return tab.page.locator(f".st-key-{key} .js-plotly-plot")


def press_if_asked(tab, label: str, shown) -> None:
    """What is cheap begins by itself; what is not waits for a press."""
    button = tab.page.get_by_role("button", name=label, exact=True)
    expect(button.or_(shown).first).to_be_visible(timeout=SLOW_MS)
    if not shown.is_visible():
        button.click()
    expect(shown).to_be_visible(timeout=SLOW_MS)


def press_cell(tab, table: int, row: int, x: int) -> None:
    """Press a cell of one of the tables on the page."""
    found = tab.page.get_by_test_id("stDataFrame").nth(table)
    found.scroll_into_view_if_needed()
    found.locator(".dvn-scroller").click(position={"x": x, "y": ROW_HEIGHT * (row + 1.5)})


def asked(tab) -> dict[str, list[str]]:
    return parse_qs(urlparse(tab.page.url).query)


def test_halves_likeness_price_and_a_design_answer_to_their_controls(kept_tab):
    tab = kept_tab
    tab.open("/compare?" + urlencode({"models": MODELS, "text": TEXT, "view": "halves"}, doseq=True))
    expect(chart(tab, "half_chart")).to_be_visible(timeout=SLOW_MS)
    choose(tab, "zero")
    expect(tab.page.get_by_text("in place of the other half the classifier reads zero")).to_be_visible()

    choose(tab, "Likeness")
    press_if_asked(tab, "Compare the states", chart(tab, "likeness_map"))
    expect(chart(tab, "likeness_map")).to_contain_text("layers of RNN")

    choose(tab, "Price and size")
    tab.page.get_by_role("button", name="Measure now").click()
    cancel = tab.page.get_by_role("button", name="Cancel", exact=True)
    expect(cancel).to_be_visible(timeout=SLOW_MS)
    cancel.click()
    expect(tab.page.get_by_role("button", name="Measure now")).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.locator("table.price")).to_contain_text("Parameters")

    choose(tab, "Design your own")
    with tab.run():
        tab.page.get_by_role("button", name="Add a network").click()
    expect(tab.page.get_by_role("button", name="Train 3 models")).to_be_visible(timeout=SLOW_MS)
    label = tab.page.get_by_text("Units of network 3", exact=True)
    expect(label).to_be_hidden()  # it stands over the column
    tab.page.set_viewport_size({"width": 390, "height": 900})
    expect(label).to_be_visible()
    tab.page.set_viewport_size({"width": 1280, "height": 1600})
    assert tab.page.get_by_test_id("stException").count() == 0


def test_pairs_of_texts_and_pairs_of_models_open_what_they_count(kept_tab):
    tab = kept_tab
    address = {"models": MODELS[:2], "text": TEXT, "view": "modifiers", "modifiers_pairs": 30}
    tab.open("/compare?" + urlencode(address, doseq=True))
    press_if_asked(tab, "Measure the pairs", chart(tab, "modifiers_bench"))
    press_cell(tab, 0, 1, 200)
    expect(tab.page.locator(".edit del, .edit ins").first).to_be_visible(timeout=SLOW_MS)

    choose(tab, "Many texts")
    heading = tab.page.get_by_role("heading", name="Which differences are more than chance")
    press_if_asked(tab, "Judge them", heading)
    press_cell(tab, 0, 0, 220)  # how often only the first is right
    side = tab.page.get_by_role("radio", name="only GRU", exact=True)
    expect(side).to_be_checked(timeout=SLOW_MS)
    with tab.run():
        press_cell(tab, 1, 2, 300)
    expect(tab.page.locator(".edit")).to_be_visible(timeout=SLOW_MS)
    text = tab.page.locator(".edit").inner_text()
    press_cell(tab, 1, 2, 45)
    expect(tab.page.get_by_role("heading", name="States", exact=True, level=1)).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.get_by_role("textbox", name="Text", exact=True)).to_have_value(text)
    assert asked(tab)["look"] == ["starter-rnn"]  # which judges it wrong
    tab.page.get_by_role("button", name="Back to the list").click()
    expect(side).to_be_checked(timeout=SLOW_MS)
    expect(tab.page.locator(".edit")).to_have_text(re.compile(re.escape(text)))
    assert asked(tab)["many_split"] == ["0"]
    assert tab.page.get_by_test_id("stException").count() == 0
