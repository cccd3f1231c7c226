"""Words of several tokenizers on one axis: every word has one place, and only one, whatever the tokenizers do."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.text import read_text, split_words
from tests.conftest import tiny_tokenizer
from tests.core.text_cases import HARD, TOKENIZERS, random_texts

N_TEXTS = 500


@pytest.fixture(scope="module")
def tokenizers():
    return [make() for make in TOKENIZERS.values()]


def readings_of(tokenizers, text):
    found = []
    for tokenizer in tokenizers:
        try:
            found.append(read_text(tokenizer, text, 512))
        except InvalidInputError:
            continue  # this one finds nothing to read there
    return found


def test_every_word_of_500_awkward_texts_has_one_place_in_every_tokenizer(tokenizers):
    texts = [*HARD.values(), *random_texts(N_TEXTS - len(HARD), seed=8)]
    n_read = 0
    for text in texts:
        readings = readings_of(tokenizers, text)
        if not readings:
            continue
        n_read += 1
        aligned = api.align_words(readings)
        owner = np.full(len(text), -1)
        for place, (start, end) in enumerate(aligned.word_spans):
            assert end > start
            assert (owner[start:end] == -1).all(), repr(text)
            owner[start:end] = place
        for start, end in split_words(text):
            assert len(set(owner[start:end].tolist())) == 1, repr(text)
            assert owner[start] >= 0, repr(text)
        for reading, places in zip(readings, aligned.places, strict=True):
            assert len(places) == len(reading.words)
            for (start, end), place in zip(reading.word_spans, places, strict=True):
                assert set(owner[start:end].tolist()) == {place}, repr(text)
            of_token = places[reading.word_of_token[reading.word_of_token >= 0]]
            assert len(of_token) == int((~reading.is_special).sum())
            assert (np.diff(places) >= 0).all(), repr(text)
        assert aligned.words == tuple(text[start:end] for start, end in aligned.word_spans)
    assert n_read > 0.95 * N_TEXTS


def test_sums_are_kept_and_the_last_value_stands():
    by_words = read_text(TOKENIZERS["blanks only"](), "good, film", 64)
    by_marks = read_text(tiny_tokenizer(special=False), "good, film", 64)
    aligned = api.align_words([by_words, by_marks])
    assert aligned.words == ("good,", "film")
    assert by_marks.words == ("good", ",", "film")
    assert aligned.sum(1, np.array([1.0, 2.0, 4.0])).tolist() == [3.0, 4.0]
    assert aligned.last(1, np.array([1.0, 2.0, 4.0])).tolist() == [2.0, 4.0]
    assert aligned.sum(0, np.array([5.0, 6.0])).tolist() == [5.0, 6.0]


def test_words_beyond_a_limit_keep_their_place():
    tokenizer = tiny_tokenizer(special=False)
    short, whole = (read_text(tokenizer, "the film was good", limit) for limit in (2, 64))
    aligned = api.align_words([short, whole])
    assert aligned.words == whole.words
    assert np.isnan(aligned.sum(0, np.ones(2))).tolist() == [False, False, True, True]
    alone = api.align_words([short])
    assert alone.words == whole.words


def test_readings_of_different_texts_are_refused():
    tokenizer = tiny_tokenizer(special=False)
    with pytest.raises(IncompatibleError, match="different texts"):
        api.align_words([read_text(tokenizer, text, 64) for text in ("good", "bad")])
