"""The page States in a browser: a chosen word moves everything at once, by mouse and by keyboard."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000


@pytest.fixture
def opened(new_tab):
    def opener(text: str = TEXT, model: str = "starter-lstm", **options):
        tab = new_tab(**options)
        tab.open("/states?" + urlencode({"models": model, "text": text}))
        expect(tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
        expect(tab.page.locator(".st-key-states_verdict .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
        return tab

    return opener


@pytest.fixture(scope="module")
def resting(kept_tab):
    """The page over `TEXT`, with whatever the tests before have chosen."""
    kept_tab.open("/states?" + urlencode({"models": "starter-lstm", "text": TEXT}))
    expect(kept_tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
    expect(kept_tab.page.locator(".st-key-states_verdict .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    return kept_tab


def word(tab, number: int):
    return tab.page.locator(".strip .place").nth(number - 1)


def cursor_at(tab, chart: str) -> float | None:
    """Word the line in a chart stands at, from 1."""
    return tab.page.evaluate(
        """chart => {
            const plot = document.querySelector(`.st-key-${chart} .js-plotly-plot`)
            const line = plot?.querySelector(".unrolled-cursor")
            if (!line || line.style.display === "none") return null
            const axis = plot._fullLayout.xaxis
            return Math.round(axis.p2d(parseFloat(line.style.left) + 0.75 - axis._offset)) + 1
        }""",
        chart,
    )


def test_a_click_on_a_word_moves_every_chart_in_the_browser_before_the_server_answers(resting):
    tab = resting
    pressed = tab.page.evaluate(
        """() => {
            const hosts = [...document.querySelectorAll("*")].filter(one => one.shadowRoot?.querySelector(".strip"))
            const button = hosts[0].shadowRoot.querySelectorAll(".place")[4]
            button.click()
            return button.getAttribute("aria-pressed")
        }"""
    )
    assert pressed == "true"
    assert [cursor_at(tab, chart) for chart in ("states_verdict", "states_unit")] == [5, 5]
    expect(tab.page.locator("table.exact")).to_contain_text("after word 5")
    expect(tab.page.locator("table.exact")).to_contain_text("good")


def test_the_strip_is_worked_with_the_keyboard_alone(resting):
    tab = resting
    word(tab, 3).focus()
    for key, now in (("ArrowRight", 4), ("ArrowRight", 5), ("ArrowLeft", 4), ("End", 10), ("Home", 1)):
        tab.page.keyboard.press(key)
        expect(word(tab, now)).to_have_attribute("aria-pressed", "true")
        expect(word(tab, now)).to_be_focused()
    assert tab.page.locator('.strip .place[tabindex="0"]').count() == 1
    expect(tab.page.locator("table.exact")).to_contain_text("after word 1")


def run_of(tab) -> list[int]:
    """Words that are drawn as one run, from 1."""
    return tab.page.locator(".strip .place.run").evaluate_all("all => all.map(one => Number(one.dataset.word) + 1)")


def test_a_span_is_dragged_over_words_told_once_and_let_go_of_by_a_click(resting):
    tab = resting
    before = tab.finished
    with tab.run():
        word(tab, 3).hover(position={"x": 9, "y": 9})
        tab.page.mouse.down()
        word(tab, 5).hover(position={"x": 9, "y": 9})
        word(tab, 6).hover(position={"x": 9, "y": 9})
        assert run_of(tab) == [3, 4, 5, 6]
        assert tab.finished == before  # while the mouse moves the server is left alone
        tab.page.mouse.up()
    assert tab.page.evaluate("window.unrolledChosen.states.span") == [2, 5]
    expect(tab.page.locator(".strip .hint")).to_have_text("Words 3 to 6 selected; a click lets go")
    with tab.run():
        word(tab, 8).click()
    assert run_of(tab) == []
    assert tab.page.evaluate("window.unrolledChosen.states.span") is None
    expect(word(tab, 8)).to_have_attribute("aria-pressed", "true")


def test_a_span_grows_and_shrinks_with_shift_and_the_arrow_keys(resting):
    tab = resting
    word(tab, 4).click()
    for key, run in (("ArrowRight", [4, 5]), ("ArrowRight", [4, 5, 6]), ("ArrowLeft", [4, 5]), ("Home", [1, 2, 3, 4])):
        tab.page.keyboard.press(f"Shift+{key}")
        assert run_of(tab) == run
    expect(word(tab, 1)).to_be_focused()
    expect(word(tab, 4)).to_have_attribute("aria-pressed", "true")
    tab.page.keyboard.press("Escape")
    assert run_of(tab) == []


def test_a_span_is_closed_by_a_click_with_shift_also_over_tokens(opened):
    tab = opened()
    word(tab, 2).click()
    word(tab, 5).click(modifiers=["Shift"])
    assert run_of(tab) == [2, 3, 4, 5]
    tab.page.get_by_role("button", name="Tokens").click()
    assert sorted(set(run_of(tab))) == [2, 3, 4, 5]


def test_a_click_in_a_map_chooses_word_and_unit_everywhere(resting):
    tab = resting
    over = tab.page.locator(".maps canvas.over").nth(1)
    over.scroll_into_view_if_needed()
    over.click(position={"x": 60, "y": 30})
    expect(tab.page.locator('.strip .place[aria-pressed="true"]')).to_have_count(1)
    chosen = tab.page.evaluate("window.unrolledChosen.states")
    expect(word(tab, chosen["word"] + 1)).to_have_attribute("aria-pressed", "true")
    expect(tab.page.get_by_role("spinbutton", name="Unit")).to_have_value(str(chosen["unit"]))
    expect(tab.page.get_by_text(f"Unit {chosen['unit']} over the words")).to_be_visible()
    over.focus()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("spinbutton", name="Unit")).to_have_value(str(chosen["unit"] + 1))


def test_a_unit_chosen_in_the_box_moves_the_cross_hair(resting):
    tab = resting
    box = tab.page.get_by_role("spinbutton", name="Unit")
    box.fill("3")
    box.press("Enter")
    tab.until(lambda: tab.page.evaluate("window.unrolledChosen.states.unit") == 3, "the cross-hair")


def test_tokens_are_shown_on_demand_with_special_ones_marked(opened):
    tab = opened(model="starter-bert")
    tab.page.get_by_role("button", name="Tokens").click()
    expect(tab.page.locator(".strip li.special")).to_have_count(2)
    expect(tab.page.locator(".strip .legend")).to_contain_text("special token")


def test_hostile_words_are_shown_as_they_stand(opened):
    tab = opened("<img src=http://example.org/x.png onerror=window.__xss=1> ![a](http://example.org/b.png) \u202egood")
    assert tab.page.evaluate("window.__xss") is None
    assert tab.page.locator(".strip img").count() == 0


def test_fifteen_hundred_words_stay_usable(opened):
    tab = opened("good bad fine " * 500)
    assert tab.page.locator(".strip .place").count() == 1500
    word(tab, 700).click()
    expect(tab.page.locator("table.exact")).to_contain_text("after word 700")


def test_arabic_runs_from_right_to_left(opened):
    tab = opened("كان الفيلم رائعا")
    first, second = word(tab, 1).bounding_box(), word(tab, 2).bounding_box()
    assert first["x"] > second["x"]
    word(tab, 1).focus()
    tab.page.keyboard.press("ArrowLeft")
    expect(word(tab, 2)).to_be_focused()
