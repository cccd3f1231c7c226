"""Encodings of text files are found, told and changeable."""

from __future__ import annotations

import pytest

from explorer_core import registry
from explorer_core.api import read_data
from explorer_core.datasets._decoding import ENCODINGS
from explorer_core.errors import InvalidInputError
from tests.core.datasets.local_files import ROWS, as_dict, csv_of, said, spec, write


@pytest.mark.parametrize(
    ("encoding", "sample"),
    [
        ("utf-8", "Ein schöner Tag, 好い, 👍"),
        ("utf-8-sig", "Ein schöner Tag"),
        ("utf-16", "Ein schöner Tag, 好い, 👍"),
        ("utf-16-le", "Ein schöner Tag"),
        ("utf-16-be", "Ein schöner Tag"),
        ("utf-32", "Ein schöner Tag 👍"),
        ("cp1252", "Das Frühstück war köstlich – “schön” für 20 €, die Gäste überall fröhlich"),
        ("cp1251", "Прекрасный фильм, я смотрел его с большим удовольствием и посоветую друзьям"),
        ("shift_jis", "この映画はとても面白かったです。また見たいと思います。"),
        ("gb18030", "这部电影非常好看，我很喜欢，下次还会再来看一遍。"),
    ],
)
def test_encodings_are_found_and_told(tmp_path, encoding, sample):
    rows = [(f"{sample} {number}", label) for number, (_, label) in enumerate(ROWS)]
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(rows).encode(encoding))))
    assert as_dict(data) == dict(rows)
    assert "Read as" in said(data)
    assert ("guess" in said(data)) == (not encoding.startswith("utf"))


def test_the_encoding_can_be_chosen(tmp_path):
    rows = [("Zażółć gęślą jaźń", "positive"), ("źle", "negative"), *ROWS]
    path = write(tmp_path, "data.csv", csv_of(rows).encode("cp1250"))
    assert as_dict(read_data(spec(path, encoding="cp1250")))["Zażółć gęślą jaźń"] == "positive"
    with pytest.raises(InvalidInputError, match="not UTF-8 text"):
        read_data(spec(path, encoding="utf-8"))
    with pytest.raises(InvalidInputError, match="no encoding 'rot13'"):
        read_data(spec(path, encoding="rot13"))


def test_the_form_offers_the_encodings_that_are_read():
    options = {option["name"]: option for option in registry.describe("datasets")["local_file"].extra["options"]}
    assert options["encoding"]["choices"] == ENCODINGS


def test_a_few_broken_letters_do_not_turn_utf8_into_something_else(tmp_path):
    rows = [(f"schöner Tag, größer, süß {number}", label) for number, (_, label) in enumerate(ROWS)]
    data = read_data(spec(write(tmp_path, "data.csv", csv_of(rows).encode() + b'"caf\xe9 \xc3",positive\n')))
    assert as_dict(data)["schöner Tag, größer, süß 0"] == "positive"
    assert "2 characters are broken" in said(data)
