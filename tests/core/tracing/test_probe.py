"""Gradients of a set of texts by state and distance and by weight: against autograd in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core.tracing import _kernel
from explorer_core.tracing._backward import backward_batch
from explorer_core.tracing._probe import ProbeTexts, measure
from explorer_core.tracing._weights import embedding_gradient, weight_gradients
from explorer_core.training.recorders import group_of
from tests.conftest import build_tiny
from tests.core import autograd_oracle, random_networks

N_TEXTS, N_POS, N_DISTANCES = 3, 9, 6


@pytest.mark.parametrize("number", range(60))
def test_gradients_of_the_weights_are_those_of_autograd(number):
    """To 1e-9 of the norm of each weight's gradient in float64, padding and every pooling included."""
    case = random_networks.draw(number, torch.float64)
    module, lengths = case.module.requires_grad_(True), case.lengths
    grad = torch.from_numpy(np.random.default_rng(number).normal(size=(len(lengths), module.config.num_labels)))
    traced = _kernel.trace_batch(module, case.vectors, lengths)
    grads = backward_batch(module, traced, case.vectors, lengths, grad)
    found = weight_gradients(module, traced, case.vectors, lengths, grads, grad)
    mask = (torch.arange(case.vectors.shape[1]) < lengths[:, None]).long()
    (module(inputs_embeds=case.vectors, attention_mask=mask).logits * grad).sum().backward()
    wanted = {name: weight.grad for name, weight in module.named_parameters() if not name.startswith("embedding")}
    assert found.keys() == wanted.keys()
    for name, expected in wanted.items():
        assert float((found[name] - expected).norm()) <= 1e-9 * max(float(expected.norm()), 1e-3), name


def test_gradients_of_the_embedding_add_up_where_a_token_repeats_and_spare_the_padding(tiny_model):
    model = tiny_model("gru", dtype="float64")
    module = model.module.requires_grad_(True)
    ids, lengths = torch.tensor([[5, 6, 5, 7], [6, 6, 0, 0]]), torch.tensor([4, 2])
    vectors = module.embedding(ids).detach()
    grad = torch.tensor([[1.0, -0.5], [0.25, 2.0]], dtype=torch.float64)
    grads = backward_batch(module, _kernel.trace_batch(module, vectors, lengths), vectors, lengths, grad)
    (module(input_ids=ids, attention_mask=(ids > 0).long()).logits * grad).sum().backward()
    wanted = module.embedding.weight.grad
    torch.testing.assert_close(embedding_gradient(module, ids, grads), wanted[[5, 6, 7]], rtol=1e-10, atol=1e-14)
    assert not wanted[0].any()


def texts_of(n_vocabulary: int, *, ragged: bool) -> ProbeTexts:
    rng = np.random.default_rng(0)
    lengths = torch.from_numpy(rng.integers(N_DISTANCES, N_POS + 1, N_TEXTS) if ragged else np.full(N_TEXTS, N_POS))
    ids = torch.from_numpy(rng.integers(5, n_vocabulary, (N_TEXTS, N_POS)))
    return ProbeTexts(ids, lengths, torch.from_numpy(rng.integers(0, 2, N_TEXTS)), N_DISTANCES)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_norms_by_distance_are_those_of_each_texts_own_loss(recurrent_family, dtype, ragged):
    """mean over texts of ||d loss / d h|| at each distance, from autograd over a hand-unrolled cell in float64."""
    model = build_tiny(recurrent_family, dtype=dtype)
    texts = texts_of(len(model.tokenizer), ragged=ragged)
    found = measure(model.module, model.kind, texts, group_of)
    wanted, losses = [], []
    for ids, length, label in zip(texts.ids, texts.lengths.tolist(), texts.labels.tolist(), strict=True):
        vectors = model.module.embedding.weight.detach()[ids[:length]].double()
        norms = np.linalg.norm(
            autograd_oracle.gradients(model.module, vectors, lambda z, k=label: -z.log_softmax(-1)[k]).hidden, axis=-1
        )  # [layer, direction, pos]
        forward = norms[:, :1, length - 1 - np.arange(N_DISTANCES)]
        wanted.append(np.concatenate([forward, norms[:, 1:, :N_DISTANCES]], axis=1))
        losses.append(-float(autograd_oracle.unroll(model.module, vectors).logits.detach().log_softmax(-1)[label]))
    rtol = 1e-9 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(found.hidden, np.mean(wanted, axis=0), rtol=rtol)
    assert found.loss_nats == pytest.approx(np.mean(losses), rel=rtol)


def test_norms_of_groups_are_those_of_the_mean_loss(family):
    model = build_tiny(family, dtype="float64")
    texts = texts_of(len(model.tokenizer), ragged=True)
    module = model.module.requires_grad_(True)
    found = measure(module, model.kind, texts, group_of)
    mask = (torch.arange(N_POS) < texts.lengths[:, None]).long()
    logits = module(input_ids=texts.ids, attention_mask=mask).logits
    torch.nn.functional.cross_entropy(logits, texts.labels).backward()
    squares: dict[str, float] = {}
    for name, weight in module.named_parameters():
        squares[group_of(name)] = squares.get(group_of(name), 0.0) + float(weight.grad.square().sum())
    assert found.groups.keys() == squares.keys()
    for name, value in squares.items():
        assert found.groups[name] == pytest.approx(value**0.5, rel=1e-6), name


def test_norms_of_a_bert_by_distance_are_those_of_autograd_through_its_layers():
    """The embedding's output and every layer's, counted from the end of each text, each text alone."""
    model = build_tiny("bert", dtype="float64")
    texts = texts_of(len(model.tokenizer), ragged=True)
    found = measure(model.module.requires_grad_(True), model.kind, texts, group_of)
    wanted = []
    for ids, length, label in zip(texts.ids, texts.lengths.tolist(), texts.labels.tolist(), strict=True):
        given = model.module(input_ids=ids[None, :length], output_hidden_states=True)
        grads = torch.autograd.grad(-given.logits.log_softmax(-1)[0, label], given.hidden_states)
        norms = torch.cat(grads).norm(dim=-1).numpy()  # [layer + 1, pos]
        wanted.append(norms[:, ::-1][:, :N_DISTANCES])
    np.testing.assert_allclose(found.hidden[:, 0], np.mean(wanted, axis=0), rtol=1e-9)
    assert found.hidden.shape == (3, 1, N_DISTANCES)


def test_weights_that_do_not_learn_have_no_group(tiny_model):
    model = tiny_model("lstm")
    model.module.classifier.requires_grad_(True)
    found = measure(model.module, model.kind, texts_of(len(model.tokenizer), ragged=False), group_of)
    assert set(found.groups) == {"head"}


@pytest.mark.parametrize("kind", ["lstm", "bert"])
def test_measuring_in_the_middle_of_a_step_leaves_no_trace(kind):
    """Mode, gradients, generators and weights are the same before and after, also while dropout is on."""
    model = build_tiny(kind)
    module = model.module.requires_grad_(True).train()
    texts = texts_of(len(model.tokenizer), ragged=True)
    module(input_ids=texts.ids, labels=texts.labels).loss.backward()
    grads = {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}
    weights = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    modes = [part.training for part in module.modules()]
    generators = torch.get_rng_state().clone()
    one, other = (measure(module, model.kind, texts, group_of) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), generators)
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(dict(module.named_parameters())[name].grad, grad) for name, grad in grads.items())
    assert all(torch.equal(weight, weights[name]) for name, weight in module.named_parameters())
    assert not [hook for part in module.modules() for hook in (*part._forward_hooks, *part._backward_hooks)]
    np.testing.assert_array_equal(one.hidden, other.hidden)  # dropout is off while it is measured
    assert torch.is_grad_enabled()


def test_weights_that_are_no_numbers_give_norms_that_are_none(recurrent_family):
    model = build_tiny(recurrent_family)
    with torch.no_grad():
        model.module.classifier.weight[0, 0] = float("nan")
    model.module.requires_grad_(True)
    found = measure(model.module, model.kind, texts_of(len(model.tokenizer), ragged=False), group_of)
    assert np.isnan(found.loss_nats)
    assert np.isnan(found.hidden[-1]).any()
    assert np.isnan(found.groups["head"])
