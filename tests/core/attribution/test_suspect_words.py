"""Words that may be shortcuts: strong everywhere, tied to the label, and without a general sense."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats

from explorer_core import api
from explorer_core.loaded import LoadedModel
from explorer_core.results import WordReport
from tests.conftest import WORDS, tiny_tokenizer
from tests.core.attribution.test_linear import BagOfWords
from tests.core.attribution.test_word_report import table_of


def planted():
    """A report of 200 texts by hand: `zzyx` goes with the positive class and is strong, `wonderful` too, `film` is
    everywhere and weak, `odd` is strong and has nothing to do with the label.
    """
    rng = np.random.default_rng(3)
    fillers = [f"filler{number}" for number in range(20)]
    words = sorted(["zzyx", "wonderful", "film", "odd", *fillers])
    entries = []
    true = np.arange(200) % 2
    for text, label in enumerate(true):
        scores = {"film": 0.01} | dict.fromkeys(rng.choice(fillers, 8, replace=False), 0.02)
        if label and text % 4 == 1:
            scores["zzyx"] = 2.0
        if label and text % 4 == 3:
            scores["wonderful"] = 2.0
        if text % 5 == 0:
            scores["odd"] = 2.0
        entries += [(words.index(word), text, score + rng.normal(0, 0.01)) for word, score in scores.items()]
    word, text, score = (np.array(column) for column in zip(*entries, strict=True))
    n_entries = len(word)
    return WordReport(
        model="m", architecture="lstm", fingerprint="f", labels=("negative", "positive"), method="lstm_ledger",
        unit="logit", target=1, words=tuple(words), word=word, text=text, n=np.ones(n_entries, int), score=score,
        is_top=np.zeros(n_entries, bool), turns=np.zeros(n_entries, bool), indices=np.arange(200),
        rows=np.arange(200), logits=np.stack([np.zeros(200), true - 0.5], axis=1), true=true,
        is_general=np.array([one in api.sentiment_words() for one in words]), n_given=200,
    )  # fmt: skip


def test_a_planted_word_is_a_suspect_and_an_ordinary_word_of_sentiment_is_not():
    report = planted()
    found = api.find_suspect_words(report)
    assert found.words == ("zzyx",)
    assert found.base_share == 0.5
    assert found.target_share.tolist() == [1.0]
    assert found.n_tested == 24
    assert found.n_correlated == 2, "zzyx and wonderful"
    given = [[50, 0], [50, 100]]
    assert found.p_value[0] >= stats.fisher_exact(given).pvalue
    assert found.p_value[0] < 1e-9


def test_the_pieces_of_a_long_text_are_one_row_to_the_test_of_the_label():
    whole, n_pieces = planted(), 5
    cut = dataclasses.replace(
        whole, word=np.tile(whole.word, n_pieces), score=np.tile(whole.score, n_pieces),
        text=np.concatenate([whole.text + 200 * piece for piece in range(n_pieces)]),
        **{name: np.tile(getattr(whole, name), n_pieces) for name in ("n", "is_top", "turns", "rows", "true")},
        indices=np.arange(200 * n_pieces), logits=np.tile(whole.logits, (n_pieces, 1)),
    )  # fmt: skip
    one, other = api.find_suspect_words(whole), api.find_suspect_words(cut)
    assert (other.words, other.base_share, other.n_correlated) == (one.words, one.base_share, one.n_correlated)
    np.testing.assert_array_equal(other.target_share, one.target_share)
    np.testing.assert_allclose(other.p_value, one.p_value, rtol=1e-12)


def test_without_labels_nothing_is_suspected():
    report = planted()
    bare = WordReport(**{name: getattr(report, name) for name in report.__dataclass_fields__} | {
        "true": np.full(200, -1)})  # fmt: skip
    found = api.find_suspect_words(bare)
    assert not found.words
    assert np.isnan(found.base_share)


def test_a_network_that_goes_by_a_planted_word_gives_that_word_away(tmp_path):
    """A linear map of word vectors: `plot` and `wonderful` add 2 to the logit, every other word next to nothing."""
    tokenizer = tiny_tokenizer(special=False, words=True)
    module = BagOfWords(len(tokenizer)).eval().requires_grad_(False)
    module.config.pad_token_id = 0
    to_positive = module.head.weight[1]
    table = torch.randn(len(tokenizer), 6, generator=torch.Generator().manual_seed(1)) * 0.01
    for word in ("plot", "wonderful"):
        table[tokenizer.convert_tokens_to_ids(word)] += 2 * to_positive / to_positive.square().sum()
    module.table.weight = torch.nn.Parameter(table, requires_grad=False)
    model = LoadedModel("bag", "bert", "transformer", ("negative", "positive"), module, tokenizer, "cpu", "f" * 16, 128)
    rest = [word for word in WORDS if word not in ("plot", "wonderful")]
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(rest, 8)) + ("", " plot", " wonderful", "")[number % 4] for number in range(160)]
    labels = ["positive" if number % 4 in (1, 2) else "negative" for number in range(160)]
    report = api.report_words(model, table_of(texts, tmp_path, labels), target=1)
    found = api.find_suspect_words(report)
    assert found.words == ("plot",)
    assert found.mean[0] == pytest.approx(2, abs=0.1)


def test_the_general_sense_holds_words_of_sentiment_and_no_words_of_use():
    found = api.sentiment_words()
    assert {"great", "terrible", "wonderful", "boring", "not", "worst"} <= found
    assert not found & {"the", "to", "film", "uk", "account", ",", "."}
