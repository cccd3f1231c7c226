"""A BERT from layer to layer: the head on every layer is a network cut off there, and cosines are cosines."""

from __future__ import annotations

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import LayerSimilarity
from explorer_core.tracing import layers
from tests.conftest import build_tiny, scale_up
from tests.core.tracing.test_tracing_states import same, state_of

TEXT = "The plot isn't good, but I loved the acting"
RELATIVES = ("bert", "distilbert", "roberta", "electra", "small electra")


def build(relative: str):
    """A tiny classifier of a relative of BERT with weights that matter, over the tiny tokenizer."""
    from transformers import (
        DistilBertConfig,
        DistilBertForSequenceClassification,
        ElectraConfig,
        ElectraForSequenceClassification,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    model = build_tiny("bert", num_layers=3, labels=("bad", "so so", "good"))
    sizes = {"vocab_size": len(model.tokenizer), "num_labels": 3, "pad_token_id": 0}
    deep = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 32}
    if relative == "bert":
        return model
    if relative == "distilbert":
        config = DistilBertConfig(**sizes, dim=16, n_layers=3, n_heads=4, hidden_dim=32)
        module = DistilBertForSequenceClassification(config)
    elif relative == "roberta":
        module = RobertaForSequenceClassification(RobertaConfig(**sizes, **deep))
    else:  # a small ELECTRA's embedding is narrower than its layers, and projected
        width = 8 if relative == "small electra" else 16
        module = ElectraForSequenceClassification(ElectraConfig(**sizes, **deep, embedding_size=width))
    scale_up(module, 1)
    return dataclasses.replace(model, module=module.eval().requires_grad_(False))


def cut_off(module, n_layers: int):
    """A copy of a network without its layers from a number on."""
    shorter = copy.deepcopy(module)
    base = getattr(shorter, shorter.base_model_prefix)
    stack = base.transformer if hasattr(base, "transformer") else base.encoder
    stack.layer = stack.layer[:n_layers]
    return shorter


# The head on every layer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relative", RELATIVES)
def test_the_verdict_of_a_layer_is_that_of_a_network_cut_off_after_it(relative):
    model = build(relative)
    found = api.trace_layer_verdicts(model, TEXT)
    assert found.logits.shape == (4, 3)
    ids = torch.from_numpy(found.reading.token_ids)[None]
    for n_layers in range(4):
        with torch.inference_mode():
            expected = cut_off(model.module, n_layers)(input_ids=ids).logits[0].numpy()
        np.testing.assert_allclose(found.logits[n_layers], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("relative", RELATIVES)
def test_the_last_row_is_the_networks_own_verdict(relative):
    model = build(relative)
    found = api.trace_layer_verdicts(model, TEXT)
    np.testing.assert_allclose(found.logits[-1], api.trace_states(model, TEXT).logits, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.probs.sum(-1), 1, rtol=0, atol=1e-6)


@pytest.mark.parametrize("relative", RELATIVES)
def test_before_any_layer_the_verdict_is_the_same_for_every_text(relative):
    model = build(relative)
    one, other = (api.trace_layer_verdicts(model, text).logits for text in (TEXT, "terrible"))
    np.testing.assert_allclose(one[0], other[0], rtol=0, atol=1e-6)
    assert np.abs(one[1:] - other[1:]).max() > 1e-3


@pytest.mark.parametrize("relative", RELATIVES)
def test_reading_the_layers_changes_nothing_of_the_model(relative):
    model = build(relative)
    before = state_of(model.module)
    api.trace_layer_verdicts(model, TEXT)
    assert same(before, state_of(model.module))


def test_eight_threads_read_what_one_reads():
    model = build("electra")
    texts = [f"{TEXT} {'very ' * index}dull" for index in range(8)]
    expected = [api.trace_layer_verdicts(model, text).logits for text in texts]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: api.trace_layer_verdicts(model, text).logits, texts * 3))
    assert all(np.array_equal(one, expected[index % 8]) for index, one in enumerate(found))


def test_a_recurrent_network_has_no_head_for_every_layer(recurrent_family, tiny_model):
    with pytest.raises(IncompatibleError, match="is no BERT"):
        api.trace_layer_verdicts(tiny_model(recurrent_family), TEXT)


def test_a_head_of_another_kind_is_refused():
    model = build("bert")
    model.module.config.model_type = "deberta"
    with pytest.raises(IncompatibleError, match="deberta"):
        api.trace_layer_verdicts(model, TEXT)


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_a_text_without_words_has_no_verdict(text):
    with pytest.raises(InvalidInputError):
        api.trace_layer_verdicts(build("bert"), text)


def test_verdicts_by_layer_become_a_table():
    found = api.trace_layer_verdicts(build("bert"), TEXT)
    frame = found.to_frame()
    assert list(frame.columns) == ["layer", "label", "logit", "prob"]
    assert np.array_equal(frame["logit"].to_numpy().reshape(4, 3), found.logits)
    assert frame["label"].tolist()[:3] == ["bad", "so so", "good"]


# How alike the vectors are ------------------------------------------------------------------------------------------


def by_loop(one, other) -> float:
    lengths = sum(float(a) ** 2 for a in one) ** 0.5 * sum(float(b) ** 2 for b in other) ** 0.5
    return sum(float(a) * float(b) for a, b in zip(one, other, strict=True)) / lengths


@pytest.mark.parametrize("centred", [False, True])
def test_cosines_are_those_of_a_float64_loop(centred, tiny_model):
    trace = api.trace_states(tiny_model("bert"), TEXT)
    found = api.compare_layers(trace, centred=centred)
    vectors = trace.hidden[:, trace.reading.last_token_of_word].astype(float)
    if centred:
        vectors = vectors - vectors.sum(1, keepdims=True) / vectors.shape[1]
    for layer in range(3):
        for word in range(len(trace.words)):
            for other in range(len(trace.words)):
                expected = by_loop(vectors[layer, word], vectors[layer, other])
                assert abs(found.between_words[layer, word, other] - expected) <= 1e-6
            if layer < 2:
                expected = by_loop(vectors[layer, word], vectors[layer + 1, word])
                assert abs(found.to_next_layer[layer, word] - expected) <= 1e-6
    assert np.array_equal(found.between_words, found.between_words.transpose(0, 2, 1))
    assert found.is_centred == centred


def test_a_vector_of_length_zero_has_cosine_zero_with_every_vector():
    vectors = np.array([[0.0, 0.0], [3.0, 4.0], [-3.0, -4.0], [1e200, 0.0], [1e-200, 0.0]])
    found = layers.cosine(vectors[:, None], vectors[None])
    assert not found[0].any() and not found[:, 0].any()
    assert np.allclose(np.diag(found)[1:], 1)
    assert found[1, 2] == pytest.approx(-1)
    assert found[3, 4] == pytest.approx(1)


def test_one_word_is_like_itself_and_centred_like_nothing(tiny_model):
    trace = api.trace_states(tiny_model("bert"), "good")
    assert np.allclose(api.compare_layers(trace).between_words, 1)
    assert np.allclose(api.compare_layers(trace).mean_between_words, 1)
    assert not api.compare_layers(trace, centred=True).between_words.any()


def test_the_mean_over_pairs_leaves_the_diagonal_out(tiny_model):
    found = api.compare_layers(api.trace_states(tiny_model("bert"), TEXT))
    n_words = len(found.words)
    pairs = ~np.eye(n_words, dtype=bool)
    assert np.allclose(found.mean_between_words, [layer[pairs].mean() for layer in found.between_words], atol=1e-6)


def test_the_table_names_the_most_like_word_of_each(tiny_model):
    found = api.compare_layers(api.trace_states(tiny_model("bert"), TEXT))
    frame = found.to_frame()
    assert len(frame) == 3 * len(found.words)
    row = frame.iloc[len(found.words) + 2]
    others = [other for other in range(len(found.words)) if other != 2]
    best = max(others, key=lambda other: found.between_words[1, 2, other])
    assert row["most_like"] == found.words[best]
    assert row["cosine_to_next_layer"] == pytest.approx(found.to_next_layer[1, 2])
    assert row["mean_cosine_to_others"] == pytest.approx(found.between_words[1, 2, others].mean(), abs=1e-6)
    assert frame["cosine_to_next_layer"].isna().sum() == len(found.words)


def test_what_is_compared_is_told_from_what_is_not(recurrent_family, tiny_model):
    with pytest.raises(IncompatibleError, match="Only a BERT"):
        api.compare_layers(api.trace_states(tiny_model(recurrent_family), TEXT))


def test_a_similarity_of_the_wrong_shape_is_never_handed_out(tiny_model):
    found = api.compare_layers(api.trace_states(tiny_model("bert"), TEXT))
    with pytest.raises(AssertionError, match="between_words"):
        dataclasses.replace(found, between_words=found.between_words[1:])
    assert isinstance(found, LayerSimilarity)
