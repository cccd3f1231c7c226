"""The page Texts in a browser: from a file to its judgement, to a text on another page and back, to a report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROW_HEIGHT, press_row

SLOW_MS = 60_000
WORDS = {"no": "bad", "yes": "good", "perhaps": "odd"}
ROWS = [f"the film number {row} was {WORDS[label]}{' again' * (row % 4)},{label},{('Oslo', 'Rome')[row % 2]}"
        for row in range(330) for label in [("no", "yes", "perhaps")[row % 3]]]  # fmt: skip


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A CSV with labels, one of which no class is guessed for, and markup in its name."""
    path = tmp_path / "<b>films</b>.csv".replace("/", "_")
    path.write_text("review,answer,city\n" + "\n".join(ROWS) + "\n")
    return path


def look_at(tab: Any, section: str) -> None:
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name=section, exact=True).click()


def choose(tab: Any, name: str, option: str) -> None:
    """An option of a box on the page, other than the first of those that begin so."""
    tab.page.get_by_test_id("stMain").get_by_role("combobox", name=name, exact=True).click()
    with tab.run():
        tab.page.get_by_role("option", name=option, exact=True).click()


def give(tab: Any, films: Path) -> None:
    page = tab.page
    tab.open("/texts?models=starter-gru&models=starter-lstm")
    expect(page.get_by_role("heading", name="Which texts shall be judged?")).to_be_visible(timeout=SLOW_MS)
    page.locator("input[type=file]").set_input_files(str(films))
    expect(page.get_by_text("330 with a label")).to_be_visible(timeout=SLOW_MS)


def map_label(tab: Any, row: int, name: str) -> None:
    """Choose another class for a label in the table of labels."""
    page = tab.page
    table = page.locator('[class*="st-key-texts_labels"] .dvn-scroller')
    table.scroll_into_view_if_needed()
    width = table.bounding_box()["width"]
    table.dblclick(position={"x": width - 60, "y": ROW_HEIGHT * (row + 1.5)})  # waits until the page has come to rest
    expect(page.locator("#portal input").first).to_be_focused()
    page.keyboard.type(name)
    with tab.run():
        page.keyboard.press("Enter")


def expect_no_csv_of_its_own(page: Any) -> None:
    """A table's own menu offers no CSV: it would be written in the browser, with formulas as they stand."""
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    table.hover()
    expect(page.locator('button[aria-label^="Fullscreen"]').last).to_be_visible()
    expect(page.locator('button[aria-label^="Download as CSV"]').last).to_be_hidden()


def read_at_home(chromium: Any, report: Path) -> None:
    """The report opens without the app, shows its tables and charts, and asks no network for anything."""
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    expect(page.get_by_text("starter-gru").first).to_be_visible()
    expect(page.locator("figure .main-svg").first).to_be_visible()
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_a_file_is_judged_reported_and_sliced_and_a_row_opened_and_found_again_in_its_place(
    new_tab, films, store, chromium, tmp_path
):
    tab = new_tab()
    page = tab.page
    give(tab, films)
    expect(page.get_by_text("110 texts count as without a label")).to_be_visible()
    map_label(tab, 2, "negative")  # labels in the order of the file: no, yes, perhaps
    expect(page.get_by_text("110 texts count as without a label")).to_be_hidden()
    assert not re.search("films|csv|uploads", page.url)
    look_at(tab, "Judge")
    page.get_by_role("button", name="Judge them").click()
    expect(page.locator("table.judged").first).to_contain_text("starter-gru", timeout=3 * SLOW_MS)
    expect(page.locator(".st-key-texts_confusion .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    look_at(tab, "Report")
    with page.expect_download(timeout=SLOW_MS) as coming:
        page.get_by_role("button", name="Report (HTML)").click()
    coming.value.save_as(tmp_path / "report.html")
    read_at_home(chromium, tmp_path / "report.html")
    look_at(tab, "Read first")
    choose(tab, "Reason", "Closest calls")
    choose(tab, "By the verdicts of", "starter-lstm")
    choose(tab, "Other column", "city")
    choose(tab, "holds", "Rome (165)")
    expect(page.get_by_text("165 of 330 texts")).to_be_visible()
    with tab.run():
        page.get_by_role("button", name="Next page").click()
    expect(page).to_have_url(re.compile("first_page=2"))
    with tab.run():
        press_row(tab, 2, x=300)  # a cell of the row: its whole text is shown
    shown = page.locator(".edit").first
    expect(shown).to_be_visible()
    text = shown.inner_text()
    with tab.run():
        press_row(tab, 2)
    expect(page.get_by_role("heading", name="States", exact=True)).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value(text)
    expect(page.get_by_role("combobox", name="Look into")).to_have_value("starter-lstm")
    expect(page).to_have_url(re.compile("look=starter-lstm"))
    expect(page.locator(".strip .place").first).to_be_visible(timeout=SLOW_MS)
    with tab.run():
        page.get_by_role("button", name="Back to the list").click()
    expect(page.locator(".edit").first).to_have_text(text)
    expect(page.get_by_text("165 of 330 texts")).to_be_visible()
    place = re.compile(r"(?=.*given=)(?=.*page=2)(?=.*value=Rome)(?=.*first_row=\d+)(?=.*first_reason=Closest)")
    expect(page).to_have_url(place)

    other = new_tab()  # a session of its own that has the address, as after a reload
    other.open(page.url.removeprefix(tab.server.url))
    expect(other.page.locator(".edit").first).to_have_text(text, timeout=SLOW_MS)
    assert list((store / ".uploads").glob("*.csv"))
    look_at(other, "Texts")
    expect_no_csv_of_its_own(other.page)
    other.page.get_by_role("button", name="Delete them here").click()
    expect(other.page.get_by_text("Nothing leaves the computer")).to_be_visible(timeout=SLOW_MS)
    assert not list((store / ".uploads").glob("*.csv"))
    expect(other.page).not_to_have_url(re.compile("given="))
