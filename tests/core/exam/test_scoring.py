"""Ranks, precision and their intervals, against computations written otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from explorer_core import api
from explorer_core.exam import run, scoring
from explorer_core.exam.spec import ExamSpec
from explorer_core.results import PlantedText, ShortcutExam, exam_finding_of
from explorer_core.results.exam_rows import mean_interval, wilson
from tests.conftest import build_tiny
from tests.core.attribution.test_linear import bag  # noqa: F401 (a fixture)
from tests.core.exam.exams import made_exam

LABELS = ("negative", "positive")


def slow_rank(strength: list[float], word: int) -> float:
    """1 + words above + half of the words that tie."""
    above = sum(value > strength[word] for value in strength)
    alike = sum(value == strength[word] for value in strength) - 1
    return 1 + above + alike / 2


@pytest.mark.parametrize("seed", range(20))
def test_ranks_and_hits_agree_with_counting(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, rng.integers(1, 12)).astype(float)
    for word in range(len(scores)):
        for signed in (True, False):
            strength = (scores if signed else abs(scores)).tolist()
            rank, hit = scoring.rank_of(scores, word, signed=signed)
            assert rank == slow_rank(strength, word)
            best = [index for index, value in enumerate(strength) if value == max(strength)]
            assert hit == pytest.approx((word in best) / len(best))


def test_a_word_against_the_class_is_last_by_sign_and_first_by_size():
    scores = np.array([0.5, -2.0, 0.1])
    assert scoring.rank_of(scores, 1, signed=True) == (3.0, 0.0)
    assert scoring.rank_of(scores, 1, signed=False) == (1.0, 1.0)


def test_random_scores_find_the_word_as_often_as_a_random_order_would():
    rng, n_words, n_texts, n_exams = np.random.default_rng(0), 10, 60, 100
    found = [scoring.rank_of(rng.normal(size=n_words), 3, signed=True) for _ in range(n_texts * n_exams)]
    ranks, hits = np.array(found).reshape(n_exams, n_texts, 2).transpose(2, 0, 1)
    within = [low <= 1 / n_words <= high for low, high in (wilson(one.sum(), n_texts) for one in hits)]
    assert np.mean(within) > 0.88
    assert abs(hits.mean() - 1 / n_words) < 4 * np.sqrt(0.09 / hits.size)
    assert abs(ranks.mean() - (n_words + 1) / 2) < 4 * np.sqrt((n_words**2 - 1) / 12 / ranks.size)


@pytest.mark.parametrize(("n_hits", "n_texts"), [(0, 5), (5, 5), (7, 23), (59, 60), (1, 300)])
def test_the_interval_of_a_share_is_wilsons(n_hits, n_texts):
    found = stats.binomtest(n_hits, n_texts).proportion_ci(0.95, method="wilson")
    assert wilson(n_hits, n_texts) == pytest.approx((found.low, found.high), abs=1e-12)


def test_the_interval_of_a_mean_is_near_the_normal_one_and_a_point_where_all_are_alike():
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = mean_interval(values, 0)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.04)
    assert high == pytest.approx(values.mean() + half, abs=0.04)
    assert mean_interval(np.ones(6), 0) == (1.0, 1.0)
    assert mean_interval(values, 3) == mean_interval(values, 3)


def test_rows_are_the_means_over_the_texts_that_count():
    exam = made_exam()
    counts = exam.turned[1]
    row = exam.row("lstm", "lime")
    assert exam.judges("lstm", "lime")
    assert not exam.judges("gru", "lime") and not exam.judges("lstm", "integrated_gradients")
    ranks = exam.ranks[1, exam.spec.methods.index("lime")][counts]
    assert row.n_texts == counts.sum() == 11
    assert row.mean_rank == pytest.approx(sum(ranks) / 11)
    assert row.precision == pytest.approx(sum(rank == 1 for rank in ranks) / 11)
    assert (row.random_precision, row.random_rank) == pytest.approx((1 / 8, 4.5))
    assert row.mean_rank_low <= row.mean_rank <= row.mean_rank_high
    assert row.precision_low <= row.precision <= row.precision_high


@pytest.fixture
def planted_bag(bag, monkeypatch):  # noqa: F811
    """A bag of words in which two words outweigh all others, each for a class."""
    table = bag.module.table.weight.clone()
    direction = bag.module.head.weight[1] - bag.module.head.weight[0]
    with torch.no_grad():
        table *= 0.02
        for word, sign in (("dull", -5), ("lovely", 5)):
            table[bag.tokenizer.convert_tokens_to_ids(word)] = sign * direction
        table[bag.tokenizer.convert_tokens_to_ids("bad")] = -0.5 * direction
        table[bag.tokenizer.convert_tokens_to_ids("good")] = 0.5 * direction
    monkeypatch.setattr(bag.module.table, "weight", nn.Parameter(table, requires_grad=False))
    monkeypatch.setattr(bag.module, "dtype", torch.float32, raising=False)
    monkeypatch.setattr(bag.module.config, "pad_token_id", 0, raising=False)
    return bag


def texts_of(words: tuple[str, str], n_texts: int) -> tuple[PlantedText, ...]:
    made = []
    for index in range(n_texts):
        target = index % 2
        plain = f"the {('good', 'bad')[target]} film was seen by us all"
        parts = plain.split(" ")
        parts.insert(index % len(parts), words[target])
        text = " ".join(parts)
        start = text.index(words[target])
        made.append(PlantedText(text, (start, start + len(words[target])), target, plain))
    return tuple(made)


def test_every_method_that_claims_a_sign_ranks_a_planted_weight_first(planted_bag):
    signed = tuple(
        about.name for about in api.list_methods(planted_bag) if about.extra["signed"] and about.name != "lstm_ledger"
    )
    spec = ExamSpec(families=("bert",), methods=signed, words=("dull", "lovely"), n_texts=8)
    begun = ShortcutExam.begin("", "", spec, LABELS, texts_of(("dull", "lovely"), 8))
    network, turned, n_words, ranks, hits = run.judge(begun, planted_bag)
    assert (network.accuracy, network.plain_accuracy) == (1.0, 1.0)
    assert network.prob_with > 0.9 > 0.1 > 1 - network.prob_with
    assert turned.all()
    assert (n_words == 9).all()
    np.testing.assert_array_equal(ranks, 1.0)
    np.testing.assert_array_equal(hits, 1.0)


def test_a_network_that_learned_nothing_is_left_out_with_its_reason():
    model = build_tiny("lstm")
    spec = ExamSpec(families=("lstm",), methods=("gradient_norm",))
    begun = ShortcutExam.begin("", "", spec, LABELS, texts_of(("dull", "lovely"), 8))
    network, *arrays = run.judge(begun, model)
    sat = begun.with_network(network, *arrays)
    assert network.accuracy < 0.95
    assert sat.rows == ()
    assert "did not learn the shortcut" in sat.problem("lstm")
    assert f"{100 * network.accuracy:.0f} %" in sat.problem("lstm")
    assert list(sat.to_frame()["problem"]) == [sat.problem("lstm")]


def test_a_method_that_ranks_by_the_distance_from_the_end_is_found_out():
    n_texts = 20
    texts = tuple(
        PlantedText("a wug" + " so" * index, (2, 5), 1, "a" + " so" * index) for index in range(1, n_texts + 1)
    )
    spec = ExamSpec(families=("rnn",), methods=("gradient_norm", "lime"), n_texts=n_texts)
    begun = ShortcutExam.begin("", "", spec, LABELS, texts)
    n_words = np.arange(1, n_texts + 1) + 2
    ranks = np.stack([n_words - 1.0, np.tile([1.0, 2.0], n_texts // 2)])
    exam = begun.with_network(
        made_exam().networks[0], np.ones(n_texts, bool), n_words, ranks, (ranks == 1).astype(float)
    )
    assert exam.end_tau("rnn", "gradient_norm") == pytest.approx(1.0)
    assert abs(exam.end_tau("rnn", "lime")) < 0.2
    assert exam.end_tau("gru", "lime") == 0.0
    last = exam_finding_of(exam)[-1]
    assert "Gradient norm 1.0 in the RNN" in last
    assert "LIME" not in last


def test_the_finding_names_who_always_finds_it_and_who_seldom_does():
    first, rnn, lstm = exam_finding_of(made_exam(n_texts=40))
    assert first == (
        "Leave one out puts the planted word first in at least 90 % of the texts in every family; Gradient norm and "
        "LIME miss it more often than not."
    )
    assert rnn.startswith("RNN: 1 of 3 methods in at least 90 %; LIME in ")
    assert "Gradient norm in 0 % (0 to 9)" in lstm
    assert "A random order would find it in 12 % of these 39 texts" in lstm
