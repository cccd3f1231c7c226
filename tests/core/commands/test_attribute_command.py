"""`attribute`: scores of words, one text or many, resumable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer_core import api

TEXTS = ["a good film", "the plot was dull", "not bad"]


def test_scores_are_those_of_the_desk_and_the_table_shows_them(command: Any, keep: Any) -> None:
    name = keep("lstm")
    expected = api.attribute(api.load_model(name), TEXTS[0], "leave_one_out", "positive", removal="drop")
    given = ("--model", name, "--method", "leave_one_out", "--knob", "removal=drop", "--target", "positive", TEXTS[0])
    answer = command("attribute", "--json", *given)
    assert answer.code == 0
    (row,) = answer.json["texts"]
    assert row["words"] == list(expected.words)
    assert row["scores"] == pytest.approx(expected.scores.tolist(), abs=1e-6)
    shown = command("attribute", *given).out
    assert all(word in shown for word in expected.words)
    assert "logit of positive" in shown


def test_trust_is_measured_when_asked_for(command: Any, keep: Any) -> None:
    answer = command("attribute", "--model", keep("lstm"), "--method", "gradient_norm", "--trust", "--json", TEXTS[0])
    card = answer.json["texts"][0]["trust"]
    assert card["grade"] in ("holds up", "with care", "do not rely on it")
    assert {"training", "agreement"} <= {line["name"] for line in card["lines"]}
    assert "trust:" in command("attribute", "--model", keep("lstm"), "--method", "gradient_norm", "--trust", "good").out


def test_many_texts_go_on_where_they_stopped(command: Any, keep: Any, tmp_path: Path) -> None:
    name, out = keep("gru"), tmp_path / "words.jsonl"
    given = ("--model", name, "--method", "shapley_sampling", "--knob", "n_samples=10", "--out", str(out), *TEXTS)
    assert command("attribute", *given).code == 0
    lines = out.read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == TEXTS
    out.write_text("\n".join(lines[:1]) + "\n" + lines[1][:40])  # the call was killed while it wrote
    again = command("attribute", "--json", *given)
    assert again.json["n_found_done"] == 1
    assert out.read_text().splitlines() == lines
    assert "3 of 3 texts had been explained before" in command("attribute", *given).out


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_text_that_cannot_be_read_does_not_stop_the_others(
    command: Any, keep: Any, tmp_path: Path, ending: str
) -> None:
    lines, out = tmp_path / "texts.txt", tmp_path / f"words.{ending}"
    lines.write_text("a good film\n\u200b\nnot bad\n", encoding="utf-8")
    given = ("--model", keep("lstm"), "--method", "gradient_norm", "--file", str(lines), "--out", str(out))
    answer = command("attribute", "--json", *given)
    assert answer.code == 0
    assert [row["text"] for row in answer.json["texts"]] == ["a good film", "not bad"]
    assert [one["index"] for one in answer.json["left_out"]] == [1]
    assert "a good film" in out.read_text(encoding="utf-8")
    assert "not bad" in out.read_text(encoding="utf-8")
    assert "Left out 1 of 3 texts" in command("attribute", *given).out
    assert command("attribute", "--model", keep("lstm"), "\u200b").code != 0


def test_a_file_of_other_settings_is_left_alone(command: Any, keep: Any, tmp_path: Path) -> None:
    name, out = keep("gru"), tmp_path / "words.jsonl"
    command("attribute", "--model", name, "--method", "gradient_norm", "--out", str(out), "good")
    before = out.read_text()
    answer = command("attribute", "--model", name, "--method", "input_x_gradient", "--out", str(out), "good")
    assert answer.code != 0
    assert "other settings" in answer.err
    assert out.read_text() == before


def test_tables_and_arrays_are_saved(command: Any, keep: Any, tmp_path: Path) -> None:
    name = keep("lstm")
    command("attribute", "--model", name, "--method", "gradient_norm", "--out", str(tmp_path / "w.csv"), *TEXTS)
    frame = pd.read_csv(tmp_path / "w.csv")
    assert frame["text_index"].tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2]
    command("attribute", "--model", name, "--method", "gradient_norm", "--out", str(tmp_path / "w.npz"), TEXTS[0])
    with np.load(tmp_path / "w.npz") as arrays:
        assert arrays["scores"].shape == (3,)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--method", "magic", "good"], "magic"),
        (["--method", "lime", "--knob", "n_samples=many", "good"], "a number is expected"),
        (["--method", "lime", "--knob", "n_samples=1", "good"], "allowed: 50"),
        (["--knob", "colour=red", "good"], "has no setting 'colour'"),
        (["--target", "7", "good"], "no class"),
        (["--out", "words.txt", "good"], "must end in"),
        (["--out", "words.npz", "good", "bad"], "one text"),
        (["--method", "attention_rollout", "good"], "attention"),
    ],
)
def test_what_cannot_be_done_is_said(command: Any, keep: Any, given: list[str], says: str) -> None:
    answer = command("attribute", "--model", keep("lstm"), *given)
    assert answer.code != 0
    assert says in answer.err
    assert "Traceback" not in answer.err
