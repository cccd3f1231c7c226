"""`exam`: what the front desk finds, as text, as JSON and as files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.results import ShortcutExam, exam_finding_of
from tests.core.exam.exams import NAME, made_exam
from tests.core.exam.test_exam_store import keep


@pytest.fixture
def sat(monkeypatch: pytest.MonkeyPatch) -> list[api.ExamSpec]:
    """Exams that are sat at once; the specs that were asked for."""
    asked: list[api.ExamSpec] = []

    def run_exam(spec: api.ExamSpec, *, progress: Any = None) -> ShortcutExam:
        asked.append(spec)
        return made_exam()

    monkeypatch.setattr(api, "run_exam", run_exam)
    return asked


def test_json_holds_the_numbers_of_the_exam(command: Any, sat: list[api.ExamSpec]) -> None:
    found, exam = command("exam", "--json").json, made_exam()
    assert sat == [api.ExamSpec()]
    assert [(row["family"], row["method"], row["precision"]) for row in found["rows"]] == [
        (row.family, row.method, row.precision) for row in exam.rows
    ]
    assert found["finding"] == list(exam_finding_of(exam))
    assert [one["n_texts"] for one in found["networks"]] == [11, 11]


def test_a_table_of_methods_and_one_of_networks_are_printed(command: Any, sat: list[api.ExamSpec]) -> None:
    lines = command("exam").out.splitlines()
    assert any(line.split() == "RNN 100.0 % 0.980 0.250 5 s 9 s".split() for line in lines)  # noqa: SIM905
    assert any(line.startswith("LSTM    Gradient norm") and " 5.00" in line for line in lines)
    assert lines[-1] == f"Kept as {NAME}"


def test_flags_become_the_spec(command: Any, sat: list[api.ExamSpec], tmp_path: Path) -> None:
    given = (
        "--families",
        "bilstm, rnn",
        "--shortcut",
        "word",
        "--words",
        "ja,nein",
        "--methods",
        "lime",
        "--texts",
        "9",
    )
    command("exam", *given, "--train-texts", "700", "--seed", "4")
    assert sat[-1] == api.ExamSpec(
        families=("rnn", "bilstm"), shortcut="word", words=("ja", "nein"), methods=("lime",), n_texts=9, n_train=700,
        seed=4,
    )  # fmt: skip
    settings = tmp_path / "settings.json"
    settings.write_text(sat[-1].to_json())
    command("exam", "--spec", str(settings), "--seed", "5", "--shortcut", "token")
    assert (sat[-1].words, sat[-1].seed, sat[-1].n_texts) == (("blick", "wug"), 5, 9)


def test_a_price_sits_no_exam(command: Any, sat: list[api.ExamSpec]) -> None:
    assert command("exam", "--price").out.strip() == api.price_exam(api.ExamSpec()).sentence
    dear = command("exam", "--families", "bert", "--price", "--json").json["price"]
    assert dear["seconds"] > command("exam", "--families", "rnn", "--price", "--json").json["price"]["seconds"]
    assert sat == []


def test_results_are_saved_as_json_arrays_and_a_table(command: Any, sat: list[api.ExamSpec], tmp_path: Path) -> None:
    exam = made_exam()
    for ending in ("json", "npz", "csv"):
        assert (
            f"Saved to {tmp_path / 'exam'}.{ending}" in command("exam", "--out", str(tmp_path / f"exam.{ending}")).out
        )
    plain = json.loads((tmp_path / "exam.json").read_text())
    del plain["rows"]
    assert ShortcutExam.from_plain(plain).rows == exam.rows
    with np.load(tmp_path / "exam.npz") as arrays:
        np.testing.assert_array_equal(arrays["ranks"], exam.ranks)
    rows = list(csv.DictReader((tmp_path / "exam.csv").read_text().splitlines()))
    assert [float(row["precision"]) for row in rows] == pytest.approx([row.precision for row in exam.rows])


def test_kept_exams_are_listed_and_shown(command: Any, sat: list[api.ExamSpec]) -> None:
    assert "No exam is kept" in command("exam", "--list").out
    keep(made_exam())
    assert command("exam", "--list").out.splitlines()[-1].split() == [NAME, "token", "rnn,", "lstm", "12"]
    assert command("exam", "--show", NAME, "--json").json["rows"] == [vars(row) for row in made_exam().rows]
    assert sat == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--families", "mamba"], "rnn, gru, lstm, bilstm, bert"),
        (["--families", ""], "different ones of"),
        (["--methods", "deeplift"], "integrated_gradients"),
        (["--shortcut", "echo"], "token, word, position"),
        (["--words", "one"], "two different words"),
        (["--texts", "0"], "5 to 300"),
        (["--texts", "many"], "--help"),
        (["--out", "exam.txt"], ".json"),
        (["--out", "nowhere/exam.json"], "does not exist"),
        (["--spec", "nowhere.json"], "There is no file"),
        (["--show", "nowhere"], "There is no exam"),
        (["--data", "nowhere.csv"], "There is no file"),
    ],
)
def test_settings_that_are_not_allowed_are_refused_in_words(
    refused: Any, sat: list[api.ExamSpec], arguments: list[str], said: str
) -> None:
    assert said in refused("exam", *arguments)
    assert sat == []
