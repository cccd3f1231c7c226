"""Compare, this text: all models on one axis, a strip each, and one thing below at a time."""

from __future__ import annotations

import io
import json
import runpy
import sys
import zipfile

import numpy as np
import pytest

from explorer_core import api
from pages._ui.sections.compare import together
from tests.pages.conftest import said
from tests.pages.tiny import fill_home, save_tiny

TEXT = "the plot was not good but the acting was great"
MODELS = ["starter-lstm", "starter-rnn", "starter-bilstm", "starter-bert"]


@pytest.fixture
def open_compare(open_app, home, warmed):
    def opener(models=MODELS, text=TEXT, **address):
        fill_home(home, [name for name in models if name in MODELS])
        app = open_app("pages/compare.py", models=list(models), text=text, view="together", **address)
        assert not app.exception
        return app

    return opener


def table(app):
    return next(one.value for one in app.dataframe if "Decided at word" in one.value.columns)


def test_every_chosen_model_has_its_line_and_its_row(open_compare, home):
    app = open_compare()
    rows = table(app)
    assert rows["Model"].tolist() == MODELS
    for name, verdict, share in zip(rows["Model"], rows["Verdict"], rows["Probability"], strict=True):
        found = api.predict(api.load_model(name), [TEXT])
        assert verdict == found.labels[int(found.logits[0].argmax())]
        assert share == pytest.approx(float(found.probs[0].max()), abs=1e-6)
    labels = [button.label for button in app.get("download_button")]
    assert "Arrays (npz)" in labels
    assert labels.count("Reproduce bundle (zip)") == 1


@pytest.mark.parametrize("below", together._BELOW[1:])
def test_each_thing_below_is_drawn_with_what_it_does_not_show(open_compare, below):
    app = open_compare(compare_below=below)
    assert not app.error
    assert said(app).count("What it does not show") == (1 if below == "Scores of the words" else 2)
    if below == "Scores of the words":
        assert any(list(one.value.columns)[1:] == ["LSTM", "RNN", "BiLSTM", "BERT"] for one in app.dataframe)


def test_a_quantity_that_only_some_have_names_the_others(open_compare):
    app = open_compare(compare_below="States and gates", compare_states="Gate that keeps")
    assert "Without such a quantity: starter-rnn, starter-bert." in said(app)
    app = open_compare(["starter-rnn"], compare_below="States and gates", compare_states="Gate that keeps")
    assert "Choose a network that has it" in " ".join(one.value for one in app.info)


def test_what_cannot_stand_beside_the_others_is_left_out_and_said(open_compare, home):
    save_tiny(home, "spam", "gru", labels=("ham", "spam"))
    app = open_compare([*MODELS[:2], "spam"])
    assert "spam is left out: its classes are ham, spam" in said(app)
    assert table(app)["Model"].tolist() == MODELS[:2]


def test_without_a_text_the_page_says_what_to_do(open_compare):
    app = open_compare(text=" ")
    assert "Nothing to read yet" in said(app)
    app = open_compare(text="")
    assert not [button for button in app.button if button.label == "Back to the list"]


@pytest.mark.parametrize("text", ["a", "so good \U0001f60d\U0001f469\u200d\U0001f467", "كان الفيلم رائعا",
                                  "<img src=x onerror=alert(1)> **b** $x$ :red[y]"])  # fmt: skip
def test_any_text_is_read(open_compare, text):
    app = open_compare(MODELS[:2], text)
    assert not app.error
    assert len(table(app)) == 2


@pytest.mark.parametrize("below", together._BELOW)
def test_the_bundle_computes_every_model_and_their_comparison_again(open_compare, below, tmp_path, monkeypatch):
    offered = []
    monkeypatch.setattr(together.take_away, "offer_alone", lambda *given: offered.append(given))
    open_compare(MODELS[1:], compare_below=below)
    make, _ = offered[-1][-1]["Reproduce bundle (zip)"]
    with zipfile.ZipFile(io.BytesIO(make())) as archive:
        archive.extractall(tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert [one["name"] for one in settings["models"]] == MODELS[1:]
    parts = {name.rpartition(".")[0] for name in np.load(tmp_path / "arrays.npz").files}
    call = settings["models"][0]["calls"][0]["name"]
    assert parts == {f"1.{call}", f"2.{call}", f"3.{call}", settings["compared"][0]["call"]}
    monkeypatch.setattr(sys, "argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))  # leaves with a sentence where an array differs
