"""Sound folders: each opens, says what its network said, and nothing else of it is ever used."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
)

from explorer_core import api
from explorer_core.architectures import _loading
from explorer_core.errors import IncompatibleError
from tests.core.architectures.model_folders import edit, edit_weights

TEXT = "This film is not good, but the acting was lovely."
SMALL = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 16, "intermediate_size": 32}
RELATIVES = {
    "bert": BertConfig(**SMALL, vocab_size=200, max_position_embeddings=40),
    "distilbert": DistilBertConfig(n_layers=2, n_heads=4, dim=16, hidden_dim=32, vocab_size=200),
    "roberta": RobertaConfig(**SMALL, vocab_size=200, max_position_embeddings=42, pad_token_id=1, type_vocab_size=1),
    "electra": ElectraConfig(**SMALL, embedding_size=12, vocab_size=200, max_position_embeddings=40),
}


def test_a_folder_loads_and_says_what_the_network_said(family, saved, tiny_model):
    source, model = tiny_model(family), _loading.load(str(saved(family)), "cpu")
    given = source.tokenizer(TEXT, return_tensors="pt")
    assert (model.name, model.architecture, model.kind) == (f"sound-{family}", family, source.kind)
    assert (model.labels, model.max_tokens, model.device) == (source.labels, source.max_tokens, "cpu")
    assert model.module.config._attn_implementation == "eager"
    assert not model.module.training
    assert not any(weight.requires_grad for weight in model.module.parameters())
    torch.testing.assert_close(model.module(**given).logits, source.module(**given).logits, atol=1e-6, rtol=0)


def test_a_run_is_found_by_its_name(saved, home):
    shutil.move(saved(), home / "my-lstm")
    model = api.load_model("my-lstm", "cpu")
    assert (model.name, model.architecture) == ("my-lstm", "lstm")


def test_the_fingerprint_follows_weights_config_and_tokenizer_and_nothing_else(saved):
    folder = saved()
    first = _loading.fingerprint(folder)
    assert first == _loading.load(str(folder), "cpu").fingerprint
    assert len(first) == 16
    (folder / "unrolled.json").write_text("{}")
    assert _loading.fingerprint(folder) == first
    seen = {first}
    edit(folder, id2label={"0": "a", "1": "b"})
    seen.add(_loading.fingerprint(folder))
    edit_weights(folder, lambda tensors: tensors["classifier.bias"].add_(1))
    seen.add(_loading.fingerprint(folder))
    edit(folder, "tokenizer_config.json", model_max_length=7)
    seen.add(_loading.fingerprint(folder))
    assert len(seen) == 4


@pytest.mark.parametrize("model_type", RELATIVES)
def test_relatives_of_bert_say_what_hugging_face_says(model_type, tiny_model, tmp_path):
    torch.manual_seed(0)
    module = AutoModelForSequenceClassification.from_config(RELATIVES[model_type]).eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(5)
    module.save_pretrained(tmp_path)
    tiny_model("bert").tokenizer.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model = _loading.load(str(tmp_path), "cpu")
    assert model.architecture == "bert"
    texts = [TEXT, "good", "the film was a very long and very dull story"]
    found = api.predict(model, texts)
    for text, logits in zip(texts, found.logits, strict=True):
        given = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            np.testing.assert_allclose(logits, module(**given).logits[0], atol=2e-5)
            vectors = model.module.get_input_embeddings()(given["input_ids"])
            by_vectors = model.module(inputs_embeds=vectors, attention_mask=given["attention_mask"]).logits[0]
        np.testing.assert_allclose(logits, by_vectors, atol=2e-5)


@pytest.mark.parametrize("model_type", ["bert", "roberta", "electra"])
def test_the_longest_text_a_relative_can_read_is_read(model_type, tiny_model, tmp_path):
    AutoModelForSequenceClassification.from_config(RELATIVES[model_type]).save_pretrained(tmp_path)
    tiny_model("bert").tokenizer.save_pretrained(tmp_path)
    model = _loading.load(str(tmp_path), "cpu")
    assert model.max_tokens == 40  # of 42 positions RoBERTa loses two to its padding
    found = api.predict(model, ["good " * 60])
    assert found.n_truncated.tolist() == [60 - 38]


def test_a_relative_keeps_the_same_logits_on_a_tokenizer_with_other_padding(tiny_model, tmp_path):
    """RoBERTa counts its positions from the ids: what pads a batch must be its own padding token."""
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(RELATIVES["roberta"]).save_pretrained(tmp_path)
    tiny_model("bert").tokenizer.save_pretrained(tmp_path)
    model = _loading.load(str(tmp_path), "cpu")
    together = api.predict(model, [TEXT, "good"]).logits
    np.testing.assert_allclose(together[1], api.predict(model, ["good"]).logits[0], atol=1e-6)


def test_shards_load_as_one(saved):
    folder = saved()
    whole = _loading.load(str(folder), "cpu")
    tensors = load_file(folder / "model.safetensors")
    names = list(tensors)
    files = {"model-00001-of-00002.safetensors": names[:3], "model-00002-of-00002.safetensors": names[3:]}
    for name, keys in files.items():
        save_file({key: tensors[key] for key in keys}, folder / name, metadata={"format": "pt"})
    weight_map = {key: name for name, keys in files.items() for key in keys}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    (folder / "model.safetensors").unlink()
    model = _loading.load(str(folder), "cpu")
    ids = torch.tensor([[5, 6, 7]])
    assert torch.equal(model.module(input_ids=ids).logits, whole.module(input_ids=ids).logits)


def test_old_names_of_a_norm_are_understood(saved):
    folder = saved("bert")
    expected = _loading.load(str(folder), "cpu").module.state_dict()

    def rename(tensors: dict[str, torch.Tensor]) -> None:
        for key in [key for key in tensors if "LayerNorm" in key]:
            old = key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            tensors[old] = tensors.pop(key)

    edit_weights(folder, rename)
    found = _loading.load(str(folder), "cpu").module.state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_half_precision_weights_are_read_as_single_and_it_is_said(saved):
    folder = saved("bert")
    edit_weights(folder, lambda tensors: tensors.update({key: value.half() for key, value in tensors.items()}))
    model = _loading.load(str(folder), "cpu")
    assert model.module.dtype == torch.float32
    assert any("f16" in note for note in model.notes)


def test_nameless_labels_are_shown_as_numbers_and_it_is_said(saved):
    folder = saved()
    edit(folder, id2label=None, label2id=None)
    model = _loading.load(str(folder), "cpu")
    assert model.labels == ("LABEL_0", "LABEL_1")
    assert any("does not name its classes" in note for note in model.notes)


def test_a_pickle_beside_the_weights_is_never_opened(saved):
    folder = saved()
    (folder / "training_args.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert _loading.load(str(folder), "cpu").architecture == "lstm"


def test_settings_that_shape_no_network_are_not_passed_on(saved, tmp_path):
    folder = saved("bert")
    edit(
        folder,
        _attn_implementation="someone/kernel",
        attn_implementation="someone/kernel",
        transformers_weights="../elsewhere.safetensors",
        output_hidden_states=True,
        return_dict=False,
        dtype="float16",
        made_up="x" * 1000,
    )
    model = _loading.load(str(folder), "cpu")
    assert model.module.config._attn_implementation == "eager"
    assert model.module.dtype == torch.float32
    assert not hasattr(model.module.config, "made_up")
    assert model.module(input_ids=torch.tensor([[2, 5, 3]])).hidden_states is None


def test_paths_in_the_tokenizer_config_are_not_followed(saved, tmp_path):
    folder = saved()
    secret = tmp_path / "secret.json"
    secret.write_text((folder / "tokenizer.json").read_text().replace('"good"', '"stolen"'))
    edit(folder, "tokenizer_config.json", tokenizer_file=str(secret), vocab_file=str(secret))
    assert "stolen" not in _loading.load(str(folder), "cpu").tokenizer.get_vocab()


def test_loading_leaves_no_trace(saved):
    from transformers.utils import logging

    folder = saved("bert")
    logging.set_verbosity_info()
    try:
        state, normal = torch.random.get_rng_state(), torch.nn.init.normal_
        default = torch.get_default_dtype()
        _loading.load(str(folder), "cpu")
        with pytest.raises(IncompatibleError):
            edit(folder, model_type="unrolled-lstm")
            _loading.load(str(folder), "cpu")
        assert torch.equal(torch.random.get_rng_state(), state)
        assert torch.nn.init.normal_ is normal
        assert torch.get_default_dtype() == default
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.set_verbosity_warning()


def test_threads_can_load_at_the_same_time(saved):
    folders = [saved(family) for family in ("lstm", "bert", "gru", "rnn")]
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda folder=folder: found.append(_loading.load(str(folder), "cpu").architecture))
        for folder in folders
    ]
    normal = torch.nn.init.normal_
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["bert", "gru", "lstm", "rnn"]
    assert torch.nn.init.normal_ is normal


@pytest.mark.gpu
def test_auto_takes_the_gpu_and_gives_the_logits_of_the_cpu(family, saved):
    folder = str(saved(family))
    there, here = _loading.load(folder), _loading.load(folder, "cpu")
    assert there.device == "cuda"
    np.testing.assert_allclose(api.predict(there, [TEXT]).logits, api.predict(here, [TEXT]).logits, atol=1e-5)
