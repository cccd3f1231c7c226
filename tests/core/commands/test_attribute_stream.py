"""`attribute --data`: any file block by block, the same bytes from one process or several, on where it was stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import explorer_core
from explorer_core import api, settings

ROOT = Path(explorer_core.__file__).parents[1]
TEXTS = [f"the film number {number} was {('bad', 'good')[number % 2]}, \u0085 and ={number}" for number in range(37)]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(settings, "BLOCK_ROWS", 10)


@pytest.fixture
def films(tmp_path):
    path = tmp_path / "films.csv"
    pd.DataFrame({"text": TEXTS, "label": "x"}).to_csv(path, index=False)
    return path


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.mark.parametrize(("family", "method"), [("lstm", "lstm_ledger"), ("gru", "leave_one_out")])
def test_scores_are_those_of_the_desk(command, keep, films, tmp_path, family, method):
    name, out = keep(family), tmp_path / "out.jsonl"
    call = ("attribute", "--model", name, "--method", method, "--target", "1", "--data", str(films), "--out", str(out))
    answer = command(*call, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["n_texts"] == 37
    rows, model = rows_of(out), api.load_model(name)
    assert [row["text"] for row in rows] == TEXTS
    assert rows[0]["row"] == 2, "as a person counts the rows of a file with a header"
    for row in rows:
        alone = api.attribute(model, row["text"], method, 1)
        assert row["words"] == list(alone.words)
        np.testing.assert_allclose(row["scores"], alone.scores, atol=2e-6)
    assert answer.json["n_words"] == sum(len(row["words"]) for row in rows)
    assert not list(tmp_path.glob("*.parts")), "the parts are gone"
    assert "37 texts" in command(*call).out


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "txt", "parquet"])
def test_every_format_gives_the_same_rows(command, keep, tmp_path, ending):
    name, path, out = keep("lstm"), tmp_path / f"films.{ending}", tmp_path / "out.jsonl"
    table = pd.DataFrame({"text": TEXTS})
    if ending == "tsv":
        table.assign(label="x").to_csv(path, sep="\t", index=False)
    elif ending == "txt":
        path.write_text("\n".join(TEXTS), encoding="utf-8")
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    answer = command("attribute", "--model", name, "--method", "lstm_ledger", "--data", str(path), "--out", str(out))
    assert answer.code == 0, answer.err
    assert [row["text"] for row in rows_of(out)] == TEXTS


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_two_ranks_give_the_bytes_of_one(command, keep, films, tmp_path, monkeypatch, ending):
    name, one, two = keep("lstm"), tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
    call = ("attribute", "--model", name, "--method", "lstm_ledger", "--data", str(films), "--json")
    alone = command(*call, "--out", str(one)).json
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    answer = command(*call, "--out", str(two))
    assert (answer.code, answer.out) == (0, "")
    assert not two.exists()
    parts = sorted((tmp_path / f"{two.name}.parts").glob("*.lines"))
    parts[0].unlink()  # as if the process had been killed before it was written
    assert command(*call, "--out", str(two)).code == 0
    monkeypatch.setenv("RANK", "0")
    both = command(*call, "--out", str(two)).json
    assert one.read_bytes() == two.read_bytes()
    assert both | {"saved": ""} == alone | {"saved": ""}


@pytest.mark.long
@pytest.mark.slow
def test_two_processes_at_once_give_the_bytes_of_one(command, keep, home, films, tmp_path, monkeypatch):
    name, one, two = keep("gru"), tmp_path / "one.csv", tmp_path / "two.csv"
    given = ["attribute", "--model", name, "--method", "input_x_gradient", "--data", str(films), "--out"]
    monkeypatch.setattr(settings, "BLOCK_ROWS", 4_096)  # as the processes have it
    assert command(*given, str(one)).code == 0
    env = os.environ | {"UNROLLED_HOME": str(home), "WORLD_SIZE": "2", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "explorer_core", *given, str(two)], cwd=ROOT, env=env | {"RANK": str(rank)},
            stdout=subprocess.DEVNULL,
        )
        for rank in range(2)
    ]  # fmt: skip
    assert [process.wait(300) for process in started] == [0, 0]
    frames = [pd.read_csv(path) for path in (one, two)]
    pd.testing.assert_frame_equal(*frames, atol=1e-6)


def test_a_table_has_a_row_for_every_word_and_is_safe_to_open(command, keep, films, tmp_path):
    name, out = keep("lstm"), tmp_path / "out.csv"
    command("attribute", "--model", name, "--method", "lstm_ledger", "--data", str(films), "--out", str(out))
    frame = pd.read_csv(out)
    assert frame["row"].nunique() == 37
    assert not [cell for cell in frame["entry"] if str(cell).startswith("=")]
    model = api.load_model(name)
    assert len(frame) == sum(len(api.attribute(model, text, "lstm_ledger").to_frame()) for text in TEXTS)


def test_texts_that_cannot_be_read_are_counted_and_the_names_of_columns_stand_once(command, keep, tmp_path):
    name, path, out = keep("lstm"), tmp_path / "a.csv", tmp_path / "out.csv"
    path.write_text("text\n" + "\u200b\n" * 10 + "a good film\n" * 3, encoding="utf-8")
    answer = command(
        "attribute", "--model", name, "--method", "lstm_ledger", "--data", str(path), "--text-column", "text",
        "--out", str(out), "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert answer.json["n_texts"] == 3
    assert sum(answer.json["n_skipped"].values()) == 10
    assert out.read_text(encoding="utf-8").count("entry") == 1
    assert list(pd.read_csv(out)["row"].unique()) == [12, 13, 14]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "needs a place"),
        (("--out", "a.npz"), "must end in"),
        (("--out", "a.csv", "good film"), "not several"),
    ],
)
def test_what_does_not_go_with_a_stream_is_refused(command, keep, films, more, said):
    answer = command("attribute", "--model", keep("lstm"), "--data", str(films), *more)
    assert answer.code != 0
    assert said in answer.err


def test_several_processes_need_data_and_its_options_too(command, keep, monkeypatch):
    name = keep("lstm")
    assert "go with --data" in command("attribute", "--model", name, "--text-column", "a", "good film").err
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "Give a file" in command("attribute", "--model", name, "good film").err
