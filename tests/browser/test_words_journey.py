"""The page Words in a browser: method and picture are chosen, more is measured and cancelled, a link opens it again."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import TimeoutError as TookTooLong
from playwright.sync_api import expect

TEXT = "the film was not good but the acting was great"
HOSTILE = "<img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) $x^2$ :red[x] ![b](http://example.com/b.png)"
SLOW_MS = 60_000


@pytest.fixture
def opened(new_tab):
    def opener(text: str = TEXT, model: str = "starter-lstm", **address):
        tab = new_tab()
        tab.open("/words?" + urlencode({"models": model, "text": text, **address}))
        expect(tab.page.locator(".strip .place").first).to_be_visible(timeout=SLOW_MS)
        return tab

    return opener


def choose(tab, name: str) -> None:
    """Press a choice that stands on the page as a button."""
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def chart(tab, key: str):
    return tab.page.locator(f".st-key-{key} .js-plotly-plot")


def test_a_method_a_picture_and_tokens_are_chosen_and_a_link_opens_them_again(opened, new_tab):
    tab = opened(method="Leave one out")
    expect(tab.page.locator(".strip .place")).to_have_count(10)
    expect(chart(tab, "words_bars")).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.locator(".grade")).to_be_visible(timeout=SLOW_MS)
    choose(tab, "Waterfall")
    expect(tab.page.get_by_text("does not promise that its scores add up to the logit")).to_be_visible()
    with tab.run():
        tab.page.get_by_role("combobox", name="Method").click()
        tab.page.get_by_role("option", name="LSTM ledger").click()
    expect(chart(tab, "words_waterfall")).to_be_visible(timeout=SLOW_MS)
    choose(tab, "Tokens")
    expect(tab.page.locator(".strip .list.tokens")).to_be_visible()
    choose(tab, "Largest first")
    expect(chart(tab, "words_waterfall")).to_contain_text("logit of")
    asked = parse_qs(urlparse(tab.page.url).query)
    assert (asked["method"], asked["show"], asked["scores_of"]) == (["LSTM ledger"], ["Waterfall"], ["Tokens"])

    again = new_tab()
    again.open(tab.page.url.removeprefix(tab.server.url))
    expect(chart(again, "words_waterfall")).to_be_visible(timeout=SLOW_MS)
    expect(again.page.locator(".strip .list.tokens")).to_be_visible()
    for name in ("Waterfall", "Tokens", "Largest first"):
        expect(again.page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True)).to_be_checked()
    assert parse_qs(urlparse(again.page.url).query) == asked


def test_a_clicked_word_moves_the_line_in_the_bars(opened):
    tab = opened(method="Leave one out")
    expect(chart(tab, "words_bars")).to_be_visible(timeout=SLOW_MS)
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


def test_more_is_measured_and_cancelled_and_the_quick_card_stays(opened):
    tab = opened(text=f"{TEXT} , " * 12, method="Integrated gradients")
    grade = tab.page.locator(".grade")
    expect(grade).to_be_visible(timeout=SLOW_MS)
    before = grade.inner_text()
    expect(tab.page.get_by_text("captum's infidelity take about")).to_be_visible()
    tab.page.get_by_role("button", name="Measure more").click()
    cancel = tab.page.get_by_role("button", name="Cancel")
    done = tab.page.get_by_text("Predicts the loss")
    expect(cancel.or_(done).first).to_be_visible(timeout=SLOW_MS)
    assert grade.inner_text() == before or done.is_visible()
    with suppress(TookTooLong):  # the work may end before the pointer is there, and take the button with it
        cancel.click(timeout=3_000)
    expect(tab.page.get_by_role("button", name="Measure more").or_(done).first).to_be_visible(timeout=SLOW_MS)
    expect(grade).to_be_visible()


@pytest.mark.long
def test_hostile_words_stay_words_in_every_section(opened):
    tab = opened(text=HOSTILE, method="Input × gradient")
    alerts: list[str] = []
    tab.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    main = tab.page.get_by_test_id("stMain")
    for name in ("Table", "Side by side", "Baselines", "Flips"):
        choose(tab, name)
        expect(main.get_by_role("button", name="Reproduce bundle (zip)")).to_be_visible(timeout=SLOW_MS)
        assert tab.page.locator("img[src='x'], a[href^='javascript']").count() == 0
    assert not alerts
    assert tab.page.get_by_test_id("stException").count() == 0
