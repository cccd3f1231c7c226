"""Unit cards against means, percentiles and correlations of texts read one by one."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.corpus import units
from explorer_core.errors import InvalidInputError
from tests.conftest import build_tiny
from tests.core.corpus.conftest import corpus, read_one_by_one

CASES = (
    ("lstm", 0, "hidden"),
    ("lstm", 0, "cell"),
    ("bilstm", 1, "hidden"),
    ("gru", 0, "update"),
    ("rnn", 0, "hidden"),
    ("bert", 0, "hidden"),
)
UNIT = 3


@functools.cache
def read(family, direction, quantity):
    """Index, card, corpus and the values of one unit, text by text; the mapped states outlive the test's folder."""
    model, data = build_tiny(family), corpus(60)
    index = api.index_states(model, data, direction=direction, quantity=quantity)
    return index, api.unit_card(index, UNIT), data, read_one_by_one(model, data.texts, -1, direction, quantity)


@pytest.fixture(params=CASES, ids=[" ".join(map(str, case)) for case in CASES])
def case(request, home):
    return read(*request.param)


def test_words_are_ordered_by_their_mean_over_the_corpus(case):
    _, card, _, alone = case
    values = alone.values[:, UNIT].astype(np.float64)
    means = pd.DataFrame({"word": alone.words, "value": values}).groupby("word").value.agg(["mean", "size"])
    means = means[means["size"] >= card.min_count].sort_values("mean")
    n = len(card.top_words.words)
    assert n == min(10, len(means))
    assert np.allclose(card.top_words.mean, means["mean"].to_numpy()[::-1][:n], atol=1e-4)
    assert np.allclose(card.bottom_words.mean, means["mean"].to_numpy()[:n], atol=1e-4)
    for words in (card.top_words, card.bottom_words):
        assert np.allclose(words.mean, means["mean"][list(words.words)], atol=1e-4)
        assert np.array_equal(words.counts, means["size"][list(words.words)])


def test_places_are_the_extremes_of_their_texts(case):
    _, card, data, alone = case
    values = pd.Series(alone.values[:, UNIT].astype(np.float64))
    highest = values.groupby(alone.text).max().sort_values(ascending=False)
    lowest = values.groupby(alone.text).min().sort_values()
    assert np.allclose(card.top_places.value, highest[:8], atol=1e-3)
    assert np.allclose(card.bottom_places.value, lowest[:8], atol=1e-3)
    for places in (card.top_places, card.bottom_places):
        assert len(set(places.document)) == len(places) == 8
        for at in range(len(places)):
            text = data.texts[places.document[at]]
            word = text.split()[places.first[at]]
            assert places.inside[at] == word
            whole = places.before[at].removeprefix("… ") + word + places.after[at].removesuffix(" …")
            assert whole in text
            assert places.labels[at] == data.label_names[data.labels[places.document[at]]]
            assert places.n_words[at] == len(text.split())


def test_correlations_are_those_of_numpy(case):
    index, card, data, alone = case
    values = alone.values[:, UNIT].astype(np.float64)
    at_end = alone.number == 0 if index.about.direction else np.append(alone.text[1:] != alone.text[:-1], True)
    assert at_end.sum() == len(data)
    for each in range(2):
        assert card.label_corr[each] == pytest.approx(np.corrcoef(values[at_end], data.labels == each)[0, 1], abs=1e-3)
    assert card.label_corr[0] == pytest.approx(-card.label_corr[1])
    assert card.position_corr == pytest.approx(np.corrcoef(values, alone.number)[0, 1], abs=1e-3)


def test_moments_are_those_of_all_words(case):
    _, card, _, alone = case
    values = alone.values[:, UNIT].astype(np.float64)
    assert card.mean == pytest.approx(values.mean(), abs=1e-3)
    assert card.std == pytest.approx(values.std(), abs=1e-3)
    assert (card.low, card.high) == pytest.approx(tuple(np.percentile(values, [1, 99])), abs=2e-3)


def test_word_sentiment_is_a_weighted_correlation_with_log_odds(case):
    _, card, data, alone = case
    frame = pd.DataFrame({"word": alone.words, "value": alone.values[:, UNIT].astype(float), "text": alone.text})
    for each in range(2):
        has = frame.drop_duplicates(["word", "text"])
        has = has.assign(is_label=data.labels[has.text] == each)
        counts = has.groupby("word").is_label.agg(["sum", "size"])
        counts = counts[counts["size"] >= 5]
        n_with = int((data.labels == each).sum())
        a, b = counts["sum"], counts["size"] - counts["sum"]
        odds = np.log((a + 1) / (n_with - a + 1)) - np.log((b + 1) / (len(data) - n_with - b + 1))
        means = frame.groupby("word").value.agg(["mean", "size"]).loc[odds.index]
        covariance = np.cov(means["mean"], odds, aweights=means["size"], ddof=0)
        expected = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
        assert card.sentiment_corr[each] == pytest.approx(expected, abs=2e-3)
        assert card.n_rated_words == len(odds)


def test_half_life_solves_the_equation_of_its_name(case):
    index, card, _, alone = case
    keeper = {"lstm": 1, "gru": 1}.get(index.about.architecture.replace("bilstm", "lstm"))
    if keeper is None:
        assert card.half_life is None
        return
    keep = np.exp(np.log(alone.gates[:, keeper, UNIT].astype(np.float64)).mean())  # geometric mean
    assert keep**card.half_life == pytest.approx(0.5, abs=1e-3)


def test_similar_units_are_those_of_numpys_correlation_matrix(case):
    index, _, _, alone = case
    found = api.similar_units(index, UNIT, 5)
    corr = np.corrcoef(alone.values.astype(np.float64).T)[UNIT]
    others = np.delete(np.arange(len(corr)), UNIT)
    like = others[np.argsort(-corr[others])]
    expected = like[corr[like] > 0][:5]
    assert np.allclose(found.like_corr, corr[expected], atol=1e-3)
    assert np.allclose(found.unlike_corr, np.sort(corr[others][corr[others] < 0])[:5], atol=1e-3)
    assert np.allclose(corr[found.like], found.like_corr, atol=1e-3)
    assert np.allclose(corr[found.unlike], found.unlike_corr, atol=1e-3)
    assert UNIT not in {*found.like, *found.unlike}


# Cases of their own -------------------------------------------------------------------------------------------------


def test_a_corpus_of_one_text_has_a_card(lstm):
    card = api.unit_card(api.index_states(lstm, ["good film"]), 0)
    assert (card.n_texts, card.n_words, card.min_count) == (1, 2, 1)
    assert sorted(card.top_words.words) == ["film", "good"]
    assert len(card.top_places) == len(card.bottom_places) == 1
    assert card.label_corr.shape == (0,)
    assert card.top_places.labels == ("",)


def test_a_corpus_of_one_word_has_no_correlations(lstm):
    index = api.index_states(lstm, ["good"])
    card = api.unit_card(index, 0)
    assert math.isnan(card.position_corr)
    assert len(api.similar_units(index, 0).like) == 0
    assert card.is_dead


def test_labels_of_four_classes_are_each_set_against_the_rest(lstm):
    data = corpus(60, n_classes=4)
    card = api.unit_card(api.index_states(lstm, data), 1)
    alone = read_one_by_one(lstm, data.texts)
    end = np.append(alone.text[1:] != alone.text[:-1], True)
    expected = [np.corrcoef(alone.values[end, 1].astype(float), data.labels == each)[0, 1] for each in range(4)]
    assert np.allclose(card.label_corr, expected, atol=1e-3)
    assert card.sentiment_corr.shape == (4,)


def test_a_label_no_text_has_is_without_a_correlation(lstm):
    data = corpus(30, n_classes=3)
    data = dataclasses.replace(data, labels=np.minimum(data.labels, 1))
    card = api.unit_card(api.index_states(lstm, data), 1)
    assert math.isnan(card.label_corr[2])
    assert not math.isnan(card.label_corr[0])


def test_a_unit_that_never_moves_is_dead(tiny_model):
    import torch

    model = tiny_model("lstm", num_layers=1)
    with torch.no_grad():
        model.module.rnn.bias_ih_l0[2 * 16 + 5] = 0.0  # the candidate of unit 5 is nearly zero, whatever is read
        model.module.rnn.bias_hh_l0[2 * 16 + 5] = 0.0
        model.module.rnn.weight_ih_l0[2 * 16 + 5] = 0.0
        model.module.rnn.weight_hh_l0[2 * 16 + 5] = 0.0
    index = api.index_states(model, corpus())
    assert api.unit_card(index, 5).is_dead
    assert not api.unit_card(index, 4).is_dead
    assert math.isnan(api.unit_card(index, 5).position_corr)
    found = api.similar_units(index, 4, 20)
    assert 5 not in {*found.like, *found.unlike}


def test_a_gate_that_keeps_all_never_halves():
    assert units.half_life(0.0) == math.inf
    assert units.half_life(math.log(0.5)) == pytest.approx(1.0)


def test_a_rare_word_is_listed_in_a_small_corpus_only():
    assert [units.least_count(n_words) for n_words in (10, 999, 1_000, 250_000, 1_000_000)] == [1, 1, 5, 5, 20]


def test_a_weighted_correlation_is_that_of_repeated_rows():
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=20), rng.normal(size=20), rng.integers(1, 5, 20)
    expected = np.corrcoef(np.repeat(x, weights), np.repeat(y, weights))[0, 1]
    assert units.correlation(x, y, weights) == pytest.approx(expected)
    assert math.isnan(units.correlation(np.full(5, 0.1), np.arange(5.0)))
    assert math.isnan(units.correlation(np.array([1.0]), np.array([2.0])))


@pytest.mark.parametrize("unit", [-1, 12, 1.5, "x", True])
def test_a_unit_that_is_not_there_is_refused_with_the_bounds(lstm, unit):
    index = api.index_states(lstm, corpus(5))
    for call in (api.unit_card, api.similar_units):
        with pytest.raises(InvalidInputError, match="0 to 11"):
            call(index, unit)


@pytest.mark.parametrize("more", [{"n_words": 0}, {"n_places": 201}])
def test_counts_beyond_their_bounds_are_refused(lstm, more):
    with pytest.raises(InvalidInputError, match="1 to 200"):
        api.unit_card(api.index_states(lstm, corpus(5)), 0, **more)


def test_a_card_can_be_taken_away(lstm, tmp_path):
    index = api.index_states(lstm, corpus())
    card, similar = api.unit_card(index, 2), api.similar_units(index, 2)
    frame = card.to_frame()
    n_rows = sum(map(len, (card.top_words.words, card.bottom_words.words, card.top_places, card.bottom_places)))
    assert len(frame) == n_rows
    assert set(frame.kind) == {"top word", "bottom word", "top place", "bottom place"}
    kept = np.load(card.save(tmp_path / "card.npz"))
    assert kept["top_words_mean"].tolist() == card.top_words.mean.tolist()
    assert kept["unit"] == 2
    assert len(pd.read_csv(card.save(tmp_path / "card.csv"))) == n_rows
    assert len(similar.to_frame()) == len(similar.like) + len(similar.unlike)
    assert np.load(similar.save(tmp_path / "similar.npz"))["like"].tolist() == similar.like.tolist()
