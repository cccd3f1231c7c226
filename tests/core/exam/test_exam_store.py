"""Kept exams: read back as they were, broken ones passed over, and nothing half kept."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.attribution import _trust_exam
from explorer_core.errors import CancelledError, ExplorerError, InvalidInputError, JobError, NotFoundError
from explorer_core.exam import run, store
from explorer_core.results import ShortcutExam
from explorer_core.training import _status
from tests.conftest import build_tiny
from tests.core.exam.exams import METHODS, NAME, corpus, made_exam
from tests.doors import assert_is_a_sentence

OLDER, NEWER = "exam-20250101-000000", "exam-20270101-000000"


def keep(exam: ShortcutExam) -> ShortcutExam:
    """Keep an exam as one that is done."""
    folder = store.folder_of(exam.name)
    folder.mkdir(parents=True)
    (folder / store.SPEC).write_text(exam.spec.to_json())
    store.keep(exam)
    _status.write(folder, _status.JobStatus("done", progress=1.0))
    return exam


def same(one: ShortcutExam, other: ShortcutExam) -> bool:
    return json.dumps(one.to_plain()) == json.dumps(other.to_plain())


def test_an_exam_comes_back_from_disk_as_it_was():
    exam = keep(made_exam())
    found = api.load_exam(NAME)
    assert same(found, exam)
    assert found.rows == exam.rows
    assert (found.spec, found.texts, found.networks) == (exam.spec, exam.texts, exam.networks)
    assert [one.name for one in api.list_exams()] == [NAME]


def test_the_newest_exam_that_judges_a_method_speaks_for_it():
    keep(made_exam(("lstm",), name=OLDER))
    keep(made_exam(("rnn",), name=NEWER))
    assert [one.name for one in api.list_exams()] == [NEWER, OLDER]
    assert api.find_exam("lstm", "lime").name == OLDER
    assert api.find_exam("rnn", "lime").name == NEWER
    assert api.find_exam("gru", "lime") is None
    assert api.find_exam("lstm", "integrated_gradients") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda plain: "{",
        lambda plain: "[" * 100_000,
        lambda plain: "[]",
        lambda plain: json.dumps(plain | {"ranks": []}),
        lambda plain: json.dumps(plain | {"ranks": "many"}),
        lambda plain: json.dumps(plain | {"spec": plain["spec"] | {"families": ["mamba"]}}),
        lambda plain: json.dumps(plain | {"texts": [one | {"span": [5, 900]} for one in plain["texts"]]}),
        lambda plain: json.dumps(plain | {"networks": [one | {"accuracy": None} for one in plain["networks"]]}),
        lambda plain: json.dumps(plain | {"n_words": [[1] * 12] * 2}),
        lambda plain: json.dumps(plain | {"name": OLDER}),
        lambda plain: json.dumps({name: value for name, value in plain.items() if name != "made"}),
    ],
)
def test_a_damaged_file_is_passed_over_and_says_why(damage, caplog):
    keep(made_exam(name=OLDER))
    keep(made_exam())
    (store.folder_of(NAME) / store.RESULT).write_text(damage(made_exam().to_plain()))
    with pytest.raises(InvalidInputError) as refused:
        api.load_exam(NAME)
    assert_is_a_sentence(refused.value)
    assert [one.name for one in api.list_exams()] == [OLDER]
    assert NAME in caplog.text


def test_a_file_that_is_far_too_large_is_not_read(monkeypatch):
    keep(made_exam())
    monkeypatch.setattr(store, "MAX_FILE_BYTES", 100)
    with pytest.raises(InvalidInputError, match="far larger"):
        api.load_exam(NAME)


@pytest.mark.parametrize("name", ["", "../etc", "exam-1", "exam-20260102-030405/../x", NAME + "\n", None, NAME])
def test_what_is_no_exam_here_is_not_found(name):
    for call in (api.load_exam, api.delete_exam, api.resume_exam):
        with pytest.raises(NotFoundError) as refused:
            call(name)
        assert_is_a_sentence(refused.value)


def test_an_exam_is_deleted_unless_it_is_being_sat():
    keep(made_exam())
    _status.write(store.folder_of(NAME), _status.JobStatus("running"))
    with pytest.raises(JobError, match="running"):
        api.delete_exam(NAME)
    _status.write(store.folder_of(NAME), _status.JobStatus("done"))
    with pytest.raises(JobError, match="done"):
        api.resume_exam(NAME)
    api.delete_exam(NAME)
    assert api.list_exams() == ()
    assert api.list_exam_jobs() == ()


# Broken off ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_networks(monkeypatch):
    """Exams over a made-up corpus, with tiny networks that are not trained; returns the families that were built."""
    built = []

    def train_at(spec, folder, *, progress=None):
        built.append(spec.family)
        (folder / "half").write_text("written")
        progress(0.5)
        return folder

    monkeypatch.setattr(run.training, "train_at", train_at)
    monkeypatch.setattr(run._loading, "load", lambda path: build_tiny(built[-1]))
    monkeypatch.setattr(run._labelled_texts, "read", lambda spec: corpus())
    return built


SPEC = api.ExamSpec(families=("rnn", "gru", "lstm"), methods=METHODS, n_texts=5)


def stop_at(share):
    def progress(done):
        if done >= share:
            raise CancelledError("Stopped.")

    return progress


def test_an_exam_cancelled_before_any_family_sat_it_leaves_nothing(tiny_networks, home):
    with pytest.raises(CancelledError):
        api.run_exam(SPEC, progress=stop_at(0.01))
    assert not list((home / ".exams").iterdir())


def test_an_exam_cancelled_later_keeps_whole_families_and_goes_on(tiny_networks):
    watched = []
    with pytest.raises(CancelledError):
        api.run_exam(SPEC, progress=stop_at(0.4), watch=watched.append)
    (job,) = api.list_exam_jobs()
    assert job.status.state == "cancelled"
    kept = api.load_exam(job.name)
    assert [one.family for one in kept.networks] == ["rnn"]
    assert same(watched[-1], kept)
    assert not kept.is_finished
    assert sorted(path.name for path in store.folder_of(job.name).iterdir()) == [
        "planted.jsonl", "result.json", "spec.json", "status.json",
    ]  # fmt: skip
    tiny_networks.clear()
    found = run.carry_out(job.name)
    assert tiny_networks == ["gru", "lstm"]
    assert found.is_finished
    assert job.status.state == "done"
    assert sorted(path.name for path in store.folder_of(job.name).iterdir()) == [
        "result.json", "spec.json", "status.json",
    ]  # fmt: skip


def test_asking_the_folder_to_stop_cancels_whoever_sits_the_exam(tiny_networks):
    def watch(exam):
        api.list_exam_jobs()[0].cancel()

    with pytest.raises(CancelledError):
        api.run_exam(SPEC, watch=watch)
    assert len(api.list_exams()[0].networks) == 1
    assert api.list_exam_jobs()[0].status.state == "cancelled"


def test_an_exam_that_breaks_says_why(tiny_networks, monkeypatch):
    monkeypatch.setattr(run._loading, "load", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        api.run_exam(SPEC)
    status = api.list_exam_jobs()[0].status
    assert status.state == "failed"
    assert "ZeroDivisionError" in status.reason
    monkeypatch.setattr(run._labelled_texts, "read", lambda spec: corpus(9))
    with pytest.raises(ExplorerError, match="training and"):
        api.run_exam(SPEC)


def test_exams_are_no_models(tiny_networks):
    api.run_exam(SPEC)
    assert api.list_models() == ()


# The trust card -----------------------------------------------------------------------------------------------------


def test_the_card_has_a_line_from_the_newest_exam_of_the_family_and_method():
    model, text = build_tiny("lstm"), "not a good film"
    scores = {method: api.attribute(model, text, method) for method in METHODS}
    before = api.assess(model, text, scores["lime"])
    assert "exam" not in [line.name for line in before.lines]
    keep(made_exam(("rnn",)))
    assert api.assess(model, text, scores["lime"]).lines == before.lines
    kept = keep(made_exam(("lstm",), n_texts=60, name=NEWER))
    for method, verdict in (("leave_one_out", "told"), ("gradient_norm", "bad")):
        card = api.assess(model, text, scores[method])
        line = card.lines[-1]
        assert (line.name, line.verdict) == ("exam", verdict)
        assert line.value == kept.row("lstm", method).precision
        assert line.said.endswith(".") and line.means.endswith(".")
        assert f"{100 * line.value:.0f} % of 59 texts" in line.said


def test_an_exam_never_makes_a_card_better():
    exam = made_exam(("lstm",), n_texts=60)
    attribution = api.attribute(build_tiny("lstm"), "good", "leave_one_out")
    assert _trust_exam.exam(attribution, exam).verdict == "told"
    unsure = dataclasses.replace(exam, hits=np.where(np.isnan(exam.hits), np.nan, 0.45))
    assert _trust_exam.exam(attribution, unsure).verdict == "told"
    assert _trust_exam.exam(attribution, None) is None
