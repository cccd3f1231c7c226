"""Local files: every format, guessed columns, odd places and hostile names."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from explorer_core import registry
from explorer_core.api import preview_data, read_data
from explorer_core.errors import ExplorerError, InvalidInputError, NotFoundError
from explorer_core.training.spec import DataSpec
from tests.core.datasets.local_files import PRAISE, ROWS, as_dict, csv_of, make, said, spec, write


@pytest.mark.parametrize("ending", registry.describe("datasets")["local_file"].extra["options"][0]["endings"])
def test_every_format_gives_the_same_texts(tmp_path, ending):
    path = make(tmp_path, ending)
    data = read_data(spec(path))
    assert as_dict(data) == dict(ROWS)
    assert data.label_names == ("negative", "positive")
    assert data.labels.dtype == np.int64
    assert set(data.split) == {"train", "validation", "test"}
    preview = preview_data(spec(path))
    assert (preview.text_column, preview.label_column) == ("text", "label")
    assert preview.problem == ""
    assert preview.n_rows == preview.n_usable == 10
    assert dict(preview.labels) == {"positive": 5, "negative": 5}
    assert len(preview.samples) == 3
    assert {label for _, label in preview.samples} == {"negative", "positive"}
    assert preview.lengths.counts.sum() == 10


def test_endings_in_capital_letters_are_read(tmp_path):
    assert len(read_data(spec(write(tmp_path, "DATA.CSV", csv_of(ROWS))))) == 10


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_sniffed_and_told(tmp_path, delimiter):
    rows = [(f"{text}, or so; they | say", label) for text, label in ROWS]
    path = write(tmp_path, "data.csv", csv_of(rows, f"text{delimiter}label", delimiter))
    data = read_data(spec(path))
    assert as_dict(data) == dict(rows)
    assert "separated by" in said(data)


def test_commas_in_unquoted_texts_do_not_beat_the_semicolon(tmp_path):
    content = "text;label\n" + "\n".join(f"well, {text}, yes;{label}" for text, label in ROWS)
    assert set(as_dict(read_data(spec(write(tmp_path, "data.csv", content)))).values()) == {"negative", "positive"}


@pytest.mark.parametrize("n_tabs_first", [True, False])
def test_txt_lines_may_have_the_label_on_either_side(tmp_path, n_tabs_first):
    lines = [f"{label}\t{text}" if n_tabs_first else f"{text}\t{label}" for text, label in ROWS]
    assert as_dict(read_data(spec(write(tmp_path, "data.txt", "\r\n".join(lines))))) == dict(ROWS)


def test_txt_without_labels_is_refused_for_training_but_can_be_looked_at(tmp_path):
    path = write(tmp_path, "data.txt", "\n".join(PRAISE))
    with pytest.raises(InvalidInputError, match="texts without labels"):
        read_data(spec(path))
    preview = preview_data(spec(path))
    assert "without labels" in preview.problem
    assert (preview.text_column, preview.label_column, preview.n_rows, preview.n_usable) == ("text", None, 5, 0)
    assert preview.samples[0] == (PRAISE[0], "")


def test_a_quoted_cell_may_hold_line_breaks_delimiters_and_quotes(tmp_path):
    hard = 'He said "no",\nthen left; twice'
    content = csv_of(ROWS) + '"He said ""no"",\nthen left; twice",negative\n'
    assert as_dict(read_data(spec(write(tmp_path, "data.csv", content))))[hard] == "negative"


def test_tsv_with_loose_quotation_marks_keeps_every_row(tmp_path):
    rows = [('"great', "positive"), ('he said "no', "negative"), *ROWS]
    path = write(tmp_path, "data.tsv", "text\tlabel\n" + "\n".join(f"{text}\t{label}" for text, label in rows))
    data = read_data(spec(path))
    assert as_dict(data) == dict(rows)
    assert "quotation mark" in said(data)


def test_na_and_null_are_words_and_not_missing(tmp_path):
    rows = [("NA", "positive"), ("null", "negative"), ("nan", "negative"), *ROWS]
    assert as_dict(read_data(spec(write(tmp_path, "data.csv", csv_of(rows))))) == dict(rows)


# Columns


@pytest.mark.parametrize(
    ("header", "text_column", "label_column"),
    [
        ("id,review,sentiment,split", "review", "sentiment"),
        ("label,id,text,lang", "text", "label"),
        ("class,number,sentence,source", "sentence", "class"),
        ("a,b,c,d", "c", "a"),
        ("star_rating,review_id,review_body,product", "review_body", "star_rating"),
        ("v1,n,v2,x", "v2", "v1"),
    ],
)
def test_columns_are_guessed_from_names_and_cells(tmp_path, header, text_column, label_column):
    names = header.split(",")
    rows = []
    for number, (text, label) in enumerate(ROWS):
        other = next(name for name in names[1:] if name not in (text_column, label_column))
        cells = dict.fromkeys(names, "same") | {text_column: text, label_column: label, other: str(number)}
        rows.append(",".join(cells[name] for name in names))
    path = write(tmp_path, "data.csv", header + "\n" + "\n".join(rows))
    preview = preview_data(spec(path))
    assert (preview.text_column, preview.label_column) == (text_column, label_column)
    data = read_data(spec(path))
    assert as_dict(data) == dict(ROWS)
    assert "Guessed" in said(data)


def test_guessed_columns_can_be_changed(tmp_path):
    rows = [f"{text},{label},{'short' if len(text) < 13 else 'long'}" for text, label in ROWS]
    path = write(tmp_path, "data.csv", "text,label,size\n" + "\n".join(rows))
    assert read_data(spec(path)).label_names == ("negative", "positive")
    changed = read_data(spec(path, label_column="size", text_column="text"))
    assert changed.label_names == ("long", "short")
    assert "Guessed" not in said(changed)


def test_a_file_without_column_names_numbers_them(tmp_path):
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(ROWS, header=None))))
    assert as_dict(data) == dict(ROWS)
    assert "columns are numbered" in said(data)
    numbered = csv_of([(text, int(label == "positive")) for text, label in ROWS], header=None)
    assert read_data(spec(write(tmp_path, "more.csv", numbered))).label_names == ("0", "1")


def test_columns_with_the_same_or_no_name_can_be_told_apart(tmp_path):
    content = "text,text,,label\n" + "\n".join(f"{text},other words here,x,{label}" for text, label in ROWS)
    preview = preview_data(spec(write(tmp_path, "data.csv", content)))
    assert preview.columns == ("text", "text (2)", "column 3", "label")


def test_an_unknown_column_is_named_with_the_known_ones(tmp_path):
    path = make(tmp_path, "csv")
    with pytest.raises(NotFoundError, match=r'"mood".*"text", "label"'):
        read_data(spec(path, label_column="mood"))
    with pytest.raises(NotFoundError, match="no column"):
        preview_data(spec(path, text_column=3))
    with pytest.raises(InvalidInputError, match="both"):
        read_data(spec(path, text_column="label", label_column="label"))


# Places


def test_missing_paths_folders_and_odd_links(tmp_path):
    with pytest.raises(NotFoundError, match="no file"):
        read_data(spec(tmp_path / "missing.csv"))
    with pytest.raises(NotFoundError, match="no file"):
        read_data(spec(tmp_path / "missing" / "data.csv"))
    with pytest.raises(InvalidInputError, match="is a folder"):
        read_data(spec(tmp_path))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInputError, match="is a folder"):
        read_data(spec(tmp_path / "folder.csv"))
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    with pytest.raises(InvalidInputError, match="cannot be opened"):
        read_data(spec(tmp_path / "loop.csv"))
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(NotFoundError, match="no file"):
        read_data(spec(tmp_path / "dangling.csv"))
    (tmp_path / "good.csv").symlink_to(make(tmp_path, "csv"))
    assert len(read_data(spec(tmp_path / "good.csv"))) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes and devices")
def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "device.csv"):
        with pytest.raises(InvalidInputError, match="not an ordinary file"):
            read_data(spec(tmp_path / name))


@pytest.mark.parametrize("path", ["", "  ", "a\x00b.csv", "x" * 5_000 + ".csv", 7, ["data.csv"], {"a": 1}])
def test_paths_that_are_none_are_refused(path):
    with pytest.raises(ExplorerError, match=r"Choose a file|cannot be opened"):
        read_data(DataSpec("local_file", {"path": path}))


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(
        InvalidInputError, match=r"no option 'delimiter'; allowed: class_names, encoding, label_column, path"
    ):
        read_data(DataSpec("local_file", {"delimiter": ","}))
    with pytest.raises(InvalidInputError, match="Choose a file"):
        read_data(DataSpec("local_file"))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>.csv", "$(touch hacked).csv", "a\nb\u202ecsv.csv", "-rf.csv", "%s{0}.csv"]
)
def test_hostile_names_are_only_shown_and_harmless(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "uploads"
    folder.mkdir()
    name = name.replace("/", "∕")
    data = read_data(spec(write(folder, name, csv_of(ROWS))))
    assert "\n" not in data.origin
    assert "\u202e" not in data.origin
    assert [path.name for path in folder.iterdir()] == [name]
    assert {path.name for path in tmp_path.iterdir()} == {"home", "uploads"}


def test_hostile_cells_are_kept_as_text_and_shortened_in_messages(tmp_path):
    column = "<img src=x onerror=alert(1)>" * 10
    path = write(tmp_path, "data.csv", f"id,{column}\n" + "\n".join(f"{n},{n * 7}" for n in range(9)))
    with pytest.raises(InvalidInputError) as caught:
        read_data(spec(path))
    assert len(str(caught.value)) < 300
    rows = [*ROWS, ("<script>alert(1)</script>", "positive"), ("'; DROP TABLE x; --", "negative")]
    assert "<script>alert(1)</script>" in as_dict(read_data(spec(write(tmp_path, "more.csv", csv_of(rows)))))


def test_reading_leaves_no_file_behind(tmp_path):
    paths = [make(tmp_path, ending) for ending in ("csv", "parquet", "xlsx", "jsonl")]
    for path in paths:
        read_data(spec(path))
    assert sorted(tmp_path.rglob("*")) == sorted([*paths, tmp_path / "home"])


def test_classes_are_called_as_a_person_names_their_labels(tmp_path):
    path = tmp_path / "sms.csv"
    path.write_text("text,label\n" + "".join(f"message {row} of many,{row % 3}\n" for row in range(30)))
    names = {"0": "ham", "1": " spam ", "2": None}
    data = read_data(spec(path, class_names=names))
    assert data.label_names == ("ham", "spam")
    assert len(data) == 20
    assert {
        (text.split()[1], data.label_names[label]) for text, label in zip(data.texts, data.labels, strict=True)
    } == {(str(row), ("ham", "spam")[row % 3]) for row in range(30) if row % 3 < 2}
    assert preview_data(spec(path, class_names=names)).labels == {"ham": 10, "spam": 10}
    joined = read_data(spec(path, class_names={"0": "ham", "1": "spam", "2": "spam"}))
    assert joined.label_histogram() == {"ham": 10, "spam": 20}
    assert "same label" in preview_data(spec(path, class_names=dict.fromkeys("012", "ham"))).problem


@pytest.mark.parametrize("names", ["ham", ["ham"], {"0": 3}])
def test_names_of_classes_that_are_none_are_refused(tmp_path, names):
    path = tmp_path / "sms.csv"
    path.write_text("text,label\n" + "".join(f"message {row} of many,{row % 2}\n" for row in range(30)))
    with pytest.raises(InvalidInputError, match="Names of classes are an object"):
        read_data(spec(path, class_names=names))
