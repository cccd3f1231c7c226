"""Scores equal those of scikit-learn and of formulas by hand; intervals those of samples drawn one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from explorer_core.judging import scores
from explorer_core.results.judged_scores import LEAST_FOR_TEMPERATURE
from explorer_core.views import _judged_tables

LABELS = ("a", "b", "c")


def draw(n_texts=400, n_classes=3, seed=0, strength=1.5):
    rng = np.random.default_rng(seed)
    true = rng.integers(n_classes, size=n_texts)
    logits = rng.normal(size=(n_texts, n_classes)) * 2
    logits[np.arange(n_texts), true] += strength
    return logits, true


def probs_of(logits):
    return np.array(
        [[math.exp(x - max(row)) / sum(math.exp(y - max(row)) for y in row) for x in row] for row in logits]
    )


def ece_by_hand(probs, true, n_bins=10):
    """Over the texts of each bin, one by one."""
    total = 0.0
    for number in range(n_bins):
        low, high = number / n_bins, (number + 1) / n_bins
        here = [
            (max(row), int(np.argmax(row) == label))
            for row, label in zip(probs, true, strict=True)
            if low < max(row) <= high
        ]
        if here:
            gap = sum(right for _, right in here) / len(here) - sum(sure for sure, _ in here) / len(here)
            total += len(here) * abs(gap)
    return total / len(true)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_texts", [1, 2, 30, 400])
def test_scores_are_those_of_scikit_learn(n_classes, n_texts):
    logits, true = draw(n_texts, n_classes)
    found = scores.score("m", LABELS[:n_classes], logits, true, n_resamples=20)
    predicted = logits.argmax(1)
    assert found.accuracy == metrics.accuracy_score(true, predicted)
    assert found.macro_f1 == pytest.approx(
        metrics.f1_score(true, predicted, average="macro", zero_division=0), abs=1e-12
    )
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(true, predicted, labels=range(n_classes)))
    for index in range(n_classes):
        hits = int(((predicted == index) & (true == index)).sum())
        n_said, n_there = int((predicted == index).sum()), int((true == index).sum())
        assert found.support[index] == n_there
        for value, of in ((found.precision[index], n_said), (found.recall[index], n_there)):
            assert math.isnan(value) if not of else value == pytest.approx(hits / of, abs=1e-12)
    assert found.nll_nats == pytest.approx(metrics.log_loss(true, probs_of(logits), labels=range(n_classes)), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_that_of_the_definition(seed):
    logits, true = draw(seed=seed)
    probs = probs_of(logits)
    found = scores.calibrate(probs, true)
    assert found.ece == pytest.approx(ece_by_hand(probs, true), abs=1e-9)
    assert found.counts.sum() == len(true)
    filled = found.counts > 0
    gaps = np.abs(found.accuracy - found.confidence)[filled]
    assert (gaps * found.counts[filled]).sum() / len(true) == pytest.approx(found.ece, abs=1e-12)
    assert np.isnan(found.accuracy[~filled]).all()
    assert (found.low[filled] <= found.accuracy[filled]).all()
    assert (found.accuracy[filled] <= found.high[filled]).all()


def test_the_temperature_has_no_slope_of_the_likelihood_left():
    logits, true = draw(2_000)
    found = scores.fit_temperature(logits, true)
    around = [metrics.log_loss(true, probs_of(logits / (found * factor))) for factor in (0.98, 1.0, 1.02)]
    assert around[1] == min(around)
    assert scores.fit_temperature(logits * 3, true) == pytest.approx(3 * found, rel=1e-4)


def test_a_network_that_says_what_is_so_needs_no_temperature():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 2)) * 2
    probs = probs_of(logits)
    true = (rng.random(20_000) < probs[:, 1]).astype(int)
    found = scores.score("m", LABELS[:2], logits, true, n_resamples=20)
    assert found.temperature == pytest.approx(1, abs=0.05)
    assert found.ece_after < 0.02
    too_sure = scores.score("m", LABELS[:2], logits * 3, true, n_resamples=20)
    assert too_sure.temperature == pytest.approx(3, abs=0.15)
    assert too_sure.ece > 0.05 > too_sure.ece_after


def test_no_temperature_is_suggested_for_few_rows_and_the_sentence_says_why():
    logits, true = draw(LEAST_FOR_TEMPERATURE)
    enough = scores.score("m", LABELS, logits, true, n_resamples=20)
    assert enough.temperature == scores.fit_temperature(logits, true)
    assert not math.isnan(enough.ece_after)
    few = scores.score("m", LABELS, logits[1:], true[1:], n_resamples=20)
    assert math.isnan(few.temperature)
    assert math.isnan(few.ece_after)
    assert "takes 50 texts with a label or more, and there are 49" in _judged_tables.temperature_sentence(few)
    pieces = scores.score("m", LABELS, logits, true, rows=np.arange(len(true)) // 2, n_resamples=20)
    assert math.isnan(pieces.temperature)  # pieces of one row are not so many texts
    sure = scores.score("m", LABELS[:2], np.eye(2)[true % 2], true % 2, n_resamples=20)
    assert "no temperature can be read" in _judged_tables.temperature_sentence(sure)


def test_intervals_are_percentiles_of_the_scores_of_samples_drawn_one_by_one():
    logits, true = draw(60)
    n_resamples, seed = 50, 7
    found = scores.score("m", LABELS, logits, true, n_resamples=n_resamples, seed=seed)
    rng, probs, predicted = np.random.default_rng(seed), probs_of(logits), logits.argmax(1)
    samples = {name: [] for name in found.intervals}
    for _ in range(n_resamples):
        rows = rng.integers(len(true), size=len(true))
        samples["accuracy"].append(metrics.accuracy_score(true[rows], predicted[rows]))
        samples["macro_f1"].append(metrics.f1_score(true[rows], predicted[rows], average="macro", zero_division=0))
        samples["ece"].append(ece_by_hand(probs[rows], true[rows]))
        for index in range(3):
            said, there = predicted[rows] == index, true[rows] == index
            samples[f"precision.{index}"].append((said & there).sum() / said.sum())
            samples[f"recall.{index}"].append((said & there).sum() / there.sum())
    for name, values in samples.items():
        np.testing.assert_allclose(found.intervals[name], np.percentile(values, (2.5, 97.5)), atol=1e-9, err_msg=name)


def test_the_interval_of_accuracy_agrees_with_another_bootstrap():
    logits, true = draw(500)
    right = (logits.argmax(1) == true).astype(float)
    other = stats.bootstrap((right,), np.mean, n_resamples=4_000, method="percentile", rng=np.random.default_rng(3))
    found = scores.score("m", LABELS, logits, true, n_resamples=4_000).intervals["accuracy"]
    np.testing.assert_allclose(found, other.confidence_interval, atol=0.006)


def test_many_texts_are_drawn_in_fewer_samples_and_it_is_said(monkeypatch):
    monkeypatch.setattr(scores, "MAX_DRAWS", 400 * 30)
    assert scores.score("m", LABELS, *draw(), n_resamples=1_000).n_resamples == 30


@pytest.mark.parametrize("n_texts", [1, 7, 500])
def test_bins_of_a_property_hold_every_text_once_and_their_shares_are_counted(n_texts):
    rng = np.random.default_rng(1)
    values, right = rng.integers(0, 12, (2, n_texts)), rng.random((2, n_texts)) < 0.7
    found = scores.effect("n_words", values, right, ("m", "n"), is_accuracy=True)
    for model in range(2):
        used = np.flatnonzero(found.n_texts[model])
        assert found.n_texts[model].sum() == n_texts
        for place in used:
            low, high = found.low_end[model, place], found.high_end[model, place]
            here = (values[model] >= low) & (values[model] <= high)
            assert here.sum() == found.n_texts[model, place]
            assert found.value[model, place] == pytest.approx(right[model][here].mean(), abs=1e-12)
            ends = stats.binomtest(int(right[model][here].sum()), int(here.sum())).proportion_ci(method="wilson")
            np.testing.assert_allclose((found.low[model, place], found.high[model, place]), ends, atol=1e-12)
        assert (np.diff(found.low_end[model, used]) > 0).all()


def test_confidence_by_a_property_has_the_interval_of_a_mean():
    rng = np.random.default_rng(2)
    values, sure = rng.integers(0, 12, (1, 300)), rng.random((1, 300))
    found = scores.effect("n_words", values, sure, ("m",), is_accuracy=False)
    here = sure[0][(values[0] >= found.low_end[0, 1]) & (values[0] <= found.high_end[0, 1])]
    ends = stats.norm.interval(0.95, here.mean(), stats.sem(here))
    np.testing.assert_allclose((found.low[0, 1], found.high[0, 1]), ends, atol=1e-9)


def test_agreement_counts_pairs_and_takes_chance_away():
    rng = np.random.default_rng(3)
    predicted = rng.integers(0, 2, (3, 200))
    predicted[2] = predicted[0]
    found = scores.agree(("a", "b", "c"), predicted)
    assert found.differs[0, 2] == 0
    assert found.kappa[0, 2] == pytest.approx(1)
    assert found.differs[0, 1] == pytest.approx(np.mean(predicted[0] != predicted[1]))
    share = [np.bincount(row, minlength=2) / 200 for row in predicted]
    chance = float((share[0] * share[1]).sum())
    by_hand = (1 - found.differs[0, 1] - chance) / (1 - chance)
    assert found.kappa[0, 1] == pytest.approx(by_hand, abs=1e-9)
    assert found.n_split == int((predicted != predicted[0]).any(0).sum())
    np.testing.assert_array_equal(found.differs, found.differs.T)
    assert np.isnan(scores.agree(("a", "b"), np.zeros((2, 5), dtype=int)).kappa[0, 1])


def in_pieces(n_rows=60, seed=4):
    """Rows of several pieces that are all right or all wrong, with numbers of rows that have gaps."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(n_rows) * 3 + 5, rng.integers(1, 9, n_rows))
    is_right = rng.random(n_rows) < 0.7
    true = rng.integers(0, 2, n_rows)[(rows - 5) // 3]
    said = np.where(is_right[(rows - 5) // 3], true, 1 - true)
    logits = rng.normal(size=(len(rows), 2)) * 0.1
    logits[np.arange(len(rows)), said] += 1 + rng.random(len(rows))
    return rows, logits, true


def test_pieces_of_a_row_are_drawn_together():
    rows, logits, true = in_pieces()
    found = scores.score("m", LABELS[:2], logits, true, rows=rows, n_resamples=200, seed=3)
    rng, probs, predicted = np.random.default_rng(3), probs_of(logits), logits.argmax(1)
    members = [np.flatnonzero(rows == row) for row in sorted(set(rows.tolist()))]
    samples = {"accuracy": [], "ece": [], "macro_f1": [], "precision.1": []}
    for _ in range(200):
        drawn = np.concatenate([members[place] for place in rng.integers(len(members), size=len(members))])
        samples["accuracy"].append(metrics.accuracy_score(true[drawn], predicted[drawn]))
        samples["ece"].append(ece_by_hand(probs[drawn], true[drawn]))
        samples["macro_f1"].append(metrics.f1_score(true[drawn], predicted[drawn], average="macro"))
        samples["precision.1"].append(metrics.precision_score(true[drawn], predicted[drawn]))
    for name, values in samples.items():
        np.testing.assert_allclose(found.intervals[name], np.percentile(values, (2.5, 97.5)), atol=1e-9, err_msg=name)
    assert found.n_rows == len(members) < found.n_texts
    alone = scores.score("m", LABELS[:2], logits, true, n_resamples=200, seed=3)
    low, high = found.intervals["accuracy"]
    assert high - low > 1.5 * (alone.intervals["accuracy"][1] - alone.intervals["accuracy"][0])
    wide, narrow = (one.reliability.high - one.reliability.low for one in (found, alone))
    filled = ~np.isnan(narrow)
    assert (wide[filled] >= narrow[filled] - 1e-12).all()
    many = alone.reliability.counts > 30
    assert (wide[many] > 1.4 * narrow[many]).all()
    assert (found.accuracy, found.ece) == (alone.accuracy, alone.ece)


def test_the_share_right_by_length_has_the_interval_of_whole_rows():
    rows, logits, true = in_pieces(200)
    right = (logits.argmax(1) == true)[None]
    values = np.ones((1, len(rows)), dtype=int)
    found = scores.effect("n_words", values, right, ("m",), is_accuracy=True, rows=rows)
    alone = scores.effect("n_words", values, right, ("m",), is_accuracy=True)
    sums = np.array([right[0][rows == row].sum() for row in sorted(set(rows.tolist()))])
    counts = np.array([(rows == row).sum() for row in sorted(set(rows.tolist()))])
    share = sums.sum() / counts.sum()
    error = math.sqrt(((sums - share * counts) ** 2).sum()) / counts.sum()
    half = (found.high[0, 0] - found.low[0, 0]) / 2
    assert half == pytest.approx(1.96 * error, rel=0.15)
    assert half > 1.5 * (alone.high[0, 0] - alone.low[0, 0]) / 2


def test_the_interval_of_pieces_is_that_of_a_ratio_over_rows_and_of_whole_rows_that_of_wilson():
    rng = np.random.default_rng(0)
    right, counts = rng.binomial(6, 0.7, 300), np.full(300, 6)
    right[::3] = 0
    sums = [int(right @ right), int(right @ counts), int(counts @ counts)]
    low, high = scores.wilson_of_rows(int(right.sum()), int(counts.sum()), sums)
    drawn = [rng.integers(300, size=300) for _ in range(4_000)]
    ends = np.percentile([right[rows].sum() / counts[rows].sum() for rows in drawn], (2.5, 97.5))
    np.testing.assert_allclose((low, high), ends, atol=0.006)
    alone = stats.binomtest(70, 100).proportion_ci(method="wilson")
    np.testing.assert_allclose(scores.wilson_of_rows(70, 100, [70, 70, 100]), alone, atol=1e-12)
    np.testing.assert_allclose(
        scores.wilson_of_rows(100, 100, [100, 100, 100]), stats.binomtest(100, 100).proportion_ci(method="wilson"),
        atol=1e-12,
    )  # fmt: skip
