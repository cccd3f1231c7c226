"""`agree`: methods against the words people marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer_core import api

METHODS = ("gradient_norm", "leave_one_out")
ROWS = "text,label,rationale\na lovely film,positive,2:8\nwhat a dull plot,negative,7:11\nnever good,negative,0:5\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS + "oops,negative,<b>\n")
    return str(path)


def test_the_measures_are_those_of_the_desk_and_the_table_shows_them(command: Any, keep: Any, file: str) -> None:
    name = keep("lstm")
    data = api.read_rationales(api.DataSpec("local_file", {"path": file}))
    expected = api.measure_human_agreement(api.load_model(name), data, methods=METHODS)
    given = ("--model", name, "--data", file, "--methods", " gradient_norm, leave_one_out")
    answer = command("agree", "--json", *given)
    assert answer.code == 0
    assert [row["method"] for row in answer.json["rows"]] == [*METHODS, "random"]
    assert [row["auprc"] for row in answer.json["rows"]] == pytest.approx([*expected.mean[:, 0], expected.random[0]])
    shown = command("agree", *given).out
    assert f"{expected.mean[1, 0]:.3f} [{expected.low[1, 0]:.3f}, {expected.high[1, 0]:.3f}]" in shown
    assert "row 5" in shown


def test_the_starter_corpus_needs_no_file(command: Any, keep: Any) -> None:
    given = ("--model", keep("gru"), "--methods", "gradient_norm", "--n-texts", "4", "--seed", "3")
    answer = command("agree", "--json", *given)
    assert answer.json["n_texts"] == 4
    assert "starter corpus, test rows" in answer.json["dataset"]


def test_rows_texts_and_arrays_are_saved(command: Any, keep: Any, file: str, tmp_path: Path) -> None:
    given = ("--model", keep("lstm"), "--data", file, "--methods", "gradient_norm", "--out")
    command("agree", *given, str(tmp_path / "a.csv"))
    assert pd.read_csv(tmp_path / "a.csv")["method"].tolist() == ["gradient_norm", "random"]
    command("agree", *given, str(tmp_path / "a.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == ["a lovely film", "what a dull plot", "never good"]
    assert all(0 < line["auprc_gradient_norm"] <= 1 for line in lines)
    command("agree", *given, str(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["values"].shape == (1, 5, 3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--methods", "magic"], "magic"),
        (["--methods", ","], "At least 1 method"),
        (["--methods", "attention_rollout"], "attention"),
        (["--n-texts", "0"], "allowed: 2 to"),
        (["--target", "wish"], "allowed: predicted, gold"),
        (["--rationale-kind", "magic"], "allowed: auto"),
        (["--rationale-column", "nowhere"], "no column"),
        (["--rationale-column", "label"], "No row of"),
        (["--out", "a.txt"], "must end in"),
    ],
)
def test_what_cannot_be_done_is_said(command: Any, keep: Any, file: str, given: list[str], says: str) -> None:
    answer = command("agree", "--model", keep("lstm"), "--data", file, *given)
    assert answer.code == 2
    assert says in answer.err
    assert "Traceback" not in answer.err
