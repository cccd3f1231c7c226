"""The two halves of a bidirectional network: their sum, their lines, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError
from explorer_core.results import softmax
from explorer_core.tracing import halves, ledger
from tests.core import oracle, random_ledgers, random_networks

TEXT = "The plot isn't good, but I loved the acting"


def test_both_halves_and_the_bias_are_the_oracles_logits():
    """forward at the end + backward at the first + bias = logits, to 1e-5."""
    cases = list(random_ledgers.two_way())
    assert len(cases) == 200
    assert {case.module.rnn.mode for case in cases} == {"LSTM", "GRU", "RNN_TANH"}
    assert max(random_ledgers.halves_difference(case) for case in cases) <= 1e-5


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_each_half_is_what_it_has_pooled_of_its_own_reading(pooling):
    """At t: W_f pool(h_f[0..t]) and W_b pool(h_b[t..end]), pooled anew for every t."""
    module = random_networks.build("bilstm", seed=2, pooling=pooling, num_labels=3, dtype=torch.float64)
    vectors = torch.randn(8, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    top = oracle.read(module, vectors).hidden[-1]
    weight, _ = ledger.classifier_of(module)
    forward, backward = halves.shares(top, weight, pooling)
    pool = {"mean": lambda states: states.mean(0), "max": lambda states: states.max(0)}
    for pos in range(8):
        read, rest = top[0, : pos + 1], top[1, pos:]
        one, other = (read[-1], rest[0]) if pooling == "last" else (pool[pooling](read), pool[pooling](rest))
        assert np.allclose(forward[pos], weight[0] @ one, atol=1e-14)
        assert np.allclose(backward[pos], weight[1] @ other, atol=1e-14)


def test_the_forward_half_of_one_layer_has_not_seen_later_words(tiny_model):
    model = tiny_model("bilstm", num_layers=1)
    one, other = api.trace_halves(model, "not bad at all"), api.trace_halves(model, "not bad the plot")
    assert np.allclose(one.forward[:2], other.forward[:2], atol=1e-6)
    assert not np.allclose(one.backward[:2], other.backward[:2], atol=1e-3)


def test_halves_of_a_typed_text_sum_to_its_logits_and_say_what_each_would_decide(tiny_model):
    found = api.trace_halves(tiny_model("bilstm", vocabulary="words", end_token=True), TEXT, "positive")
    assert found.logit_residual <= 1e-5
    assert found.n_layers == 2
    assert np.allclose(found.final, [found.forward[-1], found.backward[0]])
    assert np.allclose(found.alone, softmax(found.final + found.bias))
    assert found.forward_by_word.shape == found.backward_by_word.shape == (len(found.words), 2)
    assert found.entries.names[-1] == "[END]"
    assert found.target == 1


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_any_recurrent_family_that_reads_both_ways_has_halves(family, tiny_model):
    model = tiny_model(family)
    module = random_networks.build(
        family, bidirectional=True, vocab_size=len(model.tokenizer), embedding_size=12, hidden_size=16
    )
    both = dataclasses.replace(model, module=module)
    found = api.trace_halves(both, TEXT)
    assert found.logit_residual <= 1e-5
    assert np.allclose(found.logits, api.predict(both, [TEXT]).logits[0], atol=1e-5)


@pytest.mark.parametrize("family", ["rnn", "gru", "lstm", "bert"])
def test_a_network_without_two_halves_is_refused(family, tiny_model):
    with pytest.raises(IncompatibleError, match="does not read in two directions"):
        api.trace_halves(tiny_model(family), TEXT)


def test_halves_are_taken_away_with_one_row_a_token(tmp_path, tiny_model):
    found = api.trace_halves(tiny_model("bilstm"), "unbelievably good")
    frame = found.to_frame()
    assert len(frame) == len(found.tokens)
    assert np.allclose(frame["backward_negative"], found.backward[:, 0])
    assert np.array_equal(np.load(found.save(tmp_path / "halves.npz"))["forward"], found.forward)
