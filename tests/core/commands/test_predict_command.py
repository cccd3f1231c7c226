"""`predict`: texts from arguments, a file or standard input."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api

TEXTS = ["a good film", "the plot was dull"]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts bytes on standard input."""

    def put(raw: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return put


@pytest.mark.parametrize("via", ["arguments", "file", "pipe"])
def test_texts_are_read_the_same_from_everywhere(command: Any, keep: Any, pipe: Any, tmp_path: Path, via: str) -> None:
    name = keep("lstm")
    path = tmp_path / "texts.txt"
    path.write_text("\n".join([TEXTS[0], "", f"{TEXTS[1]}\r"]), encoding="utf-8-sig")
    pipe(path.read_bytes())
    given = {"arguments": TEXTS, "file": ["--file", str(path)], "pipe": []}[via]
    answer = command("predict", "--model", name, "--json", *given)
    expected = api.predict(api.load_model(name), TEXTS)
    assert answer.code == 0
    assert [row["text"] for row in answer.json["texts"]] == TEXTS
    assert [row["predicted"] for row in answer.json["texts"]] == list(expected.predicted)
    for row, probs in zip(answer.json["texts"], expected.probs, strict=True):
        assert list(row["probs"].values()) == pytest.approx(probs.tolist(), abs=1e-6)
        assert sum(row["probs"].values()) == pytest.approx(1.0, abs=1e-6)


def test_the_table_has_one_line_for_each_text_even_with_line_breaks(command: Any, keep: Any) -> None:
    answer = command("predict", "--model", keep("gru"), "a good\nfilm \x1b[31m", "dull")
    assert answer.code == 0
    assert len(answer.out.splitlines()) == 2 + 2
    assert "\x1b" not in answer.out


def test_verdicts_are_saved_as_a_table_or_arrays(command: Any, keep: Any, tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd

    name = keep("lstm")
    for ending in ("csv", "npz"):
        answer = command("predict", "--model", name, "--out", str(tmp_path / f"out.{ending}"), *TEXTS)
        assert f"out.{ending}" in answer.out
    assert pd.read_csv(tmp_path / "out.csv")["text"].tolist() == TEXTS
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["logits"].shape == (2, 2)


def test_a_text_that_begins_with_a_dash_is_read_after_two_dashes(command: Any, keep: Any) -> None:
    answer = command("predict", "--model", keep("lstm"), "--json", "--", "--bad-film")
    assert [row["text"] for row in answer.json["texts"]] == ["--bad-film"]


def test_words_the_model_did_not_read_are_said(command: Any, keep: Any) -> None:
    answer = command("predict", "--model", keep("lstm", max_tokens=4), "the film was good and the plot was bad")
    assert "longer than the model reads" in answer.out


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "holds no text"),
        (b"\n \n\t\n", "holds no text"),
        (b"\xff\xfea\x00b\x00", "UTF-8"),
        ("caf\xe9".encode("latin-1"), "UTF-8"),
        (b"\x7fELF\x00\x00", "binary"),
    ],
)
@pytest.mark.parametrize("via", ["file", "pipe"])
def test_input_that_is_no_text_is_refused(
    refused: Any, pipe: Any, tmp_path: Path, via: str, raw: bytes, said: str
) -> None:
    path = tmp_path / "input"
    path.write_bytes(raw)
    pipe(raw)
    assert said in refused("predict", *(["--file", str(path)] if via == "file" else []))


def test_a_terminal_without_any_text_is_told_what_to_do(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert "--file" in refused("predict")


@pytest.mark.parametrize("path", ["/no/such", "/", "a\0b", "x" * 5_000, "~nobody-here/x"])
def test_a_file_that_is_not_there_is_refused(refused: Any, path: str) -> None:
    assert "no file" in refused("predict", "--file", path)


def test_texts_and_a_file_together_are_refused(refused: Any, tmp_path: Path) -> None:
    assert "not both" in refused("predict", "--file", str(tmp_path), "text")


@pytest.mark.parametrize("target", ["out.xlsx", "out", "missing/out.csv"])
def test_a_place_that_cannot_be_saved_to_is_refused(refused: Any, keep: Any, tmp_path: Path, target: str) -> None:
    name = keep("lstm")
    refused("predict", "--model", name, "--out", str(tmp_path / target), "a good film")
    assert not list(tmp_path.glob("out*"))
