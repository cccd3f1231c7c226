"""Connectivity in a browser: a row clicked, or reached with the keys, is what the strip shows, and nothing jumps."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from explorer_core import api
from explorer_core.numerals import number

TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000
TOP = 8  # px above the first row, as in heads.js


@pytest.fixture
def opened(new_tab):
    def opener(text: str = TEXT, model: str = "starter-lstm", **address):
        tab = new_tab(viewport={"width": 1280, "height": 1600})
        tab.open("/gradients?" + urlencode({"models": model, "text": text, "view": "connectivity", **address}))
        expect(tab.page.locator(".heads canvas.over")).to_be_visible(timeout=SLOW_MS)
        return tab

    return opener


@pytest.fixture(scope="module")
def resting(kept_tab):
    """The map over `TEXT`, with whatever row the tests before have chosen."""
    kept_tab.open("/gradients?" + urlencode({"models": "starter-lstm", "text": TEXT, "view": "connectivity"}))
    expect(kept_tab.page.locator(".heads canvas.over")).to_be_visible(timeout=SLOW_MS)
    return kept_tab


@pytest.fixture
def strength(store):
    return lambda model="starter-lstm", text=TEXT: (
        api.trace_connectivity(api.load_model(str(store / model)), text, 1).strength
    )


def numbers_of(tab) -> list[str]:
    """What stands under each word of the strip."""
    return [text.split("\n")[-1] for text in tab.page.locator(".strip .place").all_inner_texts()]


def expect_row(tab, strength, row: int) -> None:
    """The strip shows a row, and its word is the chosen one."""
    words = TEXT.split()
    expected = [number(value) for value in strength[row, : row + 1].tolist()] + ["–"] * (len(words) - 1 - row)
    tab.until(lambda: numbers_of(tab) == expected, f"row {row} on the strip: {expected}, not {numbers_of(tab)}")
    chosen = tab.page.locator('.strip .place[aria-pressed="true"]')
    expect(chosen).to_have_attribute("aria-label", f"word {row + 1}: {words[row]}, {expected[row]}")


def click_row(tab, row: int) -> None:
    canvas = tab.page.locator(".heads canvas.over")
    box = canvas.bounding_box()
    cell = 40
    assert box["height"] > TOP + len(TEXT.split()) * cell
    canvas.click(position={"x": box["width"] / 2, "y": TOP + (row + 0.5) * cell})


@pytest.mark.parametrize("model", ["starter-bilstm", "starter-bert"])
def test_a_clicked_row_is_what_the_strip_shows_and_the_map_stays_where_it_is(opened, strength, model):
    tab, values = opened(model=model), strength(model)
    expect_row(tab, values, 9)
    top = tab.page.locator(".heads canvas.over").bounding_box()["y"]
    for row in (4, 1, 7):
        click_row(tab, row)
        expect_row(tab, values, row)
        expect(tab.page.locator("p", has_text=f"After word {row + 1}, ").first).to_be_visible()
        assert tab.page.locator(".heads canvas.over").bounding_box()["y"] == pytest.approx(top, abs=30)
        # the sentence may take a line more or less; the strip itself never changes its height
    heights = {round(box["height"]) for box in boxes(tab)}
    assert len(heights) == 1


def boxes(tab) -> list[dict]:
    return [place.bounding_box() for place in tab.page.locator(".strip .place").all()]


def test_the_keys_move_from_row_to_row_on_the_map_and_keep_the_focus(resting, strength):
    tab, values = resting, strength()
    click_row(tab, 4)
    expect_row(tab, values, 4)
    tab.page.locator(".heads canvas.over").focus()
    for key, row in (("ArrowDown", 5), ("ArrowUp", 4), ("ArrowUp", 3)):
        tab.page.keyboard.press(key)
        expect_row(tab, values, row)
    expect(tab.page.locator(".heads canvas.over")).to_be_focused()
    expect(tab.page.locator(".heads .said")).to_have_text("not → good: not read yet")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.locator(".heads .said")).to_have_text(f"not → not: {number(values[3, 3])}")


def test_a_word_of_the_strip_chooses_its_row_and_stays_in_hand_when_the_bars_change(resting, strength):
    tab, values = resting, strength()
    tab.page.locator(".strip .place").nth(2).click()
    expect_row(tab, values, 2)
    tab.page.mouse.move(5, 5)  # the list shows the word pointed at, and else the chosen one
    expect(tab.page.locator(".heads .row h5")).to_contain_text("After “was” it depends on")
    for row in (3, 4):
        tab.page.locator(".strip .place").first.dispatch_event("pointerover")  # pointed at, never seen to be left
        tab.page.keyboard.press("ArrowRight")
        expect_row(tab, values, row)
    expect(tab.page.locator(".strip .place").nth(4)).to_be_focused()
    expect(tab.page.locator(".heads .row h5")).to_contain_text("After “good” it depends on")


def test_a_cell_says_its_number_and_a_word_not_read_yet_says_nothing(resting, strength):
    tab, values = resting, strength()
    canvas = tab.page.locator(".heads canvas.over")
    box = canvas.bounding_box()
    left = box["width"] - 6 - 10 * 40
    tip = tab.page.locator(".heads .tip")
    canvas.hover(position={"x": left + 2.5 * 40, "y": TOP + 6.5 * 40})
    expect(tip).to_contain_text(number(values[6, 2]))
    expect(tip).to_contain_text("row: the (the text up to this word)")
    canvas.hover(position={"x": left + 6.5 * 40, "y": TOP + 2.5 * 40})
    expect(tip).to_be_hidden()
    assert canvas.bounding_box() == box  # what is read off it moves nothing


def test_the_map_is_drawn_in_colours_below_the_diagonal_only(resting):
    tab = resting
    alpha = tab.page.locator(".heads canvas.heat").evaluate(
        """(canvas) => {
          const at = (row, column) => canvas.getContext("2d").getImageData(
            canvas.width - 6 - (10 - column - 0.5) * 40, 8 + (row + 0.5) * 40, 1, 1).data[3]
          return [at(6, 2), at(9, 9), at(2, 6), at(0, 9)]
        }"""
    )
    assert alpha == [255, 255, 0, 0]
