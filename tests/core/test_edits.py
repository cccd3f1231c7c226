"""Edits between texts, word by word, against the whole table of distances."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core.edits import word_distance, word_edit


def levenshtein(one, two):
    """The textbook's table, whole."""
    table = np.zeros((len(one) + 1, len(two) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(two) + 1)
    for row in range(len(one)):
        for column in range(len(two)):
            step = table[row, column] + (one[row] != two[column])
            table[row + 1, column + 1] = min(step, table[row, column + 1] + 1, table[row + 1, column] + 1)
    return int(table[-1, -1])


@pytest.mark.parametrize("seed", range(6))
def test_distances_are_those_of_the_whole_table(seed):
    rng = np.random.default_rng(seed)
    for _ in range(80):
        one = rng.choice(list("abc"), size=rng.integers(0, 9)).tolist()
        two = rng.choice(list("abc"), size=rng.integers(0, 9)).tolist()
        for most in range(6):
            assert word_distance(one, two, most) == min(levenshtein(one, two), most + 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a good film", "a bad film"),
        ("  it was not bad. ", "it was bad.  "),
        ("", "something"),
        ("something", ""),
        ("<b>good</b>", "<b>bad</b>"),
        ("我喜欢这部电影", "我不喜欢这部电影"),
        ("one\ntwo three", "one two\tfour"),
    ],
)
def test_an_edit_holds_both_texts(first, second):
    pieces = word_edit(first, second)
    before = "".join(piece.text for piece in pieces if piece.kind in ("kept", "out"))
    after = "".join(piece.text for piece in pieces if piece.kind in ("kept", "in"))
    assert before.split() == first.split() or "".join(before.split()) == "".join(first.split())
    assert after == second or after.split() == second.split()


def test_words_taken_out_come_before_words_put_in():
    found = [(piece.kind, piece.text.strip()) for piece in word_edit("a good old film", "a bad film")]
    assert found == [("kept", "a"), ("out", "good old"), ("in", "bad"), ("kept", "film")]


def test_a_text_is_no_edit_of_itself():
    assert {piece.kind for piece in word_edit("the same, again", "the same, again")} == {"kept"}
