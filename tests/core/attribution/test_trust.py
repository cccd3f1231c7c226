"""The trust card: its rule, and that it never speaks well of a network that has learned nothing."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.attribution import _scorer, _trust, _trust_case, _trust_normal
from explorer_core.errors import CancelledError, IncompatibleError
from explorer_core.results import ModelCard, TrustCard, TrustLine
from explorer_core.results.trust import GRADES
from tests.conftest import FAMILIES, build_tiny

TEXT = "not a good film but loved the acting"


def card_of(model, method="integrated_gradients", **more) -> TrustCard:
    return api.assess(model, TEXT, api.attribute(model, TEXT, method), **more)


def line(name: str, verdict: str) -> TrustLine:
    return TrustLine(name, name, 0.0, "", verdict, f"{name} is {verdict}.", "Means.", 0)


def graded(**verdicts: str) -> str:
    attribution = api.attribute(build_tiny("lstm"), "good", "gradient_norm")
    return TrustCard(attribution, tuple(line(*each) for each in verdicts.items()), False, 0).grade


GOOD = {"training": "good", "gap": "good", "comprehensiveness": "good", "sufficiency": "good", "agreement": "good"}


def test_the_rule_is_the_one_that_is_written():
    assert graded(**GOOD) == "holds up"
    for name in ("training", "gap", "comprehensiveness"):
        assert graded(**{**GOOD, name: "bad"}) == "do not rely on it"
    for name in ("sufficiency", "agreement"):
        assert graded(**{**GOOD, name: "bad"}) == "with care"
    assert graded(**{**GOOD, "sufficiency": "bad", "agreement": "bad"}) == "do not rely on it"
    for name in ("training", "comprehensiveness", "agreement"):
        assert graded(**{**GOOD, name: "doubtful"}) == "with care"
    assert graded(**{**GOOD, "sufficiency": "doubtful"}) == "holds up"
    assert graded(sufficiency="good") == "with care"  # what was not measured does not hold up


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_network_of_random_weights_never_holds_up(family, seed):
    card = card_of(build_tiny(family, seed=seed), "gradient_norm", seed=seed)
    assert card.grade != "holds up"
    assert next(one for one in card.lines if one.name == "training").verdict != "good"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_constant_network_is_not_to_be_relied_on(family):
    model = build_tiny(family)
    with torch.no_grad():
        model.module.classifier.weight.zero_()
    card = card_of(model)
    assert card.grade == "do not rely on it"
    assert next(one for one in card.lines if one.name == "training").value == 0.0


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_a_full_card_measures_everything_and_the_same_again(family):
    model = build_tiny(family)
    told = []
    card = card_of(model, full=True, seed=5, progress=told.append)
    names = [one.name for one in card.lines]
    assert names[:5] == ["training", "gap", "comprehensiveness", "sufficiency", "agreement"]
    assert {
        "normal_comprehensiveness",
        "normal_sufficiency",
        "baselines",
        "randomised",
        "without_multiplier",
        "infidelity",
    } <= set(names)
    for one in card.lines:
        assert one.said.endswith(".")
        assert one.means.endswith(".")
        assert one.value is not None and np.isfinite(one.value)
        assert one.verdict in ("good", "doubtful", "bad", "told")
    assert card.to_frame().equals(card_of(model, full=True, seed=5).to_frame())
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert set(card.why) == {one.said for one in card.lines if one.verdict in ("bad", "doubtful")}


def test_sensitivity_is_measured_for_slopes():
    assert "sensitivity" in [one.name for one in card_of(build_tiny("lstm"), "input_x_gradient", full=True).lines]


def test_a_worse_order_has_a_lower_percentile():
    model = build_tiny("lstm")
    best = api.attribute(model, TEXT, "leave_one_out")
    worst = dataclasses.replace(best, scores=-best.scores)
    places = [
        next(one.value for one in api.assess(model, TEXT, each).lines if one.name == "comprehensiveness")
        for each in (best, worst)
    ]
    assert places[0] > 80 > 20 > places[1]


def test_words_taken_away_one_by_one_are_what_the_network_says_without_them():
    model = build_tiny("gru")
    attribution = api.attribute(model, TEXT, "leave_one_out", 1, removal="drop")
    scorer = _scorer.make(model, attribution.reading, 1, None)
    case = _trust_case.Case(model, attribution, scorer, "drop", 0)
    there = np.ones((3, len(attribution.words)), dtype=bool)
    there[1, 2] = there[2, 0] = there[2, 4] = False
    expected = [api.predict(model, [" ".join(np.array(attribution.words)[row])]).probs[0, 1] for row in there]
    np.testing.assert_allclose(case.probs(there), expected, atol=1e-5)


def drops_of_all_orders(model, text: str, target: int, *, keep: bool) -> dict[tuple[int, ...], float]:
    """Mean drop of every order, by reading each text that is left, one by one."""
    words = text.split()
    n = len(words)
    counts = {max(1, round(share * n)) for share in (0.1, 0.2, 0.3, 0.4, 0.5)}
    unk = model.tokenizer.unk_token

    def prob(there) -> float:
        left = " ".join(word if at in there else unk for at, word in enumerate(words))
        return float(api.predict(model, [left]).probs[0, target])

    found, whole, known = {}, prob(range(n)), {}
    for order in itertools.permutations(range(n)):
        drops = []
        for count in counts:
            first = frozenset(order[:count])
            if first not in known:
                known[first] = whole - prob(first if keep else set(range(n)) - first)
            drops.append(known[first])
        found[order] = float(np.mean(drops))
    return found


@pytest.mark.parametrize("keep", [False, True])
def test_both_ends_of_the_scale_are_those_of_every_order_tried_one_by_one(keep):
    model, text = build_tiny("lstm"), "not a good film at all"
    attribution = api.attribute(model, text, "gradient_norm", 1)
    drops = drops_of_all_orders(model, text, 1, keep=keep)
    lowest, highest = min(drops.values()), max(drops.values())
    case = _trust_case.Case(model, attribution, _scorer.make(model, attribution.reading, 1, None), "unk", 0)
    search = _trust_normal.Search(case, keep=keep)
    counts = _trust_case.counts_of(6)
    assert search.ends(counts) == pytest.approx((lowest, highest), abs=1e-6)
    assert search.n_passes <= 2**6
    found = search._beam(counts, 1.0, 0.0), -search._beam(counts, -1.0, 0.0)
    assert found[0] <= highest + 1e-6
    assert found[1] >= lowest - 1e-6
    measure = _trust_normal.normal_sufficiency if keep else _trust_normal.normal_comprehensiveness
    for order, share in ((max, 1.0), (min, 0.0)):
        best = order(drops, key=drops.get)
        scores = np.empty(6)
        scores[list(best)] = -np.arange(6.0)
        case.attribution = dataclasses.replace(attribution, scores=scores)
        assert measure(case).value == pytest.approx(1 - share if keep else share, abs=1e-5)


def test_a_text_too_long_to_be_searched_is_said():
    model = build_tiny("lstm")
    text = "good " * 100
    attribution = api.attribute(model, text, "gradient_norm")
    case = _trust_case.Case(model, attribution, _scorer.make(model, attribution.reading, 1, None), "unk", 0)
    line = _trust_normal.normal_comprehensiveness(case)
    assert line.value is None
    assert "Not searched" in line.said


@pytest.mark.parametrize(
    ("n_right", "n_texts", "majority", "verdict"),
    [(80, 100, 0.5, "good"), (62, 100, 0.5, "doubtful"), (50, 100, 0.5, "bad"), (9, 10, 0.5, "doubtful"),
     (90, 100, 0.9, "bad"), (33, 100, 1 / 3, "bad"), (2, 2, 0.5, "bad")],
)  # fmt: skip
def test_a_record_is_judged_by_the_lower_end_of_its_exact_interval(n_right, n_texts, majority, verdict):
    line = _trust.by_record(n_right / n_texts, n_texts, majority)
    assert line.verdict == verdict
    at = np.linspace(0, 1, 200_001)[1:-1]  # the lowest share under which so many right are no rarer than 2.5 %
    tail = np.zeros_like(at)
    for count in range(n_right, n_texts + 1):
        tail += math.comb(n_texts, count) * at**count * (1 - at) ** (n_texts - count)
    assert f"interval {100 * at[np.argmax(tail >= 0.025)]:.0f} to" in line.said


def test_a_random_network_with_the_record_of_one_never_holds_up():
    for seed in range(4):
        model = build_tiny("gru", seed=seed)
        record = ModelCard("gru", "gru", model.labels, 1, "", {"accuracy": 0.52, "n_validation": 300, "majority": 0.5},
                           "done")  # fmt: skip
        attribution = api.attribute(model, TEXT, "gradient_norm")
        card = _trust.assess(model, TEXT, attribution, full=False, seed=0, known=None, card=record, progress=None)
        assert card.grade == "do not rely on it"


def test_a_full_card_takes_over_what_a_quick_one_measured(monkeypatch):
    model = build_tiny("lstm")
    attribution = api.attribute(model, TEXT)
    quick, alone = api.assess(model, TEXT, attribution, seed=2), api.assess(model, TEXT, attribution, full=True, seed=2)
    marked = dataclasses.replace(quick, lines=tuple(dataclasses.replace(one, n_passes=-7) for one in quick.lines))
    full = api.assess(model, TEXT, attribution, full=True, seed=2, known=marked)
    assert [one.n_passes == -7 for one in full.lines] == [
        one.name in {two.name for two in quick.lines} for one in full.lines
    ]
    assert [one.value for one in full.lines] == [one.value for one in alone.lines]
    other = api.assess(model, TEXT, attribution, full=True, seed=3, known=marked)
    assert all(one.n_passes >= 0 for one in other.lines)


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_norm"])
@pytest.mark.parametrize("text", [TEXT, TEXT + " and I would see it again with the others"])
def test_the_price_of_a_card_counts_about_what_its_lines_say(method, text):
    model = build_tiny("gru", num_layers=1)
    price = api.price_assessment(model, text, method)
    card = api.assess(model, text, api.attribute(model, text, method), full=True)
    quick = {"training", "gap", "comprehensiveness", "sufficiency", "agreement"}
    for names, expected in ((quick, price.quick), ({one.name for one in card.lines} - quick, price.more)):
        n_passes = sum(one.n_passes for one in card.lines if one.name in names)
        assert expected.n_passes / 2.5 <= n_passes <= expected.n_passes * 1.5
        assert expected.seconds > 0
        assert expected.memory_mib > 0


def test_leaving_one_out_is_measured_once_for_both_lines_that_need_it():
    model = build_tiny("gru")
    attribution = api.attribute(model, TEXT, "gradient_norm", 1)
    case = _trust_case.Case(model, attribution, _scorer.make(model, attribution.reading, 1, None), "unk", 0)
    first, again = _trust.agreement(case), _trust.agreement(case)
    assert first.n_passes == again.n_passes + len(attribution.words) + 1
    np.testing.assert_allclose(
        case.effects, api.attribute(model, TEXT, "leave_one_out", 1, removal="unk").scores, atol=1e-6
    )


def test_an_attribution_of_something_else_is_not_judged():
    model = build_tiny("lstm")
    attribution = api.attribute(model, TEXT, "gradient_norm")
    with pytest.raises(IncompatibleError, match="another text"):
        api.assess(model, "other words", attribution)
    with pytest.raises(IncompatibleError, match="another network"):
        api.assess(build_tiny("lstm", seed=1), TEXT, dataclasses.replace(attribution, fingerprint="x"))


def test_judging_can_be_cancelled():
    def stop(share: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        card_of(build_tiny("lstm"), progress=stop)


def test_the_grades_are_three():
    assert len(GRADES) == 3
