"""What a person waits for on the page Texts: from the press on a row to its text drawn on the page States."""

from __future__ import annotations

import csv
import math
import statistics
from pathlib import Path
from typing import Any

from bench import _homes, bench_app
from bench._row import Row

OPENED = "row of a list pressed to all States charts finished, 30 words, LSTM, Chromium"
N_TEXTS = 200
N_PRESSES, N_UNCOUNTED = 8, 2  # the first press after a start imports what draws the page
_BEGIN = """document.addEventListener("pointerdown",
    () => Object.assign(window.bench, { began: performance.now(), painted: {} }), true)"""


def measure() -> list[Row]:
    """Milliseconds in a Chromium on this machine; not measured where there is none."""
    reason = bench_app._missing()
    if reason:
        return [Row(OPENED, 600, math.nan, "ms", note=reason)]
    with _homes.with_starters() as (home, about), bench_app._chromium() as browser, bench_app._server(home) as server:
        file = home.parent / "texts.csv"
        _write(file)
        presses = _presses(browser, server, file)
    first, counted = presses[0], presses[N_UNCOUNTED:]
    strips, all_of_it = zip(*counted, strict=True)
    note = f"fastest {min(all_of_it):.0f} ms, slowest {max(all_of_it):.0f} ms of {len(counted)} presses; strip after "
    note += f"{statistics.median(strips):.0f} ms; the very first press after a start {first[1]:.0f} ms; {about}"
    return [Row(OPENED, 600, statistics.median(all_of_it), "ms", note=note)]


def _write(file: Path) -> None:
    texts = bench_app._texts(30, N_TEXTS)
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("text", "label"))
        rows.writerows((text, ("negative", "positive")[number % 2]) for number, text in enumerate(texts))


def _presses(browser: Any, server: Any, file: Path) -> list[tuple[float, float]]:
    """Of each press: when the strip was last painted, and when all of States was, in ms after it."""
    limit = bench_app.LIMIT_S * 1e3
    with bench_app._tab(browser, server) as tab:
        page = tab.page
        tab.open("/texts?models=starter-lstm")
        page.locator("input[type=file]").set_input_files(str(file))
        page.get_by_text(f"{N_TEXTS} with a label").wait_for(timeout=limit)
        _look_at(tab, "Judge")
        page.get_by_role("button", name="Judge them").click()
        page.locator("table.judged").first.wait_for(timeout=limit)
        bench_app._until_quiet(tab)
        _look_at(tab, "Read first")
        page.evaluate(_BEGIN)
        return [_press(tab, number) for number in range(N_PRESSES + N_UNCOUNTED)]


def _look_at(tab: Any, section: str) -> None:
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name=section, exact=True).click()


def _press(tab: Any, number: int) -> tuple[float, float]:
    from tests.browser.conftest import press_row

    bench_app._until_quiet(tab)
    with tab.run():
        press_row(tab, number)
    tab.page.locator(".maps canvas.over").first.wait_for(timeout=bench_app.LIMIT_S * 1e3)
    bench_app._until_quiet(tab)
    found = tab.page.evaluate("window.bench")
    painted = {part: at_ms - found["began"] for part, at_ms in found["painted"].items() if part in bench_app.PARTS}
    missing = [part for part in bench_app.PARTS if part not in painted]
    if missing:
        raise RuntimeError(f"A press on a row drew nothing in {', '.join(missing)}.")
    with tab.run():
        tab.page.get_by_role("button", name="Back to the list").click()
    return painted["states_strip"], max(painted.values())
