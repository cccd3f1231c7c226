"""What a person gave is found again by a token in the address, by nobody without it, and not after it was deleted."""

from __future__ import annotations

import json
import re

import pytest

from explorer_core import api
from pages._ui import cache_texts, text_choice
from tests.pages.conftest import said
from tests.pages.tiny import fill_home

PAGE = "pages/texts.py"
CSV = "review,stars\nthe film was good,5\nthe film was bad,1\n"


@pytest.fixture
def given(home):
    path = api.save_upload(CSV.encode(), "csv")
    spec = api.TextsSpec(text_column="review", long="window", n_words=9, n_overlap=2)
    return text_choice.Choice((str(path),), ("../secret <b>.csv",), "", spec, {"5": "positive", "1": None})


def token_of(app):
    found = app.query_params.get(cache_texts.ADDRESS)
    return found[0] if isinstance(found, list) else found


def test_a_kept_choice_comes_back_as_it_was_under_a_token_that_says_nothing(given):
    token = text_choice.keep(given)
    assert text_choice.find(token) == given
    assert re.fullmatch(r"[0-9A-Za-z_-]{32}", token)
    assert text_choice.keep(given) != token  # another one, though the texts are the same
    assert text_choice.keep(given, token) == token
    pasted = text_choice.Choice(pasted="a\nb")
    assert text_choice.find(text_choice.keep(pasted)) == pasted


def test_the_folder_does_not_tell_tokens(given, home):
    token = text_choice.keep(given)
    (path,) = (home / ".choices").iterdir()
    assert token not in path.name
    assert token not in path.read_text()
    assert text_choice.find(path.stem[:32]) is None


@pytest.mark.parametrize("token", ["", "x" * 31, "../" + "x" * 29, "x" * 32 + "\n", "é" * 32, "x" * 32])
def test_what_is_no_token_finds_nothing(given, token):
    text_choice.keep(given)
    assert text_choice.find(token) is None
    text_choice.forget(token)


@pytest.mark.parametrize(
    "change",
    [
        {"paths": ["../../../etc/passwd"]},
        {"paths": ["/etc/passwd"]},
        {"paths": [3]},
        {"names": []},
        {"pasted": None},
        {"spec": {"text_column": ["a"], "label_column": None, "encoding": None}},
        {"spec": {"text_column": None, "label_column": None, "encoding": None, "long": "eval"}},
        {"spec": {"text_column": None, "label_column": None, "encoding": None, "other": 1}},
        {"mapping": {"5": 3}},
        {"mapping": []},
    ],
)
def test_a_file_that_was_tampered_with_finds_nothing(given, home, change):
    token = text_choice.keep(given)
    (path,) = (home / ".choices").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert text_choice.find(token) is None
    path.write_text("[" * 100_000)
    assert text_choice.find(token) is None


def test_a_choice_whose_file_is_gone_finds_nothing(given):
    token = text_choice.keep(given)
    api.delete_upload(given.paths[0])
    assert text_choice.find(token) is None


def test_only_so_many_choices_are_kept_and_none_that_is_too_large(given, home, monkeypatch):
    monkeypatch.setattr(text_choice, "MOST_KEPT", 3)
    tokens = [text_choice.keep(given) for _ in range(5)]
    assert [text_choice.find(token) is not None for token in tokens] == [False, False, True, True, True]
    assert text_choice.keep(text_choice.Choice(pasted="x" * 5 * 2**20)) is None


def test_a_reload_finds_the_texts_and_another_session_does_not(open_app, home, warmed, given):
    fill_home(home, ("starter-lstm",))
    app = open_app(PAGE)
    app.session_state[cache_texts.CHOICE] = given
    app.run()
    token = token_of(app)
    assert "secret" not in json.dumps(dict(app.query_params))
    reloaded = open_app(PAGE, **{cache_texts.ADDRESS: token})
    assert not reloaded.exception
    assert "secret" in said(reloaded)
    assert reloaded.session_state[cache_texts.CHOICE] == given
    assert "secret" not in said(open_app(PAGE))
    assert "not kept here any more" in said(open_app(PAGE, **{cache_texts.ADDRESS: "x" * 32}))
    next(button for button in reloaded.button if button.key == "texts_delete").click().run()
    assert not token_of(reloaded)
    assert not list((home / ".choices").iterdir())
    assert not list((home / ".uploads").iterdir())
    assert "not kept here any more" in said(open_app(PAGE, **{cache_texts.ADDRESS: token}))


def test_changed_columns_and_labels_are_kept_under_the_same_token(open_app, home, warmed, given):
    fill_home(home, ("starter-lstm",))
    app = open_app(PAGE)
    app.session_state[cache_texts.CHOICE] = given
    app.run()
    token = token_of(app)
    next(box for box in app.selectbox if box.label == "Long texts").select("sentence").run()
    assert token_of(app) == token
    assert text_choice.find(token).spec.long == "sentence"
