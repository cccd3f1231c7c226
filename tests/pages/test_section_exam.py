"""The section Shortcut exam: nothing is trained before the press, results come family by family and stay."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.exam import jobs, store
from explorer_core.results import ShortcutExam, exam_finding_of
from explorer_core.training import _status
from pages._ui import cache_words, exam_form, exam_results, take_away
from pages._ui.sections.words import exam as section
from tests.core.exam.exams import NAME, made_exam
from tests.core.exam.test_exam_store import keep
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE, VIEW = "pages/words.py", "Shortcut exam"


@pytest.fixture
def launched(monkeypatch):
    """Processes that would have been started."""
    started = []
    monkeypatch.setattr(jobs, "_launch", started.append)
    return started


@pytest.fixture
def open_exam(open_app, home, warmed, launched):
    def opener(family: str = "lstm"):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, text="not bad at all", models=[f"starter-{family}"], view=VIEW)
        assert not app.exception
        return app

    return opener


def charts(app) -> list:
    return app.get("plotly_chart")


def bodies(app) -> str:
    return "\n".join(node.proto.body for node in app.get("html"))


@pytest.mark.parametrize("family", ["rnn", "bert"])
def test_nothing_is_trained_before_the_press_and_the_price_is_said(open_exam, launched, family):
    app = open_exam(family)
    assert section.SECTION["question"] in said(app)
    assert api.price_exam(api.ExamSpec()).sentence in said(app)
    assert "No exam is kept yet" in said(app)
    assert launched == []
    assert not charts(app)
    assert not app.error


def test_a_press_begins_the_exam_that_was_asked_for(open_exam, launched):
    app = open_exam()
    app.multiselect(key=exam_form.FAMILIES).set_value(["lstm", "bert"])
    app.number_input(key="exam_n_texts").set_value(20)
    app.selectbox(key=exam_form.SHORTCUT).set_value("word").run()
    assert api.price_exam(api.ExamSpec(families=("lstm", "bert"), shortcut="word", n_texts=20)).sentence in said(app)
    app.button(key=section.RUN).click().run()
    assert not app.exception
    (name,) = launched
    assert store.read_spec(name) == api.ExamSpec(families=("lstm", "bert"), shortcut="word", n_texts=20)
    assert not [button for button in app.button if button.key == section.RUN]
    assert "The first family's results stand here" in said(app)


def test_results_are_shown_as_they_come_and_the_exam_can_be_cancelled(open_exam, launched):
    app = open_exam()
    app.button(key=section.RUN).click().run()
    (name,) = launched
    _status.write(store.folder_of(name), _status.JobStatus("running", progress=0.4, eta_s=65))
    spec = store.read_spec(name)
    store.keep(half_sat(name, spec))
    app.run()
    assert len(charts(app)) == 1
    assert "about 65 s to go" in str(app.get("progress")[0].proto)
    app.button(key=section.CANCEL).click().run()
    assert (store.folder_of(name) / store.CANCEL).exists()
    assert app.button(key=section.CANCEL).label == "Stopping"
    _status.write(store.folder_of(name), _status.JobStatus("cancelled", "Stopped on request.", 0.4))
    app.run()
    assert "The last exam was cancelled at 40" in said(app)
    assert charts(app)
    app.button(key=section.GO_ON).click().run()
    assert launched == [name, name]


def half_sat(name: str, spec: api.ExamSpec) -> ShortcutExam:
    """One family of several has sat it."""
    few = made_exam(("rnn",))
    shape = (1, len(spec.methods), len(few.texts))
    ranks, hits = np.full(shape, 1.0), np.full(shape, 1.0)
    return ShortcutExam(
        name, few.made, spec, few.label_names, few.texts, few.networks, few.turned, few.n_words, ranks, hits
    )


def test_a_kept_exam_says_what_its_numbers_say(open_exam):
    exam = keep(made_exam())
    app = open_exam()
    for sentence in exam_finding_of(exam):
        assert sentence in said(app)
    assert len(charts(app)) == 1
    table = exam_results.table_of(exam)
    assert table in bodies(app)
    row = exam.row("lstm", "lime")
    ends = f"{row.precision_low:.2f} to {row.precision_high:.2f}"
    assert f"<b class='poor'>{row.precision:.2f}</b> <span>{ends}</span>" in table
    assert "<b>1.00</b> <span>0.74 to 1.00</span>" in table
    assert len(app.get("download_button")) == 4


def test_the_example_frames_the_planted_word_and_the_next_is_another(open_exam):
    exam = keep(made_exam())
    app = open_exam()
    assert exam_results.marked(exam, 1) in bodies(app)
    assert "so bad a <mark>wug</mark> film, number 1" in bodies(app)
    assert "<span>Gradient norm <b>5</b></span>" in bodies(app)
    app.button(key=exam_results.ANOTHER).click().run()
    assert exam_results.marked(exam, 2) in bodies(app)


def test_kept_exams_are_chosen_and_deleted(open_exam):
    keep(made_exam())
    newer = keep(made_exam(("gru",), name="exam-20270101-000000"))
    app = open_exam()
    assert app.selectbox(key=section.CHOSEN).value == newer.name
    app.selectbox(key=section.CHOSEN).set_value(NAME).run()
    assert exam_finding_of(made_exam())[1] in said(app)
    app.button(key=section.DELETE).click().run()
    assert not app.exception
    assert [one.name for one in api.list_exams()] == [newer.name]
    assert exam_finding_of(newer)[1] in said(app)


def test_a_damaged_exam_does_not_hide_the_others(open_exam):
    keep(made_exam())
    keep(made_exam(name="exam-20270101-000000"))
    (store.folder_of("exam-20270101-000000") / store.RESULT).write_text("{")
    app = open_exam()
    assert exam_finding_of(made_exam())[0] in said(app)


def test_what_cannot_be_sat_is_refused_in_words(open_exam):
    app = open_exam()
    app.multiselect(key=exam_form.FAMILIES).set_value([]).run()
    assert "The families of the exam are none" in said(app)
    assert not [button for button in app.button if button.key == section.RUN]
    app.multiselect(key=exam_form.FAMILIES).set_value(["rnn"])
    app.text_input(key="exam_word_token_0").set_value("<b> two").run()
    assert "two different words of letters and digits" in said(app)


def test_hostile_texts_and_labels_stay_text(open_exam):
    import dataclasses

    exam = made_exam()
    texts = tuple(dataclasses.replace(one, text=one.text.replace("film", "<img src=x>")) for one in exam.texts)
    keep(dataclasses.replace(exam, texts=texts, label_names=("<b>", "![a](http://h/b.png)")))
    app = open_exam()
    assert "<img" not in bodies(app)
    assert not [one.value for one in (*app.caption, *app.markdown) if "![a](" in one.value or "<b>" in one.value]


def test_what_is_taken_away_holds_every_rank_and_the_settings():
    exam = made_exam()
    with np.load(io.BytesIO(take_away.npz(exam))) as arrays:
        np.testing.assert_array_equal(arrays["ranks"], exam.ranks)
        assert api.ExamSpec.from_json(str(arrays["spec"])) == exam.spec
    assert take_away.csv(exam).count(b"\r\n") == 1 + len(exam.rows)
    assert ShortcutExam.from_plain(json.loads(json.dumps(exam.to_plain()))).rows == exam.rows


def test_the_card_of_a_page_is_made_anew_once_a_newer_exam_is_kept(home, warmed):
    model = save_tiny(home, "starter-lstm", "lstm")
    asked = ("starter-lstm", model.fingerprint, "not bad at all", 1, "leave_one_out", "{}", False)
    assert "exam" not in [line.name for line in cache_words.card(*asked).lines]
    keep(made_exam())
    assert cache_words.exam_stamp("lstm", "leave_one_out") == NAME
    assert cache_words.card(*asked).lines[-1].name == "exam"
    keep(made_exam(name="exam-20270101-000000", n_texts=30))
    assert "29 texts" in cache_words.card(*asked).lines[-1].said
