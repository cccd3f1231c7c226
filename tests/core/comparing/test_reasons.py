"""Alike labels for other reasons: ranks by counting, thirds by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from explorer_core import api
from explorer_core.comparing import evidence, reasons
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError
from tests.conftest import WORDS, build_tiny

FAMILIES = ("lstm", "bilstm", "bert")


def tau_by_counting(one, other):
    """Tau-b from every pair of words."""
    same = opposite = tied_one = tied_other = 0
    for i, j in itertools.combinations(range(len(one)), 2):
        first, second = np.sign(one[i] - one[j]), np.sign(other[i] - other[j])
        same += first * second > 0
        opposite += first * second < 0
        tied_one += first == 0
        tied_other += second == 0
    n_pairs = len(one) * (len(one) - 1) / 2
    return (same - opposite) / np.sqrt((n_pairs - tied_one) * (n_pairs - tied_other))


@pytest.fixture(scope="module")
def models():
    return [build_tiny(family, seed=number) for number, family in enumerate(FAMILIES)]


@pytest.fixture(scope="module")
def judged(models):
    rng = np.random.default_rng(0)
    rows = [f"{('neg', 'pos')[n % 2]}\t{' '.join(rng.choice(WORDS, rng.integers(3, 12)))}" for n in range(24)]
    return api.judge(models, api.read_texts(pasted="\n".join([*rows, "pos\ttoo short"])), n_resamples=20, is_kept=False)


@pytest.fixture(scope="module")
def found(models, judged):
    return api.compare_reasons(models, judged, "input_x_gradient")


def test_taus_are_those_of_counting_pairs_of_words(found, models):
    for row, text in enumerate(found.texts[:8]):
        scores = [api.attribute(model, text, "input_x_gradient").scores for model in models]
        for number, (one, other) in enumerate(found.pairs):
            if found.predicted[one, row] == found.predicted[other, row]:
                expected = tau_by_counting(scores[one], scores[other])
                assert found.tau[number, row] == pytest.approx(expected, abs=1e-9)
            else:
                assert np.isnan(found.tau[number, row])


def test_kendalls_tau_is_that_of_counting_and_of_the_library_with_ties_too(monkeypatch):
    rng = np.random.default_rng(1)
    for _ in range(30):
        scores = np.stack([rng.integers(-3, 5, 12).astype(float), rng.normal(size=12).round(1), rng.normal(size=12)])
        signed = reasons.taus_of(scores, [True] * 3)
        mixed = reasons.taus_of(scores, [True, True, False])
        for one, other in itertools.combinations(range(3), 2):
            expected = tau_by_counting(scores[one], scores[other])
            assert signed[one, other] == signed[other, one] == pytest.approx(expected, abs=1e-9)
            assert expected == pytest.approx(stats.kendalltau(scores[one], scores[other]).statistic, abs=1e-9)
            sizes = tau_by_counting(*np.abs(scores[[one, other]])) if other == 2 else expected
            assert mixed[one, other] == pytest.approx(sizes, abs=1e-9)
        with monkeypatch.context() as patch:
            patch.setattr(reasons, "_MOST_WORDS", 5)
            assert reasons.taus_of(scores, [True] * 3) == pytest.approx(signed, abs=1e-9)
    assert reasons.taus_of(np.stack([np.zeros(4), np.arange(4.0)]), [True, True])[0, 1] == 0.0


def test_a_network_agrees_with_its_twin_about_every_reason(judged, models):
    twins = [models[0], build_tiny("lstm", seed=0)]
    twins[1] = type(twins[1])(
        **{name: getattr(twins[1], name) for name in twins[1].__dataclass_fields__} | {"name": "b"}
    )
    both = api.judge(twins, judged.table, n_resamples=20, is_kept=False)
    same = api.compare_reasons(twins, both, "input_x_gradient")
    assert np.nanmin(same.tau) == pytest.approx(1.0)
    assert same.n_alike.tolist() == [len(same)]


def test_other_orders_of_networks_change_the_order_of_pairs_only(found, models, judged):
    back = api.judge(models[::-1], judged.table, n_resamples=20, is_kept=False)
    turned = api.compare_reasons(models[::-1], back, "input_x_gradient")
    place = {tuple(sorted((2 - one, 2 - other))): number for number, (one, other) in enumerate(turned.pairs)}
    for number, pair in enumerate(found.pairs):
        np.testing.assert_allclose(turned.tau[place[pair]], found.tau[number], atol=1e-9)
        assert turned.median[place[pair]] == pytest.approx(found.median[number])


def test_short_texts_are_left_out_and_shares_of_thirds_sum_to_one(found):
    assert found.left_out == {reasons.FEW: 1}
    assert len(found) == 24
    np.testing.assert_allclose(found.third_shares.sum(-1), 1.0, atol=1e-9)
    assert len(found.to_frame()) == 24


def test_thirds_of_scores_are_sums_over_words():
    assert reasons.thirds_of(np.array([1.0, -2, 3, 4, -5, 6])) == pytest.approx([3 / 21, 7 / 21, 11 / 21])
    assert reasons.thirds_of(np.array([1.0, 0, 0, 3])) == pytest.approx([0.25, 0, 0.75])
    assert np.isnan(reasons.thirds_of(np.zeros(5))).all()


@pytest.mark.parametrize(
    ("marks", "third"),
    [([(0, 4)], 0), ([(14, 17)], 1), ([(0, 4), (23, 27)], 1), ([(18, 22), (23, 27)], 2), ([], -1), ([(4, 5)], -1)],
)
def test_evidence_lies_where_the_middle_of_the_marked_words_lies(marks, third):
    assert evidence.third_of_marks("good film, but one dull end", marks) == third


def test_accuracy_by_thirds_is_that_of_a_loop(found, judged):
    thirds = api.locate_evidence(judged, found)
    assert thirds.how == "scores"
    mean = found.third_shares.mean(0)
    for third in range(3):
        rows = [row for row in range(len(found)) if mean[row].argmax() == third]
        assert thirds.n_texts[third] == len(rows)
        for number in range(len(judged.models)):
            right = sum(found.predicted[number, row] == found.true[row] for row in rows)
            assert thirds.n_right[number, third] == right
    assert thirds.contrast == (1, 0)
    assert len(thirds.to_frame()) == 9


def test_marks_of_the_starter_corpus_say_where_its_evidence_lies():
    table = api.read_starter("test").take(np.arange(60))
    one = api.judge([build_tiny("rnn"), build_tiny("bilstm")], table, n_resamples=20, is_kept=False)
    thirds = api.locate_evidence(one)
    assert thirds.how == "marks"
    assert int(thirds.n_texts.sum()) + thirds.n_left_out == 60
    assert thirds.contrast is None
    assert np.isnan(thirds.difference).all()


def test_what_is_not_of_the_judgement_is_refused(found, judged, models):
    with pytest.raises(InvalidInputError, match="not those of the judgement"):
        api.compare_reasons(models[:2], judged)
    other = api.judge(models, api.read_texts(pasted="pos\ta good film\nneg\ta bad film"), n_resamples=20, is_kept=False)
    with pytest.raises(InvalidInputError, match="other texts"):
        api.locate_evidence(other, found)
    with pytest.raises(IncompatibleError):
        api.compare_reasons(models, judged, "lstm_ledger")
    with pytest.raises(InvalidInputError, match="No text has a label"):
        api.locate_evidence(other)
    with pytest.raises(InvalidInputError, match="No text is left"):
        short = api.judge(models, api.read_texts(pasted="pos\tgood film"), n_resamples=20, is_kept=False)
        api.compare_reasons(models, short)


def test_it_can_be_cancelled_and_its_share_never_falls(models, judged):
    shares = []
    api.compare_reasons(models, judged, "gradient_norm", n_texts=3, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share):
        if share > 0.02:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.compare_reasons(models, judged, "gradient_norm", progress=stop)


def test_methods_that_fit_all_networks_are_offered(models):
    assert api.shared_methods(models)[0] == "input_x_gradient"
    assert "lstm_ledger" not in api.shared_methods(models)
    assert "lstm_ledger" in api.shared_methods(models[:2])
