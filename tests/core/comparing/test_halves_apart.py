"""Halves held apart, against two LSTMs run by hand in double precision."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from explorer_core import api
from explorer_core.comparing import halves
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import log_odds
from explorer_core.text import read_text
from tests.conftest import build_tiny
from tests.core import random_networks
from tests.pages.tiny import save_tiny

TEXT = "the plot isn't unbelievably good , but I loved it"
REFERENCES = ("a dull film", "great acting and a lovely story", "never boring")


def one_way(module: nn.Module, *, backward: bool) -> nn.LSTM:
    """One direction of a one-layer BiLSTM as an LSTM of its own, float64."""
    rnn, ending = module.rnn, "_reverse" if backward else ""
    single = nn.LSTM(rnn.input_size, rnn.hidden_size, batch_first=True).double()
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            getattr(single, name).copy_(getattr(rnn, name + ending).double())
    return single


def pool(states: torch.Tensor, pooling: str) -> np.ndarray:
    """[pos, unit] in the order they were read -> [unit]."""
    found = {"last": states[-1], "mean": states.mean(0), "max": states.max(0).values}[pooling]
    return found.detach().numpy()


def half_by_hand(model, ids: np.ndarray, *, backward: bool) -> np.ndarray:
    """What one half has pooled of some tokens, given in the text's order."""
    vectors = model.module.embedding.weight.double()[torch.from_numpy(ids)]
    read = vectors.flip(0) if backward else vectors
    return pool(one_way(model.module, backward=backward)(read[None])[0][0], model.module.config.pooling)


def logits_by_hand(model, forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    weight = model.module.classifier.weight.double().numpy()
    return weight @ np.concatenate([forward, backward]) + model.module.classifier.bias.double().numpy()


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_each_half_alone_is_an_lstm_run_by_hand_beside_the_mean_of_the_other(pooling):
    """logits = W_f f + W_b mean(b) + c, and the other way round, to 1e-5."""
    model = build_tiny("bilstm", num_layers=1, pooling=pooling)
    found = api.compare_halves(model, TEXT, references=REFERENCES)
    read = [read_text(model.tokenizer, text, 99).token_ids for text in REFERENCES]
    means = [np.mean([half_by_hand(model, ids, backward=way) for ids in read], axis=0) for way in (False, True)]
    own = [half_by_hand(model, found.reading.token_ids, backward=way) for way in (False, True)]
    np.testing.assert_allclose(found.logits, logits_by_hand(model, *own), atol=1e-5)
    np.testing.assert_allclose(found.alone[0], logits_by_hand(model, own[0], means[1]), atol=1e-5)
    np.testing.assert_allclose(found.alone[1], logits_by_hand(model, means[0], own[1]), atol=1e-5)
    assert found.n_references == 3

    empty = api.compare_halves(model, TEXT, fill="zero")
    np.testing.assert_allclose(empty.alone[0], logits_by_hand(model, own[0], 0 * own[1]), atol=1e-5)
    np.testing.assert_allclose(empty.alone[1], logits_by_hand(model, 0 * own[0], own[1]), atol=1e-5)
    assert empty.n_references == 0


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_shuffled_past_is_the_same_lstm_over_another_order_and_the_other_half_over_the_text(pooling):
    model = build_tiny("bilstm", num_layers=1, pooling=pooling)
    found = api.compare_halves(model, TEXT, fill="zero", n_orders=5, seed=3)
    ids = found.reading.token_ids
    own = [half_by_hand(model, ids, backward=way) for way in (False, True)]
    for direction in (0, 1):
        orders = halves.orders_of(found.reading, direction, 5, 3)
        assert len(orders) == 5
        for row, order in enumerate(orders):
            both = list(own)
            both[direction] = half_by_hand(model, ids[order], backward=bool(direction))
            np.testing.assert_allclose(found.shuffled[direction, row], logits_by_hand(model, *both), atol=1e-5)


def test_orders_move_whole_words_and_leave_the_word_read_last_in_its_place():
    model = build_tiny("bilstm", vocabulary="wordpiece")
    reading = read_text(model.tokenizer, TEXT, 99)
    words = [reading.token_ids[reading.word_of_token == word].tolist() for word in range(len(reading.words))]
    assert max(map(len, words)) > 1
    for direction, order in itertools.chain(
        *([(way, one) for one in halves.orders_of(reading, way, 20, 0)] for way in (0, 1))
    ):
        assert sorted(order) == list(range(len(reading.tokens)))
        moved = reading.word_of_token[order]
        runs = [word for word, _ in itertools.groupby(moved.tolist())]
        assert sorted(runs) == list(range(len(words)))  # each word in one piece
        read = [reading.token_ids[order][moved == word].tolist() for word in range(len(words))]
        assert read == words
        assert runs[0 if direction else -1] == (0 if direction else len(words) - 1)


def test_few_orders_come_each_once_and_a_short_text_has_none():
    model = build_tiny("bilstm")
    found = api.compare_halves(model, "not bad at all", fill="zero", n_orders=30)
    assert found.n_orders == math.factorial(3) == found.shuffled.shape[1]
    assert found.is_every_order
    # the order of the text is one of them
    assert np.abs(found.shuffled - found.logits).max(-1).min(-1) == pytest.approx([0, 0], abs=1e-6)
    for text in ("good", "not good"):
        short = api.compare_halves(model, text, fill="zero")
        assert short.shuffled.shape == (2, 0, 2)
        assert np.isnan(short.logit_mean).all()
        assert np.isnan(short.turned).all()
    many = api.compare_halves(model, TEXT * 3, fill="zero", n_orders=7)
    assert not many.is_every_order
    assert many.n_orders == halves.MAX_COUNTED


def test_special_tokens_keep_their_places():
    model = build_tiny("bilstm", vocabulary="words", end_token=True)
    reading = read_text(model.tokenizer, "the plot was good", 99)
    assert (halves.orders_of(reading, 0, 9, 0)[:, -1] == len(reading.tokens) - 1).all()
    assert (halves.orders_of(reading, 1, 9, 0)[:, -1] == len(reading.tokens) - 1).all()


def test_the_numbers_said_are_those_of_the_arrays():
    found = api.compare_halves(build_tiny("bilstm"), TEXT, "positive", fill="zero", n_orders=9)
    assert found.odds == pytest.approx(float(found.logits[1] - found.logits[0]))
    np.testing.assert_allclose(found.logit_mean, found.shuffled[:, :, 1].mean(1))
    np.testing.assert_allclose(found.logit_spread, [np.std(one) for one in found.shuffled[:, :, 1]])
    turned = [[int(row.argmax() != found.logits.argmax()) for row in one] for one in found.shuffled]
    np.testing.assert_allclose(found.turned, np.mean(turned, axis=1))
    frame = found.to_frame()
    assert len(frame) == 1 + 2 + 2 * 9
    np.testing.assert_allclose(frame["log_odds"][1:3], found.odds_alone)


def test_log_odds_are_those_of_the_softmax_and_know_no_shift():
    logits = np.array([[0.3, -2.0, 1.5], [800.0, 0.0, -800.0]])
    probs = np.exp(logits[0]) / np.exp(logits[0]).sum()
    for target in range(3):
        assert log_odds(logits, target)[0] == pytest.approx(math.log(probs[target] / (1 - probs[target])))
    np.testing.assert_allclose(log_odds(logits + 7, 1), log_odds(logits, 1))
    assert log_odds(logits, 0)[1] == pytest.approx(800)


@pytest.mark.parametrize("family", ["rnn", "gru"])
def test_any_network_of_two_halves_is_held_apart(family):
    model = build_tiny(family)
    module = random_networks.build(
        family, bidirectional=True, vocab_size=len(model.tokenizer), embedding_size=12, hidden_size=16
    )
    found = api.compare_halves(dataclasses.replace(model, module=module.eval()), TEXT, references=REFERENCES)
    np.testing.assert_allclose(found.logits, api.predict(dataclasses.replace(model, module=module), [TEXT]).logits[0],
                               atol=1e-5)  # fmt: skip


def test_what_has_no_halves_or_cannot_be_asked_is_refused():
    for family in ("lstm", "bert"):
        with pytest.raises(IncompatibleError, match="does not read in two directions"):
            api.compare_halves(build_tiny(family), TEXT)
    model = build_tiny("bilstm")
    for given, said in (
        ({"fill": "none"}, "allowed: mean, zero"),
        ({"references": ()}, "no text to average"),
        ({"n_orders": 0}, "Orders is 0"),
        ({"seed": -1}, "Seed is -1"),
        ({"target": 7}, "no class"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            api.compare_halves(model, TEXT, **({"references": REFERENCES} | given))


def test_a_forward_twin_has_the_size_of_one_half(home):
    model = save_tiny(home, "both", "bilstm")
    save_tiny(home, "twin", "lstm")
    save_tiny(home, "other", "gru")
    save_tiny(home, "classes", "lstm", labels=("a", "b"))
    assert api.forward_twins(model) == ("twin",)
    assert api.forward_twins(build_tiny("bilstm", hidden_size=8)) == ()
    assert api.forward_twins(build_tiny("lstm")) == ()
    assert api.forward_twins(build_tiny("bert")) == ()


@pytest.mark.parametrize("fill", ["mean", "zero"])
def test_scores_over_texts_are_those_of_each_text_by_itself(fill):
    """alone over many texts = `compare_halves` of each with these texts as references; a past by its own seed."""
    model = build_tiny("bilstm")
    texts, true = [TEXT, *REFERENCES, "good"], [0, 1, 1, 0, 1]
    found = api.score_halves(model, texts, true, fill=fill, seed=5)
    for place, text in enumerate(texts):
        one = api.compare_halves(model, text, fill=fill, references=texts, n_orders=1, seed=5 + place)
        np.testing.assert_allclose(found.logits[0, place], one.logits, atol=1e-5)
        np.testing.assert_allclose(found.logits[1:3, place], one.alone, atol=1e-5)
        past = one.shuffled[:, 0] if one.shuffled.shape[1] else np.stack([one.logits] * 2)
        np.testing.assert_allclose(found.logits[3:, place], past, atol=1e-5)
    verdicts = found.logits.argmax(-1)
    np.testing.assert_allclose(found.accuracy, [np.mean(one == np.array(true)) for one in verdicts])
    np.testing.assert_allclose(found.same, [np.mean(one == verdicts[0]) for one in verdicts])
    ends = binomtest(round(found.accuracy[1] * 5), 5).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(found.interval[1], [ends.low, ends.high], atol=1e-9)
    assert list(found.to_frame()["both"]) == [model.labels[one] for one in verdicts[0]]


def test_scores_need_texts_with_a_class_each():
    model = build_tiny("bilstm")
    for texts, true in (([], []), (["good"], [0, 1])):
        with pytest.raises(InvalidInputError, match="with a right class each"):
            api.score_halves(model, texts, true)
    with pytest.raises(IncompatibleError, match="does not read in two directions"):
        api.score_halves(build_tiny("gru"), ["good"], [0])
