"""The section Design your own: nothing trains before the press; the page opens on what came out."""

from __future__ import annotations

import dataclasses

import pytest

from explorer_core import api
from explorer_core.designs import jobs, run, store
from explorer_core.designs.spec import DesignSpec, Network
from explorer_core.training import _status
from explorer_core.training import store as runs
from explorer_core.training._status import JobStatus
from pages._ui import design_form, design_results, state
from pages._ui.sections.compare import design as section
from tests.core.designs.designs import tiny_design
from tests.core.training.conftest import tiny_csv  # noqa: F401 (a fixture)
from tests.pages.conftest import said

PAGE, VIEW = "pages/compare.py", "Design your own"


@pytest.fixture
def launched(monkeypatch):
    """Processes that would have been started."""
    started = []
    monkeypatch.setattr(jobs, "_launch", lambda name, wanted: started.append(name))
    return started


@pytest.fixture
def open_design(open_app, launched):
    def opener(**address):
        app = open_app(PAGE, view=VIEW, **address)
        assert not app.exception
        return app

    return opener


def bodies(app) -> str:
    return "\n".join(node.proto.body for node in app.get("html"))


def field(app, kind: str, label: str):
    return next(one for one in getattr(app, kind) if one.label == label)


def test_nothing_trains_before_the_press_and_the_price_is_said_without_any_model(open_design, launched):
    app = open_design()
    assert section.SECTION["question"] in said(app)
    first = DesignSpec("my-design", (Network("rnn", 64), Network("lstm", 64)))
    assert api.price_design(first).sentence in said(app)
    assert launched == []
    assert app.button(key=section.TRAIN).label == "Train 2 models"
    assert not app.get("plotly_chart")
    assert not app.error


@pytest.mark.slow
def test_a_design_is_made_trained_and_the_page_opens_on_it(open_design, launched, home, tiny_csv):  # noqa: F811
    app = open_design()
    app.segmented_control(key=design_form.SOURCE).set_value("local_file").run()
    app.file_uploader(key="design_local_file_path").upload("mine.csv", tiny_csv.read_bytes()).run()
    app.button(key=design_form.ADD).click().run()
    app.button(key=design_form.ADD).click().run()
    assert app.button(key=section.TRAIN).label == "Train 4 models"
    removing = [button for button in app.button if button.label == "Remove"]
    assert len(removing) == 4
    removing[0].click()
    app.run()
    removing = [button for button in app.button if button.label == "Remove"]
    removing[-1].click().run()
    assert not [button for button in app.button if button.label == "Remove"]  # two is the least
    for number, units in ((1, 4), (2, 6)):
        field(app, "number_input", f"Units of network {number}").set_value(units)
    app.number_input(key="design_epochs").set_value(1)
    app.number_input(key="design_batch_size").set_value(8)
    field(app, "text_input", "Name").set_value("lstm-or-gru")
    app.run()
    assert "30 rows" not in said(app)
    app.button(key=section.TRAIN).click().run()
    assert not app.exception
    assert launched == ["lstm-or-gru"]
    spec = store.read_spec("lstm-or-gru")
    assert spec.networks == (Network("lstm", 4), Network("gru", 6))
    assert (spec.epochs, spec.batch_size, spec.data.source) == (1, 8, "local_file")

    # while it trains, and cancelled from the page
    _status.write(runs.run_folder("lstm-or-gru-lstm"), JobStatus("running", progress=0.5, step=2, n_steps=4))
    app.run()
    assert "0 of 2 models are ready" in str(app.get("progress")[0].proto)
    app.button(key=section.CANCEL).click().run()
    assert app.button(key=section.CANCEL).label == "Stopping"
    for name in ("lstm-or-gru-lstm", "lstm-or-gru-gru"):
        assert (runs.run_folder(name) / "cancel").exists()
        _status.write(runs.run_folder(name), JobStatus("cancelled", "Stopped on request."))
    app.run()
    assert "lstm-or-gru-lstm was cancelled. Stopped on request." in said(app)
    app.button(key=section.GO_ON).click().run()
    assert launched == ["lstm-or-gru"] * 2

    run.carry_out("lstm-or-gru")
    app.run()
    app.run()
    models = ("lstm-or-gru-lstm", "lstm-or-gru-gru")
    assert app.session_state[state.MODELS] == list(models)
    result = api.design_result("lstm-or-gru")
    for sentence in (*design_results.told(result), *design_results.fair(result)):
        assert sentence.replace("\\", "") in said(app)
    assert "All read the same rows in the same order" in said(app)
    assert "These are the models of this page now" in said(app)
    assert design_results.table_of(result) in bodies(app)
    assert len(app.get("plotly_chart")) == 1
    assert len(app.get("download_button")) == 4
    assert "models=lstm-or-gru-lstm&models=lstm-or-gru-gru&view=Design+your+own&design=lstm-or-gru" in app.code[0].value
    assert not app.error

    app.button(key=section.COPY).click().run()
    assert field(app, "number_input", "Units of network 2").value == 6
    assert app.number_input(key="design_epochs").value == 1
    app.selectbox(key=section.CHOSEN).set_value("lstm-or-gru").run()
    app.button(key=section.LOOK).click().run()
    assert "How does each network read this text?" in said(app)
    assert not app.exception


def keep(spec: DesignSpec, **state_of: str) -> None:
    store.claim(spec)
    for name in (one.name for one in spec.runs()):
        _status.write(runs.run_folder(name), JobStatus(state_of.get(name.rpartition("-")[2], "cancelled"), "Why."))


def test_a_link_opens_the_design_it_names_and_an_unknown_one_is_said(open_design, home):
    keep(tiny_design(None, "one"))
    keep(tiny_design(None, "two"))
    app = open_design(design="one")
    assert app.selectbox(key=section.CHOSEN).value == "one"
    assert "one-rnn was cancelled. Why." in said(app)
    app = open_design(design="<b>none")
    assert app.selectbox(key=section.CHOSEN).value == section.NEW
    assert "no design called <b>none" in said(app)
    assert "<b>" not in app.warning[0].value


def test_a_design_that_was_broken_off_can_be_gone_on_with_or_forgotten(open_design, launched, home):
    keep(tiny_design(None, "one"))
    app = open_design(design="one")
    app.button(key=section.GO_ON).click().run()
    assert launched == ["one"]
    for name in ("one-rnn", "one-lstm"):
        _status.write(runs.run_folder(name), JobStatus("failed", "The disk is full."))
    app.run()
    assert "The disk is full." in said(app)
    app.button(key=section.DELETE).click().run()
    assert api.list_designs() == ()
    assert (home / "one-rnn").exists()
    assert not app.exception


def test_what_cannot_be_trained_is_refused_in_words(open_design, launched):
    app = open_design()
    field(app, "selectbox", "Family of network 1").set_value("lstm").run()
    assert "Networks 1 and 2 are the same" in said(app)
    assert not [button for button in app.button if button.key == section.TRAIN]
    field(app, "number_input", "Units of network 1").set_value(8)
    field(app, "text_input", "Name").set_value("Two <b> of them").run()
    assert "cannot name a design" in said(app)
    field(app, "text_input", "Name").set_value("taken").run()
    keep(tiny_design(None, "taken"))
    app.button(key=section.TRAIN).click().run()
    assert "There is a design called taken already" in said(app)
    assert launched == []


def test_a_bert_has_a_start_instead_of_units_and_vectors_of_their_own_have_a_width(open_design, launched):
    app = open_design()
    field(app, "selectbox", "Family of network 1").set_value("bert")
    field(app, "selectbox", "Word vectors of network 2").set_value("scratch").run()
    field(app, "selectbox", "Start of network 1").set_value("random")
    field(app, "number_input", "Width of a word vector of network 2").set_value(16).run()
    assert not [one for one in app.number_input if one.label == "Units of network 1"]
    app.button(key=section.TRAIN).click().run()
    networks = store.read_spec(launched[0]).networks
    assert networks == (Network("bert", start="random"), Network("lstm", 64, embeddings="scratch", embedding_size=16))


def test_seeds_have_a_mean_and_a_range_and_decide_on_luck(open_design, home):
    spec = tiny_design(None, "one", n_seeds=2)
    keep(spec, s1="done", s2="done")
    result = api.design_result("one")
    judged = [
        dataclasses.replace(record, accuracy=share, accuracy_low=share - 0.1, accuracy_high=share + 0.1, n_steps=4)
        for record, share in zip(result.records, (0.6, 0.65, 0.8, 0.7), strict=True)
    ]
    found = dataclasses.replace(result, records=tuple(judged))
    first, luck = design_results.told(found)
    assert first.startswith("**LSTM** is right most often, mean validation accuracy 0.750, 12 points")
    assert luck == "Every one of its 2 seeds is ahead of every seed of the other."
    table = design_results.table_of(found)
    assert "<b>0.750</b><small>0.700 to 0.800</small>" in table
    mixed = dataclasses.replace(
        found, records=(*judged[:1], dataclasses.replace(judged[1], accuracy=0.72), *judged[2:])
    )
    assert "may be luck" in design_results.told(mixed)[1]
    assert design_results.fair(found) == ["All made 4 steps of 8 texts."]
