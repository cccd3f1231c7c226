"""Minimal pairs on the bench: swings and lengths are those of running verdicts, and censoring is no forgetting."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from explorer_core import api
from explorer_core.comparing import _lasting, modifiers
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError, NotFoundError
from explorer_core.results import ALL_PAIRS
from tests.conftest import build_tiny

PAIRS = (
    ("the film was good for all of us", "the film was not good for all of us", "negation"),
    ("the food was great but the service bad", "the food was great and the service bad", "contrast"),
    ("never dull", "always dull", "negation"),
    ("I liked the plot", "I liked the acting", ""),
    ("not a good story", "a good story", "negation"),
)


def table_of(pairs=PAIRS, labels=("positive", "negative")):
    """Pairs as a file with ids and phenomena."""
    found = api.read_texts(pasted="\n".join(f"{label}\t{text}" for one, two, _ in pairs
                                            for text, label in ((one, labels[0]), (two, labels[1]))))  # fmt: skip
    columns = {
        "pair": tuple(f"p{row // 2}" for row in range(2 * len(pairs))),
        "phenomenon": tuple(name for _, _, name in pairs for _ in "ab"),
    }
    return dataclasses.replace(found, columns=columns)


@pytest.fixture(scope="module")
def pairs():
    return api.find_pairs(table_of(), ids="pair")


@pytest.fixture(scope="module")
def models():
    return [build_tiny(family, seed=number) for number, family in enumerate(("rnn", "lstm", "bilstm", "bert"))]


@pytest.fixture(scope="module")
def bench(models, pairs):
    return api.measure_modifiers(models, pairs, "phenomenon")


def test_swings_are_differences_of_logits_of_single_texts(bench, models):
    for number, model in enumerate(models):
        for row, (one, two, _) in enumerate(PAIRS):
            first, second = api.predict(model, [one, two]).logits
            margins = [logits[1] - logits[0] for logits in (first, second)]  # positive less negative
            assert bench.swing[number, row] == pytest.approx(margins[0] - margins[1], abs=1e-4)
            assert bench.is_right[number, row] == (first.argmax() == 1 and second.argmax() == 0)


def test_effects_after_the_last_changed_word_are_those_of_running_verdicts(bench, models):
    n_after = [5, 3, 1, 0, 2]  # "not a good story" and "a good story": one word must stand before
    assert bench.n_after.tolist() == n_after
    for number, model in enumerate(models):
        for row, (one, two, _) in enumerate(PAIRS):
            first, second = (api.running_verdict(model, text) for text in (one, two))
            for word in range(n_after[row] + 1):
                ends = first[len(first) - 1 - n_after[row] + word], second[len(second) - 1 - n_after[row] + word]
                expected = (ends[0][1] - ends[0][0]) - (ends[1][1] - ends[1][0])
                assert bench.effect[number, row, word] == pytest.approx(expected, abs=1e-5)
            assert np.isnan(bench.effect[number, row, n_after[row] + 1 :]).all()
            assert bench.effect[number, row, n_after[row]] == pytest.approx(bench.swing[number, row], abs=1e-5)


@pytest.mark.parametrize(
    ("effect", "lasted", "fell"),
    [
        ([2.0, 1.5, 1.0, 0.9], 2, True),
        ([2.0, 1.5, 1.0], 2, False),
        ([0.1, 2.0, 0.9, 3.0], 3, False),  # from the largest on
        ([0.1, 2.0, 0.9, 1.5], 1, True),  # what comes back later does not count
        ([-1.0, -0.5], -1, False),
        ([1.0], 0, False),
        ([1.0, 0.4], 0, True),
    ],
)
def test_an_effect_lasts_while_it_keeps_half_of_its_largest_value(effect, lasted, fell):
    assert _lasting.lengths_of(np.array(effect))[:2] == (lasted, fell)


def test_curves_are_those_of_kaplan_and_meier():
    rng = np.random.default_rng(0)
    falls, ends = rng.integers(1, 14, 80), rng.integers(0, 12, 80)  # falls at a word; the text ends after one
    fell = falls <= ends
    lasted = np.where(fell, falls - 1, ends)
    watched, fallen = _lasting.counts(lasted, fell, 10)
    found = _lasting.survival(watched.sum(0), fallen.sum(0))
    data = stats.CensoredData.right_censored(np.where(fell, falls, ends), ~fell)
    expected = stats.ecdf(data).sf
    assert found == pytest.approx(expected.evaluate(np.arange(11)), abs=1e-12)


def test_without_censoring_a_curve_is_the_share_that_still_lasts():
    lasted = np.array([0, 1, 1, 3, 7])
    watched, fallen = _lasting.counts(lasted, np.ones(5, dtype=bool), 8)
    found = _lasting.survival(watched.sum(0), fallen.sum(0))
    assert found == pytest.approx([np.mean(lasted >= word) for word in range(9)])


def test_texts_that_end_early_are_no_forgetting():
    lasted = np.array([2, 2, 5, 5])
    watched, fallen = _lasting.counts(lasted, np.array([False, False, False, False]), 6)
    assert _lasting.survival(watched.sum(0), fallen.sum(0)).tolist() == [1.0] * 7
    assert watched.sum(0).tolist() == [4, 4, 2, 2, 2, 0]


def test_groups_hold_the_pairs_of_their_phenomenon(bench):
    assert bench.groups == (ALL_PAIRS, "negation", "contrast")
    assert bench.n_pairs.tolist() == [5, 3, 1]
    assert bench.members("negation").tolist() == [0, 2, 4]
    for group, name in enumerate(bench.groups):
        here = bench.members(name)
        assert bench.swing_mean[:, group] == pytest.approx(bench.swing[:, here].mean(1), abs=1e-9)
        assert bench.right[:, group] == pytest.approx(bench.is_right[:, here].mean(1))
        assert (bench.swing_low[:, group] <= bench.swing_mean[:, group] + 1e-12).all()
        assert (bench.swing_high[:, group] >= bench.swing_mean[:, group] - 1e-12).all()
        assert bench.n_effects[:, group].tolist() == (bench.lasted[:, here] >= 0).sum(1).tolist()
    assert len(bench.groups_frame()) == 3 * 4
    assert len(bench.to_frame()) == 5


def test_bootstrap_intervals_are_near_those_of_the_library():
    values = np.random.default_rng(1).normal(2, 3, 150)
    low, high = np.percentile(modifiers.draws(150, 0) @ values / 150, [2.5, 97.5])
    library = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(5)).confidence_interval
    assert (low, high) == pytest.approx((library.low, library.high), abs=0.1)


def test_other_orders_of_networks_change_their_order_only(bench, models, pairs):
    order = [2, 0]
    found = api.measure_modifiers([models[place] for place in order], pairs, "phenomenon")
    for name in ("logits", "lasted", "fell", "swing_mean", "swing_low", "lasting", "lasting_high", "right", "curve"):
        np.testing.assert_allclose(getattr(found, name), getattr(bench, name)[order], atol=1e-9)


def test_a_pair_turned_round_swings_the_same_way(models, pairs):
    turned = dataclasses.replace(pairs, first=pairs.second, second=pairs.first)
    one, other = (api.measure_modifiers(models[:2], some) for some in (pairs, turned))
    np.testing.assert_allclose(one.swing, other.swing, atol=1e-9)
    np.testing.assert_array_equal(one.lasted, other.lasted)


def test_pairs_that_say_nothing_are_left_out_and_counted():
    some = table_of((*PAIRS[:2], ("the same film", "the same film", "plain")))
    more = dataclasses.replace(some, label=np.array([0, 1, 0, 0, 0, 1]))
    found = api.measure_modifiers([build_tiny("gru")], api.find_pairs(more, ids="pair"))
    assert len(found) == 1
    assert found.left_out == {modifiers.ALIKE: 1, modifiers.SAME: 1}
    long = table_of((PAIRS[0], ("good " * 40, "bad " + "good " * 40, "")))
    found = api.measure_modifiers([build_tiny("bert", max_tokens=20)], api.find_pairs(long, ids="pair"))
    assert found.left_out == {modifiers.CUT: 1}


def test_what_cannot_be_measured_is_refused_with_what_to_do(models, pairs):
    with pytest.raises(NotFoundError, match="no other column"):
        api.measure_modifiers(models, pairs, "nonsense")
    with pytest.raises(InvalidInputError, match="No pair can be measured"):
        api.measure_modifiers(models, pairs, mapping={})
    with pytest.raises(IncompatibleError, match="same classes"):
        api.measure_modifiers([models[0], build_tiny("gru", labels=("a", "b"))], pairs)
    with pytest.raises(InvalidInputError, match="twice"):
        api.measure_modifiers([models[0], models[0]], pairs)
    with pytest.raises(InvalidInputError, match="2 to 5000"):
        api.measure_modifiers(models, pairs, n_pairs=1)


def test_it_can_be_cancelled_and_its_share_never_falls(models, pairs):
    shares = []
    api.measure_modifiers(models[:2], pairs, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share):
        if share > 0.3:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.measure_modifiers(models[:2], pairs, progress=stop)


def test_the_starter_corpus_has_its_pairs_and_phenomena():
    table = api.read_starter("test")
    found = api.find_pairs(table, ids="pair")
    assert len(table) == 780
    assert len(found) == 198
    assert {"phenomenon", "domain", "pair", "split"} <= set(table.columns)
    assert len(api.read_starter("held out")) == 780 + 784
    with pytest.raises(InvalidInputError, match="no split"):
        api.read_starter("nonsense")


def test_the_price_names_every_network(models, pairs):
    found = api.price_modifiers(models, pairs)
    assert list(found) == [model.name for model in models]
    assert min(found.values()) > 0
