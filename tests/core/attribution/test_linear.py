"""A bag of words, whose true answer is known: every method finds it, each in its own way."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from explorer_core import api, registry
from explorer_core.loaded import LoadedModel
from tests.conftest import tiny_tokenizer

TEXT = "good film but bad plot"
PLANTED = "bad"


class BagOfWords(nn.Module):
    """Logits are a linear map of the sum of the word vectors that are read."""

    def __init__(self, n_words: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = nn.Embedding.from_pretrained(torch.randn(n_words, 6, generator=generator))
        self.head = nn.Linear(6, 2)
        self.config = SimpleNamespace(num_hidden_layers=0, bidirectional=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(2, 6, generator=generator))
            self.head.bias.zero_()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.table

    def forward(self, input_ids=None, inputs_embeds=None, attention_mask=None):
        vectors = self.table(input_ids) if inputs_embeds is None else inputs_embeds
        return SimpleNamespace(logits=self.head((vectors * attention_mask[..., None]).sum(1)))


@pytest.fixture(scope="module")
def bag() -> LoadedModel:
    tokenizer = tiny_tokenizer(special=False, words=True)
    module = BagOfWords(len(tokenizer)).eval().requires_grad_(False)
    return LoadedModel("bag", "bert", "transformer", ("negative", "positive"), module, tokenizer, "cpu", "f" * 16, 128)


def truth(model: LoadedModel, away: str) -> np.ndarray:
    """What each word truly adds to the logit of class 1, against another vector in its place."""
    reading = api.attribute(model, TEXT, "gradient_norm", 1).reading
    vectors = model.module.table.weight[torch.from_numpy(reading.token_ids)].numpy()
    other = {"zero": 0.0, "unk": model.module.table.weight[model.tokenizer.unk_token_id].numpy()}[away]
    return (vectors - other) @ model.module.head.weight[1].numpy()


@pytest.mark.parametrize(
    ("method", "knobs", "away"),
    [
        ("input_x_gradient", {}, "zero"),
        ("integrated_gradients", {"baseline": "zero"}, "zero"),
        ("integrated_gradients", {"baseline": "unk"}, "unk"),
        ("gradient_shap", {"baseline": "zero", "noise": 0.0}, "zero"),
        ("leave_one_out", {"removal": "drop"}, "zero"),
        ("leave_one_out", {"removal": "unk"}, "unk"),
        ("shapley_sampling", {"removal": "unk"}, "unk"),
        ("kernel_shap", {"removal": "drop"}, "zero"),
    ],
)
def test_a_signed_method_finds_what_every_word_truly_adds(bag, method, knobs, away):
    found = api.attribute(bag, TEXT, method, 1, **knobs)
    np.testing.assert_allclose(found.scores, truth(bag, away), atol=1e-4)
    if found.standard_error is not None:
        assert found.standard_error.max() < 1e-4


def test_lime_finds_the_order_and_the_signs(bag):
    found = api.attribute(bag, TEXT, "lime", 1, removal="drop", alpha=1e-6, n_samples=2_000)
    np.testing.assert_allclose(found.scores, truth(bag, "zero"), atol=0.05)


@pytest.mark.parametrize("method", ["gradient_norm", "smooth_grad"])
def test_a_gradient_of_a_linear_map_is_the_same_everywhere(bag, method):
    found = api.attribute(bag, TEXT, method, 1)
    np.testing.assert_allclose(found.scores, float(bag.module.head.weight[1].norm()), rtol=1e-5)


def test_every_method_that_claims_a_sign_finds_a_planted_word(bag, monkeypatch):
    planted = bag.tokenizer.convert_tokens_to_ids(PLANTED)
    table = bag.module.table.weight.clone()
    with torch.no_grad():
        table *= 0.05
        table[planted] = 5 * bag.module.head.weight[1]
    monkeypatch.setattr(bag.module.table, "weight", nn.Parameter(table, requires_grad=False))
    for about in api.list_methods(bag):
        if about.extra["signed"] and about.name not in ("lstm_ledger",):
            found = api.attribute(bag, TEXT, about.name, 1)
            assert found.words[int(found.scores.argmax())] == PLANTED, about.name
    assert {about.name for about in registry.describe("attribution").values()} >= {"lime", "kernel_shap"}
