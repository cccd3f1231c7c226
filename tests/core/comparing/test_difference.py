"""Two models subtracted, as equations: a model less itself is zero, and swapping the two turns every sign."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pytest
from scipy import special, stats

from explorer_core import api
from explorer_core.comparing import difference
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import NORMALISATIONS
from tests.conftest import build_tiny
from tests.core.comparing.compared import equal

TEXT = "not unbelievably bad but the acting was great"
QUICK = {"integrated_gradients": {"max_points": 16}, "gradient_shap": {"n_samples": 5}, "smooth_grad": {"n_samples": 5},
         "kernel_shap": {"n_samples": 50}, "lime": {"n_samples": 50}, "shapley_sampling": {"n_samples": 5}}  # fmt: skip


@pytest.fixture(scope="module")
def scored():
    """An LSTM and a BERT, by one method."""
    return [api.attribute(build_tiny(family), TEXT, target=1, max_points=16) for family in ("lstm", "bert")]


@pytest.fixture(scope="module")
def read():
    return [api.trace_running(build_tiny(family), TEXT) for family in ("bilstm", "bert")]


def test_a_model_less_itself_is_exactly_zero_by_every_method(family):
    model = build_tiny(family)
    for about in api.list_methods(model):
        one, other = (api.attribute(model, TEXT, about.name, 1, **QUICK.get(about.name, {})) for _ in range(2))
        for normalisation in NORMALISATIONS:
            found = api.compare_words(one, other, normalisation)
            assert not found.difference.any(), (about.name, normalisation)
            assert not found.used_by.any()
            assert found.tau == pytest.approx(1.0) or not one.scores.any()
    running = [api.trace_running(model, TEXT) for _ in range(2)]
    for quantity in ("prob", "log_odds"):
        assert not api.compare_verdicts(running[0], running[1], 1).difference(quantity).any()


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_swapping_the_two_turns_every_sign(scored, normalisation):
    one, other = api.compare_words(*scored, normalisation), api.compare_words(*scored[::-1], normalisation)
    np.testing.assert_array_equal(one.difference, -other.difference)
    np.testing.assert_array_equal(one.values, other.values[::-1])
    np.testing.assert_array_equal(one.used_by, np.array([0, 2, 1])[other.used_by])
    assert (one.tau, one.tau_low, one.tau_high) == pytest.approx((other.tau, other.tau_low, other.tau_high))
    assert one.difference.any()


def test_swapping_verdicts_turns_every_sign(read):
    one, other = api.compare_verdicts(*read, 1), api.compare_verdicts(*read[::-1], 1)
    for quantity in ("prob", "log_odds"):
        np.testing.assert_array_equal(one.difference(quantity), -other.difference(quantity))
    np.testing.assert_allclose(one.difference(), -api.compare_verdicts(*read, 0).difference(), atol=1e-12)


def test_shares_sum_to_one_in_size_and_keep_their_sign(scored):
    found = api.compare_words(*scored, "share")
    np.testing.assert_allclose(np.abs(found.values).sum(1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(np.sign(found.values), np.sign(found.scores))
    ratio = found.values / found.scores
    np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones_like(ratio))


def test_signed_ranks_are_counted_by_hand():
    scores = np.array([-3.0, 0.5, 0.0, 0.5, 2.0])
    assert difference.normalised(scores, "rank").tolist() == [-5.0, 2.5, 0.0, 2.5, 4.0]
    assert difference.normalised(np.zeros(3), "share").tolist() == [0, 0, 0]
    assert difference.normalised(scores, "raw") is scores


def test_the_rank_correlation_counts_pairs_and_its_interval_is_fisher_turned(scored):
    found = api.compare_words(*scored)
    first, second = found.scores
    assert found.tau == pytest.approx(stats.kendalltau(first, second).statistic, abs=1e-12)
    pairs = [(np.sign(first[i] - first[j]), np.sign(second[i] - second[j])) for i, j in combinations(range(8), 2)]
    ties = [sum(one[side] == 0 for one in pairs) for side in (0, 1)]
    by_hand = sum(a * b for a, b in pairs) / math.sqrt((len(pairs) - ties[0]) * (len(pairs) - ties[1]))
    assert found.tau == pytest.approx(by_hand, abs=1e-12)
    half = NormalDist().inv_cdf(0.975) * math.sqrt(0.437 / (8 - 4))
    ends = np.tanh(np.arctanh(by_hand) + half * np.array([-1, 1]))
    assert [found.tau_low, found.tau_high] == pytest.approx(ends.tolist(), abs=1e-12)


def test_the_interval_holds_the_true_value_about_as_often_as_it_says():
    rng, rho, hits = np.random.default_rng(0), 0.5, 0
    true = 2 / np.pi * np.arcsin(rho)
    for _ in range(400):
        first = rng.normal(size=20)
        second = rho * first + math.sqrt(1 - rho**2) * rng.normal(size=20)
        low, _, high = difference.rank_correlation(first, second)
        hits += low <= true <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_few_words_and_constant_scores_have_no_order():
    assert difference.rank_correlation(np.arange(4.0), np.arange(4.0)) == (-1.0, pytest.approx(1.0), 1.0)
    assert difference.rank_correlation(np.zeros(6), np.arange(6.0))[1] == 0.0
    assert difference.rank_correlation(np.ones(1), np.ones(1)) == (-1.0, 0.0, 1.0)
    assert difference.rank_correlation(np.arange(6.0), -np.arange(6.0)) == pytest.approx((-1, -1, -1))


def test_a_word_one_uses_and_the_other_ignores_is_marked_by_the_written_rule():
    first = np.array([4.0, 0.0, 0.1, -4.0])  # mean size 2.025
    second = np.array([0.2, 3.0, 1.0, -1.0])  # mean size 1.3
    assert difference.used_by(first, second).tolist() == [1, 2, 0, 0]
    assert difference.used_by(np.zeros(3), np.ones(3)).tolist() == [0, 0, 0]  # who gives nothing ignores nothing
    assert difference.used_by(np.ones(3), np.ones(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_odds_are_the_logit_of_the_probability(n_classes):
    logits = np.random.default_rng(1).normal(size=(7, n_classes)) * 4
    for target in range(n_classes):
        expected = special.logit(special.softmax(logits, axis=1)[:, target])
        np.testing.assert_allclose(difference.log_odds(logits, target), expected, atol=1e-9)


def test_verdicts_are_those_of_the_desk_at_the_shared_words(read):
    found = api.compare_verdicts(*read, 1)
    for row, one in zip(found.probs, read, strict=True):
        np.testing.assert_allclose(row, special.softmax(one.running_logits, axis=1)[:, 1], atol=1e-12)
    assert found.words == read[0].words
    assert not found.left_out.any()


def test_words_beyond_the_limit_of_one_model_are_left_out_and_counted():
    short, long = build_tiny("bert", max_tokens=8), build_tiny("lstm")
    text = "the film was not good but the acting was great"
    scores = [api.attribute(model, text, "gradient_norm", 1) for model in (short, long)]
    found = api.compare_words(*scores, "share")
    assert found.words == long_words(text)[:6]
    assert found.left_out.tolist() == [0, 4]
    np.testing.assert_allclose(np.abs(found.values).sum(1), 1.0)
    runs = [api.trace_running(model, text) for model in (long, short)]
    assert api.compare_verdicts(*runs, 0).left_out.tolist() == [4, 0]


def long_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def test_words_are_matched_by_their_place_in_the_text():
    reading = api.attribute(build_tiny("lstm"), "good , good good", "gradient_norm", 1)
    found = api.compare_words(reading, reading)
    assert found.place.tolist() == [[0, 1, 2, 3]] * 2
    for at, word in enumerate(found.words):
        start, end = reading.reading.word_spans[found.place[0, at]]
        assert reading.reading.text[start:end] == word


def test_what_cannot_be_subtracted_is_refused(scored, read):
    lstm = build_tiny("lstm")
    one = scored[0]
    for other in (
        api.attribute(lstm, TEXT, target=0, max_points=16),
        api.attribute(lstm, TEXT, "gradient_norm", 1),
        api.attribute(lstm, TEXT, target=1, max_points=8),
        api.attribute(lstm, "good", target=1, max_points=16),
        api.attribute(build_tiny("lstm", labels=("a", "b")), TEXT, target=1, max_points=16),
    ):
        with pytest.raises(IncompatibleError):
            api.compare_words(one, other)
    with pytest.raises(InvalidInputError, match="raw, share, rank"):
        api.compare_words(one, one, "percent")
    with pytest.raises(InvalidInputError, match="class"):
        api.compare_verdicts(*read, 2)
    with pytest.raises(IncompatibleError):
        api.compare_verdicts(read[0], api.trace_running(lstm, "good"), 1)


def test_how_a_word_is_taken_away_may_follow_each_network():
    found = [api.attribute(build_tiny(family), TEXT, "leave_one_out", 1) for family in ("lstm", "bert")]
    assert found[0].knobs["removal"] != found[1].knobs["removal"]
    assert api.compare_words(*found).knobs["removal"] == ", ".join(one.knobs["removal"] for one in found)


# Seeds --------------------------------------------------------------------------------------------------------------


def test_a_band_spans_every_seed_whatever_their_order():
    models = [build_tiny("gru", seed=seed) for seed in range(4)]
    scores = [api.attribute(model, TEXT, target=1, max_points=8) for model in models]
    place = np.array([0, 2, 5])
    found = api.spread_words(scores, "share", place)
    by_hand = np.array([one.scores[place] / np.abs(one.scores[place]).sum() for one in scores])
    np.testing.assert_allclose(found.values, by_hand, atol=1e-12)
    assert (found.low <= by_hand).all()
    assert (by_hand <= found.high).all()
    turned = api.spread_words(scores[::-1], "share", place)
    np.testing.assert_array_equal(found.low, turned.low)
    np.testing.assert_array_equal(found.high, turned.high)
    np.testing.assert_allclose(found.mean, turned.mean, atol=1e-15)
    assert found.words == tuple(scores[0].words[at] for at in place)


def test_a_band_of_one_seed_is_that_seed(read):
    place = np.arange(len(read[0].words))
    found = api.spread_verdicts([read[0]], 1, place, "log_odds")
    np.testing.assert_array_equal(found.low, found.high)
    assert not found.outside(found.mean).any()
    assert found.outside(found.mean + 1).all()
    assert not found.apart(found).any()
    with pytest.raises(InvalidInputError, match="prob"):
        api.spread_verdicts([read[0]], 1, place, "logit")
    with pytest.raises(InvalidInputError):
        api.spread_verdicts([], 1, place)


def test_results_are_taken_away_whole(scored, read, tmp_path):
    for result in (api.compare_words(*scored, "rank"), api.compare_verdicts(*read, 1)):
        with np.load(result.save(tmp_path / "a.npz")) as kept:
            assert kept["words"].tolist() == list(result.words)
        assert len(result.to_frame()) == len(result.words)
        assert result.save(tmp_path / "a.csv").read_bytes().count(b"\r\n") == len(result.words) + 1
        assert equal(result, result)
