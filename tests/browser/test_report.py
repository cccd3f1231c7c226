"""The report of a judgement, opened from disk: its charts are drawn, and hostile texts do nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from explorer_core import api
from tests.conftest import build_tiny

EVIL = "<img src=http://evil.example/x onerror=alert(1)></script><script>alert(2)</script><svg onload=alert(3)>"
LABELS = ("<b>no</b>", "</td><script>alert(4)</script>")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report over texts, labels, columns and names that are markup."""
    folder = tmp_path_factory.mktemp("report")
    path = folder / "evil.jsonl"
    rows = [{EVIL: f"{EVIL} {row} {'good' * (row % 2)}", "label": LABELS[row % 2]} for row in range(30)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    models = [build_tiny("lstm", labels=LABELS), build_tiny("gru", labels=LABELS)]
    table = api.read_texts([path], api.TextsSpec(EVIL, "label"), names=[f"{EVIL}.jsonl"])
    judged = api.judge(models, table, is_kept=False, n_resamples=20)
    return api.write_report(judged, folder / "report.html", settings={EVIL: EVIL})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_draws_its_charts_asks_for_nothing_and_runs_nobodys_words(
    chromium: Any, report: Path, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    asked, dialogs, errors = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    expect(page.locator("figure .main-svg").first).to_be_visible()
    n_figures = page.locator("figure").count()
    assert n_figures >= 6
    expect(page.locator("figure .js-plotly-plot")).to_have_count(n_figures)
    ink = page.locator("figure .xtick text").first.evaluate("node => getComputedStyle(node).fill")
    assert ink == {"light": "rgb(22, 22, 22)", "dark": "rgb(242, 243, 245)"}[scheme]
    page.pdf()
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []
    assert (dialogs, errors) == ([], [])
    assert page.locator("td img, td script, td b, h1 *").count() == 0
    context.close()
