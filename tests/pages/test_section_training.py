"""The section Over training: a finished run, one that trains, one that broke, and what is said when there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import psutil
import pytest

from explorer_core import api
from explorer_core.training import _gradient_log
from explorer_core.training.spec import TrainingSpec
from pages._ui import jobs
from pages._ui.sections.gradients import training as section
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/gradients.py"
STEPS = (0, 4, 16)


def record(
    home: Path, name: str, family: str = "lstm", *, steps=STEPS, n_directions: int = 1, broken: bool = False
) -> None:
    """A run that recorded, as its files lie on disk; its norms shrink to 0.4 with every token back."""
    folder = home / name
    folder.mkdir(exist_ok=True)
    (folder / "spec.json").write_text(TrainingSpec(name, family=family, clip_norm=0.5).to_json(), encoding="utf-8")
    shape = (2, n_directions, 6)
    start = {"event": "start", "step": 0, "epoch": 0.0, "shape": list(shape), "n_steps": 16, "split": "validation"}
    _gradient_log.append(folder, start | {"n_texts": 3})
    for step in steps:
        hidden = np.ones(shape) * 0.4 ** np.arange(6) / (step + 1)
        if broken and step == steps[-1]:
            hidden[:] = np.nan
        _gradient_log.append(
            folder,
            {"event": "record", "step": step, "epoch": step / 8, "loss_nats": 0.7, "hidden": hidden,
             "groups": {"head": 0.5, "bias": 0.1}, "took_s": 0.01},
        )  # fmt: skip
    events = [{"event": "step", "step": step, "grad_norm": 0.4 + 0.2 * (step % 2)} for step in range(1, steps[-1] + 1)]
    (folder / "progress.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def set_status(home: Path, name: str, state: str, **more) -> None:
    status = {"state": state, "pid": os.getpid(), "create_time": psutil.Process().create_time(), **more}
    (home / name / "status.json").write_text(json.dumps(status), encoding="utf-8")


@pytest.fixture
def open_training(open_app, home, warmed):
    """Open the section with one ready model."""

    def opener(name: str = "starter-lstm", **address):
        if not (home / name / "config.json").exists():
            save_tiny(home, name, name.removeprefix("starter-"))
        app = open_app(PAGE, view="Over training", text="not bad", models=name, **address)
        assert not app.exception
        return app

    return opener


def chart_of(app, key: str) -> dict:
    return json.loads(next(one.proto.spec for one in app.get("plotly_chart") if one.proto.id.endswith(key)))


def test_where_nothing_was_recorded_the_way_to_it_is_said(open_training):
    app = open_training()
    assert not app.error
    assert "No run has recorded its gradients yet" in said(app)
    assert not app.get("plotly_chart")
    assert [link.proto.label for link in app.get("page_link")] == ["Train a model"]
    assert not [one for one in app.get("bidi_component") if "strip" in one.proto.id]  # it is about no text


def test_a_finished_run_is_drawn_with_what_it_says_and_can_be_taken_away(open_training, home):
    save_tiny(home, "starter-lstm", "lstm")
    record(home, "starter-lstm")
    app = open_training(recorded_layer="layer 1")
    text = said(app)
    assert app.selectbox(key=section.RUN).value == "starter-lstm"
    assert "At step 16 a nudge to the state 5 tokens back moves the loss 0.0102 times as much" in text
    assert "before the first step it was 0.0102 times as much" in text
    assert "8 of 16 steps (50.0%) had a norm above 0.5 and were clipped" in text
    assert "3 long validation texts" in text
    assert "no reproduce bundle" in text
    history = api.gradient_history("starter-lstm")
    drawn = chart_of(app, section.MAP)["data"][0]
    assert drawn["type"] == "heatmap"
    assert drawn["zmin"] == np.floor(np.log10(history.hidden_norm.min()))
    assert {button.proto.label for button in app.get("download_button")} == {"Arrays (npz)", "Table (CSV)"}


@pytest.mark.parametrize("by", list(section._BY))
def test_lines_can_be_drawn_by_distance_layer_and_group(open_training, home, by):
    record(home, "other", "bilstm", n_directions=2)
    app = open_training()
    app.segmented_control(key=section.BY).set_value(by).run()
    assert not app.exception
    assert app.selectbox(key=section.DIRECTION).options == ["forward", "backward"]
    names = {line.get("name") for line in chart_of(app, section.LINES)["data"]}
    wanted = {"distance": "2 to 3 back", "layer": "layer 2", "group": "head"}
    assert wanted[by] in names


def test_a_model_that_recorded_nothing_says_so_beside_the_runs_that_did(open_training, home):
    record(home, "other")
    app = open_training()
    assert "starter-lstm has recorded nothing" in said(app)
    assert app.selectbox(key=section.RUN).value == "other"


def test_a_run_in_the_address_that_is_not_there_gives_way_to_one_that_is(open_training, home):
    record(home, "other")
    app = open_training(recorded="<b>gone</b>", recorded_layer="layer 9")
    assert app.selectbox(key=section.RUN).value == "other"
    assert app.selectbox(key=section.LAYER).value == "layer 2"
    assert not app.error


def test_a_run_that_trains_is_drawn_live_and_stops_being_when_it_is_done(open_training, home, monkeypatch):
    timers = []
    original = section.st.fragment

    def spy(function=None, **more):
        if getattr(function, "__name__", "") == "_panel" and function.__module__.endswith("training"):
            timers.append(more.get("run_every"))
        return original(function, **more)

    monkeypatch.setattr(section.st, "fragment", spy)
    record(home, "other", steps=(0,))
    set_status(home, "other", "running", step=3, n_steps=16, progress=0.2)
    app = open_training()
    assert app.selectbox(key=section.RUN).value == "other"
    assert timers[-1] == jobs.TICK_S
    assert len(chart_of(app, section.MAP)["data"][0]["x"]["bdata"]) > 0
    record(home, "other")
    set_status(home, "other", "done")
    app.run()
    assert timers[-1] is None
    assert "At step 16" in said(app)


def test_a_run_that_has_only_begun_says_what_will_be_here(open_training, home):
    record(home, "other")
    lines = (home / "other" / "gradients.jsonl").read_text().splitlines()
    (home / "other" / "gradients.jsonl").write_text(lines[0] + "\n")
    set_status(home, "other", "running")
    app = open_training()
    assert "first recording appears here" in said(app)
    assert not app.error


def test_a_run_that_broke_is_drawn_up_to_there_with_its_marks(open_training, home):
    record(home, "other", broken=True)
    app = open_training()
    assert not app.error
    assert "was no number at step 16" in said(app)
    assert any(trace.get("name") == "no number" for trace in chart_of(app, section.MAP)["data"])


def test_a_bert_is_drawn_from_its_embedding_up(open_training, home):
    record(home, "other", "bert")
    app = open_training()
    assert app.selectbox(key=section.LAYER).options == ["embedding", "layer 1"]
    assert not app.error


def test_a_broken_file_is_no_traceback(open_training, home):
    record(home, "other")
    path = home / "other" / "gradients.jsonl"
    path.write_text("junk\n" + path.read_text().splitlines()[1] + "\n")
    app = open_training()
    assert "has recorded no gradients" in said(app)
    assert not app.exception


def test_the_form_prices_recordings_before_the_press_and_can_switch_them_off(open_app, home, monkeypatch):
    started = []
    monkeypatch.setattr(api, "start_training", started.append)
    app = open_app("pages/models.py")
    assert app.number_input(key="train_lstm_record_gradients").value == 20
    assert "21 recordings of gradients" in said(app)
    app.number_input(key="train_lstm_record_gradients").set_value(0).run()
    assert "Gradients are not recorded." in said(app)
    app.button(key="train_start").click().run()
    assert started[0].record_gradients == 0
    app.segmented_control(key="train_family").set_value("bert").run()
    assert app.number_input(key="train_bert_record_gradients").value == 0  # as its starter, which is slow enough
