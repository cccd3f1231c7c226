"""Two networks subtracted, a text edited by a press, and shared flips, in a browser; links open each again."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlparse

from playwright.sync_api import expect

TEXT = "the film was not good but the acting was great"
MODELS = ["starter-lstm", "starter-rnn"]
SLOW_MS = 60_000


def choose(tab, name: str) -> None:
    """Press a choice that stands on the page as a button."""
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def chart(tab, key: str):
    return tab.page.locator(f".st-key-{key} .js-plotly-plot")


def test_a_difference_an_edit_and_shared_flips_are_reached_by_clicking_and_opened_again_by_their_link(new_tab):
    tab = new_tab(color_scheme="dark")
    address = {"models": MODELS, "text": TEXT, "view": "Difference", "method": "Leave one out"}
    tab.open("/compare?" + urlencode(address, doseq=True))
    expect(chart(tab, "difference_word_chart")).to_be_visible(timeout=SLOW_MS)
    expect(chart(tab, "difference_verdict_chart")).to_contain_text("LSTM less RNN")
    choose(tab, "Ranks")
    expect(chart(tab, "difference_word_chart")).to_contain_text("signed ranks")

    choose(tab, "Change the text")
    with tab.run():
        tab.page.get_by_role("button", name=re.compile("Without .*not")).click()
    expect(tab.page.locator(".edit del")).to_have_text(re.compile("not"), timeout=SLOW_MS)
    expect(chart(tab, "edit_verdict_chart")).to_contain_text("− not")
    asked = parse_qs(urlparse(tab.page.url).query)
    assert asked["compare_text2"] == [TEXT.replace("not ", "")]

    again = new_tab(color_scheme="light")
    again.open(tab.page.url.removeprefix(tab.server.url))
    expect(chart(again, "edit_score_chart")).to_be_visible(timeout=SLOW_MS)
    expect(again.page.get_by_role("textbox", name="Edited text")).to_have_value(TEXT.replace("not ", ""))

    choose(again, "Shared flips")
    expect(again.page.locator(".shared table").last).to_be_visible(timeout=SLOW_MS)
    expect(again.page.locator(".shared th").filter(has_text="RNN")).not_to_have_count(0)
    assert again.page.locator('[data-testid="stException"]').count() == 0
