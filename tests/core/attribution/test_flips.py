"""The smallest deletions that turn a verdict, against trying them all by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, InvalidInputError
from tests.conftest import FAMILIES, build_tiny

TEXT = "not a good film but loved it"


def decides(model, ids: np.ndarray) -> int:
    left = torch.from_numpy(ids)[None]
    with torch.no_grad():
        return int(model.module(input_ids=left, attention_mask=torch.ones_like(left)).logits[0].argmax())


def turned(model, found, size: int) -> set[tuple[int, ...]]:
    """Every choice of so many words whose absence turns the verdict, read anew one by one."""
    ids, owner = found.reading.token_ids, found.reading.word_of_token
    return {
        words
        for words in combinations(range(len(found.words)), size)
        if decides(model, np.where(np.isin(owner, words), model.tokenizer.unk_token_id, ids)) != found.logits.argmax()
    }


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_no_smaller_deletion_turns_the_verdict_and_all_of_that_size_are_found(family, seed):
    model = build_tiny(family, seed=seed)
    found = api.find_flips(model, TEXT, removal="unk")
    if found.is_exact:
        for size in range(1, found.n_words or 4):
            assert not turned(model, found, size)
        if found.n_words:
            assert {tuple(row) for row in found.deletions.tolist()} == turned(model, found, found.n_words)
    elif found.n_words:
        (row,) = found.deletions.tolist()
        assert tuple(row) in turned(model, found, found.n_words)
    assert (found.margins < 0).all()
    assert (np.diff(found.margins) >= 0).all()
    assert (found.new_labels != found.logits.argmax()).all()


def test_a_constant_network_is_never_turned():
    model = build_tiny("lstm")
    with torch.no_grad():
        model.module.classifier.weight.zero_()
        model.module.classifier.bias.copy_(torch.tensor([0.0, 1.0]))
    found = api.find_flips(model, TEXT)
    assert found.n_words == 0
    assert not found.is_exact
    assert found.n_tried == len(found.words)
    assert len(found.to_frame()) == 0


def test_a_small_budget_goes_greedily_and_says_so():
    model = build_tiny("gru")
    found = api.find_flips(model, "good bad film plot " * 6, budget=100)
    assert not found.is_exact or found.n_words == 1
    assert found.n_passes <= 101


def test_one_word_is_tried_alone():
    found = api.find_flips(build_tiny("lstm"), "terrible")
    assert found.is_exact
    assert found.n_tried == 1


def test_what_cannot_be_searched_is_refused_and_work_can_be_cancelled():
    model = build_tiny("lstm")
    with pytest.raises(InvalidInputError, match="Budget"):
        api.find_flips(model, TEXT, budget=1)
    with pytest.raises(InvalidInputError, match="Removal"):
        api.find_flips(model, TEXT, removal="burn")

    def stop(share: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.find_flips(model, TEXT, progress=stop)
