"""`train`: flags become a training spec; one small model is really trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api
from explorer_core.training.spec import KNOBS, DataSpec, TrainingSpec


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, keep: Any) -> list[tuple[TrainingSpec, bool]]:
    """What the command asked the front desk to train; a tiny model stands in for the result."""
    asked: list[tuple[TrainingSpec, bool]] = []

    def train(spec: TrainingSpec, *, resume: bool = False, progress: Any = None) -> str:
        asked.append((spec, resume))
        return str(keep("rnn", name=spec.name))

    monkeypatch.setattr(api, "train", train)
    return asked


def test_every_knob_has_a_flag_that_reaches_the_spec(command: Any, trained: Any) -> None:
    other = {"vocabulary": "words", "embeddings": "scratch", "end_token": True, "device": "cpu", "precision": "fp32"}
    for knob in KNOBS.values():
        if knob.name not in other:
            own = getattr(api.starter_specs()[0], knob.name)
            other[knob.name] = next(value for value in knob.choices or (knob.low, knob.high) if value != own)
            other[knob.name] = type(knob.default)(other[knob.name])
    flags = []
    for name, value in other.items():
        flag = name.replace("_", "-")
        flags += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    answer = command("train", "--name", "mine", "--family", "gru", *flags)
    assert answer.code == 0, answer.err
    assert trained == [(TrainingSpec("mine", "gru", **other), False)]


@pytest.mark.parametrize("spec", api.starter_specs(), ids=lambda spec: spec.family)
def test_settings_left_out_are_those_of_the_starter_of_the_family(command: Any, trained: Any, spec: Any) -> None:
    command("train", "--name", "mine", "--family", spec.family)
    (found, _) = trained[0]
    assert {name: getattr(found, name) for name in KNOBS} == {name: getattr(spec, name) for name in KNOBS}


def test_a_spec_file_is_taken_and_flags_go_before_it(command: Any, trained: Any, tmp_path: Path) -> None:
    spec = TrainingSpec("from-file", "rnn", epochs=7, seed=3)
    path = tmp_path / "spec.json"
    path.write_text(spec.to_json())
    command("train", "--spec", str(path))
    command("train", "--spec", str(path), "--epochs", "2", "--name", "other")
    assert [found for found, _ in trained] == [spec, TrainingSpec("other", "rnn", epochs=2, seed=3)]


def test_data_and_its_options_reach_the_spec(command: Any, trained: Any, tmp_path: Path) -> None:
    path = tmp_path / "my data.csv"
    path.write_text("a,b\n")
    command("train", "--name", "one", "--data", str(path), "--text-column", "a", "--label-column", "b")
    command("train", "--name", "two", "--data", "hub:stanfordnlp/sst2", "--data-option", "max_rows=500")
    assert [found.data for found, _ in trained] == [
        DataSpec("local_file", {"path": str(path), "text_column": "a", "label_column": "b"}),
        DataSpec("hub", {"id": "stanfordnlp/sst2", "max_rows": 500}),
    ]


def test_a_run_is_resumed_with_the_spec_it_was_started_with(command: Any, trained: Any, keep: Any, home: Path) -> None:
    spec = TrainingSpec("broken-off", "rnn", epochs=9)
    (home / keep("rnn", name="broken-off") / "spec.json").write_text(spec.to_json())
    answer = command("train", "--resume", "broken-off", "--json")
    assert trained == [(spec, True)]
    assert answer.json["trained"][0]["name"] == "broken-off"


def test_starters_that_are_ready_are_not_trained_again(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "train_starters", lambda *, progress=None: ())
    answer = command("train", "--starter")
    assert answer.code == 0
    assert "nothing to train" in answer.out


def test_processes_but_the_first_leave_the_card_to_it(
    command: Any, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    answer = command("train", "--name", "mine")
    assert (answer.code, answer.out, len(trained)) == (0, "", 1)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--starter"),
        (["--family", "lstm"], "--name"),
        (["--name", "Not Good"], "lower-case"),
        (["--name", "../up"], "lower-case"),
        (["--name", "a", "--family", "cnn"], "lstm"),
        (["--name", "a", "--epochs", "0"], "1 to 100"),
        (["--name", "a", "--dropout", "nan"], "0.0 to 0.9"),
        (["--name", "a", "--pooling", "median"], "mean"),
        (["--name", "a", "--vocabulary", "words"], "scratch"),
        (["--name", "a", "--data", "/no/such.csv"], "no file"),
        (["--name", "a", "--data", "starter", "--label-column", "x"], "no options"),
        (["--starter", "--epochs", "2", "--seed", "1"], "--epochs, --seed"),
        (["--resume", "a", "--data", "starter"], "--data"),
        (["--resume", "nobody"], "nobody"),
        (["--spec", "/no/such.json"], "no file"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    refused: Any, home: Path, flags: list[str], said: str
) -> None:
    assert said in refused("train", *flags)
    assert not list(home.iterdir())


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"name": "a", "else": 1}', b" " * (2**20 + 1)])
def test_a_spec_file_that_is_none_is_refused(refused: Any, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(raw)
    assert "spec" in refused("train", "--spec", str(path))


@pytest.mark.slow
def test_a_model_of_ones_own_is_trained_from_a_file_and_judges(command: Any, tmp_path: Path) -> None:
    rows = [{"text": f"the film was {'good' if n % 2 else 'bad'} number {n}", "label": n % 2} for n in range(60)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row | {"label": ["bad", "good"][row["label"]]}) for row in rows))
    sizes = ("--hidden-size", "8", "--embedding-size", "8", "--epochs", "1", "--device", "cpu")
    words = ("--vocabulary", "words", "--embeddings", "scratch")
    answer = command("train", "--name", "mine", "--family", "rnn", "--data", str(path), *sizes, *words, "--json")
    assert answer.code == 0, answer.err
    (card,) = answer.json["trained"]
    assert (card["name"], card["status"], card["labels"]) == ("mine", "done", ["bad", "good"])
    assert "mine" in command("models").out
    assert command("predict", "--model", "mine", "--json", "a good film").json["labels"] == ["bad", "good"]
    again = command("train", "--name", "mine", "--family", "rnn", *words)
    assert again.code == 2
    assert "mine" in again.err
