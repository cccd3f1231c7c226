"""The tables of scores: shares sum to one, ranks go by size, pieces count tokens, and what is not there is empty."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from explorer_core import api
from explorer_core.errors import IncompatibleError
from explorer_core.results.attributions import SMALL_MOVE
from tests.conftest import FAMILIES, build_tiny

TEXT = "not unbelievably bad but great"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_norm", "leave_one_out", "shapley_sampling"])
def test_shares_sum_to_one_and_ranks_go_by_size(family, method):
    found = api.attribute(build_tiny(family), TEXT, method, 1)
    table = found.to_frame()
    scored = table[table["score"].notna()]
    if abs(scored["score"].sum()) >= SMALL_MOVE or not found.signed:
        assert scored["share_of_sum"].sum() == pytest.approx(1)
    else:
        assert table["share_of_sum"].isna().all()
    expected = stats.rankdata(-scored["score"].abs(), method="min")
    np.testing.assert_array_equal(scored["rank"], expected)
    words = table[table["is_word"]]
    assert list(words["entry"]) == list(found.words)
    np.testing.assert_array_equal(words["score"], found.scores)
    owner = found.reading.word_of_token
    assert list(words["n_pieces"]) == [int((owner == word).sum()) for word in range(len(found.words))]
    assert ("standard_error" in table) == (method == "shapley_sampling")


def test_special_tokens_have_rows_with_their_own_score_or_none():
    model = build_tiny("bert")
    for method in ("integrated_gradients", "gradient_norm"):
        found = api.attribute(model, TEXT, method, 1)
        special = found.to_frame().query("not is_word")
        assert list(special["entry"]) == ["[CLS]", "[SEP]"]
        np.testing.assert_array_equal(special["score"], found.token_scores[found.reading.word_of_token < 0])
    whole = api.attribute(model, TEXT, "leave_one_out", 1).to_frame()
    assert whole.query("not is_word")[["score", "share_of_sum", "rank"]].isna().all(axis=None)


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_the_table_of_tokens_has_a_row_for_each_token(family):
    found = api.attribute(build_tiny(family), TEXT, "input_x_gradient", 1)
    table = found.token_frame()
    np.testing.assert_array_equal(table["score"], found.token_scores)
    by_word = table[table["is_word"]].groupby("word", sort=False)["score"].sum()
    np.testing.assert_allclose(by_word, found.scores, atol=1e-6)
    assert list(table["token"]) == list(found.reading.tokens)


def test_a_method_of_whole_words_has_no_table_of_tokens():
    with pytest.raises(IncompatibleError, match="whole words"):
        api.attribute(build_tiny("lstm"), TEXT, "leave_one_out", 1).token_frame()
