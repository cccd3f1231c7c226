"""How alike methods rank words: tau against a count of pairs, ranks, draws and medians."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import ExplorerError, InvalidInputError
from explorer_core.results import word_ranks
from tests.conftest import build_tiny
from tests.core.attribution.test_human_agreement import TEXTS

METHODS = ("gradient_norm", "integrated_gradients", "leave_one_out")


def tau_by_counting(one, other) -> float:
    """Tau-b from every pair of words."""
    mine, theirs = one.scores, other.scores
    if not (one.signed and other.signed):
        mine, theirs = np.abs(mine), np.abs(theirs)
    pairs = list(itertools.combinations(range(len(mine)), 2))
    signs = [(np.sign(mine[i] - mine[j]), np.sign(theirs[i] - theirs[j])) for i, j in pairs]
    both = sum(a * b for a, b in signs)
    n_one, n_other = sum(a != 0 for a, _ in signs), sum(b != 0 for _, b in signs)
    return float(both / np.sqrt(n_one * n_other)) if n_one and n_other else 0.0


def test_tau_of_every_pair_equals_a_count_over_pairs_of_words(family: str) -> None:
    model = build_tiny(family)
    methods = ("attention_rollout", *METHODS[1:]) if family == "bert" else METHODS
    found = api.map_agreement(model, TEXTS, methods=methods)
    assert found.texts == TEXTS
    for text, given in enumerate(TEXTS):
        scores = [api.attribute(model, given, method) for method in methods]
        expected = [tau_by_counting(scores[one], scores[other]) for one, other in found.pairs]
        assert found.tau[:, text] == pytest.approx(expected, abs=1e-6)
        assert found.n_words[text] == len(scores[0].words)
    np.testing.assert_allclose(found.median, [np.sort(row)[[2, 3]].mean() for row in found.tau])
    assert ((found.low <= found.median) & (found.median <= found.high)).all()
    assert found.predicted.tolist() == api.predict(model, TEXTS).logits.argmax(1).tolist()


def test_what_is_compared_follows_the_kind_of_network(family: str) -> None:
    methods = api.compared_methods(build_tiny(family))
    assert methods[1:] == ("integrated_gradients", "leave_one_out")
    assert methods[0] == ("attention_rollout" if family == "bert" else "gradient_norm")
    cheap = api.cheap_methods(build_tiny(family))
    assert set(methods) <= set(cheap)
    assert not {"shapley_sampling", "kernel_shap", "lime"} & set(cheap)


def test_methods_in_another_order_only_move_the_pairs() -> None:
    model = build_tiny("gru")
    one, other = (api.map_agreement(model, TEXTS, methods=methods) for methods in (METHODS, METHODS[::-1]))
    for first, second in one.pairs:
        turned = other.pair(2 - first, 2 - second)
        np.testing.assert_allclose(one.tau[one.pair(first, second)], other.tau[turned])


def test_the_largest_score_has_rank_one_whatever_its_sign() -> None:
    model = build_tiny("lstm")
    found = [api.attribute(model, TEXTS[2], method) for method in METHODS]
    ranks = word_ranks(found)
    for row, one in zip(ranks, found, strict=True):
        assert row[np.abs(one.scores).argmax()] == 1
        assert row.sum() == pytest.approx(len(one.words) * (len(one.words) + 1) / 2)
        assert [1 + sum(abs(other) > abs(score) for other in one.scores) for score in one.scores] == row.tolist()


def test_short_texts_are_left_out_and_counted() -> None:
    model = build_tiny("rnn")
    found = api.map_agreement(model, (*TEXTS, "good", "not bad", "\u200b"), methods=METHODS)
    assert found.left_out == {"fewer than 3 words": 2, "nothing the model can read": 1}
    with pytest.raises(InvalidInputError, match="No text is left to compare on"):
        api.map_agreement(model, ["good"], methods=METHODS)


def test_a_labelled_set_keeps_its_rows_and_labels() -> None:
    model = build_tiny("lstm")
    found = api.map_agreement(model, api.DataSpec("starter"), split="test", methods=METHODS[:2], n_texts=5)
    data = api.read_data(api.DataSpec("starter"))
    assert len(found.texts) == 5
    for text, row, label in zip(found.texts, found.row_numbers, found.true, strict=True):
        assert data.texts[row - 1] == text
        assert data.split[row - 1] == "test"
        assert data.labels[row - 1] == label
    assert found.to_frame().shape == (5, 6)


def test_the_price_counts_every_pass_of_every_text() -> None:
    model = build_tiny("lstm")
    found = api.price_over_texts(model, TEXTS, METHODS)
    assert found["gradient_norm"].n_passes == len(TEXTS)
    assert api.price_over_texts(model, TEXTS * 30, METHODS, n_texts=12)["gradient_norm"].n_passes == 12
    assert api.price_over_texts(model, ["\u200b"], METHODS)["gradient_norm"].n_passes == 0
    words = [len(api.trace_states(model, text).words) for text in TEXTS]
    assert found["leave_one_out"].n_passes == sum(n + 1 for n in words)
    assert all(one.seconds > 0 for one in found.values())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"methods": ["leave_one_out"]}, "At least 2 methods"),
        ({"methods": ["leave_one_out", "attention_rollout"]}, "attention"),
        ({"n_texts": 0}, "allowed: 2 to"),
        ({"texts": "one text"}, "A list of texts"),
        ({"texts": [3, "good"]}, "is no text"),
        ({"texts": []}, "no texts"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict, says: str) -> None:
    given = {"methods": METHODS, **given}
    with pytest.raises(ExplorerError, match=says):
        api.map_agreement(build_tiny("lstm"), given.pop("texts", TEXTS), **given)
