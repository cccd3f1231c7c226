"""Texts from files of every format: all of each text, its row, its label and the other columns."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from explorer_core import api, settings
from explorer_core.errors import ExplorerError, InvalidInputError, NotFoundError
from tests.core.datasets.local_files import write_parquet, write_xlsx

TEXTS = ["I loved it, truly", "a dull\u0085 day \u2028 out", 'she said "never again"', "çok güzel 好"]
LABELS = ["pos", "neg", "neg", "pos"]
STARS = ["5", "1", "2", "4"]


def write(tmp_path, ending):
    rows = list(zip(TEXTS, LABELS, STARS, strict=True))
    if ending == "parquet":
        return write_parquet(tmp_path, {"review": TEXTS, "label": LABELS, "stars": [5, 1, 2, 4]})
    if ending == "xlsx":
        return write_xlsx(tmp_path, {"Sheet": [["review", "label", "stars"], *map(list, rows)]})
    path = tmp_path / f"data.{ending}"
    if ending in ("jsonl", "json"):
        found = [{"review": text, "label": label, "stars": int(stars)} for text, label, stars in rows]
        path.write_text("\n".join(map(json.dumps, found)) if ending == "jsonl" else json.dumps(found))
        return path
    mark = "," if ending == "csv" else "\t"
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    path.write_text("\n".join([mark.join(["review", "label", "stars"]), *map(mark.join, quoted)]), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_every_format_gives_the_same_texts_labels_and_columns(tmp_path, ending):
    found = api.read_texts([write(tmp_path, ending)])
    assert list(found.texts) == [text.strip() for text in TEXTS]
    assert [found.label_values[label] for label in found.label] == LABELS
    assert (found.text_column, found.label_column) == ("review", "label")
    np.testing.assert_array_equal(found.columns["stars"], [5.0, 1.0, 2.0, 4.0])
    assert found.column_names == ("review", "label", "stars")
    first = 1 if ending in ("jsonl", "json", "parquet") else 2
    assert found.row_numbers.tolist() == list(range(first, first + 4))
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("way", "texts", "numbers"),
    [
        ("line", ["one two", "three\u0085four", "five", "six"], [1, 2, 4, 7]),
        ("block", ["one two\nthree\u0085four", "five", "six"], [1, 4, 7]),
        ("document", ["one two\nthree\u0085four\n\nfive\n \n\nsix"], [1]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_txt_holds_lines_blocks_or_one_document(read, way, texts, numbers, end):
    content = "one two\nthree\u0085four\n\nfive\n \n\nsix\n".replace("\n", end)
    found = read("a.txt", content, txt=way)
    assert list(found.texts) == texts
    assert found.row_numbers.tolist() == numbers
    assert not found.label_values
    assert (found.label == -1).all()


def test_what_is_pasted_is_read_as_a_txt():
    found = api.read_texts(pasted="pos\tI loved it\nneg\tI did not\nneg\tnever again\npos\tlovely\n")
    assert found.texts == ("I loved it", "I did not", "never again", "lovely")
    assert set(found.label_values) == {"pos", "neg"}
    assert api.read_texts(pasted="first\n\nsecond", spec=api.TextsSpec(txt="block")).texts == ("first", "second")


def test_several_files_follow_each_other_each_with_its_own_columns(file):
    one = file("one.csv", "text,label,city\ngood day,pos,Oslo\nbad day,neg,Rome\n")
    two = file("two.tsv", "review\tsentiment\tage\nfine food\tpos\t3\nsad food\tneg\t4\n")
    found = api.read_texts([one, two], names=["first.csv", "second.tsv"])
    assert found.texts == ("good day", "bad day", "fine food", "sad food")
    assert found.file.tolist() == [0, 0, 1, 1]
    assert found.file_names == ("first.csv", "second.tsv")
    assert found.columns["city"] == ("Oslo", "Rome", "", "")
    np.testing.assert_array_equal(found.columns["age"], [np.nan, np.nan, 3, 4])
    assert [found.label_values[label] for label in found.label] == ["pos", "neg", "pos", "neg"]
    frame = found.to_frame()
    assert frame["file"].tolist() == ["first.csv"] * 2 + ["second.tsv"] * 2


def test_columns_are_chosen_or_left_out(read):
    content = "a,b,c\ngood day,bad night,x\nfine day,sad night,y\n"
    chosen = read("a.csv", content, text_column="b", label_column="c")
    assert chosen.texts == ("bad night", "sad night")
    assert set(chosen.label_values) == {"x", "y"}
    assert read("a.csv", "text,label\ngood,pos\nbad,neg\n", label_column="").label_values == ()
    with pytest.raises(NotFoundError, match="no column"):
        read("a.csv", content, text_column="d")
    with pytest.raises(InvalidInputError, match="both"):
        read("a.csv", content, text_column="b", label_column="b")


def test_rows_that_cannot_be_read_are_named_with_the_reason(read, monkeypatch):
    content = "text,label\ngood,pos\n,neg\n\u200b \u2028,neg\n" + "x" * 120_000 + ",pos\nbad,neg\n"
    found = read("a.csv", content)
    assert found.texts == ("good", "bad")
    assert [(one.row_number, one.reason.split(" of ")[0]) for one in found.skipped] == [
        (3, "no text"), (4, "no text"), (5, "a text"),
    ]  # fmt: skip
    assert sum(found.n_skipped.values()) == 3
    monkeypatch.setattr(settings, "MAX_SKIPPED_SHOWN", 2)
    bounded = read("b.csv", content)
    assert len(bounded.skipped) == 2
    assert sum(bounded.n_skipped.values()) == 3


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ("I loved this film\nIt was awful\nNever again\n", ["I loved this film", "It was awful", "Never again"]),
        ("It was grand.,yes\nIt was long.,no\nA film.,maybe\n", ["It was grand.", "It was long.", "A film."]),
        ("I loved it,pos\nso bad,neg\nfine,pos\npoor,neg\n", ["I loved it", "so bad", "fine", "poor"]),
        ("tweet_text\nIt was awful\nNever again\n", ["It was awful", "Never again"]),
        ("Text of the mail\nIt was awful\nNever again\n", ["It was awful", "Never again"]),
        ("text,true,right a\nIt was awful,neg,True\nNever again,neg,False\n", ["It was awful", "Never again"]),
    ],
)
def test_no_text_is_taken_for_the_name_of_its_column(read, rows, texts):
    found = read("a.csv", rows)
    assert list(found.texts) == texts
    is_numbered = any("columns are numbered" in note for note in found.notes)
    is_told = any("names of the columns" in note for note in found.notes)
    assert is_numbered == (len(texts) == rows.count("\n"))
    assert is_told == (not is_numbered and not rows.startswith("text,"))


def test_an_error_names_a_file_as_the_person_does(file):
    with pytest.raises(InvalidInputError, match=r'"mine\.csv" is empty'):
        api.read_texts([file("0f3a.csv", "")], names=["mine.csv"])
    with pytest.raises(InvalidInputError, match=r'mine\.csv: "mine\.csv" is empty'):
        api.read_texts([file("1f3a.csv", "text\nan old film\n"), file("0f3a.csv", "")], names=["a.csv", "mine.csv"])


def test_a_file_without_labels_is_read_and_missing_labels_are_told(read):
    assert read("a.txt", "one text\nanother text").label_values == ()
    found = read("a.csv", "text,label\ngood day,pos\nbad day,\nfine day,pos\nsad day,neg\n")
    assert found.label.tolist() == [0, -1, 0, 1]
    assert found.label_counts() == {"pos": 2, "neg": 1}
    assert any("1 texts have no label" in note for note in found.notes)


def test_too_many_labels_are_refused_when_chosen_and_dropped_when_guessed(read):
    content = "text,score\n" + "".join(f"text number {row} here,{row}\n" for row in range(300))
    assert read("a.csv", content).label_values == ()
    with pytest.raises(InvalidInputError, match="300 different values"):
        read("a.csv", content, label_column="score")


@pytest.mark.parametrize(
    "call",
    [
        lambda file: api.read_texts(),
        lambda file: api.read_texts([file], pasted="x"),
        lambda file: api.read_texts(str(file)),
        lambda file: api.read_texts([file] * (settings.MAX_FILES_AT_ONCE + 1)),
        lambda file: api.read_texts([file], names=["a", "b"]),
        lambda file: api.read_texts(pasted="  \n"),
        lambda file: api.read_texts([file.with_name("none.csv")]),
        lambda file: api.TextsSpec(txt="page"),
        lambda file: api.TextsSpec(long="short"),
        lambda file: api.TextsSpec(n_words=0),
        lambda file: api.TextsSpec(long="window", n_words=10, n_overlap=10),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(file, call):
    path = file("a.csv", "text,label\ngood,pos\nbad,neg\n")
    with pytest.raises(ExplorerError) as caught:
        call(path)
    assert str(caught.value).endswith(".")


def test_the_digest_changes_with_texts_places_and_labels_only(read):
    one = read("a.csv", "text,label\ngood,pos\nbad,neg\n")
    assert one.digest == read("a.csv", "text,label\ngood,pos\nbad,neg\n").digest
    assert one.digest != read("a.csv", "text,label\ngood,pos\nbad,pos\n", label_column="label").digest
    assert one.digest != read("a.csv", "text,label\ngood,pos\nsad,neg\n").digest


def test_tables_and_arrays_hold_every_text(read, tmp_path):
    found = read("a.csv", "text,label,n\ngood day,pos,1\nbad day,neg,2\n")
    assert found.to_frame()["text"].tolist() == ["good day", "bad day"]
    arrays = found.arrays()
    starts, content = arrays["text_starts"], arrays["texts_utf8"].tobytes()
    assert [content[a:b].decode() for a, b in pairwise(starts)] == ["good day", "bad day"]
    assert not any(array.dtype.hasobject for array in arrays.values())
    with np.load(found.save(tmp_path / "texts.npz")) as kept:
        assert set(kept.files) == set(arrays)
    assert found.take(np.array([1])).texts == ("bad day",)
    assert found.take(np.array([1])).columns["n"].tolist() == [2.0]
