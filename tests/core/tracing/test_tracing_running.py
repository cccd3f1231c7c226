"""The running verdict: the model's own verdict over each prefix, however it was come by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError
from explorer_core.text import read_text
from explorer_core.tracing import _prefixes
from tests.core import oracle, random_networks

POOLINGS = ("last", "mean", "max")
TEXT = "the plot was not good, but i loved the really wonderful acting!"


def verdict(model, text: str) -> np.ndarray:
    """What the model says of a text of its own, by the plainest way there is."""
    with torch.inference_mode():
        return model.module(**model.tokenizer(text, return_tensors="pt", return_token_type_ids=False)).logits[0].numpy()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("is_both", [False, True])
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_each_row_is_the_prefix_read_from_nothing(name, is_both, n_layers, pooling):
    module = random_networks.build(
        name, bidirectional=is_both, num_layers=n_layers, pooling=pooling, dtype=torch.float64, num_labels=3
    )
    vectors = torch.randn(14, 6, dtype=torch.float64)
    found = random_networks.running(module, vectors)
    assert random_networks.distance(found, oracle.running(module, vectors)) <= 1e-12


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("is_both", [False, True])
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("n_closing", [1, 2])
def test_a_prefix_is_closed_as_the_whole_text_is(name, is_both, n_layers, pooling, n_closing):
    module = random_networks.build(
        name, bidirectional=is_both, num_layers=n_layers, pooling=pooling, dtype=torch.float64
    )
    vectors = torch.randn(9, 6, dtype=torch.float64)
    n_open = len(vectors) - n_closing
    closed = [torch.cat([vectors[: stop + 1], vectors[n_open:]]) for stop in range(n_open)]
    expected = np.stack([oracle.read(module, each).logits for each in closed])
    found = random_networks.running(module, vectors, n_closing=n_closing)
    assert random_networks.distance(found, expected) <= 1e-12


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_every_family_says_of_each_prefix_what_it_says_of_that_text(family, n_layers, pooling, tiny_model):
    sizes = {} if family == "bert" else {"pooling": pooling}
    model = tiny_model(family, num_layers=n_layers, **sizes)
    traced = api.trace_states(model, TEXT)
    prefixes = [TEXT[: traced.reading.word_spans[word, 1]] for word in range(len(traced.words))]
    expected = np.stack([verdict(model, prefix) for prefix in prefixes])
    assert np.abs(traced.running_logits_by_word - expected).max() <= 1e-5
    assert np.abs(traced.running_logits[-1] - traced.logits).max() <= 1e-5
    assert np.abs(traced.logits - verdict(model, TEXT)).max() <= 1e-5
    assert np.abs(np.diff(expected, axis=0)).max() > 1e-2  # or the check above could not fail
    alone = api.running_verdict(model, TEXT)
    assert alone.shape == (len(traced.words), 2)
    assert np.abs(alone - expected).max() <= 1e-5


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "bilstm"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_end_mark_closes_every_prefix(name, pooling, tiny_model):
    model = tiny_model(name, vocabulary="words", end_token=True, pooling=pooling)
    traced = api.trace_states(model, TEXT)
    assert traced.reading.pieces[-1] == "[END]"
    assert traced.running_logits.shape == (len(traced.tokens), 2)
    expected = np.stack([verdict(model, TEXT[:end]) for _, end in traced.reading.word_spans])
    assert np.abs(traced.running_logits_by_word - expected).max() <= 1e-5
    assert np.abs(traced.running_logits[-1] - traced.logits).max() <= 1e-5
    assert np.abs(api.running_verdict(model, TEXT) - expected).max() <= 1e-5


def test_the_prefixes_of_a_bert_are_what_its_tokenizer_makes_of_the_prefix_text(tiny_model):
    """The ids of the first words and the special tokens: for WordPiece the same as tokenising the prefix."""
    model = tiny_model("bert")
    seen: list[list[int]] = []
    forward = model.module.forward

    def record(input_ids, attention_mask, **rest):
        seen.extend(row[mask.bool()].tolist() for row, mask in zip(input_ids, attention_mask, strict=True))
        return forward(input_ids=input_ids, attention_mask=attention_mask, **rest)

    model.module.forward = record
    api.running_verdict(model, TEXT)
    texts = [TEXT[:end] for _, end in read_text(model.tokenizer, TEXT, model.max_tokens).word_spans]
    assert sorted(seen, key=len) == [model.tokenizer(text).input_ids for text in texts]


@pytest.mark.parametrize("budget", [1, 40, 100_000])
@pytest.mark.parametrize("family", ["bilstm", "bert"])
def test_the_batches_do_not_change_the_verdict(family, budget, tiny_model, monkeypatch):
    model = tiny_model(family)
    expected = api.trace_states(model, TEXT).running_logits
    monkeypatch.setattr(_prefixes, "TOKEN_BUDGET", budget)
    monkeypatch.setattr(_prefixes, "PADDING_BUDGET", budget)
    assert np.abs(api.trace_states(model, TEXT).running_logits - expected).max() <= 1e-5


def test_batches_keep_their_budgets_and_leave_nothing_out():
    n_read = np.random.default_rng(0).permutation(np.arange(3, 700))
    for padding_budget in (None, 128):
        chunks = list(_prefixes._batches(n_read, padding_budget))
        assert sorted(np.concatenate(chunks)) == list(range(len(n_read)))
        for chunk in chunks:
            lengths = n_read[chunk]
            assert list(lengths) == sorted(lengths, reverse=True)
            assert len(chunk) * lengths[0] <= _prefixes.TOKEN_BUDGET
            assert padding_budget is None or (lengths[0] - lengths).sum() <= padding_budget
    assert list(_prefixes._batches(np.array([], dtype=np.int64), 128)) == []


@pytest.mark.parametrize("family", ["bilstm", "bert"])
def test_progress_grows_to_one_and_cancels(family, tiny_model, monkeypatch):
    model = tiny_model(family)
    monkeypatch.setattr(_prefixes, "TOKEN_BUDGET", 40)
    shares: list[float] = []
    api.trace_states(model, TEXT, progress=shares.append)
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)

    def cancel(share: float) -> None:
        if share > 0.5:
            raise CancelledError("Stopped, as you asked.")

    with pytest.raises(CancelledError):
        api.trace_states(model, TEXT, progress=cancel)
    assert api.trace_states(model, TEXT).running_logits is not None


def test_left_out_the_running_verdict_is_none(family, tiny_model):
    traced = api.trace_states(tiny_model(family), TEXT, running=False)
    assert traced.running_logits is None
    assert traced.running_logits_by_word is None


def test_a_running_mean_does_not_drift_over_thousands_of_words():
    module = random_networks.build("lstm", pooling="mean")
    vectors = torch.randn(4096, 6) + 0.5
    found = random_networks.running(module, vectors)
    with torch.inference_mode():
        whole = module(inputs_embeds=vectors[None]).logits[0]
    torch.testing.assert_close(found[-1], whole, rtol=0, atol=1e-5)
