"""The page Words in a browser: a method is chosen, a word is clicked, and a bar stands where it was."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000


@pytest.fixture
def opened(new_tab):
    def opener(text: str = TEXT, model: str = "starter-lstm", **address):
        tab = new_tab()
        tab.open("/words?" + urlencode({"models": model, "text": text, **address}))
        expect(tab.page.locator(".strip .place").first).to_be_visible(timeout=SLOW_MS)
        return tab

    return opener


def test_scores_trust_and_another_method(opened):
    tab = opened(method="leave_one_out")
    expect(tab.page.locator(".strip .place")).to_have_count(10)
    expect(tab.page.locator(".st-key-words_bars .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.locator(".grade")).to_be_visible(timeout=SLOW_MS)
    with tab.run():
        tab.page.get_by_role("combobox", name="Method").click()
        tab.page.get_by_role("option", name="Gradient norm").click()
    expect(tab.page.get_by_text("hangs most on")).to_be_visible(timeout=SLOW_MS)
    assert "method=Gradient" in tab.page.url


def test_a_clicked_word_moves_the_line_in_the_bars(opened):
    tab = opened(method="leave_one_out")
    expect(tab.page.locator(".st-key-words_bars .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    tab.page.locator(".strip .place").nth(3).click()
    tab.until(
        lambda: (
            tab.page.evaluate(
                """() => {
                const plot = document.querySelector('.st-key-words_bars .js-plotly-plot')
                const line = plot?.querySelector('.unrolled-cursor')
                if (!line || line.style.display === 'none') return null
                const axis = plot._fullLayout.xaxis
                return Math.round(axis.p2d(parseFloat(line.style.left) + 0.75 - axis._offset))
            }"""
            )
            == 3
        ),
        "the line at the clicked word",
    )
