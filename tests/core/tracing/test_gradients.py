"""Gradients of typed texts: what is in them, what they refuse, and that they leave nothing behind."""

from __future__ import annotations

import copy
import dataclasses
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import GradientTrace
from tests.core import autograd_oracle
from tests.core.tracing.test_gradients_backward import relative
from tests.core.tracing.test_tracing_states import arrays_equal, same, state_of

TEXT = "The plot isn't good, but I loved the acting 😀 wonderful"
POOLINGS = ("last", "mean", "max")


def vectors_of(model, reading) -> torch.Tensor:
    with torch.no_grad():
        return model.module.get_input_embeddings()(torch.from_numpy(reading.token_ids))


def hf_gradients(model, text: str, value) -> tuple[float, list[np.ndarray], np.ndarray]:
    """Value and gradients of every layer and of the word vectors, by autograd over an eager copy in float64."""
    second = copy.deepcopy(model.module).double()
    second.set_attn_implementation("eager")
    encoded = model.tokenizer(text, return_tensors="pt")
    words = second.get_input_embeddings()(encoded.input_ids).detach().requires_grad_()
    given = second(inputs_embeds=words, attention_mask=encoded.attention_mask, output_hidden_states=True)
    number = value(given.logits[0])
    *hidden, by_words = torch.autograd.grad(number, [*given.hidden_states, words])
    return number.item(), [each[0].numpy() for each in hidden], by_words[0].numpy()


# What is in it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recurrent_gradients_of_a_text_are_the_oracles(recurrent_family, pooling, dtype, tiny_model):
    model = tiny_model(recurrent_family, pooling=pooling, dtype=dtype)
    found = api.trace_gradients(model, TEXT, "negative")
    wanted = autograd_oracle.gradients(model.module, vectors_of(model, found.reading), lambda logits: logits[0])
    limit = 1e-4 if dtype == "float32" else 1e-5
    assert relative(found.grad_hidden, wanted.hidden) <= limit
    assert relative(found.grad_gates, wanted.gates, 2) <= limit
    assert relative(found.grad_embedding, wanted.vectors) <= limit
    assert (found.grad_cell is None) == (wanted.cell is None)
    if wanted.cell is not None:
        assert relative(found.grad_cell, wanted.cell) <= limit
    assert found.grad_hidden.dtype == found.grad_embedding.dtype == np.dtype(dtype)
    assert (found.of, found.target, found.target_label) == ("logit", 0, "negative")
    assert found.value == found.logits[0]
    assert found.gate_names == model.module.gate_names


def test_a_berts_gradients_are_those_of_an_eager_copy_in_float64(tiny_model):
    model = tiny_model("bert", num_layers=3)
    found = api.trace_gradients(model, TEXT, 1)
    value, hidden, by_words = hf_gradients(model, TEXT, lambda logits: logits[1])
    assert found.value == pytest.approx(value, rel=1e-5)
    assert found.grad_hidden.shape == (4, len(found.tokens), 16)
    assert relative(found.grad_embedding, by_words) <= 1e-4
    for layer, wanted in enumerate(hidden):
        assert relative(found.grad_hidden[layer], wanted) <= 1e-4
    assert found.grad_cell is None and found.grad_gates is None and not found.is_recurrent
    assert found.cell_norm is None and found.gate_norm is None and found.directions == ()
    assert not found.grad_hidden[-1, 1:].any(), "the head looks at the first position of the last layer only"


def test_other_transformer_families_give_their_gradients(tiny_model):
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    model = tiny_model("bert")
    config = DistilBertConfig(vocab_size=len(model.tokenizer), dim=16, n_layers=2, n_heads=2, hidden_dim=32)
    other = dataclasses.replace(model, module=DistilBertForSequenceClassification(config).eval())
    found = api.trace_gradients(other, TEXT, 1)
    _, hidden, by_words = hf_gradients(other, TEXT, lambda logits: logits[1])
    assert relative(found.grad_embedding, by_words) <= 1e-4
    assert relative(found.grad_hidden, np.stack(hidden)) <= 1e-4


def test_the_loss_of_a_label_is_differentiated_in_nats(family, tiny_model):
    model = tiny_model(family, dtype="float64")
    found = api.trace_gradients(model, TEXT, of="loss", label="positive")

    def loss(logits):
        return torch.nn.functional.cross_entropy(logits[None], torch.tensor([1]))

    assert (found.of, found.target_label) == ("loss", "positive")
    assert found.value == pytest.approx(-math.log(found.probs[1]), rel=1e-9)
    if family == "bert":
        wanted = hf_gradients(model, TEXT, loss)[2]
    else:
        wanted = autograd_oracle.gradients(model.module, vectors_of(model, found.reading), loss).vectors
    assert relative(found.grad_embedding, wanted) <= 1e-9


def test_the_loss_of_a_sure_verdict_keeps_its_digits_in_float32(recurrent_family, tiny_model):
    """p - 1 for a probability near 1 has none."""
    model = tiny_model(recurrent_family)
    with torch.no_grad():
        model.module.classifier.bias.copy_(torch.tensor([12.0, 0.0]))
    found = api.trace_gradients(model, TEXT, of="loss", label=0)
    wanted = autograd_oracle.gradients(
        model.module, vectors_of(model, found.reading), lambda logits: -logits.log_softmax(-1)[0]
    )
    assert relative(found.grad_embedding, wanted.vectors) <= 1e-4


def test_the_predicted_class_is_taken_when_none_is_named(family, tiny_model):
    model = tiny_model(family, labels=("bad", "so so", "good"))
    found = api.trace_gradients(model, TEXT)
    assert found.target == found.logits.argmax()
    for name in (found.target, np.int64(found.target), found.target_label):
        assert arrays_equal(api.trace_gradients(model, TEXT, name), found)


def test_norms_are_norms_and_words_take_all_of_their_tokens(family, tiny_model):
    found = api.trace_gradients(tiny_model(family), "Unbelievable plot")
    np.testing.assert_allclose(found.hidden_norm, np.linalg.norm(found.grad_hidden, axis=-1), rtol=1e-6)
    first = found.grad_embedding[found.word_of_token == 0]
    assert len(first) > 1
    np.testing.assert_allclose(found.embedding_norm_by_word[0], np.linalg.norm(first), rtol=1e-6)
    assert found.embedding_norm_by_word.shape == (2,)
    if found.grad_cell is not None:
        assert found.cell_norm.shape == found.hidden_norm.shape
    assert 0 < found.floor < 1e-30


def test_norms_of_gradients_near_the_floor_do_not_underflow(tiny_model):
    found = api.trace_gradients(tiny_model("rnn"), TEXT)
    tiny = dataclasses.replace(found, grad_embedding=np.full_like(found.grad_embedding, 1e-30))
    assert tiny.embedding_norm == pytest.approx(1e-30 * math.sqrt(12))


def test_one_word_is_enough_for_gradients(family, tiny_model):
    found = api.trace_gradients(tiny_model(family), "good")
    assert found.embedding_norm_by_word.shape == (1,)
    assert found.embedding_norm_by_word[0] > 0


def test_half_precision_gradients_are_handed_out_as_float32(family, tiny_model):
    model = tiny_model(family)
    expected = api.trace_gradients(model, TEXT, 1)
    model.module.to(torch.bfloat16)
    found = api.trace_gradients(model, TEXT, 1)
    assert found.grad_hidden.dtype == found.grad_embedding.dtype == np.float32
    off = np.linalg.norm(found.grad_embedding - expected.grad_embedding) / np.linalg.norm(expected.grad_embedding)
    assert off < 0.3


def test_gradients_can_be_taken_away(family, tiny_model, tmp_path):
    found = api.trace_gradients(tiny_model(family), TEXT)
    frame = found.to_frame()
    assert len(frame) == found.grad_hidden.size
    assert {f"grad_{name}" for name in found.quantities()} <= set(frame.columns)
    np.testing.assert_array_equal(frame["grad_hidden"], found.grad_hidden.ravel())
    with np.load(found.save(tmp_path / "found.npz")) as saved:
        np.testing.assert_array_equal(saved["grad_embedding"], found.grad_embedding)
        assert int(saved["target"]) == found.target
    assert found.save(tmp_path / "found.csv").exists()


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["neutral", 2, -1, True, 1.0])
def test_a_target_that_does_not_exist_is_refused_with_those_that_do(target, family, tiny_model):
    with pytest.raises(InvalidInputError, match="negative, positive"):
        api.trace_gradients(tiny_model(family), TEXT, target)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": "positive"}, "only used with of='loss'"),
        ({"of": "loss"}, "needs the right label"),
        ({"of": "loss", "label": "positive", "target": 1}, "not a target"),
        ({"of": "loss", "label": "neutral"}, "no class 'neutral'"),
        ({"of": "prob"}, "allowed: logit, loss"),
    ],
)
def test_labels_and_losses_that_do_not_go_together_are_refused(given, said, tiny_model):
    with pytest.raises(InvalidInputError, match=said):
        api.trace_gradients(tiny_model("lstm"), TEXT, **given)


def test_a_text_without_words_is_refused(family, tiny_model):
    with pytest.raises(InvalidInputError, match="empty"):
        api.trace_gradients(tiny_model(family), "  ")


def test_a_network_of_another_kind_is_refused(tiny_model):
    odd = dataclasses.replace(tiny_model("lstm"), kind="diffusion")
    for call in (api.trace_gradients, api.trace_connectivity, api.trace_jacobians):
        with pytest.raises(IncompatibleError):
            call(odd, TEXT)


@pytest.mark.parametrize(
    ("part", "place"),
    [("rnn.weight_hh_l1", "layer 2"), ("embedding.weight", "the word vectors"), ("classifier.bias", "the head")],
)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_broken_weights_are_named_by_their_layer(part, place, value, tiny_model):
    model = tiny_model("lstm")
    with torch.no_grad():
        dict(model.module.named_parameters())[part].fill_(value)
    for call in (api.trace_gradients, api.trace_connectivity, api.trace_jacobians):
        with pytest.raises(InvalidInputError, match=rf"{place} \({part}\)"):
            call(model, TEXT)


def test_broken_weights_of_a_bert_are_named_by_their_layer(tiny_model):
    model = tiny_model("bert")
    with torch.no_grad():
        model.module.bert.encoder.layer[1].output.dense.weight[0, 0] = math.nan
    for call in (api.trace_gradients, api.trace_connectivity):
        with pytest.raises(InvalidInputError, match=r"layer 2 \(bert\.encoder\.layer\.1\.output\.dense\.weight\)"):
            call(model, TEXT)


def test_a_gradient_that_explodes_is_said(tiny_model):
    model = tiny_model("rnn")
    with torch.no_grad():
        model.module.classifier.weight.fill_(3e38)
        model.module.classifier.weight[:, ::2] *= -1
    with pytest.raises(InvalidInputError, match="explodes"):
        api.trace_gradients(model, TEXT)


# Nothing is left behind ---------------------------------------------------------------------------------------------


CALLS = {"gradients": api.trace_gradients, "connectivity": api.trace_connectivity}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("trains", [False, True])
def test_gradients_leave_nothing_on_the_model(call, trains, family, tiny_model):
    model = tiny_model(family)
    model.module.requires_grad_(trains)
    before = state_of(model.module)
    with torch.inference_mode():
        CALLS[call](model, TEXT)
    with torch.no_grad():
        CALLS[call](model, TEXT)
    assert same(before, state_of(model.module))
    assert all(weight.grad is None for weight in model.module.parameters())


def test_gradients_that_fail_leave_nothing_either(family, tiny_model, monkeypatch):
    from explorer_core.tracing import gradients

    model = tiny_model(family)
    before = state_of(model.module)

    def crash(*_, **__):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(gradients, "_grad_of_logits", crash)
        with pytest.raises(RuntimeError, match="out of memory"):
            api.trace_gradients(model, TEXT)
    assert same(before, state_of(model.module))
    api.trace_gradients(model, TEXT)


@pytest.mark.parametrize("call", CALLS)
def test_gradients_from_eight_threads_are_those_of_one(call, family, tiny_model):
    model = tiny_model(family)
    texts = [f"{TEXT} {'very ' * index}dull" for index in range(8)]
    expected = [CALLS[call](model, text, 1) for text in texts]
    fresh = tiny_model(family)
    before = state_of(fresh.module)
    barrier = threading.Barrier(8)

    def work(index: int) -> list:
        barrier.wait(timeout=60)
        return [CALLS[call](fresh, texts[(index + turn) % 8], 1) for turn in range(2)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for index, results in enumerate(found):
        for turn, result in enumerate(results):
            assert arrays_equal(result, expected[(index + turn) % 8])
    assert same(before, state_of(fresh.module))


def test_a_gradient_trace_of_the_wrong_shape_is_never_handed_out(tiny_model):
    found = api.trace_gradients(tiny_model("lstm"), TEXT)
    assert isinstance(found, GradientTrace)
    with pytest.raises(AssertionError, match="grad_cell"):
        dataclasses.replace(found, grad_cell=found.grad_cell[:1])
