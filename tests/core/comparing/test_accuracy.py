"""McNemar's test and differences of accuracies, against counting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from explorer_core import api
from explorer_core.comparing import accuracy
from explorer_core.errors import IncompatibleError
from tests.conftest import WORDS, build_tiny


def p_by_counting(b, c):
    """Share of all ways n coins fall that are no likelier than this one."""
    n = b + c
    ways = [math.comb(n, k) for k in range(n + 1)]
    return sum(one for one in ways if one <= ways[b]) / 2**n


def judged_by(families, *, n_texts=60, seed=0, pieces=1):
    rng = np.random.default_rng(seed)
    rows = [f"{('neg', 'pos')[n % 2]}\t{' '.join(rng.choice(WORDS, 8))} {n}" for n in range(n_texts)]
    spec = api.TextsSpec(long="window", n_words=9 // pieces, n_overlap=0) if pieces > 1 else None
    models = [build_tiny(family, seed=number) for number, family in enumerate(families)]
    return models, api.judge(models, api.read_texts(pasted="\n".join(rows), spec=spec), n_resamples=20, is_kept=False)


@pytest.fixture(scope="module")
def judged():
    return judged_by(("rnn", "gru", "lstm", "bilstm"))[1]


def test_the_exact_p_value_is_that_of_counting_all_ways():
    for b in range(0, 30, 3):
        for c in range(0, 25, 4):
            assert accuracy.mcnemar(b, c) == pytest.approx(p_by_counting(b, c), abs=1e-9)
            assert accuracy.mcnemar(b, c) == accuracy.mcnemar(c, b)


def test_a_network_against_itself_has_no_difference_and_p_one(judged):
    same = np.stack([judged.predicted[0]] * 2)
    assert accuracy.mcnemar(0, 0) == 1.0
    twice = type(judged)(**{name: getattr(judged, name) for name in judged.__dataclass_fields__} | {
        "models": ("a", "b"), "logits": judged.logits[[0, 0]], "n_tokens": judged.n_tokens[[0, 0]],
        "n_unknown": judged.n_unknown[[0, 0]], "n_truncated": judged.n_truncated[[0, 0]]})  # fmt: skip
    found = api.compare_accuracy(twice)
    assert (twice.predicted == same).all()
    assert found.difference.tolist() == found.low.tolist() == found.high.tolist() == [0.0]
    assert found.p.tolist() == found.p_holm.tolist() == [1.0]


def test_counts_and_differences_are_those_of_a_loop_over_texts(judged):
    found = api.compare_accuracy(judged)
    for number, (one, other) in enumerate(found.pairs):
        b = c = 0
        for text in range(len(judged)):
            first, second = (judged.predicted[model, text] == judged.true[text] for model in (one, other))
            b, c = b + (first and not second), c + (second and not first)
        assert (found.only_first[number], found.only_second[number]) == (b, c)
        assert found.difference[number] == pytest.approx((b - c) / len(judged), abs=1e-12)
        assert found.p[number] == pytest.approx(p_by_counting(int(b), int(c)), abs=1e-9)
        assert found.low[number] <= found.difference[number] <= found.high[number]


def test_other_orders_of_the_networks_turn_the_result_round(judged):
    models, forth = judged_by(("rnn", "lstm"))
    back = api.judge(models[::-1], forth.table, n_resamples=20, is_kept=False)
    one, other = api.compare_accuracy(forth), api.compare_accuracy(back)
    assert one.difference[0] == -other.difference[0]
    assert (one.low[0], one.high[0]) == pytest.approx((-other.high[0], -other.low[0]), abs=1e-12)
    assert one.p[0] == other.p[0]
    assert (one.only_first[0], one.only_second[0]) == (other.only_second[0], other.only_first[0])


def test_p_values_for_all_pairs_together_never_fall_below_the_single_ones():
    p = np.array([0.01, 0.04, 0.03, 0.5])
    assert accuracy.holm(p) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert accuracy.holm(p[::-1]) == pytest.approx(accuracy.holm(p)[::-1])
    assert accuracy.holm(np.array([0.9, 0.8])).max() <= 1.0


def test_pieces_of_rows_are_drawn_by_the_row(judged):
    _, cut = judged_by(("rnn", "gru"), pieces=3)
    found = api.compare_accuracy(cut)
    assert found.n_texts == len(cut) > found.n_rows == len(np.unique(cut.table.rows))


def test_intervals_are_near_those_of_the_normal_law(judged):
    found = api.compare_accuracy(judged)
    gap = judged.is_right[0].astype(int) - judged.is_right[1]
    half = 1.96 * gap.std() / np.sqrt(len(gap))
    assert found.high[0] - found.low[0] == pytest.approx(2 * half, rel=0.2)


def test_agreement_is_that_of_the_library_and_of_counting(judged):
    found = judged.agreement
    for one in range(4):
        for other in range(one + 1, 4):
            mine, theirs = judged.predicted[one], judged.predicted[other]
            assert found.differs[one, other] == pytest.approx(sum(mine != theirs) / len(mine), abs=1e-12)
            expected = (np.mean(mine) * np.mean(theirs)) + (1 - np.mean(mine)) * (1 - np.mean(theirs))
            if expected == 1:  # both always decide for one class
                assert np.isnan(found.kappa[one, other])
                continue
            kappa = (np.mean(mine == theirs) - expected) / (1 - expected)
            assert found.kappa[one, other] == pytest.approx(kappa, abs=1e-9)
            assert found.kappa[one, other] == pytest.approx(cohen_kappa_score(mine, theirs), abs=1e-9)


def test_one_network_or_no_label_is_refused_with_what_to_do():
    _, alone = judged_by(("rnn",))
    with pytest.raises(IncompatibleError, match="another model"):
        api.compare_accuracy(alone)
    models = [build_tiny(family) for family in ("rnn", "gru")]
    unlabelled = api.judge(models, api.read_texts(pasted="good film\nbad film"), is_kept=False)
    with pytest.raises(IncompatibleError, match="labels"):
        api.compare_accuracy(unlabelled)
