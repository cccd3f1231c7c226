"""What a person waits for on the page Compare: four networks over a changed text, and over one that was seen before."""

from __future__ import annotations

import math
import statistics
from typing import Any
from urllib.parse import urlencode

from bench import _homes, bench_app
from bench._row import Row

MODELS = ("starter-rnn", "starter-lstm", "starter-bilstm", "starter-bert")
CHANGED = "text changed to verdicts and strips of RNN, LSTM, BiLSTM, BERT, 30 words, Chromium"
AGAIN = "the same for a text seen before"
PARTS = ("compare_verdict", *(f"compare_strip_{index}" for index in range(len(MODELS))))


def measure() -> list[Row]:
    """Milliseconds in a Chromium on this machine; not measured where there is none, or without those starters."""
    reason = bench_app._missing()
    missing = [name for name in MODELS if name not in _homes.ready_starters()]
    if not reason and missing:
        reason = f"{', '.join(missing)} not trained yet"
    if reason:
        return [Row(CHANGED, 1_000, math.nan, "ms", note=reason), Row(AGAIN, 300, math.nan, "ms", note=reason)]
    with _homes.with_starters() as (home, about), bench_app._chromium() as browser, bench_app._server(home) as server:
        first, again = _changes(browser, server)
    return [_row(CHANGED, 1_000, first, about), _row(AGAIN, 300, again, about)]


def _row(name: str, bar: float, found: list[float], about: str) -> Row:
    note = f"fastest {min(found):.0f} ms, slowest {max(found):.0f} ms of {len(found)} changes; {about}"
    return Row(name, bar, statistics.median(found), "ms", note=note)


def _changes(browser: Any, server: Any) -> tuple[list[float], list[float]]:
    """Of each change to a new text, and of each change back: when the last part was painted, in ms after the keys."""
    texts = bench_app._texts(30, bench_app.N_CHANGES + bench_app.N_UNCOUNTED + 1)
    with bench_app._tab(browser, server) as tab:
        address = [("models", name) for name in MODELS] + [("text", texts[0])]
        tab.open("/compare?" + urlencode(address))
        tab.page.locator(".strip .place").first.wait_for(timeout=bench_app.LIMIT_S * 1e3)
        bench_app._until_quiet(tab)
        first = [_change(tab, text) for text in texts[1:]][bench_app.N_UNCOUNTED :]
        again = [_change(tab, text) for text in texts[-2::-1]][: bench_app.N_CHANGES]
    return first, again


def _change(tab: Any, text: str) -> float:
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(text)
    with tab.run():
        box.press("Control+Enter")
    bench_app._until_quiet(tab)
    found = tab.page.evaluate("window.bench")
    return max(found["painted"][part] for part in PARTS) - found["began"]
