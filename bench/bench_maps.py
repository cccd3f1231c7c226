"""What a person waits for in the maps of States: six large ones shown and switched, and a click that moves the rest."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import _homes, bench_app
from bench._row import Row

CLICK = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
LARGE = "bench-maps"
N_WORDS, N_UNITS = 512, 256
N_OPENED, N_SWITCHED, N_CLICKED = 5, 10, 24
N_UNCOUNTED = 2  # the first of each pays for more than itself
SHOWN = f"six maps of {N_WORDS} words x {N_UNITS} units shown, page opened in a fresh browser"
SWITCHED = f"six maps of {N_WORDS} words x {N_UNITS} units switched to the other layer"
MOVED = "cell of a map clicked to cross-hair, strip and lines in the charts moved, in the browser"
ANSWERED = "cell of a map clicked to that unit's chart redrawn by the server, 30 words"
BEGIN_AT_OPTION = """() => document.addEventListener("click", event => {
  if (event.target.closest('[role="option"]')) Object.assign(window.bench, { began: performance.now(), painted: {} })
}, true)"""


def measure() -> list[Row]:
    """Seconds and milliseconds in a Chromium on this machine; not measured where there is none."""
    reason = bench_app._missing()
    if reason:
        return [
            Row(name, bar, math.nan, unit, note=reason)
            for name, bar, unit in ((SHOWN, 3, "s"), (SWITCHED, 1, "s"), (MOVED, 50, "ms"), (ANSWERED, 200, "ms"))
        ]
    with _homes.with_starters() as (home, about), bench_app._chromium() as browser:
        _homes.save_untrained(home, LARGE, hidden_size=N_UNITS, num_layers=2)
        with bench_app._server(home) as server:
            return [*_large(browser, server), *_clicks(browser, server, about)]


def _large(browser: Any, server: Any) -> list[Row]:
    texts = bench_app._texts(N_WORDS, N_OPENED + N_UNCOUNTED)
    shown_s = [_shown_s(browser, server, text) for text in texts][N_UNCOUNTED:]
    switched_s = _switched_s(browser, server, texts[-1])[N_UNCOUNTED:]
    about = "an untrained LSTM of two layers"
    return [_row(SHOWN, 3, "s", shown_s, about), _row(SWITCHED, 1, "s", switched_s, about)]


def _row(quantity: str, bar: float, unit: str, found: list[float], about: str) -> Row:
    digits = 2 if unit == "s" else 0
    note = f"fastest {min(found):.{digits}f} {unit}, slowest {max(found):.{digits}f} {unit} of {len(found)}; {about}"
    return Row(quantity, bar, statistics.median(found), unit, note=note)


def _open(tab: Any, model: str, text: str) -> None:
    tab.open("/states?" + urlencode({"models": model, "text": text, "view": "gates"}))
    tab.page.locator(".maps canvas.over").first.wait_for(timeout=bench_app.LIMIT_S * 1e3)
    tab.page.locator(".st-key-states_unit .js-plotly-plot").wait_for(timeout=bench_app.LIMIT_S * 1e3)
    bench_app._until_quiet(tab)


def _shown_s(browser: Any, server: Any, text: str) -> float:
    """Seconds from the address being asked for to the last paint of the maps."""
    with bench_app._tab(browser, server) as tab:
        _open(tab, LARGE, text)
        return tab.page.evaluate("window.bench.painted.states_maps") / 1e3


def _switched_s(browser: Any, server: Any, text: str) -> list[float]:
    """Seconds from the click on the other layer to the last paint of the maps."""
    found = []
    with bench_app._tab(browser, server) as tab:
        _open(tab, LARGE, text)
        tab.page.evaluate(BEGIN_AT_OPTION)
        layers = tab.page.get_by_role("combobox", name="Layer")
        layers.scroll_into_view_if_needed()
        bench_app._until_quiet(tab)
        for turn in range(N_SWITCHED + N_UNCOUNTED):
            layers.press("ArrowDown")  # opens the list, which a page that still scrolls would close again
            with tab.run():
                tab.page.get_by_role("option", name=str(1 + turn % 2), exact=True).click()
            bench_app._until_quiet(tab)
            seen = tab.page.evaluate("window.bench")
            found.append((seen["painted"]["states_maps"] - seen["began"]) / 1e3)
    return found


def _clicks(browser: Any, server: Any, about: str) -> list[Row]:
    rng = random.Random(0)
    moved_ms, answered_ms = [], []
    with bench_app._tab(browser, server) as tab:
        _open(tab, "starter-lstm", bench_app._texts(30, 1)[0])
        for _ in range(N_CLICKED + N_UNCOUNTED):
            seen = tab.page.evaluate(CLICK, {"across": rng.uniform(0.2, 0.75), "down": rng.uniform(0.1, 0.6)})
            tab.until(lambda: tab.page.evaluate("window.bench.answered") > 0, "the chart of the unit")
            word = seen["chosen"]["word"]
            if seen["pressed"] != word or set(seen["cursors"]) != {word}:
                raise RuntimeError(f"After a click on word {word} the page stood at {seen}.")
            bench_app._until_quiet(tab)
            tab.page.get_by_text(f"Unit {seen['chosen']['unit']} over the words").wait_for()
            found = tab.page.evaluate("window.bench")
            moved_ms.append(seen["took"])
            answered_ms.append(found["answered"] - found["began"])
    return [
        _row(MOVED, 50, "ms", moved_ms[N_UNCOUNTED:], about),
        _row(ANSWERED, 200, "ms", answered_ms[N_UNCOUNTED:], about),
    ]
