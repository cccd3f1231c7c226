"""A corpus of hostile files: each is refused in a sentence, or read with what was left out; nothing breaks or runs."""

from __future__ import annotations

import csv
import io

import pytest

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.results import TextTable, safe_csv
from tests.core.judging.hostile_files import FORMULAS, HTML, files, table
from tests.doors import assert_is_a_sentence

FILES = files()


def test_the_corpus_is_large_enough():
    assert len(FILES) >= 80


@pytest.mark.parametrize("name", list(FILES))
def test_a_hostile_file_is_refused_in_a_sentence_or_read_with_reasons(file, name):
    ending, content = FILES[name]
    path = file(ending, content)
    ways = ("line", "block", "document") if ending.endswith(".txt") else ("line",)
    for way in ways:
        try:
            found = api.read_texts([path], api.TextsSpec(txt=way))
        except ExplorerError as error:
            assert_is_a_sentence(error)
            continue
        assert isinstance(found, TextTable)
        assert len(found) + sum(found.n_skipped.values()) <= found.n_rows or found.has_pieces
        assert all(text.strip() for text in found.texts)
        assert all(one.reason and one.row_number > 0 for one in found.skipped)
        assert_opens_safely(safe_csv(found.take(found.rows[:50]).to_frame()))
    try:
        stream = api.stream_texts(str(path), api.TextsSpec())
        assert all(text.strip() for block in stream.blocks() for text in block.texts)
    except ExplorerError as error:
        assert_is_a_sentence(error)


def assert_opens_safely(written: bytes) -> None:
    """No cell begins as a formula does, but those of numbers."""
    for row in csv.reader(io.StringIO(written.decode("utf-8"), newline="")):
        for cell in row:
            if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"):
                float(cell)


@pytest.mark.parametrize("text", [*FORMULAS, *HTML])
def test_what_would_be_run_or_drawn_elsewhere_stays_text(file, tiny_model, text, tmp_path):
    judged = api.judge([tiny_model("lstm")], api.read_texts([file("a.csv", table(text, "a good film"))]), is_kept=False)
    assert judged.table.texts[0] == text.strip()
    assert_opens_safely(judged.save(tmp_path / "out.csv").read_bytes())
    assert len(judged.save(tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")) == 3
