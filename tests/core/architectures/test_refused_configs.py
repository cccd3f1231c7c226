"""Configs that do not describe a classifier of ours, or not the weights beside them, are refused in words."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import BertForMaskedLM

from explorer_core import settings
from explorer_core.architectures import _checking, _loading
from explorer_core.errors import ExplorerError, IncompatibleError
from tests.core.architectures.model_folders import edit, edit_weights, refuse


def test_a_quantised_model(saved):
    folder = saved("bert")
    edit(folder, quantization_config={"quant_method": "bitsandbytes"})
    refuse(folder, IncompatibleError, "quantised")


@pytest.mark.parametrize("model_type", ["gpt2", "llama", None, "", ["bert"], {"a": 1}, 3, "x" * 5000])
def test_another_type_of_model_is_refused_with_those_that_load(saved, model_type):
    folder = saved("bert")
    plain = json.loads((folder / "config.json").read_text()) | {"model_type": model_type}
    (folder / "config.json").write_text(json.dumps(plain))
    refuse(folder, IncompatibleError, "bert, distilbert, roberta, electra")


def test_a_bert_without_a_head_is_sent_to_fine_tuning(tiny_model, tmp_path):
    model = tiny_model("bert")
    BertForMaskedLM(model.module.config).save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    refuse(tmp_path, IncompatibleError, "Fine-tune it first, on the page Models")


def test_missing_weights_are_named(saved):
    folder = saved()
    edit_weights(folder, lambda tensors: tensors.pop("rnn.weight_hh_l0"))
    refuse(folder, IncompatibleError, "rnn.weight_hh_l0 is missing")


def test_shapes_that_differ_from_the_config_are_named(saved):
    folder = saved()
    edit(folder, hidden_size=12)
    refuse(folder, IncompatibleError, r"is stored as \[\d+, \d+\], config.json asks for")


def test_a_network_cut_short_by_its_config_is_refused(saved):
    folder = saved("bert")
    edit(folder, num_hidden_layers=1)
    refuse(folder, IncompatibleError, "more than config.json describes")


@pytest.mark.parametrize("family", ["lstm", "bert"])
@pytest.mark.parametrize("key", ["hidden_size", "vocab_size", "num_layers", "num_hidden_layers", "intermediate_size"])
@pytest.mark.parametrize("size", [10**9, 10**400, 0, -1, 1.5, "16", True, [16], {"a": 1}])
def test_absurd_sizes_are_refused_before_anything_is_built(saved, monkeypatch, family, key, size):
    folder = saved(family)
    edit(folder, **{key: size})
    monkeypatch.setattr(_checking, "_open_config", lambda *_: pytest.fail("built something"))
    refuse(folder, IncompatibleError if size != 10**400 else ExplorerError, f"config.json says {key}")


def test_a_tensor_of_no_bytes_does_not_vouch_for_a_size(saved):
    folder = saved()
    edit_weights(folder, lambda tensors: tensors.update({"big": torch.zeros(10**9, 0)}))
    edit(folder, hidden_size=10**8)
    refuse(folder, IncompatibleError, "do not bear out")


def test_tokens_beyond_the_vocabulary(saved):
    folder = saved()
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["extra"] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    refuse(folder, IncompatibleError, "up to number 5,000")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(saved, bad):
    folder = saved()

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["rnn.weight_hh_l1"][3, 2] = bad

    edit_weights(folder, spoil)
    refuse(folder, IncompatibleError, "rnn.weight_hh_l1.*not finite")


@pytest.mark.parametrize("n_labels", [1, 21, 10_000])
def test_too_few_or_too_many_classes(saved, n_labels):
    folder = saved()
    edit(folder, id2label={str(index): f"c{index}" for index in range(n_labels)})
    refuse(folder, IncompatibleError, "2 to 20")


@pytest.mark.parametrize(
    "id2label",
    [
        ["a", "b"],
        {"0": "a", "2": "b"},
        {"a": "a", "b": "b"},
        {"0": "a", "1": "a"},
        {"0": "a", "1": 3},
        {"0": "", "1": "b"},
        {"0": "a\ud800", "1": "b"},
        {"0": "a", "1": "b" * 300},
        {"0": "a", "1": ["b"]},
        "positive",
    ],
)
def test_labels_that_are_no_names(saved, id2label):
    folder = saved()
    edit(folder, id2label=id2label)
    refuse(folder, IncompatibleError, "label")


@pytest.mark.parametrize("kind", ["regression", "multi_label_classification"])
def test_models_that_do_not_choose_one_class(saved, kind):
    folder = saved("bert")
    edit(folder, problem_type=kind)
    refuse(folder, IncompatibleError, "choose one class")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_decoder": True}, "decoder"),
        ({"position_embedding_type": "relative_key"}, "relative positions"),
        ({"pruned_heads": {"0": [1]}}, "pruned"),
        ({"hidden_act": "evil"}, "does not describe"),
        ({"num_attention_heads": 3}, "does not describe"),
        ({"hidden_dropout_prob": "x"}, "does not describe"),
        ({"pad_token_id": 10**6}, "pad_token_id"),
        ({"max_position_embeddings": 4}, "max_position_embeddings"),
    ],
)
def test_a_bert_that_is_not_what_it_seems(saved, changes, words):
    folder = saved("bert")
    edit(folder, **changes)
    refuse(folder, IncompatibleError, words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pooling": "sum"}, "last, mean, max"),
        ({"pooling": ["last"]}, "last, mean, max"),
        ({"bidirectional": "yes"}, "true, false"),
        ({"bidirectional": True}, "missing|is stored as"),
        ({"dropout": 7}, "from 0 to 1"),
        ({"word_dropout": "x"}, "from 0 to 1"),
        ({"unk_token_id": 10**9}, "unk_token_id"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"pad_token_id": -3}, "pad_token_id"),
    ],
)
def test_a_recurrent_config_with_values_that_are_none(saved, changes, words):
    folder = saved("lstm")
    edit(folder, **changes)
    refuse(folder, IncompatibleError, words)


def test_a_recurrent_network_reads_no_further_than_the_app_allows(saved):
    folder = saved()
    edit(folder, max_tokens=10**9)
    assert _loading.load(str(folder), "cpu").max_tokens == settings.MAX_RECURRENT_TOKENS
