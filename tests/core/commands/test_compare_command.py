"""`compare`: several models over the same texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer_core import api

ROWS = "text,stars\n" + "".join(
    f"{words} number {n},{stars}\n" for n in range(12) for words, stars in (("a good film", 5), ("a dull plot", 1))
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return str(path)


def test_the_numbers_are_those_of_the_desk_and_the_table_shows_them(command: Any, keep: Any, file: str) -> None:
    names = [keep("rnn"), keep("lstm"), keep("bert")]
    models = [api.load_model(name) for name in names]
    mapping = {"5": "positive", "1": "negative"}
    judged = api.judge(models, api.read_texts([file]), mapping, is_kept=False)
    expected = api.compare_accuracy(judged)
    given = ("--models", ", ".join(names), "--data", file, "--map", "5=positive", "--map", "1=negative")
    answer = command("compare", "--json", *given)
    assert answer.code == 0
    assert [row["accuracy"] for row in answer.json["models"]] == pytest.approx(expected.accuracy.tolist())
    for name in ("only_first", "only_second", "p", "p_holm", "difference", "low", "high"):
        assert [row[name] for row in answer.json["pairs"]] == pytest.approx(getattr(expected, name).tolist())
    alike = [1 - float(judged.agreement.differs[pair]) for pair in expected.pairs]
    assert [row["alike"] for row in answer.json["pairs"]] == pytest.approx(alike)
    shown = command("compare", *given).out
    assert f"{names[0]} and {names[1]}" in shown
    assert "McNemar" in shown


def test_it_is_saved_as_rows_json_and_arrays(command: Any, keep: Any, file: str, tmp_path: Path) -> None:
    given = ("--models", f"{keep('rnn')},{keep('gru')}", "--data", file, "--map", "5=positive", "--map", "1=negative")
    answers = [command("compare", *given, "--out", str(tmp_path / f"a{end}")) for end in (".csv", ".json", ".npz")]
    assert [answer.code for answer in answers] == [0, 0, 0]
    rows = pd.read_csv(tmp_path / "a.csv")
    assert len(rows) == 1
    assert {"p", "p_holm", "kappa", "alike", "n_texts"} <= set(rows)
    assert json.loads((tmp_path / "a.json").read_text())["n_texts"] == 24
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["p"].shape == (1,)


def test_the_starter_corpus_needs_no_file(command: Any, keep: Any) -> None:
    answer = command("compare", "--json", "--models", f"{keep('rnn')},{keep('gru')}")
    assert answer.json["n_texts"] == 780
    assert answer.json["dataset"] == "starter corpus, test rows"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--models", "one"), "two models or more"),
        (("--models", "a,b", "--data", "nowhere.csv"), "no file"),
        (("--models", "a,b", "--out", "x.txt"), "must end in"),
        (("--models", "a,b", "--split", "nonsense"), "no split"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(command: Any, more: tuple[str, ...], said: str) -> None:
    answer = command("compare", *more)
    assert answer.code != 0
    assert said in answer.err


def test_a_label_that_is_not_there_is_refused(command: Any, keep: Any, file: str) -> None:
    answer = command("compare", "--models", f"{keep('rnn')},{keep('gru')}", "--data", file, "--map", "9=positive")
    assert "does not fit" in answer.err
