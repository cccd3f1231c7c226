"""`evaluate`: metrics in text and JSON, on a file and on the starter corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer_core import api
from explorer_core.training.spec import DataSpec


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A small CSV of reviews."""
    path = tmp_path / "reviews.csv"
    rows = [f"the film number {number} was {'good' if number % 2 else 'bad'},{number % 2}" for number in range(40)]
    path.write_text("review,sentiment\n" + "\n".join(rows) + "\n")
    return path


def test_metrics_of_a_file_equal_those_of_the_front_desk(command: Any, keep: Any, reviews: Path) -> None:
    name = keep("lstm")
    flags = ("--data", str(reviews), "--text-column", "review", "--label-column", "sentiment", "--split", "all")
    found = command("evaluate", "--model", name, *flags, "--json").json
    options = {"path": str(reviews), "text_column": "review", "label_column": "sentiment"}
    result = api.evaluate(api.load_model(name), DataSpec("local_file", options), split="all")
    assert found["n_texts"] == 40
    assert found["accuracy"] == pytest.approx(result.accuracy)
    assert found["ece"] == pytest.approx(result.ece)
    assert found["confusion"] == result.confusion.tolist()
    assert sum(map(sum, found["confusion"])) == 40


def test_the_starter_corpus_is_shown_by_phenomenon_and_by_pairs(command: Any, keep: Any) -> None:
    answer = command("evaluate", "--model", keep("gru", hidden_size=8, num_layers=1), "--split", "validation")
    assert answer.code == 0
    for part in ("accuracy", "macro F1", "calibration error", "true \\ predicted", "domain", "phenomenon", "negation"):
        assert part in answer.out
    assert "both sides right" in answer.out
    assert "\n\npairs" in answer.out


def test_rows_are_saved_with_the_true_label(command: Any, keep: Any, reviews: Path, tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "rows.csv"
    command("evaluate", "--model", keep("rnn"), "--data", str(reviews), "--split", "all", "--out", str(path))
    assert set(pd.read_csv(path)["true"]) == {"negative", "positive"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data", "/no/such.csv"], "no file"),
        (["--data", "hub:"], "hub:stanfordnlp/sst2"),
        (["--text-column", "text"], "no options"),
        (["--data", "hub:a/b", "--data-option", "max_rows=many"], "whole number"),
        (["--data", "hub:a/b", "--data-option", "colour=red"], "max_rows"),
        (["--data", "hub:nobody-here/no-such-set"], "Hub"),
        (["--split", "dev"], "validation"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--device", "toaster"], "cpu"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(refused: Any, keep: Any, flags: list[str], said: str) -> None:
    model = [] if "--model" in flags else ["--model", keep("lstm")]
    assert said in refused("evaluate", *model, *flags)


def test_labels_the_model_does_not_know_are_refused(refused: Any, keep: Any, reviews: Path) -> None:
    sentence = refused("evaluate", "--model", keep("lstm", labels=("ham", "spam")), "--data", str(reviews))
    assert "ham, spam" in sentence


def test_a_report_tells_of_all_rows_of_a_file(command: Any, keep: Any, reviews: Path, tmp_path: Path) -> None:
    page, rows = tmp_path / "report.html", tmp_path / "rows.jsonl"
    name = keep("lstm")
    call = ("evaluate", "--model", name, "--data", str(reviews), "--report", str(page))
    found = command(*call, "--out", str(rows), "--json").json
    judged = api.judge([api.load_model(name)], api.read_texts([reviews]), is_kept=False)
    assert found["n_texts"] == 40
    assert found["accuracy"] == pytest.approx(judged.scores[0].accuracy)
    assert found["interval"] == pytest.approx(judged.scores[0].intervals["accuracy"])
    assert f"{judged.scores[0].accuracy:.3f} <span" in page.read_text(encoding="utf-8")
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 40
    answer = command(*call, "--no-labels")
    assert answer.code == 0
    assert "mean confidence" in answer.out
    assert str(page) in answer.out


def test_a_report_holds_several_models_over_several_files(
    command: Any, keep: Any, reviews: Path, tmp_path: Path
) -> None:
    page, second = tmp_path / "report.html", tmp_path / "second.csv"
    second.write_text(reviews.read_text(encoding="utf-8").replace("the", "a"), encoding="utf-8")
    names = [keep("lstm"), keep("gru")]
    call = ("evaluate", "--model", names[0], "--also-model", names[1], "--data", str(reviews), "--also-data",
            str(second), "--report", str(page))  # fmt: skip
    found = command(*call, "--json").json
    table = api.read_texts([reviews, second])
    judged = api.judge([api.load_model(name) for name in names], table, is_kept=False)
    assert found["n_texts"] == 80
    for one, scores in zip(found["models"], judged.scores, strict=True):
        assert (one["model"], one["accuracy"], one["ece"]) == (
            scores.model, pytest.approx(scores.accuracy), pytest.approx(scores.ece),
        )  # fmt: skip
        assert f"{scores.accuracy:.3f} <span" in page.read_text(encoding="utf-8")
    answer = command(*call)
    assert all(name in answer.out for name in names)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--report", "x.pdf"], ".html"),
        (["--report", "x.html", "--also-data", "none.csv"], "none.csv"),
        (["--also-model", "starter-gru"], "--report"),
        (["--stream", "--out", "x.jsonl", "--also-data", "none.csv"], "--report"),
        (["--report", "x.html", "--split", "test"], "--split"),
        (["--report", "x.html", "--data", "starter"], "a file"),
        (["--report", "x.html", "--data", "hub:a/b"], "a file"),
        (["--report", "x.html", "--stream", "--out", "x.jsonl"], "memory"),
        (["--report", "x.html", "--map", "1=happy"], "negative, positive"),
        (["--report", "x.html", "--data-option", "max_rows=5"], "encoding"),
        (["--report", "x.html", "--long", "window", "--n-words", "5", "--n-overlap", "5"], "0 to 4"),
        (["--long", "sentence"], "--report"),
    ],
)
def test_what_does_not_go_with_a_report_is_refused(
    refused: Any, keep: Any, reviews: Path, tmp_path: Path, monkeypatch: Any, flags: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = [] if "--data" in flags else ["--data", str(reviews)]
    assert said in refused("evaluate", "--model", keep("lstm"), *data, *flags)
    assert not list(tmp_path.glob("x.*"))
