"""The shell: one list of pages, the shared sidebar, the address, and what goes wrong said in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from explorer_core.errors import InvalidInputError
from pages._ui import messages, shell, state
from pages._ui.examples import DEFAULT_TEXT, EXAMPLES
from tests.pages.conftest import ROOT, said
from tests.pages.tiny import STARTERS, save_tiny

HOSTILE = "<script>window.x=1</script> <img src=x onerror=alert(1)> ![beacon](http://example.org/a.png) \u202egnp"


def test_every_page_file_is_in_the_list_and_asks_for_the_shell_first():
    files = {f"pages/{path.name}" for path in (ROOT / "pages").glob("[!_]*.py")}
    assert files == {entry.path for entry in shell.PAGES}
    for path in files:
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        calls = [line for line in lines if line and not line.startswith((" ", '"', "#", "import", "from", ")"))]
        assert calls[0] == "shell.require_shell()", path


@pytest.mark.parametrize("entry", shell.PAGES, ids=lambda entry: entry.title)
def test_every_page_opens_inside_the_shell(entry, open_app, ready_home, warmed):
    app = open_app(entry.path)
    assert not app.exception
    assert [title.value for title in app.title] == [entry.heading]
    assert app.sidebar.multiselect(key=state.MODELS).value == list(STARTERS)


@pytest.mark.parametrize("entry", shell.PAGES[1:], ids=lambda entry: entry.title)
def test_a_page_that_is_started_alone_comes_back_through_the_shell(entry, open_app, page_alone):
    app = open_app(entry.path)
    assert not app.exception
    assert [title.value for title in app.title] == [entry.heading]
    assert app.sidebar.multiselect(key=state.MODELS)


@pytest.mark.parametrize("entry", shell.PAGES, ids=lambda entry: entry.title)
def test_every_page_opens_with_an_empty_store(entry, open_app):
    app = open_app(entry.path)
    assert not app.exception
    assert not app.error


def test_the_address_chooses_models_text_and_target(open_app, ready_home):
    app = open_app(models=["starter-gru", "starter-rnn"], text="not bad", target="negative")
    assert app.sidebar.multiselect(key=state.MODELS).value == ["starter-gru", "starter-rnn"]
    assert app.text_area(key=state.TEXT).value == "not bad"
    assert app.sidebar.selectbox(key=state.TARGET).value == "negative"


def test_an_unknown_model_in_the_address_is_said_and_the_ready_ones_are_shown(open_app, ready_home):
    app = open_app(models=["no-such-model", "../../etc/passwd"])
    assert app.sidebar.multiselect(key=state.MODELS).value == list(STARTERS)
    assert "no-such-model" in said(app)
    assert "../../etc/passwd" in said(app)
    app.run()
    assert "no-such-model" not in said(app)  # said once


def test_a_model_that_still_trains_is_named_as_such(open_app, ready_home, home):
    (home / "my-lstm").mkdir()
    (home / "my-lstm" / "spec.json").write_text('{"name": "my-lstm", "family": "lstm"}', encoding="utf-8")
    app = open_app(models=["my-lstm"])
    assert "my-lstm in the address is not ready" in said(app)


def test_a_starter_that_gets_ready_joins_the_chosen_ones_until_a_person_chooses(open_app, home):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_app()
    assert app.sidebar.multiselect(key=state.MODELS).value == ["starter-lstm"]
    save_tiny(home, "starter-rnn", "rnn")
    app.run()
    assert app.sidebar.multiselect(key=state.MODELS).value == ["starter-lstm", "starter-rnn"]
    app.sidebar.multiselect(key=state.MODELS).unselect("starter-lstm").run()
    save_tiny(home, "starter-gru", "gru")
    app.run()
    assert app.sidebar.multiselect(key=state.MODELS).value == ["starter-rnn"]


def test_an_example_fills_the_text_and_is_let_go_when_a_person_types(open_app):
    app = open_app()
    assert app.text_area(key=state.TEXT).value == DEFAULT_TEXT
    app.selectbox(key="example").select("Negation").run()
    assert app.text_area(key=state.TEXT).value == EXAMPLES["Negation"]
    app.text_area(key=state.TEXT).input("my own words").run()
    assert app.selectbox(key="example").value is None
    assert app.text_area(key=state.TEXT).value == "my own words"


def test_the_target_falls_back_to_predicted_when_the_first_model_has_other_classes(open_app, ready_home, home):
    save_tiny(home, "topics", "lstm", labels=("sport", "politics", "weather"))
    app = open_app(models=["topics"], target="weather")
    assert app.sidebar.selectbox(key=state.TARGET).value == "weather"
    app.sidebar.multiselect(key=state.MODELS).set_value(["starter-lstm"]).run()
    assert app.sidebar.selectbox(key=state.TARGET).value == state.PREDICTED


def test_hostile_text_in_a_message_is_shown_as_it_stands():
    shown = messages.plain(HOSTILE)
    assert "<script>" not in shown
    assert "![" not in shown
    assert "\u202e" not in shown
    assert shown.replace("\\", "").startswith("<script>window.x=1</script>")


def test_an_explorer_error_is_shown_as_it_stands_and_a_bug_without_its_traceback(open_app, monkeypatch, caplog):
    from pages._ui import jobs

    monkeypatch.setattr(jobs, "draw_starters", lambda: (_ for _ in ()).throw(InvalidInputError("Say <b>what</b>.")))
    app = open_app()
    assert [error.value.replace("\\", "") for error in app.error] == ["Say <b>what</b>."]
    monkeypatch.setattr(jobs, "draw_starters", lambda: 1 / 0)
    app.run()
    assert "bug in Unrolled" in app.error[0].value
    assert "ZeroDivisionError" not in app.error[0].value
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("is_ready", [False, True])
def test_the_first_page_is_drawn_without_torch(is_ready, home, tmp_path):
    if is_ready:
        save_tiny(home, "starter-lstm", "lstm")
    script = tmp_path / "first_page.py"
    script.write_text(
        "import sys, threading\n"
        "from pages._ui import cache\n"
        "started = []\n"
        "cache.warm = lambda wait_s: started.append(1)\n"  # the import in the background is not the page's
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=60).run()\n"
        "assert not app.exception and not app.error, (app.exception, app.error)\n"
        "assert app.title[0].value == 'Unrolled'\n"
        f"assert bool(started) is {is_ready}\n"
        "heavy = {'torch', 'transformers', 'captum', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "UNROLLED_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
