"""Files read block by block hold what they hold when read whole, in any encoding, and memory holds a block."""

from __future__ import annotations

import pytest

from explorer_core import api, settings
from explorer_core.datasets import _decoding
from explorer_core.errors import ExplorerError

TEXTS = [f"Le café numéro {number} était très bon, déjà goûté à Besançon" for number in range(47)]
CSV = "text,label\n" + "".join(f'"{text}",{("neg", "pos")[row % 2]}\n' for row, text in enumerate(TEXTS))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(settings, "BLOCK_ROWS", 10)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_stream_holds_the_rows_of_the_whole_file(file, encoding, name):
    content = CSV if name.endswith("csv") else "".join(f"{text}\n" for text in TEXTS)
    path = file(name, content.encode(encoding))
    spec = api.TextsSpec(encoding=encoding if encoding == "cp1252" else None)  # a guess of it may be another
    whole = api.read_texts([path], spec)
    blocks = list(api.stream_texts(str(path), spec).blocks())
    assert [text for block in blocks for text in block.texts] == list(whole.texts) == TEXTS
    assert [row for block in blocks for row in block.row_numbers] == whole.row_numbers.tolist()
    assert max(len(block.texts) for block in blocks) == 10
    assert [block.number for block in blocks] == list(range(5))
    if whole.label_values:
        assert [label for block in blocks for label in block.labels] == ["neg", "pos"] * 23 + ["neg"]


@pytest.mark.parametrize("order", ["label first", "text first"])
def test_labels_of_a_txt_stand_on_one_side_in_all_blocks(file, order):
    rows = [(("neg", "pos")[row % 2], text) for row, text in enumerate(TEXTS[:22])]  # the last block has two rows
    path = file("a.txt", "".join("\t".join(row if order == "label first" else row[::-1]) + "\n" for row in rows))
    blocks = list(api.stream_texts(str(path)).blocks())
    assert [text for block in blocks for text in block.texts] == TEXTS[:22]
    assert [label for block in blocks for label in block.labels] == ["neg", "pos"] * 11


def test_rows_left_out_are_counted_and_blocks_not_wanted_are_read_over(file):
    rows = (f"{f'text {row}' if row % 7 else ''},x{row % 2}\n" for row in range(35))
    path = file("a.csv", "text,label\n" + "".join(rows))
    stream = api.stream_texts(str(path))
    blocks = list(stream.blocks(lambda number: number % 2 == 1))
    assert [block.number for block in blocks] == [1, 3]
    assert sum(sum(block.n_skipped.values()) for block in stream.blocks()) == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_of_a_beginning_is_that_of_the_whole(encoding):
    text = CSV * 3
    data = text.encode(encoding)
    said = _decoding.decode(data)[1].casefold()
    found = _decoding.find_encoding(data[:1_001], is_whole=False)
    assert found in said
    assert encoding == "cp1252" or data.decode(found).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 50, b"%PDF-1.7 x", b'text,label\n"open,pos\n' + b"x" * 300_000, b"x" * 500_000]
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
def test_a_stream_that_cannot_be_read_is_refused_in_words(file, name, content):
    path = file(name, content)
    try:
        blocks = list(api.stream_texts(str(path)).blocks())
    except ExplorerError as error:
        assert str(error).endswith(".")
    else:
        assert all(len(text) <= settings.MAX_CELL_CHARS for block in blocks for text in block.texts)


def test_an_uploaded_file_is_deleted_and_no_other(file, home):
    kept = api.save_upload(b"text\ngood\n", "csv")
    other = file("mine.csv", "text\ngood\n")
    inside = home / "note.csv"
    inside.write_text("keep")
    for path in (other, inside, kept.parent / ".." / "note.csv", kept.with_name("short.csv")):
        api.delete_upload(path)
    assert other.exists()
    assert inside.exists()
    assert kept.exists()
    api.delete_upload(kept)
    api.delete_upload(kept)
    assert not kept.exists()


@pytest.mark.parametrize(
    "spec", [{"long": "sentence"}, {"long": "window", "n_words": 4, "n_overlap": 1}, {"long": "cut", "n_words": 3}]
)
def test_long_texts_of_a_stream_are_cut_as_those_of_a_whole_file(file, spec):
    texts = [" ".join(f"Sentence {number} of row {row}." for number in range(row % 4 + 1)) for row in range(25)]
    path = file("long.csv", "text,label\n" + "".join(f"{text},{row % 2}\n" for row, text in enumerate(texts)))
    whole = api.read_texts([path], api.TextsSpec(**spec))
    blocks = list(api.stream_texts(str(path), api.TextsSpec(**spec)).blocks())
    assert [text for block in blocks for text in block.texts] == list(whole.texts)
    for name in ("row_numbers", "piece", "spans"):
        joined = [one for block in blocks for one in getattr(block, name).tolist()]
        assert joined == getattr(whole, name).tolist(), name
    assert all(block.has_pieces == (spec["long"] != "cut") for block in blocks)
