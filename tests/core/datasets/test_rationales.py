"""Columns of rationales: spans, masks and what people put there instead; files as rationale sets come in."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from explorer_core import api
from explorer_core.datasets import _rationale_cells as cells
from explorer_core.errors import ExplorerError, InvalidInputError, NotFoundError
from explorer_core.training.spec import DataSpec
from tests.core.datasets.local_files import spec, write, write_parquet, write_xlsx

TEXT = "It was a lovely film"  # words at 0-2, 3-6, 7-8, 9-15, 16-20


def parsed(cell: str, kind: str, text: str = TEXT):
    return cells.spans_of(cell, text, cells.blank_words(text), kind)


def marked(data) -> list[list[str]]:
    return [[text[start:end] for start, end in spans] for text, spans in zip(data.texts, data.spans, strict=True)]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("[[9,15],[0,2]]", "characters"),
        ("0:2;9:15", "characters"),
        ("0-2,9-15", "characters"),
        (" 0 - 2 , 9 - 15 ; ", "characters"),
        ("[[0.0, 2.0], [9, 15], [10, 12], [9, 10]]", "characters"),
        ("[[0,1],[3,4]]", "words"),
        ("0:1 3:4", "words"),
        ("1 0 0 1 0", "mask"),
        ("[1,0,0,1,0]", "mask"),
        ("[1 0 0 1 0]", "mask"),
        ("1,0,0,1,0", "mask"),
        ("[true, false, false, true, false]", "mask"),
        ("[0.5, 0.499, 0.0, 1.0, 0.1]", "mask"),
        ("[[1,0,0,1,0],[0,0,0,1,0]]", "mask"),
    ],
)
def test_every_way_to_write_it_marks_the_same_characters(cell: str, kind: str) -> None:
    assert parsed(cell, kind) == ((0, 2), (9, 15))


@pytest.mark.parametrize(("cell", "kind"), [("[]", "characters"), ("0 0 0 0 0", "mask"), ("[]", "words")])
def test_a_rationale_of_nothing_is_one(cell: str, kind: str) -> None:
    assert parsed(cell, kind) == ()


@pytest.mark.parametrize(
    ("cell", "kind", "why"),
    [
        ("[[-3, 4]]", "characters", "begins before"),
        ("-3:4", "characters", "neither spans nor a mask"),
        ("[[4, 4]]", "characters", "ends before it begins"),
        ("9:2", "characters", "ends before it begins"),
        ("[[0, 21]]", "characters", "beyond the end"),
        ("[[0, 6]]", "words", "beyond the end"),
        ("[[0, 99999999999999999999999999]]", "characters", "beyond the end"),
        ("[[NaN, 4]]", "characters", "not two whole numbers"),
        ("[[0, Infinity]]", "characters", "not two whole numbers"),
        ("[[0.5, 4]]", "characters", "not two whole numbers"),
        ('[["0", "4"]]', "characters", "not two whole numbers"),
        ("[[0, 4, 9]]", "characters", "not two whole numbers"),
        ("[[true, 4]]", "characters", "not two whole numbers"),
        ("lovely", "characters", "neither spans nor a mask"),
        ("lovely", "mask", "neither spans nor a mask"),
        ('{"start": 0}', "mask", "neither spans nor a mask"),
        ("[" * 5_000, "mask", "neither spans nor a mask"),
        ("[[[[0]]]]", "mask", "something else than numbers"),
        ("1 0 0 1", "mask", "not as long"),
        ("1 0 0 1 0 0", "mask", "not as long"),
        ("[[1,0,0,1,0],[1,0]]", "mask", "not as long"),
        ("[1, 0, 0, 2, 0]", "mask", "something else than numbers"),
        ("[1, 0, 0, NaN, 0]", "mask", "something else than numbers"),
        ("1 0 0 nan 0", "mask", "something else than numbers"),
        ("1e400 0 0 0 0", "mask", "something else than numbers"),
        ("[[1,0,0,1,0], 3]", "mask", "neither spans nor a mask"),
        ("9" * 200_000, "mask", "more than 100,000 characters"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_cell_that_cannot_be_meant_says_why(cell: str, kind: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        parsed(cell, kind)


def test_ten_thousand_spans_are_joined() -> None:
    text = "ab " * 10_000
    spans = [[3 * place, 3 * place + 2] for place in range(10_000)]
    random.Random(0).shuffle(spans)
    short = [pair for pair in spans if pair[0] < 20_000]  # as long as a cell may be
    found = parsed(json.dumps(short, separators=(",", ":")), "characters", text)
    assert list(found) == sorted(map(tuple, short))
    assert cells.joined([(0, 5), (5, 9), (8, 8), (20, 30), (21, 22)]) == ((0, 9), (20, 30))


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx", "jsonl", "json", "parquet"])
def test_a_column_is_found_and_read_from_every_kind_of_file(tmp_path: Path, ending: str) -> None:
    texts = ["a lovely film", "what a dull film", "never dull", "fine"]
    spans = ["2:8", "7-11", "[[0,5],[6,10]]", "0:4"]
    labels = ["positive", "negative", "positive", "positive"]
    if ending == "parquet":
        nested = [[[2, 8]], [[7, 11]], [[0, 5], [6, 10]], [[0, 4]]]
        path = write_parquet(tmp_path, {"text": texts, "label": labels, "rationale": nested})
    elif ending == "xlsx":
        rows = list(zip(texts, labels, spans, strict=True))
        path = write_xlsx(tmp_path, {"Sheet": [["text", "label", "rationale"], *rows]})
    elif ending in ("jsonl", "json"):
        rows = [{"text": text, "label": label, "rationale": [[2, 8]] if index == 0 else span}
                for index, (text, label, span) in enumerate(zip(texts, labels, spans, strict=True))]  # fmt: skip
        content = json.dumps(rows) if ending == "json" else "\n".join(map(json.dumps, rows))
        path = write(tmp_path, f"a.{ending}", content)
    else:
        mark = "," if ending == "csv" else "\t"
        lines = [f'"{text}"{mark}{label}{mark}"{span}"' for text, label, span in zip(texts, labels, spans, strict=True)]
        path = write(tmp_path, f"a.{ending}", "\n".join([mark.join(("text", "label", "rationale")), *lines]))
    data = api.read_rationales(spec(path))
    assert marked(data) == [["lovely"], ["dull"], ["never", "dull"], ["fine"]]
    assert [data.label_names[label] for label in data.labels] == labels
    assert "read as spans of characters" in " ".join(data.notes)


def test_masks_are_told_from_spans_by_what_fits_most_rows(tmp_path: Path) -> None:
    rows = [{"tokens": ["not", "good"], "rationales": [[1, 0], [1, 1]], "label": 0},
            {"tokens": ["so", "good", "!"], "rationales": [[0, 1, 0], [0, 1, 0]], "label": 1}]  # fmt: skip
    data = api.read_rationales(spec(write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))))
    assert data.texts == ("not good", "so good !")
    assert marked(data) == [["not", "good"], ["good"]]


def test_rows_that_cannot_be_read_are_told_with_number_and_reason(tmp_path: Path) -> None:
    lines = [
        "text,label,rationale",
        "a lovely film,1,2:8",
        "dull,0,0:99",
        "fine,1,oops",
        "bad,0,",
        ",1,0:1",
        "good,1,0:4",
    ]
    data = api.read_rationales(spec(write(tmp_path, "a.csv", "\n".join(lines))))
    assert data.texts == ("a lovely film", "good")
    assert data.row_numbers.tolist() == [2, 7]
    said = " ".join(data.notes)
    assert "1 row with a span beyond the end of its text: row 3" in said
    assert "1 row with a rationale that is neither spans nor a mask of 0 and 1: row 4" in said
    assert "1 row with no rationale: row 5" in said
    assert "1 row with no text: row 6" in said


def test_a_file_without_labels_has_unknown_ones(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "review,mask\na lovely film,0 1 0\nwhat a dull day,0 0 1 0\n")
    data = api.read_rationales(spec(path))
    assert data.labels.tolist() == [-1, -1]
    assert data.label_names == ()
    assert "judged wrongly are not told apart" in " ".join(data.notes)


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("text,label\na film,1\n", {}, "No column looks like rationales"),
        ("text,rationale\na film,what\n", {}, "No row of"),
        ("text,rationale\na film,0:1\n", {"column": "nowhere"}, "no column"),
        ("text,rationale\na film,0:1\n", {"column": "text"}, "No column looks like texts"),
        ("text,rationale\na film,0:1\n", {"kind": "magic"}, "allowed: auto, characters, words, mask"),
    ],
)
def test_a_file_without_rationales_says_what_it_lacks(tmp_path: Path, content: str, options: dict, says: str) -> None:
    with pytest.raises(ExplorerError, match=says):
        api.read_rationales(spec(write(tmp_path, "a.csv", content)), **options)


def test_columns_are_guessed_and_the_chosen_one_is_not_guessed_again(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "review,label,marks\na lovely film,1,0 1 0\na dull film,0,0 1 0\nx y z,1,1 1 0\n")
    found = api.rationale_columns(spec(path))
    assert (found.text, found.rationale) == ("review", None)
    assert api.rationale_columns(spec(path), column="marks").rationale == "marks"
    assert marked(api.read_rationales(spec(path), column="marks")) == [["lovely"], ["dull"], ["x", "y"]]


def test_the_starter_corpus_gives_its_own_marks() -> None:
    data = api.read_rationales(DataSpec("starter"))
    whole = api.read_data(DataSpec("starter"))
    assert whole.spans is not None
    rows = whole.rows("test")
    assert data.texts == tuple(whole.texts[row] for row in rows)
    for row, spans in zip(rows, data.spans, strict=True):
        assert {at for start, end in spans for at in range(start, end)} == {
            at for start, end in whole.spans[row] for at in range(start, end)
        }


def test_a_source_without_marks_is_refused(tmp_path: Path) -> None:
    from explorer_core.datasets import _rationales

    data = api.read_data(spec(write(tmp_path, "a.csv", "text,label\n" + "a film,1\na dull film,0\n" * 3)))
    with pytest.raises(NotFoundError, match="holds no rationales"):
        _rationales.of_labelled(data, "all")


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "n_rows"),
    [("fair_rationales/fair_sst_dev207.jsonl", 207), ("eraser_movies/eraser_val200_spans.jsonl", 200)],
)
def test_sets_as_they_are_published_are_read_token_by_token(name: str, n_rows: int) -> None:
    path = Path(os.environ["EXPLORER_TEST_DATA"], name)
    data = api.read_rationales(DataSpec("local_file", {"path": str(path)}))
    assert len(data) == n_rows
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line][:40]
    for row, text, spans in zip(rows, data.texts, data.spans, strict=False):
        tokens = row.get("tokens") or row["text"].split(" ")
        assert text == " ".join(tokens)
        wanted = {
            place
            for start, end in row.get("rationale_spans", [])
            for place in range(start, end)
        } | {place for place, mean in enumerate(row.get("mean_rationale", [])) if mean >= 0.5}  # fmt: skip
        is_marked = [False] * len(text)
        for start, end in spans:
            is_marked[start:end] = [True] * (end - start)
        begins, found = 0, set()
        for place, token in enumerate(tokens):
            found |= {place} if is_marked[begins] else set()
            begins += len(token) + 1
        assert found == wanted
