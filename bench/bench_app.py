"""What a person waits for in a browser: the first page after a start, and States after a change of the text."""

from __future__ import annotations

import math
import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import _homes
from bench._row import Row

INSTRUMENTS = Path(__file__).with_suffix(".js")
N_STARTS = 3
N_CHANGES = 12
N_UNCOUNTED = 2  # the first changes of a page pay for more than a change
QUIET_MS = 500  # nothing heard and nothing painted for so long: the page has finished
LIMIT_S = 60
PARTS = ("states_strip", "states_verdict", "states_maps", "states_unit")
FIRST_PAGE = "first page drawn after the server is ready, cold"
NO_TORCH = "starts in which torch was there before the first page was drawn"
CHANGED = "text changed to all States charts finished, {} words, LSTM, Chromium"
WORDS = (
    "the plot takes a while to find its feet but once it does this film is warm funny and never dull although "
    "some of its jokes are old and nobody would call the music a triumph"
)


def measure() -> list[Row]:
    """Seconds and milliseconds in a Chromium on this machine; not measured where there is none."""
    reason = _missing()
    if reason:
        return [
            Row(FIRST_PAGE, 1.5, math.nan, "s", note=reason),
            Row(NO_TORCH, 0, math.nan, "", note=reason),
            Row(CHANGED.format(30), 400, math.nan, "ms", note=reason),
            Row(CHANGED.format(300), 1_000, math.nan, "ms", note=reason),
        ]
    with _homes.with_starters() as (home, about), _chromium() as browser:
        return [*_first_pages(browser, home, about), *_changes(browser, home, about)]


def _missing() -> str:
    """Why no browser can be driven here, or nothing."""
    try:
        import playwright.sync_api  # noqa: F401

        from tests.browser.conftest import CHROMIUM
    except ImportError as error:
        return f"{error.name} is not installed"
    return "" if CHROMIUM.exists() else f"no Chromium at {CHROMIUM}; apt-get install chromium, or set CHROMIUM"


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def _server(home: Path) -> Iterator[Any]:
    from tests.browser.conftest import Server

    server = Server(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _tab(browser: Any, server: Any) -> Iterator[Any]:
    """A tab without cache or history."""
    from tests.browser.conftest import Tab

    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_init_script(path=INSTRUMENTS)
    try:
        yield Tab(context.new_page(), server)
    finally:
        context.close()


# The first page -----------------------------------------------------------------------------------------------------


def _first_pages(browser: Any, home: Path, about: str) -> list[Row]:
    waits_s, leads_s = zip(*(_first_page(browser, home) for _ in range(N_STARTS)), strict=True)
    found = [lead for lead in leads_s if lead is not None]
    n_before = sum(lead < 0 for lead in found)
    when = f"mapped {min(found):.2g} to {max(found):.2g} s after it" if found else "not mapped at all"
    if not Path("/proc/self/maps").exists():
        n_before, when = math.nan, "there is no /proc here"
    spread = f"fastest {min(waits_s):.2f} s, slowest {max(waits_s):.2f} s of {N_STARTS} starts; {about}"
    return [
        Row(FIRST_PAGE, 1.5, statistics.median(waits_s), "s", note=spread),
        Row(NO_TORCH, 0, n_before, "", note=f"libtorch {when}, in the server's process"),
    ]


def _first_page(browser: Any, home: Path) -> tuple[float, float | None]:
    """Seconds from the address being asked for to the page standing, and from then to torch in the server's process.

    The second is `None` if torch has not come when the page has stood for a while.
    """
    with _server(home) as server, _tab(browser, server) as tab:
        came: list[float] = []
        is_over = threading.Event()
        watcher = threading.Thread(target=_watch_for_torch, args=(server.process.pid, came, is_over), daemon=True)
        watcher.start()
        try:
            began_s = time.time()
            tab.page.goto(server.url, wait_until="commit")
            tab.until(lambda: tab.page.evaluate("window.bench.first") > 0, "the first page")
            drawn_s = tab.page.evaluate("window.bench.first") / 1e3
            watcher.join(5)
        finally:
            is_over.set()
            watcher.join()
    return drawn_s - began_s, came[0] - drawn_s if came else None


def _watch_for_torch(pid: int, came: list[float], is_over: threading.Event) -> None:
    """Notes when a library of torch is first mapped into a process."""
    maps = Path(f"/proc/{pid}/maps")
    while not is_over.wait(0.01):
        try:
            if "libtorch" in maps.read_text():
                came.append(time.time())
                return
        except OSError:
            return


# A change of the text -----------------------------------------------------------------------------------------------


def _changes(browser: Any, home: Path, about: str) -> list[Row]:
    with _server(home) as server:
        return [
            _row(n_words, bar, _changed_ms(browser, server, n_words), about)
            for n_words, bar in ((30, 400.0), (300, 1_000.0))
        ]


def _row(n_words: int, bar: float, changes: list[tuple[float, dict[str, float]]], about: str) -> Row:
    totals = [max(parts.values()) for _, parts in changes]
    last = statistics.mode(max(parts, key=lambda part: parts[part]) for _, parts in changes)
    note = (
        f"fastest {min(totals):.0f} ms, slowest {max(totals):.0f} ms of {len(totals)} changes; server finished after "
        f"{statistics.median(server for server, _ in changes):.0f} ms; last mostly {last.removeprefix('states_')}; "
        f"{about}"
    )
    return Row(CHANGED.format(n_words), bar, statistics.median(totals), "ms", note=note)


def _changed_ms(browser: Any, server: Any, n_words: int) -> list[tuple[float, dict[str, float]]]:
    """Of each change: when the last message of the server came, and when each part was last painted, in ms after the
    keys that send the text.
    """
    texts = _texts(n_words, N_CHANGES + N_UNCOUNTED + 1)
    with _tab(browser, server) as tab:
        tab.open("/states?" + urlencode({"models": "starter-lstm", "text": texts[0]}))
        tab.page.locator(".maps canvas.over").first.wait_for(timeout=LIMIT_S * 1e3)
        tab.page.locator(".st-key-states_unit .js-plotly-plot").wait_for(timeout=LIMIT_S * 1e3)
        _until_quiet(tab)
        return [_change(tab, text) for text in texts[1:]][N_UNCOUNTED:]


def _change(tab: Any, text: str) -> tuple[float, dict[str, float]]:
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(text)
    with tab.run():
        box.press("Control+Enter")
    _until_quiet(tab)
    found = tab.page.evaluate("window.bench")
    painted = {part: at_ms - found["began"] for part, at_ms in found["painted"].items() if part in PARTS}
    missing = [part for part in PARTS if part not in painted]
    if missing:
        raise RuntimeError(f"After a change of the text nothing was drawn anew in {', '.join(missing)}.")
    return found["heard"] - found["began"], painted


def _until_quiet(tab: Any) -> None:
    tab.page.wait_for_function(
        f"""() => performance.now() - Math.max(window.bench.heard, window.bench.began,
            ...Object.values(window.bench.painted)) > {QUIET_MS}""",
        timeout=LIMIT_S * 1e3,
    )


def _texts(n_words: int, n_texts: int) -> list[str]:
    """Different texts of just so many words."""
    words, rng = WORDS.split(), random.Random(0)
    return [" ".join(rng.choices(words, k=n_words)) for _ in range(n_texts)]
