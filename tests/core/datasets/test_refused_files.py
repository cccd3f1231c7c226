"""What cannot be learned from is refused in a sentence: nothing is run, nothing fills memory."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from explorer_core import settings
from explorer_core.api import preview_data, read_data
from explorer_core.errors import ExplorerError, InvalidInputError
from tests.core.datasets.local_files import (
    PRAISE,
    ROWS,
    as_dict,
    csv_of,
    make,
    said,
    spec,
    write,
    write_parquet,
    write_xlsx,
)


def zip_of(size_mib: int, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(part, b"\0" * (size_mib * 2**20))
    return buffer.getvalue()


REFUSED = {
    "binary as text": ("data.txt", bytes(range(256)) * 40, "null bytes|not text"),
    "random bytes as csv": ("data.csv", np.random.default_rng(0).bytes(5_000), "null bytes|not text"),
    "binary without zeros": ("data.csv", bytes(range(1, 256)) * 40, "not text"),
    "parquet as csv": ("data.csv", b"PAR1" + b"x" * 100, "Parquet file"),
    "zip as csv": ("data.csv", b"PK\x03\x04" + b"x" * 100, "zip or Office"),
    "null bytes": ("data.csv", b"text,label\ngood\x00 one,positive\n", "null bytes"),
    "not utf-16": ("data.csv", b"\xff\xfe" + b"abc", "begins like UTF-16"),
    "control characters": ("data.csv", b"\x01\x02\x03\x04\x05" * 20, "not text"),
    "no text column": ("data.csv", "id,label\n" + "1,1\n2,0\n" * 5, "No column looks like texts"),
    "no label column": ("data.csv", "id,text\n1,words of one\n2,words of two\n", "No column looks like labels"),
    "one column": ("data.csv", "text\n" + "\n".join(PRAISE), "No column looks like labels"),
    "header only": ("data.csv", "text,label\n", "no rows"),
    "10,000 columns": ("data.csv", ",".join(f"c{n}" for n in range(10_000)) + "\n" + "1," * 9_999, "10,000 columns"),
    "10,000 fields": ("data.jsonl", json.dumps({f"c{n}": n for n in range(10_000)}), "201 columns"),
    "huge cell": ("data.csv", 'text,label\n"' + "a" * 200_000 + '",positive\n', "131,072 characters"),
    "unclosed quotation mark": ("data.csv", 'text,label\nshort,negative\n"' + "some words\n" * 20_000, "never closed"),
    "empty": ("data.csv", b"", "is empty"),
    "blank": ("data.txt", b" \n \n", "is empty"),
    "only commas": ("data.csv", ",,,\n,,,\n", "is empty"),
    "empty list": ("data.json", "[]", "is empty"),
    "json that is none": ("data.jsonl", "text,label", "no JSON objects"),
    "json numbers": ("data.json", "[1, 2, 3]", "no JSON objects"),
    "nested json only": ("data.jsonl", '{"text": {"a": 1}, "label": [1]}\n' * 3, "No column looks like texts"),
    "damaged parquet": ("data.parquet", b"PAR1" + b"x" * 100 + b"PAR1", "cannot be read as Parquet"),
    "csv as parquet": ("data.parquet", csv_of(ROWS), "cannot be read as Parquet"),
    "csv as xlsx": ("data.xlsx", csv_of(ROWS), "no XLSX workbook"),
    "zip that is no workbook": ("data.xlsx", zip_of(1), "damaged"),
    "zip of other files": ("data.xlsx", zip_of(1, "notes.txt"), "no XLSX workbook in it"),
    "zip bomb": ("data.xlsx", zip_of(settings.MAX_UNPACKED_MIB + 1), "unpacks to 257 MiB"),
    "old or locked workbook": ("data.xlsx", b"\xd0\xcf\x11\xe0" + b"x" * 600, "password"),
    "unknown ending": ("data.pkl", b"x", 'ending in ".pkl"'),
    "no ending": ("data", b"x", "are not read; allowed: TXT, CSV"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_from_is_refused_in_a_sentence(tmp_path, case):
    name, content, sentence = REFUSED[case]
    with pytest.raises(InvalidInputError, match=sentence) as caught:
        read_data(spec(write(tmp_path, name, content)))
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 600
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("case", REFUSED)
def test_a_preview_refuses_or_names_the_problem(tmp_path, case):
    name, content, _ = REFUSED[case]
    try:
        problem = preview_data(spec(write(tmp_path, name, content))).problem
    except ExplorerError as error:
        problem = str(error)
    assert problem.endswith(".")


def test_a_workbook_with_an_xml_bomb_is_refused(tmp_path):
    path = write_xlsx(tmp_path, {"Sheet": [["text", "label"], *ROWS]})
    buffer = io.BytesIO()
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new:
        for part in old.namelist():
            new.writestr(part, bomb if "sheet1" in part else old.read(part))
    with pytest.raises(InvalidInputError, match="declarations"):
        read_data(spec(write(tmp_path, "bomb.xlsx", buffer.getvalue())))


def test_formulas_are_text_or_nothing_and_never_computed(tmp_path):
    rows = [*ROWS, ("=1+1", "positive"), ('=HYPERLINK("http://x","y")', "negative"), ("=cmd|' /C calc'!A0", "positive")]
    data = read_data(spec(write_xlsx(tmp_path, {"Sheet": [["text", "label"], *rows]})))
    assert as_dict(data) == dict(ROWS)  # a formula that was never computed by an office program has no value
    assert "3 rows with no text: rows 12, 13, 14." in said(data)
    assert "=1+1" in read_data(spec(write(tmp_path, "data.csv", csv_of([*ROWS, ("=1+1", "positive")])))).texts


def test_the_first_filled_sheet_is_read_and_far_cells_do_no_harm(tmp_path):
    rows = [["text", "label"], *ROWS]
    path = write_xlsx(tmp_path, {"Empty": [], "Data": rows, "Other": [["a", "b"]]})
    data = read_data(spec(path))
    assert as_dict(data) == dict(ROWS)
    assert "first filled sheet of 3" in said(data)
    import openpyxl

    book = openpyxl.load_workbook(path)
    book["Data"]["A300000"] = "far down, without a label"
    book["Data"]["XFD3"] = "far out"
    book.save(path)
    data = read_data(spec(path))
    assert as_dict(data) == dict(ROWS)
    assert "no label: row 300000" in said(data)


def test_a_workbook_with_too_many_columns_is_refused(tmp_path):
    path = write_xlsx(tmp_path, {"Data": [[f"c{number}" for number in range(300)], list(range(300))]})
    with pytest.raises(InvalidInputError, match="columns; at most 200"):
        read_data(spec(path))


def test_nested_parquet_columns_are_left_out_and_told(tmp_path):
    texts, labels = [text for text, _ in ROWS], [label for _, label in ROWS]
    path = write_parquet(tmp_path, {"text": texts, "label": labels, "tokens": [[1, 2]] * 10, "meta": [{"a": 1}] * 10})
    data = read_data(spec(path))
    assert as_dict(data) == dict(ROWS)
    assert "2 columns of lists, records" in said(data)
    with pytest.raises(InvalidInputError, match="no column of text or numbers"):
        read_data(spec(write_parquet(tmp_path, {"tokens": [[1, 2]] * 10}, "nested.parquet")))


def test_parquet_of_every_string_type_with_missing_cells(tmp_path):
    import pyarrow as pa

    texts, labels = [text for text, _ in ROWS] + [None], [label for _, label in ROWS] + ["positive"]
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        columns = {"text": pa.array(texts).cast(kind), "label": pa.array(labels).cast(kind), "day": [b"x"] * 11}
        data = read_data(spec(write_parquet(tmp_path, columns)))
        assert as_dict(data) == dict(ROWS)
        assert "no text: row 11" in said(data)


def test_one_long_text_repeated_in_a_small_parquet_is_refused_before_it_fills_memory(tmp_path):
    import pyarrow as pa

    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x " * 40_000])
    path = write_parquet(tmp_path, {"text": texts, "label": ["positive", "negative"] * 10_000})
    assert path.stat().st_size < 2**20
    with pytest.raises(InvalidInputError, match=r"unpacks to .* MiB or more"):
        preview_data(spec(path))


def test_parquet_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "MAX_UNPACKED_MIB", 0)
    with pytest.raises(InvalidInputError, match="unpacks to"):
        read_data(spec(make(tmp_path, "parquet")))


def test_a_file_beyond_the_size_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "MAX_FILE_MIB", 0)
    with pytest.raises(InvalidInputError, match="larger than 0 MiB"):
        read_data(spec(make(tmp_path, "csv")))


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "jsonl", "json", "parquet", "xlsx"])
def test_damaged_files_are_read_or_refused_in_a_sentence(tmp_path, ending):
    rng = np.random.default_rng(0)
    good = make(tmp_path, ending).read_bytes()
    inserts = [
        b'"',
        b",",
        b"\t",
        b"\r",
        b"\x00",
        b"\xff\xfe",
        b"\xe9",
        b"\xed\xa0\x80",
        b"{",
        b"[",
        b"1e999",
        b"9" * 5_000,
    ]
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(rng.integers(1, 6)):
            place = int(rng.integers(0, len(damaged)))
            kind = rng.integers(0, 4)
            if kind == 0:
                damaged[place] = rng.integers(0, 256)
            elif kind == 1 and len(damaged) > 100:
                del damaged[place : place + int(rng.integers(1, 30))]
            elif kind == 2:
                damaged[place:place] = damaged[:50]
            else:
                damaged[place:place] = inserts[rng.integers(0, len(inserts))]
        path = write(tmp_path, f"damaged.{ending}", bytes(damaged))
        for door in (read_data, preview_data):
            try:
                door(spec(path))
            except ExplorerError as error:
                assert str(error).endswith(".")
