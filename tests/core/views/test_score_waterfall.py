"""The waterfall over scores: it starts at the baseline, ends at the logit of the text, and gathers what is small."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from explorer_core import api, registry
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.views import score_waterfall, word_scores
from tests.conftest import FAMILIES, build_tiny
from tests.core.views.conftest import TEXTS

METHODS = [about.name for about in registry.describe("attribution").values() if about.extra["complete"]]
KNOBS = {"kernel_shap": {"n_samples": 60}, "shapley_sampling": {"n_samples": 5}, "integrated_gradients": {}}


def found_of(family: str = "lstm", text: str = TEXTS["thirty words"], method: str = "integrated_gradients", **knobs):
    return api.attribute(build_tiny(family, max_tokens=1024), text, method, 1, **(KNOBS.get(method, {}) | knobs))


@pytest.mark.parametrize("sort", score_waterfall.SORTS)
@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize(
    ("family", "method"),
    [(family, method) for family in FAMILIES for method in METHODS if method != "lstm_ledger" or "lstm" in family],
)
def test_start_and_all_steps_make_the_logit_of_the_text(family, method, tokens, sort):
    model = build_tiny(family, max_tokens=1024)
    found = found_of(family, "not unbelievably bad but great", method)
    steps = score_waterfall.steps(found, sort=sort, tokens=tokens)
    assert steps[0].before == 0
    assert steps[0].after == found.baseline_value
    for one, other in itertools.pairwise(steps):
        assert other.before == one.after
    moves = [step.after - step.before for step in steps[1:]]
    assert found.baseline_value + math.fsum(moves) == pytest.approx(found.value, abs=1e-9)
    assert steps[-1].after == pytest.approx(api.predict(model, [found.reading.text]).logits[0, 1], abs=1e-5)
    assert steps[-1].name == score_waterfall.GAP
    assert moves[-1] == pytest.approx(-found.convergence_delta, abs=1e-9)
    assert [step.is_plain for step in steps] == [True, *[False] * (len(steps) - 2), True]


def test_special_tokens_are_one_step_beside_the_words_and_their_own_among_tokens():
    found = found_of("bert", "not bad")
    special = found.token_scores[found.reading.word_of_token < 0]
    names = {step.name: float(step.parts[0]) for step in score_waterfall.steps(found)}
    assert names["special tokens"] == pytest.approx(special.sum())
    among = [step.name for step in score_waterfall.steps(found, tokens=True)]
    assert "special tokens" not in among
    assert among[1:-1] == list(found.reading.tokens)


def test_beyond_forty_words_the_smallest_share_a_step_that_says_how_many():
    found = found_of("gru", TEXTS["three hundred words"], max_points=8)
    by_size = score_waterfall.steps(found, sort="size")
    ranked = sorted(np.abs(found.scores), reverse=True)
    moves = [abs(float(step.parts[0])) for step in by_size]
    assert moves[1:41] == pytest.approx(ranked[:40])
    assert by_size[41].name == "260 other words"
    assert len(by_size) == 1 + 40 + 1 + 1
    in_order = score_waterfall.steps(found)
    assert {step.name for step in in_order} == {step.name for step in by_size}
    places = [int(step.name.split("(")[1].rstrip(")")) for step in in_order[1:41] if "(" in step.name]
    assert places == sorted(places)


def test_forty_one_words_all_have_their_own_step():
    found = found_of("gru", " ".join(["good"] * 41), max_points=8)
    assert len(score_waterfall.steps(found)) == 1 + 41 + 1


@pytest.mark.parametrize("method", ["gradient_norm", "leave_one_out", "gradient_shap"])
def test_scores_that_promise_no_sum_build_no_waterfall(method):
    with pytest.raises(IncompatibleError, match="do not promise to add up"):
        score_waterfall.render(found_of(method=method))


def test_an_unknown_order_is_refused():
    with pytest.raises(InvalidInputError, match="reading order or by size"):
        score_waterfall.render(found_of(text="not bad"), sort="alphabet")


def test_the_figure_ends_at_the_logit_and_is_told():
    found = found_of(text="not bad")
    figure = score_waterfall.render(found)
    assert list(figure.data[-2].x) == pytest.approx([found.value], abs=1e-9)
    assert figure.layout.yaxis.ticktext[0] == "baseline: pad"
    assert score_waterfall.alt_text(found).startswith("From the baseline to the logit of positive")


# Bars over tokens -----------------------------------------------------------------------------------------------------


def test_bars_stand_over_tokens_with_special_ones_in_italics():
    found = found_of("bert", "unbelievably good")
    figure = word_scores.render([found], tokens=True)
    np.testing.assert_array_equal(figure.data[0].y, found.token_scores)
    assert figure.layout.xaxis.ticktext[0] == "<i>[CLS]</i>"
    assert len(figure.layout.xaxis.ticktext) == len(found.reading.tokens) > len(found.words)


def test_a_method_of_whole_words_keeps_its_bars_over_words():
    found = found_of("bert", "unbelievably good", "leave_one_out")
    np.testing.assert_array_equal(word_scores.render([found], tokens=True).data[0].y, found.scores)
