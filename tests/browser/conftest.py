"""A server of our own on a free port, a browser, and a way to know that the app has finished what was asked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
START_LIMIT_S = 60
RUN_LIMIT_MS = 60_000
EXPECT_LIMIT_MS = 30_000
ROW_HEIGHT = 35  # pixels of a row of a table, its head among them


def pytest_configure() -> None:
    try:
        from playwright.sync_api import expect
    except ImportError:
        return
    expect.set_options(timeout=EXPECT_LIMIT_MS)  # two test processes, their servers and browsers share two cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}; apt-get install chromium"))


@dataclass
class Server:
    """The app in a process group of its own; can be stopped and started again on the same port."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(default=Path())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self.log = self.home.parent / f"server-{self.port}.log"
        own = {
            "OMP_NUM_THREADS": "1",
            "UNROLLED_HOME": str(self.home),
            "UNROLLED_NO_STARTERS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", "app.py"),
                    *("--server.port", str(self.port), "--server.headless", "true"),
                ],
                cwd=ROOT, env={**os.environ, **own}, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log.read_text()[-3000:]}")
            with _nothing_but(subprocess.TimeoutExpired):
                self.process.wait(0.1)

    def stop(self) -> None:
        if self.process is None:
            return
        with _nothing_but(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@contextmanager
def _nothing_but(expected: type[BaseException]) -> Iterator[None]:
    try:
        yield
    except expected:
        return


@dataclass
class Tab:
    """One page of the browser: how often it connected, how many script runs have finished, and which requests left."""

    page: Any
    server: Server
    finished: int = 0
    connected: int = 0
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("websocket", self._connect)
        self.page.on("request", self._watch)

    def open(self, path: str = "/") -> None:
        """Go to an address and wait until its script has run."""
        with self.run():
            self.page.goto(self.server.url + path)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Wait until a script run that the block causes has finished."""
        before = self.finished
        yield
        self.until(lambda: self.finished > before, "a script run")

    def until(self, holds: Callable[[], bool], what: str, limit_ms: int = RUN_LIMIT_MS) -> None:
        """Let the browser work until something holds."""
        waited = 0
        while not holds():
            if waited >= limit_ms:
                raise AssertionError(f"Waited {limit_ms} ms for {what}.\n{self.server.log.read_text()[-3000:]}")
            self.page.wait_for_timeout(20)
            waited += 20

    def _connect(self, socket: Any) -> None:
        self.connected += 1
        socket.on("framereceived", self._count)

    def _count(self, frame: bytes | str) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = ForwardMsg()
        message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
        is_end = message.WhichOneof("type") == "script_finished"
        self.finished += is_end and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _watch(self, request: Any) -> None:
        address = urlparse(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.left.append(request.url)


def press_row(tab: Tab, row: int, x: int = 45) -> None:
    """Press a cell of the first table on a page; by default the button in front of a row that opens its text."""
    table = tab.page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.locator(".dvn-scroller").click(position={"x": x, "y": ROW_HEIGHT * (row + 1.5)})


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with tiny ready models; read-only by agreement."""
    from tests.pages.tiny import fill_home

    return fill_home(tmp_path_factory.mktemp("browser") / "home")


@pytest.fixture(scope="session")
def server(store: Path) -> Iterator[Server]:
    """One server for all tests that do not change it."""
    running = Server(store)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def new_tab(chromium: Any, server: Server) -> Iterator[Callable[..., Tab]]:
    """Open tabs, each a session of its own; at the end nothing may have asked another host."""
    opened: list[Tab] = []

    def opener(on: Server | None = None, **options: Any) -> Tab:
        options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        context = chromium.new_context(**options)
        context.set_default_timeout(20_000)
        tab = Tab(context.new_page(), on or server)
        opened.append(tab)
        return tab

    yield opener
    for tab in opened:
        tab.page.context.close()
    assert [tab.left for tab in opened] == [[] for _ in opened], "a request left this machine"


@pytest.fixture(scope="module")
def kept_tab(chromium: Any, server: Server) -> Iterator[Tab]:
    """One tab for the tests of a file that do not mind what was chosen before: to open a page costs seconds."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    tab = Tab(context.new_page(), server)
    yield tab
    context.close()
    assert not tab.left, "a request left this machine"


@pytest.fixture
def tab(new_tab: Callable[..., Tab]) -> Tab:
    return new_tab()
