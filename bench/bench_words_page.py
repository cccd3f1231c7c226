"""What a person waits for on the page Words: from a changed text to the scores under its words, and to the card."""

from __future__ import annotations

import math
import statistics
from typing import Any
from urllib.parse import urlencode

from bench import _homes, bench_app
from bench._row import Row

CHANGED = "text changed to integrated gradients on the strip, 30 words, LSTM, Chromium"
STRIP = "words_strip"


def measure() -> list[Row]:
    """Milliseconds in a Chromium on this machine; not measured where there is none."""
    reason = bench_app._missing()
    if reason:
        return [Row(CHANGED, 400, math.nan, "ms", note=reason)]
    with _homes.with_starters() as (home, about), bench_app._chromium() as browser, bench_app._server(home) as server:
        changes = _changes(browser, server)
    strip, all_of_it = zip(*changes, strict=True)
    note = f"fastest {min(strip):.0f} ms, slowest {max(strip):.0f} ms of {len(strip)} changes; bars and trust card "
    note += f"after {statistics.median(all_of_it):.0f} ms; {about}"
    return [Row(CHANGED, 400, statistics.median(strip), "ms", note=note)]


def _changes(browser: Any, server: Any) -> list[tuple[float, float]]:
    """Of each change: when the strip was last painted, and when anything was, in ms after the text was sent."""
    texts = bench_app._texts(30, bench_app.N_CHANGES + bench_app.N_UNCOUNTED + 1)
    with bench_app._tab(browser, server) as tab:
        tab.open("/words?" + urlencode({"models": "starter-lstm", "text": texts[0]}))
        tab.page.locator(".strip .place").first.wait_for(timeout=bench_app.LIMIT_S * 1e3)
        tab.page.locator(".grade").wait_for(timeout=bench_app.LIMIT_S * 1e3)
        bench_app._until_quiet(tab)
        return [_change(tab, text) for text in texts[1:]][bench_app.N_UNCOUNTED :]


def _change(tab: Any, text: str) -> tuple[float, float]:
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(text)
    with tab.run():
        box.press("Control+Enter")
    bench_app._until_quiet(tab)
    found = tab.page.evaluate("window.bench")
    return found["painted"][STRIP] - found["began"], max(found["painted"].values()) - found["began"]
