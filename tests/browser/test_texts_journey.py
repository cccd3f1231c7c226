"""The page Texts in a browser: a file is given, a label left out, models judge it, and it is deleted again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

SLOW_MS = 60_000
ROWS = "".join(f"the film number {row} was {('bad', 'good')[row % 2]},{('no', 'yes')[row % 2]}\n" for row in range(60))


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A CSV with labels, and markup in its name."""
    path = tmp_path / "<b>films</b>.csv".replace("/", "_")
    path.write_text("review,answer\n" + ROWS)
    return path


def test_a_file_is_given_judged_and_deleted(new_tab, films, store):
    tab = new_tab()
    tab.open("/texts?models=starter-lstm&models=starter-gru")
    page = tab.page
    expect(page.get_by_role("heading", name="Which texts shall be judged?")).to_be_visible(timeout=SLOW_MS)
    page.locator("input[type=file]").set_input_files(str(films))
    expect(page.get_by_text("60 with a label")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("heading", name="What the labels mean")).to_be_visible()
    with tab.run():
        page.get_by_test_id("stMain").get_by_role("radio", name="Judge", exact=True).click()
    page.get_by_role("button", name="Judge them").click()
    expect(page.locator("table.judged").first).to_contain_text("starter-gru", timeout=3 * SLOW_MS)
    expect(page.locator(".st-key-texts_confusion .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Rows (JSON lines)")).to_be_visible(timeout=SLOW_MS)
    assert list((store / ".uploads").glob("*.csv"))
    with tab.run():
        page.get_by_test_id("stMain").get_by_role("radio", name="Texts", exact=True).click()
    page.get_by_role("button", name="Delete them here").click()
    expect(page.get_by_text("Nothing leaves the computer")).to_be_visible(timeout=SLOW_MS)
    assert not list((store / ".uploads").glob("*.csv"))
