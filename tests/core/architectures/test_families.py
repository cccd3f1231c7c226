"""Promises every family keeps: padding never counts, ids and vectors are one, a saved folder is an ordinary one."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

POOLINGS = ("last", "mean", "max")
LENGTHS = (7, 1, 4, 9)
N_POS = 9


def masks(pattern: str) -> torch.Tensor:
    """Attention mask [text, pos] with `LENGTHS` ones a row, in one of the patterns padding comes in."""
    generator = torch.Generator().manual_seed(3)
    mask = torch.zeros(len(LENGTHS), N_POS, dtype=torch.long)
    for row, length in enumerate(LENGTHS):
        kept = {
            "right": torch.arange(length),
            "left": torch.arange(N_POS - length, N_POS),
            "holes": torch.randperm(N_POS, generator=generator)[:length],
        }[pattern]
        mask[row, kept] = 1
    return mask


def ids_for(model, n_texts: int = len(LENGTHS), n_pos: int = N_POS, seed: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, len(model.tokenizer), (n_texts, n_pos), generator=generator)


def read_alone(model, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Each text by itself, without any padding; the oracle."""
    rows = [model.module(input_ids=row[keep.bool()][None]).logits for row, keep in zip(ids, mask, strict=True)]
    return torch.cat(rows)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("pattern", ["right", "left", "holes"])
def test_logits_under_padding_equal_those_of_each_text_alone(
    recurrent_family, tiny_model, pooling, num_layers, pattern
):
    model = tiny_model(recurrent_family, pooling=pooling, num_layers=num_layers, dtype="float64")
    ids, mask = ids_for(model), masks(pattern)
    torch.testing.assert_close(
        model.module(input_ids=ids, attention_mask=mask).logits, read_alone(model, ids, mask), atol=1e-12, rtol=0
    )


def test_a_transformer_does_not_see_right_padding(tiny_model):
    model = tiny_model("bert", dtype="float64")
    ids, mask = ids_for(model), masks("right")
    torch.testing.assert_close(
        model.module(input_ids=ids, attention_mask=mask).logits, read_alone(model, ids, mask), atol=1e-12, rtol=0
    )


def test_what_stands_under_the_padding_does_not_matter(family, tiny_model):
    model = tiny_model(family, dtype="float64")
    mask = masks("right")
    first = ids_for(model)
    second = torch.where(mask.bool(), first, ids_for(model, seed=6))
    given = [model.module(input_ids=ids, attention_mask=mask).logits for ids in (first, second)]
    torch.testing.assert_close(*given, atol=1e-12, rtol=0)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_text_of_no_words_gives_the_bias_of_the_head(recurrent_family, tiny_model, pooling):
    model = tiny_model(recurrent_family, pooling=pooling)
    mask = masks("right")
    mask[1] = 0
    logits = model.module(input_ids=ids_for(model), attention_mask=mask).logits
    torch.testing.assert_close(logits[1], model.module.classifier.bias)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_input_ids_and_their_vectors_give_the_same_logits(family, tiny_model, pooling):
    model = tiny_model(family, pooling=pooling)
    ids, mask = ids_for(model), masks("right")
    vectors = model.module.get_input_embeddings()(ids)
    by_ids = model.module(input_ids=ids, attention_mask=mask).logits
    by_vectors = model.module(inputs_embeds=vectors, attention_mask=mask).logits
    torch.testing.assert_close(by_ids, by_vectors, atol=0, rtol=0)


def test_both_or_neither_of_ids_and_vectors_is_refused(family, tiny_model):
    model = tiny_model(family)
    ids = ids_for(model)
    with pytest.raises(ValueError, match="exactly one"):
        model.module(input_ids=ids, inputs_embeds=model.module.get_input_embeddings()(ids))
    with pytest.raises(ValueError, match="exactly one"):
        model.module()


def test_the_last_state_of_each_direction_reaches_the_head(tiny_model):
    """The backward half of a BiLSTM has read the whole text where it stands on the first word."""
    model = tiny_model("bilstm", num_layers=1, dtype="float64")
    ids = ids_for(model, 1)
    _, (final, _) = model.module.rnn(model.module.embedding(ids))  # [direction, text, unit]
    expected = model.module.classifier(torch.cat([final[0], final[1]], dim=-1))
    torch.testing.assert_close(model.module(input_ids=ids).logits, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_saved_folder_opens_with_the_auto_class_and_says_the_same(family, tiny_model, pooling, tmp_path):
    model = tiny_model(family, pooling=pooling, labels=("a", "b", "c"))
    model.module.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    opened = AutoModelForSequenceClassification.from_pretrained(tmp_path, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    given = tokenizer("this film is not Good, really", return_tensors="pt")
    assert type(opened) is type(model.module)
    assert opened.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert given["input_ids"].tolist() == [model.tokenizer("this film is not Good, really")["input_ids"]]
    kept = model.module.state_dict()
    assert opened.state_dict().keys() == kept.keys()
    assert all(torch.equal(weight, kept[name]) for name, weight in opened.state_dict().items())
    # the weights are the same bits; where they lie in memory may change the rounding of a product
    torch.testing.assert_close(opened(**given).logits, model.module(**given).logits, atol=1e-5, rtol=1e-5)


def test_labels_add_the_mean_cross_entropy(family, tiny_model):
    model = tiny_model(family)
    ids, labels = ids_for(model), torch.tensor([0, 1, 1, 0])
    found = model.module(input_ids=ids, labels=labels)
    expected = torch.nn.functional.cross_entropy(found.logits, labels)
    torch.testing.assert_close(found.loss, expected)


def test_the_padding_row_gets_no_gradient_and_every_other_weight_does(family, tiny_model):
    model = tiny_model(family)
    module = model.module.requires_grad_(True)
    ids, mask = ids_for(model), masks("right")
    ids[mask == 0] = 0
    module(input_ids=ids, attention_mask=mask, labels=torch.tensor([0, 1, 1, 0])).loss.backward()
    assert not module.get_input_embeddings().weight.grad[0].any()
    assert all(weight.grad is not None for weight in module.parameters())


def test_frozen_embeddings_are_left_out_of_training(recurrent_family, tiny_model):
    source = tiny_model(recurrent_family).module
    config = type(source.config)(**{**source.config.to_dict(), "freeze_embeddings": True})
    module = type(source)(config)
    module(input_ids=torch.tensor([[5, 6, 7]]), labels=torch.tensor([1])).loss.backward()
    assert module.embedding.weight.grad is None
    assert module.classifier.weight.grad is not None


def test_an_lstm_starts_with_an_open_forget_gate_and_orthogonal_memory(tiny_model):
    source = tiny_model("lstm").module
    module = type(source)(source.config)
    n_units = source.config.hidden_size
    assert module.rnn.bias_ih_l0[n_units : 2 * n_units].eq(1).all()
    assert module.rnn.bias_hh_l0.eq(0).all()
    for block in module.rnn.weight_hh_l0.split(n_units):
        torch.testing.assert_close(block @ block.T, torch.eye(n_units), atol=1e-5, rtol=0)


def test_words_are_dropped_in_training_only(recurrent_family, tiny_model):
    """With every word dropped, training reads a text of unknown words; reading for real never drops one."""
    source = tiny_model(recurrent_family).module
    changes = {"word_dropout": 1.0, "dropout": 0.0, "unk_token_id": 1}
    module = type(source)(type(source.config)(**{**source.config.to_dict(), **changes}))
    module.load_state_dict(source.state_dict())
    ids = torch.tensor([[5, 6, 7]])
    unknown = source(input_ids=torch.ones_like(ids)).logits
    torch.testing.assert_close(module.train()(input_ids=ids).logits, unknown)
    assert torch.equal(module.eval()(input_ids=ids).logits, source(input_ids=ids).logits)
    assert ids.tolist() == [[5, 6, 7]]


def test_unknown_pooling_is_an_error(tiny_model):
    model = tiny_model("lstm", pooling="sum")
    with pytest.raises(ValueError, match="last, mean, max"):
        model.module(input_ids=torch.tensor([[5, 6]]))


def test_eight_threads_on_one_network_get_the_answers_of_one(family, tiny_model):
    model = tiny_model(family)
    given = [(ids_for(model, seed=seed), masks("right")) for seed in range(8)]
    expected = [model.module(input_ids=ids, attention_mask=mask).logits for ids, mask in given]
    found: list[list[torch.Tensor]] = [[] for _ in given]

    def read(index: int) -> None:
        ids, mask = given[index]
        found[index] = [model.module(input_ids=ids, attention_mask=mask).logits for _ in range(10)]

    threads = [threading.Thread(target=read, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers, answer in zip(found, expected, strict=True):
        assert len(answers) == 10
        assert all(torch.equal(one, answer) for one in answers)


@pytest.mark.parametrize(("family", "pattern"), itertools.product(("rnn", "gru", "lstm", "bilstm"), ("right", "holes")))
@pytest.mark.gpu
def test_cuda_gives_the_logits_of_the_cpu(family, pattern, tiny_model):
    here, there = tiny_model(family), tiny_model(family, device="cuda")
    ids, mask = ids_for(here), masks(pattern)
    np.testing.assert_allclose(
        there.module(input_ids=ids.cuda(), attention_mask=mask.cuda()).logits.cpu(),
        here.module(input_ids=ids, attention_mask=mask).logits,
        atol=1e-5,
    )
