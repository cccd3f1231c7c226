"""Files that cannot be learned from: a clear sentence at every door, no other model touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.training.spec import DataSpec
from tests.doors import assert_is_a_sentence

HTML = "<script>alert(1)</script><img src=x onerror=alert(1)> a good film"


def rows(*pairs: tuple[str, Any]) -> bytes:
    return ("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in pairs)).encode()


BROKEN_FILES: dict[str, tuple[str, bytes]] = {
    "empty": ("a.csv", b""),
    "header only": ("a.csv", b"text,label\n"),
    "one class": ("a.csv", rows(*((f"film {number}", "good") for number in range(50)))),
    "10,000 classes": ("a.csv", rows(*((f"film number {n} was seen", f"c{n}") for n in range(10_000)))),
    "labels missing": ("a.csv", rows(*((f"film {number}", "") for number in range(50)))),
    "no text column": ("a.csv", b"a,b\n" + b"".join(b"%d,%d\n" % (n, n % 2) for n in range(50))),
    "binary as csv": ("a.csv", bytes(range(256)) * 200),
    "program as txt": ("a.txt", b"\x7fELF\x02\x01\x01\x00" + bytes(4_000)),
    "pickle": ("a.pkl", b"cos\nsystem\n(S'true'\ntR."),
    "pickle as csv": ("a.csv", b"cos\nsystem\n(S'true'\ntR."),
    "broken json": ("a.jsonl", b'{"text": "a", "label": \n'),
    "deep json": ("a.jsonl", b"[" * 100_000 + b"\n"),
    "broken parquet": ("a.parquet", b"PAR1" + b"\x00" * 100 + b"PAR1"),
    "broken xlsx": ("a.xlsx", b"PK\x03\x04" + b"\x00" * 100),
    "no ending": ("a", b"text,label\n"),
    "html": ("a.html", b"<table><tr><td>good</td></tr></table>"),
    "null bytes in utf-16": ("a.csv", b"\xff\xfe" + b"\x00" * 400),
}  # fmt: skip


@pytest.mark.parametrize("file", BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_file_that_cannot_be_learned_from_is_refused_at_every_door(
    refused: Any, unchanged: str, tmp_path: Path, file: tuple[str, bytes]
) -> None:
    path = tmp_path / file[0]
    path.write_bytes(file[1])
    with pytest.raises(ExplorerError) as caught:
        api.read_data(DataSpec("local_file", {"path": str(path)}))
    assert_is_a_sentence(caught.value)
    assert_is_a_sentence(refused("evaluate", "--model", unchanged, "--data", str(path)))


@pytest.mark.parametrize(
    "options",
    [{}, {"else": 1}, *({"path": path} for path in (3, None, "", "a\0b", "/", "/dev/zero", "/dev/stdin", "x" * 9_000))],
    ids=lambda options: str(options)[:30],
)
def test_a_path_that_names_no_file_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ExplorerError) as caught:
        api.read_data(DataSpec("local_file", options))
    assert_is_a_sentence(caught.value)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_another_encoding_is_read_or_the_guess_is_said(tmp_path: Path, encoding: str) -> None:
    texts = [f"Le café numéro {number} était très bon, déjà goûté à Besançon" for number in range(40)]
    lines = "".join(f"{text}\t{'good' if number % 2 else 'bad'}\n" for number, text in enumerate(texts))
    path = tmp_path / "a.tsv"
    path.write_bytes(f"text\tlabel\n{lines}".encode(encoding))
    found = api.read_data(DataSpec("local_file", {"path": str(path)}))
    assert set(found.texts) == set(texts) or any("guess" in note for note in found.notes)
    if encoding == "latin-1":
        chosen = api.read_data(DataSpec("local_file", {"path": str(path), "encoding": "cp1252"}))
        assert set(chosen.texts) == set(texts)


def test_html_in_a_file_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.csv"
    path.write_bytes(
        rows(*((f"{HTML} {number}".replace('"', ""), ("<b>", "</b>")[number % 2]) for number in range(40)))
    )
    found = api.read_data(DataSpec("local_file", {"path": str(path)}))
    assert sorted(found.label_names) == ["</b>", "<b>"]
    assert all(text.startswith("<script>") for text in found.texts)


@pytest.mark.slow
def test_training_on_a_broken_file_fails_in_a_sentence_and_touches_no_other_model(
    refused: Any, keep: Any, tmp_path: Path
) -> None:
    keep("lstm", name="bystander")
    path = tmp_path / "one.csv"
    path.write_bytes(BROKEN_FILES["one class"][1])
    sentence = refused("train", "--name", "mine", "--data", str(path))
    assert_is_a_sentence(sentence)
    states = {card.name: card.status for card in api.list_models()}
    assert states.pop("bystander") == "done"
    assert set(states.values()) <= {"failed"}
