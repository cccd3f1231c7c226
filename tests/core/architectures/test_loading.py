"""Folders from anywhere: what is sound opens, what is not is refused in words, and nothing of it ever runs."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
)

from explorer_core import api, settings
from explorer_core.architectures import _checking, _loading
from explorer_core.errors import (
    ExplorerError,
    IncompatibleError,
    InvalidInputError,
    NotFoundError,
    OfflineError,
    UnsafeModelError,
)

TEXT = "This film is not good, but the acting was lovely."
SMALL = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 16, "intermediate_size": 32}
RELATIVES = {
    "bert": BertConfig(**SMALL, vocab_size=200, max_position_embeddings=40),
    "distilbert": DistilBertConfig(n_layers=2, n_heads=4, dim=16, hidden_dim=32, vocab_size=200),
    "roberta": RobertaConfig(**SMALL, vocab_size=200, max_position_embeddings=42, pad_token_id=1, type_vocab_size=1),
    "electra": ElectraConfig(**SMALL, embedding_size=12, vocab_size=200, max_position_embeddings=40),
}


@pytest.fixture
def saved(tiny_model, tmp_path):
    """A factory of sound folders: `saved("lstm")` writes one and gives its path."""

    def save(family: str = "lstm", **sizes) -> Path:
        model = tiny_model(family, **sizes)
        folder = tmp_path / f"sound-{family}"
        model.module.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        return folder

    return save


def edit(folder: Path, name: str = "config.json", **changes) -> None:
    """Set fields of a JSON file; `None` takes one out."""
    plain = json.loads((folder / name).read_text()) | changes
    (folder / name).write_text(json.dumps({key: value for key, value in plain.items() if value is not None}))


def edit_weights(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def refuse(folder: Path, kind: type[ExplorerError], words: str) -> None:
    """The folder is refused, also without loading where its files alone show the fault, and no message is a page."""
    with pytest.raises(kind, match=words) as found:
        _loading.load(str(folder), "cpu")
    assert len(str(found.value)) < 500
    assert str(found.value).endswith((".", ")"))


# What loads ---------------------------------------------------------------------------------------------------------


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


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["", "  ", "a\0b", "x" * 2000, None, 7])
def test_a_source_that_names_nothing_is_refused(source):
    with pytest.raises(InvalidInputError, match="named by"):
        _loading.load(source)


@pytest.mark.parametrize(
    "source",
    ["no-such-run", "/no/such/folder", "../..//x", "a/b/c", "own--er/name", "owner/na..me", "<b>x</b>", "ümlaut/x"],
)
def test_an_unknown_model_is_not_found(source):
    with pytest.raises(NotFoundError, match="There is no model"):
        _loading.load(source)


def test_a_hub_id_offline_says_so_at_once():
    with pytest.raises(OfflineError, match="Hub cannot be reached"):
        _loading.load("someone/some-classifier")


def test_an_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInputError, match="auto, cpu, cuda, mps"):
        _loading.load("anything", "tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match="no cuda device"):
        _loading.load("anything", "cuda")


def test_a_run_that_still_trains_is_not_ready(home):
    (home / "young").mkdir()
    (home / "young" / "status.json").write_text("{}")
    with pytest.raises(NotFoundError, match="not ready"):
        _loading.load("young")


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "x").mkdir()
    refuse(tmp_path / "x", IncompatibleError, "no config.json")
    with pytest.raises(NotFoundError):
        _loading.check_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "model.ckpt"])
def test_a_pickle_is_unsafe(saved, name):
    folder = saved()
    (folder / "model.safetensors").rename(folder / name)
    refuse(folder, UnsafeModelError, "safetensors only")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_that_comes_with_the_model_is_unsafe(saved, name):
    folder = saved("bert")
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    edit(folder, name, auto_map={"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Tokenizer", None]})
    refuse(folder, UnsafeModelError, "auto_map")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x01\x02", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"xx", (400).to_bytes(8, "little") + b"{}"],
)
def test_a_broken_safetensors_header(saved, content):
    folder = saved()
    (folder / "model.safetensors").write_bytes(content)
    refuse(folder, InvalidInputError, "damaged")


def test_weights_not_copied_to_their_end(saved):
    folder = saved()
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-10])
    refuse(folder, InvalidInputError, "damaged")


@pytest.mark.parametrize(
    ("shard", "kind"),
    [
        ("../sound-lstm/model.safetensors", UnsafeModelError),
        ("/etc/passwd", UnsafeModelError),
        ("..\\x.safetensors", UnsafeModelError),
        ("pytorch_model.bin", UnsafeModelError),
        ("gone.safetensors", InvalidInputError),
    ],
)
def test_an_index_names_only_files_of_its_folder(saved, shard, kind):
    folder = saved()
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    index = {"weight_map": {"classifier.bias": "model-1.safetensors", "classifier.weight": shard}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refuse(folder, kind, "index.json names|is missing")


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 1}}', "{"])
def test_an_index_that_is_none(saved, index):
    folder = saved()
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(index)
    refuse(folder, InvalidInputError, "index.json")


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


def test_a_model_without_a_tokenizer(saved):
    folder = saved()
    (folder / "tokenizer.json").unlink()
    refuse(folder, IncompatibleError, "no tokenizer")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"version": "1.0", "model": {}}'])
def test_a_broken_tokenizer(saved, content):
    folder = saved()
    (folder / "tokenizer.json").write_bytes(content)
    refuse(folder, IncompatibleError, "tokenizer cannot be opened")


@pytest.mark.parametrize("name", ["pipeline", "AutoModel", "os.system", 3, ["BertTokenizer"]])
def test_a_tokenizer_class_that_is_none(saved, name):
    folder = saved()
    edit(folder, "tokenizer_config.json", tokenizer_class=name)
    refuse(folder, IncompatibleError, "that is none")


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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[1]",
        b"[" * 200_000,
        b'{"a": ' * 200 + b"1" + b"}" * 200,
        b'{"model_type": "bert", "x": NaN}',
        b'{"x": "' + b"y" * 2_000_000 + b'"}',
        b'{"hidden_size": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_config_that_is_no_config(saved, content):
    folder = saved()
    (folder / "config.json").write_bytes(content)
    refuse(folder, InvalidInputError, "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "chat_templates"])
def test_links_that_leave_the_folder(saved, tmp_path, name):
    folder = saved()
    outside = tmp_path / "outside"
    if (folder / name).exists():
        (folder / name).rename(outside)
    else:
        outside.mkdir()
    (folder / name).symlink_to(outside)
    refuse(folder, UnsafeModelError, "link that leaves")


def test_links_within_the_hubs_cache_are_its_own(saved, tmp_path):
    cache = tmp_path / "models--someone--model"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots").mkdir()
    folder = saved().rename(cache / "snapshots" / "abc")
    (folder / "model.safetensors").rename(cache / "blobs" / "123")
    (folder / "model.safetensors").symlink_to("../../blobs/123")
    assert _loading.load(str(folder), "cpu").architecture == "lstm"


def test_a_pipe_is_not_waited_for(saved):
    folder = saved()
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    refuse(folder, UnsafeModelError, "neither a file nor a folder")


def test_an_adapter_alone_is_explained(saved):
    folder = saved("bert")
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}")
    refuse(folder, IncompatibleError, "merge it")


# The Hub ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch):
    """A Hub whose only repository is a local folder; records what was asked of it."""
    import huggingface_hub

    asked: list[list[str]] = []

    def serve(folder: Path, fail: Exception | None = None) -> list[list[str]]:
        def snapshot_download(repo_id: str, *, allow_patterns, **_) -> str:
            asked.append(list(allow_patterns))
            if fail:
                raise fail
            return str(folder)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        return asked

    return serve


def test_a_hub_repository_loads_after_the_same_checks(saved, hub):
    asked = hub(saved("bert"))
    model = _loading.load("someone/tiny-bert", "cpu")
    assert (model.name, model.architecture) == ("someone/tiny-bert", "bert")
    assert not any(pattern.endswith((".bin", ".py", "*")) for patterns in asked for pattern in patterns)


@pytest.mark.parametrize("changes", [{"model_type": "llama"}, {"auto_map": {"AutoConfig": "x.Y"}}])
def test_weights_of_a_foreign_repository_are_not_fetched(saved, hub, changes):
    folder = saved("bert")
    edit(folder, **changes)
    asked = hub(folder)
    with pytest.raises((IncompatibleError, UnsafeModelError)):
        _loading.load("someone/other")
    assert len(asked) == 1
    assert not any("safetensors" in pattern and "index" not in pattern for pattern in asked[0])


def test_a_repository_that_is_not_there(hub, tmp_path):
    from huggingface_hub.errors import RepositoryNotFoundError

    response = SimpleNamespace(headers={}, request=None, status_code=404)
    hub(tmp_path, RepositoryNotFoundError("no", response=response))
    with pytest.raises(NotFoundError, match="no public model"):
        _loading.load("someone/nothing")


@pytest.mark.network
@pytest.mark.slow
def test_a_public_classifier_loads_from_the_hub():
    model = _loading.load("hf-internal-testing/tiny-random-BertForSequenceClassification", "cpu")
    assert model.architecture == "bert"
