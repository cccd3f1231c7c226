"""Where words begin and end, by hand."""

from __future__ import annotations

import pytest

from explorer_core import settings
from explorer_core.text import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't like it.", ["I", "don't", "like", "it", "."]),
        ("well-made, 3.5 stars!!", ["well-made", ",", "3.5", "stars", "!!"]),
        ("1,000 people: 10,", ["1,000", "people", ":", "10", ","]),
        ("wait... what?!", ["wait", "...", "what", "?", "!"]),
        ("a  b\n\tc", ["a", "b", "c"]),
        ("Cafe\u0301 noir", ["Cafe\u0301", "noir"]),
        ("这部 电影", ["这", "部", "电", "影"]),
        ("good👍🏽 👨‍👩‍👧 🇫🇷", ["good", "👍🏽", "👨‍👩‍👧", "🇫🇷"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("zero\u200bwidth", ["zero\u200bwidth"]),
        ("(“so-so”)", ["(", "“", "so-so", "”", ")"]),
        ("the dogs' tails", ["the", "dogs", "'", "tails"]),
        ("❤️ it", ["❤️", "it"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_are_what_a_person_reads(text, words):
    assert [text[start:end] for start, end in split_words(text)] == words


def test_splitting_is_linear_in_the_length():
    for letter in ("a", ".", "'", "a'", "-a", "👨‍", "\u0301", "\u200b", "1,", "(", "ﷺ", "\u200d"):
        text = letter * (settings.MAX_TEXT_CHARS // len(letter))
        assert split_words(text) == sorted(split_words(text))
