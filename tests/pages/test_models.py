"""Models: the table, the form with its look at the data and its price, and what can be done with a model."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from explorer_core import api
from explorer_core.datasets._labelled_texts import LengthHistogram
from explorer_core.errors import JobError
from explorer_core.training.spec import KNOBS
from pages._ui import data_form, model_actions, sources, state
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/models.py"
CSV = "text,label\n" + "".join(
    f"the {noun} was {word},{label}\n"
    for noun in ("film", "room", "food", "plot", "service", "acting")
    for word, label in (("good", "yes"), ("wonderful", "yes"), ("awful", "no"), ("boring", "no"))
)


@pytest.fixture
def started(monkeypatch):
    """Specs that a press would train; no process is started."""
    specs = []
    monkeypatch.setattr(api, "start_training", specs.append)
    monkeypatch.setattr(api, "price_training", lambda spec: SimpleNamespace(sentence=f"About {spec.epochs} minutes."))
    return specs


def upload(app, content: bytes | str, name: str = "mine.csv"):
    app.segmented_control(key="data_source").set_value("local_file").run()
    content = content.encode() if isinstance(content, str) else content
    app.file_uploader(key="data_local_file_path").upload(name, content).run()
    return app


def test_the_table_shows_every_model_in_any_state(open_app, home):
    save_tiny(home, "starter-lstm", "lstm")
    (home / "half").mkdir()
    (home / "half" / "spec.json").write_text('{"name": "half", "family": "gru"}', encoding="utf-8")
    app = open_app(PAGE)
    table = app.dataframe[0].value.set_index("Model")
    assert table.loc["starter-lstm", "Status"] == "ready"
    assert table.loc["starter-lstm", "Classes"] == "negative, positive"
    assert table.loc["starter-lstm", "Accuracy"] == 0.5
    assert table.loc["half", "Status"] == "lost"
    assert table.loc["half", "Family"] == "GRU"


def test_the_form_trains_what_it_shows(open_app, started):
    app = open_app(PAGE)
    app.segmented_control(key="train_family").set_value("gru").run()
    app.number_input(key="train_gru_epochs").set_value(2).run()
    assert "About 2 minutes" in said(app)
    app.button(key="train_start").click().run()
    (spec,) = started
    assert (spec.family, spec.epochs, spec.name, spec.data.source) == ("gru", 2, "my-gru", "starter")
    assert "my-gru trains in the background" in said(app)


def test_the_form_has_a_control_for_every_knob_of_a_family(open_app, started):
    app = open_app(PAGE)
    shown = {key for name in KNOBS for key in [f"train_lstm_{name}"] if _has(app, key)}
    assert shown == {f"train_lstm_{name}" for name in KNOBS if name != "start"}
    app.segmented_control(key="train_family").set_value("bert").run()
    assert _has(app, "train_bert_start")
    assert not _has(app, "train_bert_hidden_size")


def test_defaults_are_those_of_the_familys_starter(open_app, started):
    app = open_app(PAGE)
    for spec in api.starter_specs():
        app.segmented_control(key="train_family").set_value(spec.family).run()
        assert app.number_input(key=f"train_{spec.family}_epochs").value == spec.epochs
        assert app.number_input(key=f"train_{spec.family}_learning_rate").value == spec.learning_rate


def test_whole_words_learn_their_vectors(open_app, started):
    app = open_app(PAGE)
    app.selectbox(key="train_lstm_vocabulary").select("words").run()
    assert not app.error
    app.button(key="train_start").click().run()
    assert started[0].embeddings == "scratch"


@pytest.mark.parametrize("name", ["../evil", "", "UPPER", "a" * 60, "<b>"])
def test_a_name_that_cannot_name_a_model_is_said_before_the_press(open_app, started, name):
    app = open_app(PAGE)
    app.text_input(key="train_name_my-lstm").input(name).run()
    assert "cannot name a model" in said(app)
    assert not _has(app, "train_start")


def test_an_uploaded_file_is_looked_at_and_kept_under_a_name_of_ours(open_app, started, home):
    app = upload(open_app(PAGE), CSV, "../../evil.csv")
    assert not app.exception
    assert "24 of 24 rows can be used" in said(app)
    assert app.selectbox(key="data_local_file_text_column").value == "text"
    assert app.selectbox(key="data_local_file_label_column").value == "label"
    samples = app.dataframe[0].value
    assert list(samples.columns) == ["Label", "Text"]
    assert len(samples) == 3
    app.button(key="train_start").click().run()
    kept = started[0].data.options["path"]
    assert Path(kept).parent == home / ".uploads"
    assert "evil" not in kept


def test_the_columns_can_be_changed(open_app, started):
    app = upload(open_app(PAGE), CSV.replace("text,label", "a,b"))
    app.selectbox(key="data_local_file_text_column").select("b").run()
    app.selectbox(key="data_local_file_label_column").select("a").run()
    assert "no" in list(app.dataframe[0].value["Text"])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"a,b\n1,2\n3,4\n", "no_text.csv"),
        ("text,label\n" + "good,yes\n" * 20, "one_class.csv"),
        ("text,label\n" + "".join(f"text {i},{i}\n" for i in range(10_000)), "classes.csv"),
        ("text,label\n" + "good,\n" * 20, "no_labels.csv"),
        (bytes(range(256)) * 40, "binary.csv"),
        (b"PK\x03\x04 not a sheet", "broken.xlsx"),
        (b"\x80\x04\x95 pickle", "broken.parquet"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_said_and_has_no_train_button(open_app, started, content, name):
    app = upload(open_app(PAGE), content, name)
    assert not app.exception
    assert app.error
    assert " bug" not in said(app)
    assert not _has(app, "train_start")


def test_hostile_cells_and_labels_are_data(open_app, started):
    hostile = "<img src=x onerror=alert(1)>"
    rows = "".join(f'"{hostile} {i}",{"yes" if i % 2 else "![b](http://h/i.png)"}\n' for i in range(20))
    app = upload(open_app(PAGE), "text,label\n" + rows)
    assert not app.exception
    for element in (*app.markdown, *app.caption, *app.error, *app.warning):
        assert "<img" not in element.value
        assert "![b]" not in element.value
    chart = json.dumps([json.loads(chart.proto.spec) for chart in app.get("plotly_chart")])
    assert "<img" not in chart


def test_a_run_can_be_cancelled_and_resumed(open_app, home, monkeypatch):
    import psutil

    asked = []
    monkeypatch.setattr(api, "resume_training", lambda name: asked.append(name))
    folder = home / "mine"
    folder.mkdir()
    (folder / "spec.json").write_text('{"name": "mine", "family": "gru"}', encoding="utf-8")
    status = {"state": "running", "pid": os.getpid(), "create_time": psutil.Process().create_time()}
    (folder / "status.json").write_text(json.dumps(status), encoding="utf-8")
    app = open_app(PAGE)
    app.button(key="cancel-mine").click().run()
    assert (folder / "cancel").exists()
    (folder / "status.json").write_text('{"state": "cancelled"}', encoding="utf-8")
    app.run()
    app.button(key="resume-mine").click().run()
    assert asked == ["mine"]


def test_a_deleted_model_can_be_brought_back(open_app, home):
    save_tiny(home, "mine", "lstm")
    app = open_app(PAGE)
    app.button(key="delete-mine").click().run()
    assert "mine is deleted" in said(app)
    assert not (home / "mine").exists()
    assert app.sidebar.multiselect(key=state.MODELS).value == []
    app.button(key="undo_delete").click().run()
    assert (home / "mine" / "config.json").exists()
    assert "mine is back" in said(app)


def test_what_cannot_be_done_is_said(open_app, home, monkeypatch):
    def refuse(name):
        raise JobError("Not <now>.")

    save_tiny(home, "mine", "lstm")
    monkeypatch.setattr(api, "delete_model", refuse)
    app = open_app(PAGE)
    app.button(key="delete-mine").click().run()
    assert "Not <now>." in said(app)
    assert (home / "mine").exists()


def test_a_folder_is_opened_remembered_and_closed(open_app, home, tmp_path):
    save_tiny(tmp_path / "elsewhere", "theirs", "gru")
    source = str(tmp_path / "elsewhere" / "theirs")
    app = open_app(PAGE)
    app.text_input(key="open_source").input(source).run()
    app.button(key="open_press").click().run()
    assert app.sidebar.multiselect(key=state.MODELS).value == [source]
    again = open_app(models=[source])  # a new session, by its address
    assert again.sidebar.multiselect(key=state.MODELS).value == [source]
    sources.forget(source)
    assert "not here" in said(open_app(models=[source]))


def test_an_address_alone_never_opens_a_folder(open_app, tmp_path):
    save_tiny(tmp_path / "elsewhere", "theirs", "gru")
    app = open_app(models=[str(tmp_path / "elsewhere" / "theirs")])
    assert "not here" in said(app)
    assert not sources.opened()


@pytest.mark.parametrize("source", ["/no/such/folder", "../..", "<script>", "/etc", "no-such-owner/no-such-model"])
def test_a_source_that_is_no_model_is_said(open_app, source):
    app = open_app(PAGE)
    app.text_input(key="open_source").input(source).run()
    app.button(key="open_press").click().run()
    assert not app.exception
    assert app.error
    assert " bug" not in said(app)


def test_a_model_goes_out_as_a_zip_and_comes_back(open_app, home):
    save_tiny(home, "mine", "lstm")
    content = model_actions._zip_of("mine")
    assert "config.json" in "".join(zipfile.ZipFile(io.BytesIO(content)).namelist())
    app = open_app(PAGE)
    app.file_uploader(key="import_file").upload("mine.zip", content).run()
    app.button(key="import_press").click().run()
    assert "mine-2 is here and ready" in said(app)
    assert (home / "mine-2" / "config.json").exists()
    assert not list(home.glob(".import-*"))


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04broken"])
def test_a_zip_that_is_none_is_said(open_app, home, content):
    app = open_app(PAGE)
    app.file_uploader(key="import_file").upload("mine.zip", content).run()
    app.button(key="import_press").click().run()
    assert app.error
    assert " bug" not in said(app)
    assert "mine.zip" in said(app)
    assert ".import-" not in said(app)
    assert not list(home.glob("[!.]*"))


def test_a_full_disk_is_said_and_nothing_is_lost(open_app, started, home, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    save_tiny(home, "mine", "lstm")
    monkeypatch.setattr(api, "save_upload", refuse)
    monkeypatch.setattr(api, "import_model", refuse)
    app = upload(open_app(PAGE), CSV)
    assert "The disk is full." in said(app)
    app.file_uploader(key="import_file").upload("mine.zip", b"PK").run()
    app.button(key="import_press").click().run()
    assert "The disk is full." in said(app)
    assert " bug" not in said(app)
    assert not list(home.glob(".import-*"))
    assert (home / "mine" / "config.json").exists()


def test_length_bins_name_their_range():
    import numpy as np

    lengths = LengthHistogram(np.array([0, 5, 10]), np.array([3, 4]), 5.0, 20)
    assert data_form.length_bins(lengths) == {"0–4": 3, "5+": 4}


def _has(app, key: str) -> bool:
    try:
        app.get_by_key(key)
    except KeyError:
        return False
    return True
