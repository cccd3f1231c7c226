"""Edits that turn several models, against trying them by hand, and against what one model alone gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.comparing import suggestions
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError
from explorer_core.results import DELETE, SWAP
from explorer_core.text import read_text
from tests.conftest import FAMILIES, build_tiny

TEXT = "not a good film but loved it"


@pytest.fixture(scope="module")
def models():
    """Networks of which several can be turned, each by another deletion."""
    return [build_tiny(family, seed=seed) for family, seed in (("lstm", 0), ("rnn", 2), ("bert", 1))]


@pytest.fixture(scope="module")
def found(models):
    return api.find_shared_flips(models, TEXT, removal="unk")


def decides(model, ids: np.ndarray) -> int:
    left = torch.from_numpy(ids)[None]
    with torch.no_grad():
        return int(model.module(input_ids=left, attention_mask=torch.ones_like(left)).logits[0].argmax())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(2))
def test_deletions_of_one_model_are_those_of_the_page_words(family, seed):
    model = build_tiny(family, seed=seed)
    alone, shared = api.find_flips(model, TEXT), api.find_shared_flips([model], TEXT)
    rows = [at for at, kind in enumerate(shared.kinds) if kind == DELETE]
    assert shared.smallest(0, DELETE) == (alone.n_words if alone.n_words <= 2 else 0)
    if not shared.smallest(0, DELETE):
        assert not rows
        return
    mine = {tuple(word for word in shared.places[at].tolist() if word >= 0): at for at in rows}
    assert set(mine) == {tuple(row) for row in alone.deletions.tolist()}
    for row, margin, label in zip(alone.deletions.tolist(), alone.margins, alone.new_labels, strict=True):
        at = mine[tuple(row)]
        logits = shared.edited[0, at]
        was = int(alone.logits.argmax())
        assert logits[was] - np.delete(logits, was).max() == pytest.approx(margin, abs=1e-6)
        assert shared.new_labels[0, at] == label
    assert shared.removals == (alone.removal,)


def test_every_smallest_deletion_is_found_by_reading_each_anew(models, found):
    for at, model in enumerate(models):
        reading = read_text(model.tokenizer, TEXT, model.max_tokens)
        was = decides(model, reading.token_ids)
        by_size = {
            size: {
                words
                for words in combinations(range(len(reading.words)), size)
                if decides(
                    model,
                    np.where(np.isin(reading.word_of_token, words), model.tokenizer.unk_token_id, reading.token_ids),
                )
                != was
            }
            for size in (1, 2)
        }
        smallest = next((size for size in (1, 2) if by_size[size]), 0)
        assert found.smallest(at, DELETE) == smallest
        mine = {
            tuple(word for word in places if word >= 0)
            for places, kind, turned in zip(found.places.tolist(), found.kinds, found.flips[at], strict=True)
            if kind == DELETE and turned and sum(word >= 0 for word in places) == smallest
        }
        assert mine == by_size.get(smallest, set())


def test_every_smallest_swap_is_found_by_reading_each_text(models, found):
    singles = [*suggestions.negations(TEXT), *suggestions.swaps(TEXT)]
    assert found.n_possible[SWAP] == len(singles) > 0
    for at, model in enumerate(models):
        was = api.predict(model, [TEXT]).logits[0].argmax()
        turned = api.predict(model, [one.apply(TEXT) for one in singles]).logits.argmax(1) != was
        mine = [
            edit for edit in range(len(found.kinds)) if found.kinds[edit] == SWAP and found.sizes[edit] == 1
        ]  # fmt: skip
        assert sum(bool(found.flips[at, edit]) for edit in mine) == (turned.sum() if turned.any() else 0)
        assert (found.smallest(at, SWAP) == 1) == turned.any()


def test_what_flips_all_stands_on_top_and_flips_each(models, found):
    counts = found.flips.sum(0)
    assert (np.diff(counts) <= 0).all()
    assert (counts > 0).all()
    np.testing.assert_array_equal(found.flips_all, counts == len(models))
    sure = np.exp(found.edited) / np.exp(found.edited).sum(-1, keepdims=True)
    np.testing.assert_allclose(found.new_probs, sure.max(-1))
    for at, model in enumerate(models):
        np.testing.assert_allclose(found.logits[at], api.predict(model, [TEXT]).logits[0], atol=1e-5)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_permuting_the_models_permutes_the_table(models, found, order):
    other = api.find_shared_flips([models[at] for at in order], TEXT, removal="unk")
    assert other.described == found.described
    assert other.models == tuple(found.models[at] for at in order)
    np.testing.assert_array_equal(other.edited, found.edited[list(order)])
    np.testing.assert_array_equal(other.places, found.places)


def test_a_model_beside_itself_flips_alike():
    model = build_tiny("gru")
    found = api.find_shared_flips([model, model], TEXT)
    np.testing.assert_array_equal(found.edited[0], found.edited[1])
    assert found.flips_all.all()


def test_a_constant_network_is_never_turned_and_the_table_says_none():
    model = build_tiny("lstm")
    with torch.no_grad():
        model.module.classifier.weight.zero_()
        model.module.classifier.bias.copy_(torch.tensor([0.0, 1.0]))
    found = api.find_shared_flips([model], TEXT)
    assert found.kinds == ()
    assert len(found.to_frame()) == 0
    assert found.smallest(0, DELETE) == found.smallest(0, SWAP) == 0
    assert found.n_tried == {DELETE: 2, SWAP: 2}


def test_a_small_budget_is_kept_and_says_how_far_it_went(models):
    text = "the film was good and the plot was bad " * 4
    found = api.find_shared_flips(models[:2], text, budget=150)
    assert found.n_readings <= 150
    assert found.n_tried == {DELETE: 1, SWAP: 1}
    assert (found.sizes == 1).all()
    price = api.price_shared_flips(models[:2], text, budget=150)
    assert (price.n_readings, dict(price.n_tried)) == (found.n_readings, dict(found.n_tried))
    assert price.seconds > 0
    assert api.price_shared_flips(models[:2], text, budget=100_000).n_tried == {DELETE: 2, SWAP: 2}


@pytest.mark.parametrize("text", ["terrible", "so good \U0001f60d", "كان الفيلم رائعا", "<b>x</b> \u202e not is"])
def test_any_text_is_searched_to_its_end(text):
    found = api.find_shared_flips([build_tiny("lstm"), build_tiny("bert")], text)
    assert found.n_tried[DELETE] == min(2, len(found.words))
    assert found.places.max(initial=-1) < len(found.words)


def test_only_words_that_all_models_read_are_changed():
    short, long = build_tiny("bert", max_tokens=6), build_tiny("lstm")
    found = api.find_shared_flips([short, long], TEXT)
    assert found.words == ("not", "a", "good", "film")
    assert found.left_out.tolist() == [0, 3]


def test_what_cannot_be_searched_is_refused_and_work_can_be_cancelled(models):
    with pytest.raises(InvalidInputError, match="no model"):
        api.find_shared_flips([], TEXT)
    with pytest.raises(InvalidInputError, match="Budget"):
        api.find_shared_flips(models, TEXT, budget=1)
    with pytest.raises(InvalidInputError, match="Removal"):
        api.find_shared_flips(models, TEXT, removal="burn")
    with pytest.raises(IncompatibleError, match="classes"):
        api.find_shared_flips([models[0], build_tiny("gru", labels=("a", "b"))], TEXT)

    def stop(share: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.find_shared_flips(models, TEXT, progress=stop)
    shares: list[float] = []
    api.find_shared_flips(models, TEXT, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["not", "not not"])
def test_words_that_may_all_go_are_never_swapped_away_together(models, text):
    found = api.find_shared_flips(models, text)
    n_words = len(found.words)
    swapped = [row for row, kind in zip(found.described, found.kinds, strict=True) if kind == SWAP]
    assert not any(row.count("−") == n_words for row in swapped)
    whole = [model.labels for model in models]
    assert found.edited.shape[::2] == (len(models), len(whole[0])) and np.isfinite(found.edited).all()
