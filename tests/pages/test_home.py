"""Home: the sentence, the verdict of every ready model, and the readiness of the starters."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core import api
from pages._ui import cache, jobs, rereading, state, verdicts
from tests.pages.conftest import said
from tests.pages.tiny import STARTERS, save_tiny


def charts(app) -> list:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def names_of(figure: dict) -> set[str]:
    return {trace["name"] for trace in figure["data"] if "name" in trace}


def put_status(home, name: str, state: str, **fields) -> None:
    folder = home / name
    folder.mkdir(exist_ok=True)
    (folder / "spec.json").write_text(json.dumps({"name": name, "family": name.removeprefix("starter-")}))
    (folder / "status.json").write_text(json.dumps({"state": state, **fields}), encoding="utf-8")


def test_the_verdict_of_every_ready_model_is_on_one_axis(open_app, ready_home, warmed):
    app = open_app()
    (figure,) = charts(app)
    assert names_of(figure) == {"LSTM", "RNN", "GRU", "BiLSTM", "BERT"}
    table = app.dataframe[0].value
    assert list(table["Model"]) == list(STARTERS)
    for row in table.itertuples():
        model = api.load_model(row.Model)
        probs = api.predict(model, [state.DEFAULT_TEXT]).probs[0]
        assert row.Probability == pytest.approx(probs.max(), abs=1e-5)
        assert row.Verdict == model.labels[probs.argmax()]
        running = api.trace_running(model, state.DEFAULT_TEXT)
        leaders = running.running_logits.argmax(1).tolist()
        decided = next(at for at in range(len(leaders)) if set(leaders[at:]) == {leaders[-1]})
        assert table.loc[row.Index, "Decided at word"] == f"{decided + 1} {running.words[decided]}"


def test_the_shell_is_drawn_before_the_verdicts_fill_in(open_app, ready_home, monkeypatch):
    is_ready = []
    monkeypatch.setattr(cache, "is_warm", lambda: bool(is_ready))
    monkeypatch.setattr(cache, "warm", lambda wait_s: None)
    app = open_app()
    assert not charts(app)
    assert app.text_area(key=state.TEXT).value
    assert "Waking the networks" in said(app)
    is_ready.append(1)
    app.run()
    assert len(charts(app)) == 1


def test_without_a_ready_model_the_page_says_what_will_be_here(open_app):
    app = open_app()
    assert "as soon as a first model is ready" in said(app)
    assert [element.value for element in app.get("progress")] or "not trained yet" in said(app)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "Type a sentence"), ("   ", "Type a sentence"), ("a" * 100_001, "at most 100,000"), ("\u200b", "word")],
)
def test_a_text_that_cannot_be_read_is_said(open_app, home, warmed, text, sentence):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_app()
    app.text_area(key=state.TEXT).input(text).run()
    assert not app.exception
    assert sentence.casefold() in said(app).casefold()
    assert "bug" not in said(app)


@pytest.mark.parametrize("text", ["a b", "\x00\x01\x02 binary \x7f", "<b>x</b> & ![a](http://h/i.png)", "好看 😀 שלום"])
def test_any_other_text_is_drawn(open_app, home, warmed, text):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_app()
    app.text_area(key=state.TEXT).input(text).run()
    assert not app.exception
    assert not app.error
    assert len(charts(app)) == 1
    assert "<b>" not in json.dumps([trace.get("text") for trace in charts(app)[0]["data"]])


def test_a_long_text_is_read_by_those_that_read_it_once_and_the_others_are_asked_for(open_app, home, warmed):
    for family in ("lstm", "bilstm"):
        save_tiny(home, f"starter-{family}", family)
    app = open_app()
    text = "the film was good " * 40
    app.text_area(key=state.TEXT).input(text).run()
    assert names_of(charts(app)[0]) == {"LSTM"}
    app.button(key=rereading.ASK).click().run()
    assert rereading.wait(cache.model_info("starter-bilstm"), text, 60)
    app.run()
    assert names_of(charts(app)[0]) == {"LSTM", "BiLSTM"}


def test_a_model_with_other_classes_is_left_out_and_said(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm")
    save_tiny(home, "topics", "gru", labels=("sport", "politics", "weather"))
    app = open_app(models=["starter-lstm", "topics"])
    assert names_of(charts(app)[0]) == {"LSTM"}
    assert "topics is not drawn. Its classes are sport, politics, weather" in said(app)


@pytest.mark.parametrize(
    ("labels", "chosen", "last", "expected"),
    [
        (("negative", "positive"), None, [0.9, 0.1], 1),
        (("positive", "negative"), None, [0.1, 0.9], 0),
        (("negative", "positive"), "negative", [0.1, 0.9], 0),
        (("a", "b", "c"), None, [0.1, 0.2, 0.7], 2),
        (("a", "b", "c"), "not there", [0.7, 0.2, 0.1], 0),
    ],
)
def test_the_class_on_the_axis(labels, chosen, last, expected):
    assert verdicts.target_class(labels, chosen, np.array([last])) == expected


def test_progress_time_to_go_and_reasons_of_the_starters_are_shown(open_app, home):
    import os

    import psutil

    alive = {"pid": os.getpid(), "create_time": psutil.Process().create_time()}
    put_status(home, "starter-lstm", "running", progress=0.4, step=40, n_steps=100, eta_s=75.0, **alive)
    put_status(home, "starter-rnn", "failed", reason="The disk is <full>.")
    app = open_app()
    shown = said(app) + str([element.proto.text for element in app.get("progress")])
    assert "step 40 of 100" in shown
    assert "about 75 s to go" in shown
    assert "The disk is <full>." in shown


def test_a_failed_starter_can_be_tried_again(open_app, home, monkeypatch):
    resumed = []
    monkeypatch.setattr(api, "resume_training", resumed.append)
    put_status(home, "starter-rnn", "failed", reason="Out of memory.")
    app = open_app()
    app.button(key="retry-starter-rnn").click().run()
    assert resumed == ["starter-rnn"]


def test_the_starters_begin_once_unless_that_is_switched_off(open_app, monkeypatch):
    started = []
    monkeypatch.setattr(api, "start_starters", lambda: started.append(1) or ())
    open_app()
    assert not started
    monkeypatch.delenv(jobs.NO_STARTERS)
    open_app()
    open_app()
    assert started == [1]
