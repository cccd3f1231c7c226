"""A seed is checked at every door before anything is drawn from it."""

from __future__ import annotations

import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from tests.conftest import build_tiny
from tests.core.judged_by_hand import make_table

TEXTS = ["the film was good", "the film was bad", "a great story", "never boring"]


@pytest.fixture(scope="module")
def doors():
    """Calls that draw, each of a seed."""
    one, other = build_tiny("lstm"), build_tiny("bilstm")
    table = make_table(TEXTS, ["positive", "negative", "positive", "positive"], pair=["1", "1", "", ""])
    pairs = api.find_pairs(table, ids="pair")
    judged = api.judge([one, other], table, is_kept=False, n_resamples=20)
    reasons = api.compare_reasons([one, other], judged, n_texts=2)
    scores = api.attribute(one, TEXTS[0], "gradient_norm")
    return {
        "judge": lambda seed: api.judge([one], table, is_kept=False, n_resamples=20, seed=seed),
        "compare_accuracy": lambda seed: api.compare_accuracy(judged, n_resamples=20, seed=seed),
        "measure_modifiers": lambda seed: api.measure_modifiers([one], pairs, seed=seed),
        "compare_reasons": lambda seed: api.compare_reasons([one, other], judged, n_texts=2, seed=seed),
        "locate_evidence": lambda seed: api.locate_evidence(judged, reasons, seed=seed),
        "compare_states": lambda seed: api.compare_states(one, other, TEXTS, "final", untrained=False, seed=seed),
        "compare_halves": lambda seed: api.compare_halves(other, TEXTS[0], fill="zero", seed=seed),
        "score_halves": lambda seed: api.score_halves(other, TEXTS, [1, 0, 1, 1], fill="zero", seed=seed),
        "report_words": lambda seed: api.report_words(one, table, seed=seed),
        "assess": lambda seed: api.assess(one, TEXTS[0], scores, seed=seed),
    }


def test_a_seed_that_is_none_is_refused_with_the_bounds(doors):
    for name, door in doors.items():
        door(7)
        for seed in (-1, 1.5, "1", None, True, 2**31):
            with pytest.raises(InvalidInputError, match=r"Seed is .*0 to 2147483647"):
                door(seed)
                pytest.fail(f"{name} takes the seed {seed!r}")
