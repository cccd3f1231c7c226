"""Labels of every kind; rows that cannot be used are left out and told by their number."""

from __future__ import annotations

import json

import pytest

from explorer_core import settings
from explorer_core.api import preview_data, read_data
from explorer_core.errors import InvalidInputError
from tests.core.datasets.local_files import PRAISE, ROWS, as_dict, csv_of, said, spec, write, write_parquet, write_xlsx


@pytest.mark.parametrize(
    ("good", "bad", "names"),
    [
        (1, 0, ("0", "1")),
        (1.0, 0.0, ("0", "1")),
        (True, False, ("False", "True")),
        ("spam", "ham", ("ham", "spam")),
        (10, 9, ("9", "10")),
        (4.5, 1.0, ("1", "4.5")),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_labels_may_be_numbers_truths_and_names(tmp_path, ending, good, bad, names):
    rows = [(text, good if label == "positive" else bad) for text, label in ROWS]
    if ending == "csv":
        path = write(tmp_path, "data.csv", csv_of(rows))
        names = ("1.0", "4.5") if good == 4.5 else names
    elif ending == "jsonl":
        path = write(tmp_path, "data.jsonl", "\n".join(json.dumps({"text": t, "label": y}) for t, y in rows))
    elif ending == "parquet":
        path = write_parquet(tmp_path, {"text": [t for t, _ in rows], "label": [y for _, y in rows]})
    else:
        path = write_xlsx(tmp_path, {"Sheet": [["text", "label"], *rows]})
    data = read_data(spec(path))
    assert data.label_names == names
    assert as_dict(data)["I loved it"] == data.label_names[names.index(max(names, key=lambda n: n == names[1]))]


@pytest.mark.parametrize("n_classes", [2, 3, 20])
def test_two_to_twenty_classes_are_learned(tmp_path, n_classes):
    rows = [(f"text number {row}", f"class {row % n_classes}") for row in range(4 * n_classes)]
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(rows))))
    assert len(data.label_names) == n_classes
    for side in ("train", "validation", "test"):
        assert len(set(data.labels[data.rows(side)])) == n_classes


@pytest.mark.parametrize("n_classes", [21, 10_000])
def test_too_many_classes_are_counted_and_refused(tmp_path, n_classes):
    rows = [(f"text number {row}", f"c{row % n_classes}") for row in range(max(n_classes, 100))]
    path = write(tmp_path, "data.csv", csv_of(rows))
    with pytest.raises(InvalidInputError, match=f"{n_classes:,} different values.*2 to 20"):
        read_data(spec(path))
    preview = preview_data(spec(path))
    assert f"{n_classes:,}" in preview.problem
    assert len(preview.labels) == settings.MAX_LABELS + 1


def test_one_class_only_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match=r'same label, "positive"'):
        read_data(spec(write(tmp_path, "data.csv", csv_of([(text, "positive") for text in PRAISE]))))


def test_labels_all_missing_are_refused(tmp_path):
    path = write(tmp_path, "data.csv", csv_of([(text, "") for text in PRAISE]))
    with pytest.raises(InvalidInputError, match="all 5 rows have no label"):
        read_data(spec(path))
    path = write(tmp_path, "data.jsonl", "\n".join(json.dumps({"text": text, "label": None}) for text in PRAISE))
    with pytest.raises(InvalidInputError, match="no label"):
        read_data(spec(path))


def test_labels_that_differ_in_capitals_only_are_one_and_told(tmp_path):
    rows = [*ROWS, ("fine by me", "Positive"), ("not for me", " negative ")]
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(rows))))
    assert data.label_names == ("negative", "positive")
    assert '"Positive" = "positive"' in said(data)


def test_a_label_that_comes_once_is_left_out_and_told(tmp_path):
    data = read_data(spec(write(tmp_path, "data.csv", csv_of([*ROWS, ("so so", "neutral")]))))
    assert data.label_names == ("negative", "positive")
    assert "only once: row 12" in said(data)


def test_a_column_of_texts_chosen_as_labels_is_refused(tmp_path):
    long = ["x" * 70, "y" * 70]
    path = write(tmp_path, "data.csv", "text,label\n" + "\n".join(f"{t},{long[i % 2]}" for i, t in enumerate(PRAISE)))
    with pytest.raises(InvalidInputError, match="holds texts, not labels"):
        read_data(spec(path))


# Rows


def test_unusable_rows_are_left_out_and_told_by_row_number(tmp_path):
    lines = [f"{text},{label}" for text, label in ROWS]
    lines[2:2] = [
        ",positive",
        "  \u200b ,negative",
        "no label here,",
        f"{'a' * (settings.MAX_CELL_CHARS + 1)},positive",
    ]
    data = read_data(spec(write(tmp_path, "data.csv", "text,label\n" + "\n".join(lines))))
    assert as_dict(data) == dict(ROWS)
    assert "2 rows with no text: rows 4, 5." in said(data)
    assert "1 row with no label: row 6." in said(data)
    assert "100,000 characters: row 7." in said(data)


def test_row_numbers_count_blank_rows_as_a_spreadsheet_does(tmp_path):
    content = "text,label\n\n" + "\n\n".join(f"{text},{label}" for text, label in ROWS) + "\n\n,positive\n\n"
    assert "no text: row 23." in said(read_data(spec(write(tmp_path, "data.csv", content))))


def test_only_the_first_few_row_numbers_are_told(tmp_path):
    content = csv_of(ROWS) + ",positive\n" * 50
    assert "50 rows with no text: rows 12, 13, 14, 15, 16, ..." in said(
        read_data(spec(write(tmp_path, "d.csv", content)))
    )


def test_rows_with_too_many_or_too_few_cells_are_told(tmp_path):
    content = csv_of(ROWS) + "one,two,three,four\nonly a text\ntrailing comma,positive,\n"
    data = read_data(spec(write(tmp_path, "data.csv", content)))
    assert "more cells than the first row: row 12" in said(data)
    assert "no label: row 13" in said(data)
    assert as_dict(data)["trailing comma"] == "positive"


def test_mostly_torn_rows_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="more cells than the first one"):
        read_data(
            spec(
                write(tmp_path, "data.csv", "text,label\n" + "so, so, so, so,positive\nx,negative\n" * 3 + "a,b,c,d\n")
            )
        )


def test_broken_json_lines_are_left_out_and_told(tmp_path):
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    lines[3:3] = ["{broken", '"a string"', "[1, 2]", "[" * 5_000, '{"text": 1e999999, "label": ' + "9" * 5_000 + "}"]
    data = read_data(spec(write(tmp_path, "data.jsonl", "\n".join(lines))))
    assert as_dict(data) == dict(ROWS)
    assert "5 rows with broken JSON: rows 4, 5, 6, 7, 8." in said(data)


def test_mostly_broken_json_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="3 of 4 lines are no JSON objects"):
        read_data(spec(write(tmp_path, "data.jsonl", '{"text": "a"}\nx\ny\nz')))


def test_half_surrogates_in_json_are_left_out(tmp_path):
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS] + [
        '{"text": "a\\ud800b", "label": "positive"}'
    ]
    assert "surrogate pair): row 11" in said(read_data(spec(write(tmp_path, "data.jsonl", "\n".join(lines)))))


def test_rows_with_the_same_letters_or_pair_stay_on_one_side(tmp_path):
    rows = [f"{text}{mark},{label},{number}" for number, (text, label) in enumerate(ROWS) for mark in ("", "!", "...")]
    rows += [
        f"this is {word} number {n},{label},pair{n}"
        for n in range(20)
        for word, label in (("good", "positive"), ("bad", "negative"))
    ]
    data = read_data(spec(write(tmp_path, "data.csv", "text,label,pair\n" + "\n".join(rows))))
    for pair in set(data.groups["pair"]):
        assert len({side for side, of in zip(data.split, data.groups["pair"], strict=True) if of == pair}) == 1
    assert "20 rows repeat the letters" in said(data)


def test_texts_with_two_labels_are_told(tmp_path):
    data = read_data(spec(write(tmp_path, "data.csv", csv_of([*ROWS, ("I LOVED IT!", "negative")]))))
    assert "1 texts come with more than one label" in said(data)


def test_eight_rows_still_validate_every_class(tmp_path):
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(ROWS[:4] + ROWS[5:9]))))
    assert set(data.labels[data.rows("validation")]) == {0, 1}
    assert set(data.labels[data.rows("train")]) == {0, 1}


def test_rows_beyond_the_limit_are_not_read_and_this_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "MAX_ROWS", 6)
    rows = [row for both in zip(ROWS[:5], ROWS[5:], strict=True) for row in both]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    for path in (
        write(tmp_path, "data.csv", csv_of(rows)),
        write(tmp_path, "data.txt", "\n".join(f"{label}\t{text}" for text, label in rows)),
        write(tmp_path, "data.jsonl", "\n".join(json.dumps({"text": t, "label": y}) for t, y in rows)),
        write_parquet(tmp_path, {"text": texts, "label": labels}),
        write_xlsx(tmp_path, {"Sheet": [["text", "label"], *rows]}),
    ):
        data = read_data(spec(path))
        assert data.texts == tuple(texts[:6]), path
        assert "Only the first 6" in said(data)
