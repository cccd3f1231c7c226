"""The whole way over the page States: a text, a unit and its card, a pattern in the corpus, a bundle that holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000


def look_at(tab, label: str) -> None:
    with tab.run():
        tab.page.get_by_role("radio", name=label).or_(
            tab.page.get_by_role("button", name=label, exact=True)
        ).first.click()


def read_the_test_rows(tab) -> None:
    """Choose the small part of the starter corpus, and have it read if it has not been."""
    box = tab.page.get_by_role("combobox", name="Part")
    with tab.run():
        box.click()
        tab.page.get_by_role("option", name="test rows").click()
    button = tab.page.get_by_role("button", name="Read the corpus")
    heading = tab.page.get_by_role("heading", name=re.compile("texts", re.IGNORECASE))
    expect(button.or_(heading).first).to_be_visible(timeout=SLOW_MS)
    if button.count():
        button.click()


def word(tab, number: int):
    return tab.page.locator(".strip .place").nth(number - 1)


def test_from_a_text_to_a_units_card_and_to_a_place_in_the_corpus_and_back(new_tab):
    tab = new_tab(viewport={"width": 1280, "height": 1600})
    tab.open("/states?" + urlencode({"models": "starter-lstm", "text": "awful"}))
    expect(tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(TEXT)
    with tab.run():
        box.press("Control+Enter")
    expect(word(tab, 10)).to_be_visible()
    with tab.run():
        word(tab, 5).click()
    expect(word(tab, 5)).to_have_attribute("aria-pressed", "true")
    look_at(tab, "Unit cards")
    expect(tab.page.get_by_role("heading", name="What does this unit respond to?")).to_be_visible(timeout=SLOW_MS)
    unit = tab.page.get_by_role("spinbutton", name="Unit")
    unit.fill("3")
    with tab.run():
        unit.press("Enter")
    expect(unit).to_have_value("3")
    read_the_test_rows(tab)
    expect(tab.page.get_by_role("heading", name=re.compile(r"Unit 3 over 7\d\d texts"))).to_be_visible(timeout=SLOW_MS)
    places = tab.page.get_by_test_id("stDataFrame").first
    places.scroll_into_view_if_needed()
    with tab.run():
        places.click(position={"x": 18, "y": 52})  # the box that chooses the first row
    expect(box).not_to_have_value(TEXT)
    assert len(box.input_value()) > 20
    expect(tab.page.locator('.strip .place[aria-pressed="true"]')).not_to_have_count(0)
    tab.page.get_by_role("button", name=re.compile("^.*Back to")).click()
    expect(box).to_have_value(TEXT, timeout=SLOW_MS)


def test_a_run_of_words_brushed_in_the_strip_is_found_in_the_corpus(new_tab):
    tab = new_tab(viewport={"width": 1280, "height": 1600})
    tab.open("/states?" + urlencode({"models": "starter-lstm", "text": TEXT}))
    expect(tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
    look_at(tab, "Find a pattern")
    read_the_test_rows(tab)
    word(tab, 4).drag_to(word(tab, 5))
    expect(tab.page.get_by_role("heading", name=re.compile("throughout “not good”"))).to_be_visible(timeout=SLOW_MS)
    found = tab.page.get_by_role("heading", name=re.compile(r"Best \d+ of 7\d\d texts"))
    lower = tab.page.get_by_role("button", name=re.compile("^Set it to"))
    expect(found.or_(lower).first).to_be_visible(timeout=SLOW_MS)
    if lower.count():
        lower.click()
    expect(found).to_be_visible(timeout=SLOW_MS)


@pytest.mark.long
def test_a_bundle_is_downloaded_and_its_script_agrees_in_a_clean_process(new_tab, store, tmp_path):
    tab = new_tab(viewport={"width": 1280, "height": 1600})
    tab.open("/states?" + urlencode({"models": "starter-lstm", "text": TEXT}))
    button = tab.page.get_by_role("button", name="Reproduce bundle (zip)")
    expect(button).to_be_visible(timeout=SLOW_MS)
    with tab.page.expect_download(timeout=SLOW_MS) as waiting:
        button.click()
    path = tmp_path / "bundle.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as zipped:
        assert zipped.read("text.txt").decode() == TEXT
        zipped.extractall(tmp_path / "bundle")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "UNROLLED_HOME": str(store), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "reproduce.py"], cwd=tmp_path / "bundle", env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "agree" in done.stdout
