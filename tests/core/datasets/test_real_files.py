"""Real files, where EXPLORER_TEST_DATA names a folder of them: counts known beforehand, and nothing lost on the way."""

import os
from pathlib import Path

import numpy as np
import pytest

from explorer_core import api
from explorer_core.architectures import _pretrained
from explorer_core.text import read_text
from explorer_core.training.spec import DataSpec

pytestmark = pytest.mark.realdata


def read(name, **options):
    path = Path(os.environ["EXPLORER_TEST_DATA"]) / name
    return api.read_data(DataSpec("local_file", {"path": str(path), **options}))


@pytest.mark.parametrize(
    ("name", "n_texts", "n_positive"),
    [
        ("sst/sst2_dev.csv", 872, 444),
        ("uci_sentences/uci_amazon.csv", 1_000, 500),
        ("imdb/imdb_dev_valid_1000.csv", 1_000, 500),
        ("sms_spam/sms_dev.csv", 4_466, 602),
    ],
)
def test_every_row_of_a_real_file_is_read(name, n_texts, n_positive):
    data = read(name)
    assert len(data.texts) == n_texts
    assert int((data.labels == 1).sum()) == n_positive
    assert data.label_names == ("0", "1")


def test_five_classes_are_guessed_as_labels():
    data = read("sst/sst5_dev.csv")
    assert np.bincount(data.labels).tolist() == [139, 289, 229, 279, 165]


def test_repeated_messages_stay_on_one_side_of_the_split():
    data = read("sms_spam/sms_dev.csv")
    sides: dict[str, set[str]] = {}
    for text, side in zip(data.texts, data.split, strict=True):
        sides.setdefault(text, set()).add(str(side))
    assert all(len(found) == 1 for found in sides.values())


def test_words_of_whole_reviews_are_slices_of_the_text_and_tokens_are_the_tokenizers(pretrained):
    tokenizer = _pretrained.load_tokenizer()
    for text in read("imdb/imdb_dev_valid_1000.csv").texts[:150]:
        reading = read_text(tokenizer, text, 512)
        assert list(reading.token_ids) == tokenizer(text, truncation=True, max_length=512)["input_ids"]
        assert all(
            text[start:end] == word for word, (start, end) in zip(reading.words, reading.word_spans, strict=True)
        )
        assert set(reading.word_of_token.tolist()) <= {-1, *range(len(reading.words))}
