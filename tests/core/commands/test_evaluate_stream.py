"""`evaluate --stream`: any file block by block, the same bytes from one process or several, on where it was stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import explorer_core
from explorer_core import api, settings
from explorer_core.commands import _shards
from explorer_core.errors import InvalidInputError, JobError
from tests.core.datasets.local_files import write_parquet

ROOT = Path(explorer_core.__file__).parents[1]
N_ROWS = 57
TEXTS = [
    f"the film number {number} was {('bad', 'good')[number % 2]}, \u0085 and ={number}" for number in range(N_ROWS)
]
LABELS = ["pos" if number % 2 else "neg" for number in range(N_ROWS)]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(settings, "BLOCK_ROWS", 10)


@pytest.fixture
def films(tmp_path):
    path = tmp_path / "films.csv"
    rows = "".join(f'"{text}",{label}\n' for text, label in zip(TEXTS, LABELS, strict=True))
    path.write_text(f"text,label\n{rows}", encoding="utf-8")
    return path


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_rows_and_metrics_are_those_of_judging_the_whole_file(command, keep, films, tmp_path):
    name, out = keep("lstm"), tmp_path / "out.jsonl"
    found = command("evaluate", "--model", name, "--stream", "--data", str(films), "--out", str(out), "--json").json
    judged = api.judge([api.load_model(name)], api.read_texts([films]), is_kept=False)
    rows = rows_of(out)
    assert [row["text"] for row in rows] == list(judged.table.texts)
    assert [row["row"] for row in rows] == judged.table.row_numbers.tolist()
    np.testing.assert_allclose([row["prob_positive"] for row in rows], judged.probs[0, :, 1], atol=1e-6)
    assert found["accuracy"] == pytest.approx(judged.scores[0].accuracy, abs=1e-9)
    assert found["macro_f1"] == pytest.approx(judged.scores[0].macro_f1, abs=1e-9)
    assert found["ece"] == pytest.approx(judged.scores[0].ece, abs=1e-6)
    assert found["confusion"] == judged.scores[0].confusion.tolist()
    assert not list(tmp_path.glob("*.parts")), "the parts are gone"


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "json", "txt", "parquet", "xlsx"])
def test_every_format_streams_the_same_rows(command, keep, tmp_path, ending):
    name = keep("rnn")
    table = pd.DataFrame({"text": TEXTS, "label": LABELS})
    path = tmp_path / f"films.{ending}"
    if ending == "tsv":
        table.to_csv(path, sep="\t", index=False)
    elif ending == "txt":
        path.write_text("".join(f"{label}\t{text}\n" for text, label in zip(TEXTS, LABELS, strict=True)))
    elif ending == "parquet":
        write_parquet(tmp_path, {"text": TEXTS, "label": LABELS}, path.name)
    elif ending == "xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_json(path, orient="records", lines=ending == "jsonl", force_ascii=False)
    out = tmp_path / "out.jsonl"
    answer = command("evaluate", "--model", name, "--stream", "--data", str(path), "--out", str(out))
    assert answer.code == 0, answer.err
    rows = rows_of(out)
    assert [row["text"] for row in rows] == TEXTS
    assert [row["true"] for row in rows] == ["positive" if label == "pos" else "negative" for label in LABELS]


def test_parquet_shards_are_read_in_the_order_of_their_names(command, keep, tmp_path):
    (tmp_path / "shards").mkdir()
    for number in range(3):
        part = slice(number * 19, number * 19 + 19)
        write_parquet(tmp_path / "shards", {"text": TEXTS[part], "label": LABELS[part]}, f"part-{number}.parquet")
    name, outs = keep("gru"), [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for given, out in zip((tmp_path / "shards", tmp_path / "shards" / "*.parquet"), outs, strict=True):
        assert command("evaluate", "--model", name, "--stream", "--data", str(given), "--out", str(out)).code == 0
    assert [row["text"] for row in rows_of(outs[0])] == TEXTS
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert {row["file"] for row in rows_of(outs[0])} == {f"part-{number}.parquet" for number in range(3)}


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_two_ranks_give_the_bytes_of_one(command, keep, films, tmp_path, monkeypatch, ending):
    name, one, two = keep("lstm"), tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
    call = ("evaluate", "--model", name, "--stream", "--data", str(films), "--json")
    alone = command(*call, "--out", str(one)).json
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    answer = command(*call, "--out", str(two))
    assert (answer.code, answer.out) == (0, "")
    assert not two.exists()
    monkeypatch.setenv("RANK", "0")
    both = command(*call, "--out", str(two)).json
    assert one.read_bytes() == two.read_bytes()
    assert both | {"saved": ""} == alone | {"saved": ""}


def test_a_part_that_was_killed_is_done_again_and_the_others_are_not(command, keep, films, tmp_path, monkeypatch):
    name, out, whole = keep("rnn"), tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    call = ("evaluate", "--model", name, "--stream", "--data", str(films))
    command(*call, "--out", str(whole))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    command(*call, "--out", str(out))
    folder = tmp_path / "out.jsonl.parts"
    (folder / "00000003.lines").unlink()
    (folder / ".00000003.lines.77").write_bytes(b'{"half a li')
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setattr(_shards, "WAIT_FOR_START_S", 0.2)
    refusal = command(*call, "--out", str(out))
    assert refusal.code == 2
    assert "Process 1 of 2 ended" in refusal.err
    judged = []
    before = api.judge_blocks

    def count(model, blocks, mapping):
        for found in before(model, blocks, mapping):
            judged.append(found.block.number)
            yield found

    monkeypatch.setattr(api, "judge_blocks", count)
    monkeypatch.setenv("RANK", "1")
    command(*call, "--out", str(out))
    assert judged == [3]
    monkeypatch.setenv("RANK", "0")
    assert command(*call, "--out", str(out)).code == 0
    assert judged == [3]
    assert out.read_bytes() == whole.read_bytes()


def test_another_number_of_processes_goes_on_with_what_is_there(command, keep, films, tmp_path, monkeypatch):
    name, out, whole = keep("rnn"), tmp_path / "out.csv", tmp_path / "whole.csv"
    call = ("evaluate", "--model", name, "--stream", "--data", str(films))
    command(*call, "--out", str(whole))
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "2")
    command(*call, "--out", str(out))
    monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.delenv("RANK")
    assert command(*call, "--out", str(out)).code == 0
    assert out.read_bytes() == whole.read_bytes()


def test_parts_of_another_call_are_not_mixed_in(command, keep, films, tmp_path, monkeypatch, refused):
    call = ("evaluate", "--stream", "--data", str(films), "--out", str(tmp_path / "out.jsonl"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    command(*call, "--model", keep("rnn"))
    monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.delenv("RANK")
    assert "another" in refused(*call, "--model", keep("gru"))


def launch(*arguments, ranks=None, torchrun=False):
    command = [sys.executable, "-m", "explorer_core", *arguments]
    if torchrun:
        command[1:3] = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1",
                        "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "-m", "explorer_core"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    if ranks is not None:
        environment |= {"RANK": str(ranks[0]), "WORLD_SIZE": str(ranks[1])}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def many(tmp_path):
    """More rows than two blocks of the usual size."""
    path = tmp_path / "many.csv"
    rows = (f"film {number} was {('bad', 'good')[number % 2]},{number % 2}\n" for number in range(10_000))
    path.write_text("text,label\n" + "".join(rows))
    return path


@pytest.mark.slow
def test_after_a_rank_was_killed_torchrun_ends_the_work_with_the_bytes_of_one(keep, many, tmp_path):
    name = keep("lstm")
    outs = {how: tmp_path / f"{how}.jsonl" for how in ("one", "two")}
    call = ("evaluate", "--model", name, "--stream", "--data", str(many), "--json", "--out")
    lock = tmp_path / "two.jsonl.parts" / "rank-1-of-2.lock"
    killed, alone = launch(*call, str(outs["two"]), ranks=(1, 2)), launch(*call, str(outs["one"]))
    while not lock.exists() and killed.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            killed.wait(timeout=0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    started = [alone, launch(*call, str(outs["two"]), torchrun=True)]
    said = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert len(rows_of(outs["one"])) == 10_000
    assert outs["one"].read_bytes() == outs["two"].read_bytes()
    assert json.loads(said[0][0])["confusion"] == json.loads(said[1][0])["confusion"]  # the first rank alone speaks


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--out"),
        (["--out", "x.npz"], ".jsonl or .csv"),
        (["--out", "x.jsonl", "--split", "test"], "--split"),
        (["--out", "x.jsonl", "--data", "starter"], "starter"),
        (["--out", "x.jsonl", "--data", "none.csv"], "no file"),
        (["--out", "x.jsonl", "--data", "hub:nobody/none"], "Hub"),
        (["--out", "x.jsonl", "--text-column", "b"], "no column"),
        (["--out", "x.jsonl", "--map", "pos=happy"], "negative, positive"),
        (["--out", "x.jsonl", "--map", "pos"], "LABEL=CLASS"),
        (["--out", "x.jsonl", "--data-option", "encoding=latin"], "encoding"),
    ],
)
def test_what_does_not_go_with_a_stream_is_refused(refused, keep, films, tmp_path, monkeypatch, flags, said):
    monkeypatch.chdir(tmp_path)
    data = [] if "--data" in flags else ["--data", str(films)]
    assert said in refused("evaluate", "--model", keep("lstm"), "--stream", *data, *flags)


def test_labels_are_mapped_by_hand_and_what_is_no_class_is_told(command, keep, tmp_path):
    path, out = tmp_path / "a.csv", tmp_path / "a.jsonl"
    path.write_text("text,label\n" + "".join(f"text {n} here,{('yay', 'boo', 'meh')[n % 3]}\n" for n in range(30)))
    call = ("evaluate", "--model", keep("lstm"), "--stream", "--data", str(path), "--out", str(out))
    answer = command(*call, "--map", "yay=positive", "--map", "boo=negative", "--map", "meh=")
    assert answer.code == 0
    assert "no class of the model: meh (10)" in answer.out
    assert [row["true"] for row in rows_of(out)] == ["positive", "negative", ""] * 10
    bare = command(*call, "--no-labels", "--json").json
    assert (bare["accuracy"], bare["n_labelled"], bare["n_texts"]) == (None, 0, 30)


def test_pieces_of_long_texts_are_judged_one_by_one_and_name_their_row(command, keep, tmp_path):
    path, out = tmp_path / "long.csv", tmp_path / "long.jsonl"
    path.write_text("text,label\n" + "".join(f"One film {n}. It was good. Or bad?,{n % 2}\n" for n in range(24)))
    call = ("evaluate", "--model", keep("lstm"), "--stream", "--data", str(path), "--out", str(out), "--json")
    found = command(*call, "--long", "sentence").json
    rows = rows_of(out)
    assert found["n_texts"] == len(rows) == 72
    assert [row["text"] for row in rows[:3]] == ["One film 0. ", "It was good. ", "Or bad?"]
    assert [(row["row"], row["piece"], row["start"]) for row in rows[:4]] == [
        (2, 1, 0),
        (2, 2, 12),
        (2, 3, 25),
        (3, 1, 0),
    ]
    table = api.read_texts([path], api.TextsSpec(long="sentence"))
    judged = api.judge([api.load_model("tiny-lstm")], table, is_kept=False)
    assert found["accuracy"] == pytest.approx(judged.scores[0].accuracy, abs=1e-9)
    windows = command(*call, "--long", "window", "--n-words", "4", "--n-overlap", "2").json
    assert windows["n_texts"] > 72


def test_a_csv_of_a_stream_is_safe_in_a_spreadsheet(command, keep, tmp_path):
    path, out = tmp_path / "a.txt", tmp_path / "a.csv"
    path.write_text('=HYPERLINK("http://x")\n@SUM(1)\n-1+2\n' * 8)
    command("evaluate", "--model", keep("lstm"), "--stream", "--data", str(path), "--out", str(out))
    cells = pd.read_csv(out)["text"]
    assert len(cells) == 24
    assert all(cell.startswith("'") for cell in cells)


@pytest.mark.parametrize(("rank", "size"), [("x", "2"), ("2", "2"), ("-1", "2")])
def test_a_rank_that_is_none_is_refused(tmp_path, monkeypatch, rank, size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(InvalidInputError):
        _shards.Shards(tmp_path / "out", {})


def test_a_process_that_never_begins_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_shards, "WAIT_FOR_START_S", 0.2)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    shards = _shards.Shards(tmp_path / "out", {})
    (shards.folder / "00000000.lines").touch()
    with pytest.raises(JobError, match="Process 1 of 2"):
        shards.wait(2)
