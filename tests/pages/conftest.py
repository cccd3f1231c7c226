"""The app as a person meets it, without a browser: `app.py` through AppTest, over a store of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from tests.pages.tiny import fill_home, save_tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _quiet_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No starters in the background, and caches that do not remember the test before."""
    monkeypatch.setenv("UNROLLED_NO_STARTERS", "1")
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _routed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages run through `app.py` as in a server that has been asked for `/` once.

    AppTest would start every page alone, as a server does that is asked for a page first; a test of that is marked
    by the fixture `page_alone`.
    """
    if "page_alone" not in request.fixturenames:
        monkeypatch.setattr(app_test, "PagesManager", type("Routed", (PagesManager,), {}))
        monkeypatch.setattr(PagesManager, "uses_pages_directory", False)


@pytest.fixture
def page_alone() -> None:
    """The first page of a server is asked for by its own address."""


@pytest.fixture
def open_app() -> Callable[..., Any]:
    """Open the app at an address: `open_app(models=["starter-lstm"])`, or `open_app("pages/models.py")`."""

    def opener(page: str | None = None, **address: Any) -> Any:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(page).run() if page else app

    return opener


@pytest.fixture
def ready_home(home: Path) -> Path:
    """All five starters are ready, tiny and random."""
    return fill_home(home)


@pytest.fixture
def warmed() -> None:
    """What computes is imported already, as a few seconds after the first page."""
    from pages._ui import cache

    cache.warm()
    cache.warm(wait_s=120)
    assert cache.is_warm()


@pytest.fixture
def open_words(open_app: Callable[..., Any], home: Path, warmed: None) -> Callable[..., Any]:
    """Open the page Words over a tiny model: `open_words("lstm", method="lime")`."""

    def opener(family: str = "lstm", text: str = "not unbelievably bad but great", **address: Any) -> Any:
        save_tiny(home, f"starter-{family}", family)
        app = open_app("pages/words.py", text=text, **address)
        assert not app.exception
        return app

    return opener


@pytest.fixture
def open_section(open_app: Callable[..., Any], home: Path, warmed: None) -> Callable[..., Any]:
    """Open a section of the page Compare over tiny models, and wait: `open_section("edit", "lstm", "bert", text=...)`,
    and values of widgets.
    """

    def opener(view: str, *families: str, **address: Any) -> Any:
        names = [f"starter-{family}" for family in families]
        fill_home(home, names)
        app = open_app("pages/compare.py", models=names, view=view, **address)
        assert not app.exception
        return settled(app)

    return opener


@pytest.fixture
def open_texts(open_app: Callable[..., Any], home: Path, warmed: None) -> Callable[..., Any]:
    """Open the page Texts over a file; `open_texts("a text\n", "a.txt", view="Judge")`, and values of widgets."""
    from explorer_core import api
    from pages._ui import cache_texts

    def opener(
        content: str | None, name: str = "mine.csv", models: Sequence[str] = ("starter-lstm", "starter-gru"), *,
        spec: api.TextsSpec | None = None, shown: Mapping[str, Any] | None = None, **address: Any,
    ) -> Any:  # fmt: skip
        fill_home(home, [model for model in models if not (home / model).exists()])
        app = open_app("pages/texts.py", **address)
        if content is not None:
            path = api.save_upload(content.encode(), name.rpartition(".")[2])
            given = cache_texts.Choice((str(path),), (name,), spec=spec or api.TextsSpec())
            for key, value in ({cache_texts.CHOICE: given} | dict(shown or {})).items():
                app.session_state[key] = value
            app.run()
        assert not app.exception
        return app

    return opener


@pytest.fixture
def nothing_left_running() -> Iterator[None]:
    """Work in the background ends with its test."""
    from pages._ui import work

    yield
    for key in list(work._desk().jobs):
        work.cancel(key)
        assert work.wait(key, 60) is None or work.task(key) is None or work.task(key).is_over


def settled(app: Any) -> Any:
    """The page once its work in the background has ended."""
    from pages._ui import work

    for key in list(work._desk().jobs):
        work.wait(key, 60)
    app.run()
    assert not app.exception
    return app


def press(app: Any, key: str) -> Any:
    """The page once the button of a key, or of the start of one, was pressed and the work has ended."""
    next(button for button in app.button if button.key and button.key.startswith(key)).click().run()
    return settled(app)


def said(app: Any) -> str:
    """All sentences of errors, warnings, notices and captions, with Markdown's escapes taken off."""
    shown = [*app.error, *app.warning, *app.info, *app.success, *app.caption, *app.markdown]
    return "\n".join(element.value for element in shown).replace("\\", "")


def press_label(app: Any, label: str) -> Any:
    """As `press`, of the first button that says so, if there is one."""
    for button in [button for button in app.button if button.label == label][:1]:
        button.click().run()
    return settled(app)


def chosen_models(app: Any) -> list[Any]:
    """The networks that are chosen on a page."""
    from pages._ui import cache, state

    infos = [cache.model_info(name) for name in app.session_state[state.MODELS]]
    return [cache.load(info.name, info.fingerprint) for info in infos]


def chart(app: Any, key: str) -> dict[str, Any]:
    """What the picture of a key draws, as Plotly is given it."""
    found: dict[str, Any] = json.loads(next(node for node in app.get("plotly_chart") if node.key == key).proto.spec)
    return found


def numbers(array: Any) -> list[float]:
    """What a picture sends for an array: a list, or its bytes."""
    if isinstance(array, dict):
        return np.frombuffer(base64.b64decode(array["bdata"]), dtype=array["dtype"]).tolist()
    return list(array)
