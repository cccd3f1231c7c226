"""Long texts in pieces: every character is in them, in order, and each piece knows its row."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from explorer_core import api
from explorer_core.judging import _pieces
from explorer_core.text import split_words

AWKWARD = [
    "One. Two! Three?", "Mr. Smith went. He came back.", "No end", "  leading. And trailing  ", "a.b.c. D", "…",
    "She said “stop.” Then left.", "好的。再见！走吧", "first line\n\nsecond line\n\n\nthird", "v1.2 is out. Try it.",
    "x" * 500, "one\u0085two. Three\u2028four", "😀 Yes! 😀 No.", "It costs 3.5 euros. Fine.", "Well... Maybe.",
]  # fmt: skip


def random_texts():
    rng = np.random.default_rng(0)
    letters = list("ab .!?\n\u0085。“”'é😀")
    return ["".join(rng.choice(letters, rng.integers(1, 120))) + "x" for _ in range(200)]


@pytest.mark.parametrize("text", [*AWKWARD, *random_texts()])
def test_sentences_follow_each_other_without_a_gap(text):
    spans = _pieces.cut(text, api.TextsSpec(long="sentence"))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("Mr. Smith went. He came.", ["Mr. Smith went. ", "He came."]),
        ("It costs 3.5 euros. Fine.", ["It costs 3.5 euros. ", "Fine."]),
        ("She said “stop.” Then left.", ["She said “stop.” ", "Then left."]),
        ("no. small letter", ["no. small letter"]),
        ("好的。再见！", ["好的。", "再见！"]),
        ("a line\n\nanother", ["a line\n\n", "another"]),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(text, sentences):
    assert [text[start:end] for start, end in _pieces.cut(text, api.TextsSpec(long="sentence"))] == sentences


@pytest.mark.parametrize(("n_words", "n_overlap"), [(1, 0), (3, 0), (5, 2), (7, 6), (50, 10)])
@pytest.mark.parametrize("text", [*AWKWARD, " ".join(map(str, range(23))), *random_texts()[:40]])
def test_windows_hold_every_word_and_share_as_many_as_asked(text, n_words, n_overlap):
    spec = api.TextsSpec(long="window", n_words=n_words, n_overlap=n_overlap)
    spans = _pieces.cut(text, spec)
    covered = np.zeros(len(text), dtype=bool)
    for start, end in spans:
        covered[start:end] = True
    assert covered.all()
    words = split_words(text)
    inside = [[word for word in words if start <= word[0] and word[1] <= end] for start, end in spans]
    assert {word for found in inside for word in found} == set(words)
    assert all(len(found) <= n_words for found in inside)
    for one, other in pairwise(inside):
        assert len(set(one) & set(other)) == n_overlap
    assert all(len(found) == n_words for found in inside[:-1])


def test_a_cut_text_keeps_its_first_words(read):
    found = read("a.txt", "one two three four\nfive six", long="cut", n_words=3)
    assert found.texts == ("one two three", "five six")
    assert any("1 of 2 texts were cut after their first 3 words" in note for note in found.notes)


def test_pieces_keep_the_row_the_label_and_the_place_they_came_from(read):
    rows = ["First one. Second one.", "Only one.", "A. B. Then C."]
    found = read("a.csv", "text,label\n" + "".join(f"{row},{'pos' if row[0] == 'F' else 'neg'}\n" for row in rows),
                 long="sentence")  # fmt: skip
    for text, row, (start, end) in zip(found.texts, found.rows, found.spans, strict=True):
        assert rows[row][start:end] == text
    for row, whole in enumerate(rows):
        assert "".join(text for text, of in zip(found.texts, found.rows, strict=True) if of == row) == whole
    assert found.row_numbers.tolist() == (found.rows + 2).tolist()
    assert [found.label_values[label] for label in found.label] == ["pos", "pos", *["neg"] * (len(found) - 2)]
    assert found.has_pieces
    assert {"piece", "start", "end"} <= set(found.to_frame().columns)
