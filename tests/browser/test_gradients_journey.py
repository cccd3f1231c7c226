"""The whole way over the page Gradients: a text, a word that every picture follows, a loss, a bundle that holds."""

from __future__ import annotations

import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.browser.test_states import cursor_at

ROOT = Path(__file__).parents[2]
TEXT = "the film was not good but the acting was great"
LINES, GATES = "gradients_lines", "gradients_gates"
SLOW_MS = 60_000


def word(tab, number: int):
    return tab.page.locator(".strip .place").nth(number - 1)


def equations(tab):
    return tab.page.locator("div.equations")


@pytest.fixture
def opened(new_tab):
    """The page with its maps drawn, and every error of the browser."""

    def opener(family: str = "lstm", text: str = TEXT, **options):
        address = {name: options.pop(name) for name in ("of", "label", "scale", "layer") if name in options}
        tab = new_tab(viewport={"width": 1280, "height": 1600}, **options)
        failures: list[str] = []
        tab.page.on("pageerror", lambda error: failures.append(str(error)))
        tab.open("/gradients?" + urlencode({"models": f"starter-{family}", "text": text, **address}))
        expect(tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
        return tab, failures

    return opener


def test_a_text_is_typed_and_every_picture_follows_the_chosen_word(opened):
    tab, failures = opened(text="awful", color_scheme="dark")
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(TEXT)
    with tab.run():
        box.press("Control+Enter")
    expect(word(tab, 10)).to_be_visible()
    for number, name in ((5, "good"), (8, "acting")):
        word(tab, number).click()
        expect(word(tab, number)).to_have_attribute("aria-pressed", "true")
        tab.until(lambda now=number: [cursor_at(tab, chart) for chart in (LINES, GATES)] == [now, now], "the cursors")
        expect(tab.page.get_by_text(f"at word {number}, “{name}”, with this text's numbers")).to_be_visible()
        expect(tab.page.get_by_text(f"At word {number}, “{name}”, opening a gate")).to_be_visible()
    expect(equations(tab)).to_contain_text("differs from ∂y/∂c by")
    assert tab.page.get_by_test_id("stException").count() == 0
    assert tab.page.get_by_test_id("stAlert").count() == 0
    assert not failures


def test_a_click_into_a_map_chooses_the_unit_of_the_chain_rule(opened):
    tab, failures = opened()
    canvas = tab.page.locator(".maps canvas.over").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    with tab.run():
        canvas.click(position={"x": box["width"] / 2, "y": 40})
    unit = tab.page.get_by_role("spinbutton", name="Unit")
    heading = tab.page.get_by_text("The chain rule for unit")
    tab.until(
        lambda: f"unit {unit.input_value()} at word" in heading.inner_text(), "the chain rule of the unit clicked"
    )
    assert not failures


@pytest.mark.parametrize(("family", "scheme"), [("rnn", "light"), ("bert", "dark")])
def test_every_kind_of_network_shows_its_gradients_without_an_error(opened, family, scheme):
    tab, failures = opened(family, color_scheme=scheme, scale="word")
    expect(tab.page.locator(f".st-key-{LINES} .js-plotly-plot")).to_be_visible()
    expect(tab.page.get_by_text("A small gradient means")).to_be_visible()
    expect(equations(tab)).to_have_count(0 if family == "bert" else 1)
    assert tab.page.get_by_test_id("stException").count() == 0
    assert not failures


@pytest.mark.long
def test_the_loss_and_its_label_travel_with_the_address(opened):
    tab, _ = opened()
    with tab.run():
        tab.page.get_by_role("radio", name="Loss with a label").or_(
            tab.page.get_by_role("button", name="Loss with a label")
        ).first.click()
    with tab.run():
        tab.page.get_by_role("combobox", name="Right label").click()
        tab.page.get_by_role("option", name="negative").click()
    expect(tab.page.get_by_text("Bars: size of the gradient of the loss with label negative")).to_be_visible()
    address = parse_qs(urlparse(tab.page.url).query)
    assert address["of"] == ["Loss with a label"]
    tab.page.reload()
    expect(tab.page.get_by_text("Bars: size of the gradient of the loss with label negative")).to_be_visible(
        timeout=SLOW_MS
    )
    again, _ = opened(of="loss", label="negative")
    expect(again.page.get_by_text("Bars: size of the gradient of the loss with label negative")).to_be_visible()


def test_a_long_text_is_asked_for_and_opens_at_the_chosen_word(new_tab):
    tab = new_tab()
    tab.open("/gradients?" + urlencode({"models": "starter-rnn", "text": f"{TEXT} " * 101}))
    ask = tab.page.get_by_role("button", name="Read all 1,010 words")
    expect(ask).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.get_by_text("to walk back takes about")).to_be_visible()
    ask.click()
    chosen = tab.page.locator('.strip .place[aria-pressed="true"]')
    expect(chosen).to_be_visible(timeout=SLOW_MS)
    expect(chosen).to_be_in_viewport()


def test_a_bundle_of_gradients_holds_both_calls(opened, tmp_path):
    tab, _ = opened()
    button = tab.page.get_by_role("button", name="Reproduce bundle (zip)")
    expect(button).to_be_visible(timeout=SLOW_MS)
    with tab.page.expect_download(timeout=SLOW_MS) as waiting:
        button.click()
    path = tmp_path / "bundle.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as zipped:
        assert zipped.read("text.txt").decode() == TEXT
        assert {"trace_gradients.csv", "trace_gradient_step.csv", "figures.html"} <= set(zipped.namelist())
        assert "reproduce.py" in zipped.namelist()
