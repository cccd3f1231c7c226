"""What gets a line of its own where positions are summed: words, and special tokens by themselves."""

import dataclasses

import numpy as np
import pytest

from explorer_core.results._entries import entries_of
from explorer_core.text import read_text
from tests.conftest import tiny_tokenizer


def read(text: str, *, special: bool = True):
    return read_text(tiny_tokenizer(special=special), text, 128)


def test_special_tokens_stand_before_and_behind_the_words():
    found = entries_of(read("unbelievably good"))
    assert found.names == ("[CLS]", "unbelievably", "good", "[SEP]")
    assert found.place.tolist() == [-1, 0, 1, 2]
    assert found.word.tolist() == [-1, 0, 1, -1]
    assert found.is_word.tolist() == [False, True, True, False]


def test_tokens_of_a_word_share_an_entry_and_know_its_ends():
    reading = read("unbelievably good")
    found = entries_of(reading)
    assert [found.names[entry] for entry in found.of_token] == ["[CLS]", *["unbelievably"] * 12, "good", "[SEP]"]
    assert found.first_token.tolist() == [0, 1, 13, 14]
    assert found.last_token.tolist() == [0, 12, 13, 14]
    assert np.array_equal(found.first_token[found.is_word], reading.first_token_of_word)
    assert np.array_equal(found.last_token[found.is_word], reading.last_token_of_word)


def test_sums_over_entries_lose_nothing():
    found = entries_of(read("unbelievably good plot"))
    values = np.random.default_rng(0).normal(size=(2, 3, len(found.of_token)))
    sums = found.sums(values)
    assert sums.shape == (2, 3, 5)
    assert np.allclose(sums.sum(-1), values.sum(-1))
    assert np.allclose(sums[..., 1], values[..., 1:13].sum(-1))


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([-1, -1, 0], [-2, -1, 0]),
        ([0, -1, 1, -1, -1], [0, 0.5, 1, 2, 3]),
        ([-1, 0, 1, -1, 2, -1], [-1, 0, 1, 1.5, 2, 3]),
    ],
)
def test_words_stay_at_their_index_wherever_special_tokens_are(words, places):
    reading = read("not bad at", special=False)
    names = tuple(["not", "bad", "at"][: max(words) + 1])
    tokens = tuple("x" for _ in words)
    made = dataclasses.replace(reading, words=names, tokens=tokens, word_of_token=np.array(words))
    assert entries_of(made).place.tolist() == places
