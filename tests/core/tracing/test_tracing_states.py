"""Whole traces of typed texts: what is in them, what they refuse, and that they leave no trace themselves."""

from __future__ import annotations

import copy
import dataclasses
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import RecurrentTrace, TransformerTrace
from explorer_core.tracing import transformer
from tests.core import oracle, random_networks

TEXT = "The plot isn't good, but I loved the acting 😀 wonderful"


def state_of(module) -> tuple:
    """Everything of a module a trace may not change."""
    return (
        [(name, weight.clone(), weight.grad, weight.requires_grad) for name, weight in module.named_parameters()],
        [(name, each.training, len(each._forward_hooks), len(each._forward_pre_hooks), len(each._backward_hooks))
         for name, each in module.named_modules()],
        module.config.to_dict(),
        module.config._attn_implementation,
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )  # fmt: skip


def same(one: tuple, other: tuple) -> bool:
    weights = all(
        a[0] == b[0] and torch.equal(a[1], b[1]) and a[2] is b[2] and a[3] == b[3]
        for a, b in zip(one[0], other[0], strict=True)
    )
    return weights and one[1:] == other[1:]


def arrays_equal(one, other) -> bool:
    mine, theirs = one.arrays(), other.arrays()
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)


# What is in a trace -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_recurrent_trace_is_the_oracles(recurrent_family, n_layers, tiny_model):
    model = tiny_model(recurrent_family, num_layers=n_layers)
    traced = api.trace_states(model, TEXT)
    assert isinstance(traced, RecurrentTrace)
    with torch.inference_mode():
        vectors = model.module.get_input_embeddings()(torch.from_numpy(traced.reading.token_ids))
    expected = oracle.read(model.module, vectors)
    assert np.abs(traced.hidden - expected.hidden).max() <= 1e-5
    assert np.abs(traced.gates - expected.gates).max(initial=0) <= 1e-5
    assert np.abs(traced.logits - expected.logits).max() <= 1e-5
    assert (traced.cell is None) == (expected.cell is None)
    if expected.cell is not None:
        assert np.abs(traced.cell - expected.cell).max() <= 1e-5
    assert traced.gate_names == model.module.gate_names
    assert traced.gates.shape[3] == len(traced.gate_names)
    assert traced.directions == (("forward", "backward") if recurrent_family == "bilstm" else ("forward",))
    assert traced.pooling == "last"
    assert (traced.model, traced.architecture, traced.fingerprint) == (model.name, recurrent_family, model.fingerprint)


def test_double_precision_stays_double(recurrent_family, tiny_model):
    traced = api.trace_states(tiny_model(recurrent_family, dtype="float64"), TEXT)
    assert traced.hidden.dtype == traced.gates.dtype == traced.running_logits.dtype == np.float64
    assert np.abs(traced.running_logits[-1] - traced.logits).max() <= 1e-12


def test_half_precision_is_handed_out_as_float32(family, tiny_model):
    model = tiny_model(family)
    model.module.to(torch.bfloat16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = api.trace_states(model, TEXT)
    assert traced.hidden.dtype == traced.logits.dtype == np.float32


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_a_bert_trace_is_what_a_second_eager_copy_gives(implementation, tiny_model):
    model = tiny_model("bert", num_layers=3)
    second = copy.deepcopy(model.module)
    second.set_attn_implementation("eager")
    model.module.set_attn_implementation(implementation)
    traced = api.trace_states(model, TEXT)
    assert isinstance(traced, TransformerTrace)
    with torch.inference_mode():
        given = second(**model.tokenizer(TEXT, return_tensors="pt"), output_hidden_states=True, output_attentions=True)
    np.testing.assert_allclose(traced.hidden, torch.cat(given.hidden_states).numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(traced.attn_pattern, torch.cat(given.attentions).numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(traced.logits, given.logits[0].numpy(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(traced.attn_pattern.sum(-1), 1, rtol=0, atol=1e-6)
    assert traced.hidden.shape[0] == 1 + traced.attn_pattern.shape[0] == 4
    assert model.module.config._attn_implementation == implementation


def test_the_twin_shares_its_weights_and_is_made_once(tiny_model):
    model = tiny_model("bert")
    twin = transformer.recording_twin(model.module)
    assert transformer.recording_twin(model.module) is twin
    assert twin is not model.module
    assert twin.config is not model.module.config
    for ours, theirs in zip(twin.parameters(), model.module.parameters(), strict=True):
        assert ours is theirs
    model.module.classifier.weight = torch.nn.Parameter(torch.zeros(2, 16))
    assert transformer.recording_twin(model.module) is not twin


def test_other_transformer_families_are_traced(tiny_model):
    from transformers import (
        DistilBertConfig,
        DistilBertForSequenceClassification,
        ElectraConfig,
        ElectraForSequenceClassification,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    model = tiny_model("bert")
    sizes = {"vocab_size": len(model.tokenizer), "num_labels": 2, "pad_token_id": 0}
    layers = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
    small = {"dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 32}
    modules = [
        DistilBertForSequenceClassification(DistilBertConfig(**sizes, **small)),
        RobertaForSequenceClassification(RobertaConfig(**sizes, **layers)),
        ElectraForSequenceClassification(ElectraConfig(**sizes, **layers, embedding_size=16)),
    ]
    for module in modules:
        other = dataclasses.replace(model, module=module.eval().requires_grad_(False))
        traced = api.trace_states(other, TEXT)
        assert traced.hidden.shape == (3, len(traced.tokens), 16)
        assert traced.attn_pattern.shape == (2, 4, len(traced.tokens), len(traced.tokens))
        with torch.inference_mode():
            inputs = other.tokenizer("The plot", return_tensors="pt", return_token_type_ids=False)
            assert np.abs(traced.running_logits[1] - module(**inputs).logits[0].numpy()).max() <= 1e-5


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b"])
def test_a_text_without_words_is_refused(family, text, tiny_model):
    with pytest.raises(InvalidInputError):
        api.trace_states(tiny_model(family), text)
    with pytest.raises(InvalidInputError):
        api.running_verdict(tiny_model(family), text)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("part", ["classifier", "first"])
def test_broken_weights_are_named_instead_of_drawn(family, part, running, tiny_model):
    model = tiny_model(family)
    weights = dict(model.module.named_parameters())
    name = "classifier.bias" if part == "classifier" else next(name for name in weights if "embed" not in name)
    with torch.no_grad():
        weights[name].fill_(float("nan"))
    with pytest.raises(InvalidInputError, match="not finite"):
        api.trace_states(model, TEXT, running=running)
    with pytest.raises(InvalidInputError, match="not finite"):
        api.running_verdict(model, TEXT)


def test_a_network_of_another_kind_is_refused(tiny_model):
    model = dataclasses.replace(tiny_model("lstm"), kind="convolutional")
    with pytest.raises(IncompatibleError, match="tiny-lstm"):
        api.trace_states(model, TEXT)
    with pytest.raises(IncompatibleError):
        api.running_verdict(model, TEXT)


@pytest.mark.parametrize("patterns", [None, (), "one missing", "rows off"])
def test_attention_that_is_none_is_refused(patterns, tiny_model):
    model = tiny_model("bert")
    good = torch.full((1, 4, 3, 3), 1 / 3)
    given = {"one missing": (good,), "rows off": (good, good * 1.1)}.get(patterns, patterns)
    with pytest.raises(IncompatibleError):
        transformer.check_patterns(given, model)
    assert len(transformer.check_patterns((good, good), model)) == 2


# Leaves no trace ----------------------------------------------------------------------------------------------------


def test_a_trace_changes_nothing_of_the_model(family, tiny_model):
    model = tiny_model(family)
    before = state_of(model.module)
    api.trace_states(model, TEXT)
    api.running_verdict(model, TEXT)
    assert same(before, state_of(model.module))


def test_a_trace_that_fails_changes_nothing_either(family, tiny_model, monkeypatch):
    model = tiny_model(family)
    before = state_of(model.module)

    def crash(*_, **__):
        raise RuntimeError("out of memory")

    where = "trace_batch" if model.kind == "recurrent" else None
    with monkeypatch.context() as patch:
        if where:
            from explorer_core.tracing import _kernel

            patch.setattr(_kernel, where, crash)
        else:
            patch.setattr(transformer._prefixes, "read_transformer", crash)
        with pytest.raises(RuntimeError, match="out of memory"):
            api.trace_states(model, TEXT)
    assert same(before, state_of(model.module))
    api.trace_states(model, TEXT)


def test_the_same_text_gives_the_same_arrays(family, tiny_model):
    model = tiny_model(family)
    assert arrays_equal(api.trace_states(model, TEXT), api.trace_states(model, TEXT))


def test_eight_threads_at_once_get_what_one_gets(family, tiny_model):
    model = tiny_model(family)
    texts = [f"{TEXT} {'very ' * index}dull" for index in range(8)]
    expected = [api.trace_states(model, text) for text in texts]
    fresh = tiny_model(family)  # so that whatever is made once is made by eight threads at once
    barrier = threading.Barrier(8)

    def work(index: int) -> list:
        barrier.wait(timeout=60)
        return [api.trace_states(fresh, texts[(index + turn) % 8]) for turn in range(6)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for index, traces in enumerate(found):
        for turn, traced in enumerate(traces):
            assert arrays_equal(traced, expected[(index + turn) % 8])


def test_threads_with_different_limits_share_a_tokenizer(tiny_model):
    """A fast tokenizer keeps its truncation on one object; unguarded, threads raise or cut each other's texts."""
    model = tiny_model("rnn", num_layers=1)
    shorter = dataclasses.replace(model, max_tokens=5)

    def work(index: int) -> int:
        return len(api.trace_states((model, shorter)[index % 2], TEXT, running=False).tokens)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(80)))
    assert set(found[1::2]) == {5}
    assert len(set(found[::2])) == 1 and found[0] > 5


# Long texts ---------------------------------------------------------------------------------------------------------


def test_four_thousand_and_ninety_six_tokens_are_traced(recurrent_family, tiny_model):
    model = tiny_model(recurrent_family, num_layers=1)
    traced = api.trace_states(model, "the plot was not good " * 900, running=recurrent_family != "bilstm")
    assert len(traced.tokens) == 4096
    assert len(traced.reading.truncated_words) == 4500 - 4096
    assert any("were not" in note for note in traced.reading.notes)


def test_what_a_long_trace_holds_grows_with_its_length():
    """Every array has one entry for each position; nothing is kept for pairs of positions."""
    module = random_networks.build("lstm")

    def held(n_pos: int) -> int:
        from explorer_core.tracing import _kernel

        traced = _kernel.trace_batch(module, torch.randn(1, n_pos, 6))
        return sum(each.untyped_storage().nbytes() for each in (traced.hidden, traced.cell, traced.gates))

    assert held(2048) == 2 * held(1024)
