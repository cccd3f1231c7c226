"""Shared fixtures: tiny networks built in milliseconds, a home of their own for every test, and no Hub.

A test that takes the argument `family` runs once for every family, `recurrent_family` once for every recurrent one.
"""

from __future__ import annotations

import os

# read by huggingface_hub when it is imported, so it is set before anything else is
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hashlib
import importlib.util
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer_core import registry, settings
from explorer_core.loaded import LoadedModel
from tests.doors import command, keep, refused, unchanged  # noqa: F401 (fixtures for every test)

FAMILIES = list(registry.describe("architectures"))
RECURRENT_FAMILIES = [
    name for name in FAMILIES if registry.describe("architectures")[name].extra["kind"] == "recurrent"
]
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (  # noqa: SIM905
    "the a this that it is was and but not never very really film movie plot acting story food service room "
    "good great wonderful lovely fine bad awful boring terrible dull i we loved hated liked expected would have "
    "been although despite more less than better worse only also nothing all in of to with for at don t s"
).split()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `family` or `recurrent_family` for each of them."""
    taken = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _argument_names(mark)}
    for argument, values in (("family", FAMILIES), ("recurrent_family", RECURRENT_FAMILIES)):
        if argument in metafunc.fixturenames and argument not in taken:
            metafunc.parametrize(argument, values)


def _argument_names(mark: pytest.Mark) -> list[str]:
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", "")
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, with the reason, what cannot run here: the Hub unless chosen, a GPU or real data that is not there."""
    asks_hub = "network" in (config.option.markexpr or "").replace("not network", "")
    has_cuda: bool | None = None
    for item in items:
        if item.get_closest_marker("network") and not asks_hub:
            item.add_marker(pytest.mark.skip(reason="asks the Hub; choose it with -m network"))
        if item.get_closest_marker("realdata") and not os.environ.get("EXPLORER_TEST_DATA"):
            item.add_marker(pytest.mark.skip(reason="EXPLORER_TEST_DATA is not set"))
        if item.get_closest_marker("gpu"):
            if has_cuda is None:
                import torch

                has_cuda = torch.cuda.is_available()
            if not has_cuda:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder Unrolled writes to in this test; nothing a person owns is touched."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("UNROLLED_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _hub(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub is off, except in tests marked `network`."""
    is_online = request.node.get_closest_marker("network") is not None
    monkeypatch.setenv("HF_HUB_OFFLINE", "0" if is_online else "1")
    if is_online:
        import huggingface_hub.constants

        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def families() -> list[str]:
    """Names of all families, in their order."""
    return list(FAMILIES)


@pytest.fixture
def pretrained() -> Path:
    """Folder of the pretrained package; the test is skipped where it is not installed."""
    found = importlib.util.find_spec(settings.PRETRAINED_PACKAGE)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {settings.PRETRAINED_PACKAGE} is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "model"


@pytest.fixture
def tiny_model() -> Iterator[Callable[..., LoadedModel]]:
    """A factory: `tiny_model("lstm", num_layers=2, hidden_size=16, ...)` (see `build_tiny`)."""
    yield build_tiny


def build_tiny(
    family: str,
    *,
    labels: tuple[str, ...] = ("negative", "positive"),
    num_layers: int = 2,
    hidden_size: int = 16,
    embedding_size: int = 12,
    num_heads: int = 4,
    pooling: str = "last",
    vocabulary: str = "wordpiece",
    end_token: bool = False,
    max_tokens: int | None = None,
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
) -> LoadedModel:
    """A network with seeded random weights, large enough that states move and gates open, and its tokenizer.

    Args:
        family: One of `FAMILIES`.
        labels: Names of the classes.
        num_layers, hidden_size, embedding_size, num_heads: Sizes; a BERT takes `hidden_size` for its embedding.
        pooling: Of a recurrent network: `last`, `mean` or `max`.
        vocabulary: Of a recurrent network: `wordpiece` (reads any ASCII word by pieces) or `words` (knows `WORDS`).
        end_token: Whether "[END]" follows the last word (`words` only).
        max_tokens: Positions the network reads; 4,096, or 128 for a BERT.
        seed: Of the weights.
        dtype: `float32` or `float64`.
        device: `cpu` or `cuda`.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    is_bert = family == "bert"
    tokenizer = tiny_tokenizer(special=is_bert, words=vocabulary == "words", end_token=end_token)
    shared = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    max_tokens = max_tokens or (128 if is_bert else settings.MAX_RECURRENT_TOKENS)
    config: Any
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if is_bert:
            config = BertConfig(
                vocab_size=len(tokenizer),
                hidden_size=hidden_size,
                num_hidden_layers=num_layers,
                num_attention_heads=num_heads,
                intermediate_size=2 * hidden_size,
                max_position_embeddings=max_tokens,
                attn_implementation="eager",
                **shared,
            )
            module: Any = BertForSequenceClassification(config)
        else:
            model_class = tiny_class(family)
            config = model_class.config_class(
                vocab_size=len(tokenizer),
                embedding_size=embedding_size,
                hidden_size=hidden_size,
                num_layers=num_layers,
                pooling=pooling,
                max_tokens=max_tokens,
                dropout=0.3,
                **shared,
            )
            module = model_class(config)
    scale_up(module, seed)
    module = module.to(dtype=getattr(torch, dtype), device=device).eval().requires_grad_(False)
    tokenizer.model_max_length = max_tokens
    return LoadedModel(
        name=f"tiny-{family}",
        architecture=family,
        kind="transformer" if is_bert else "recurrent",
        labels=labels,
        module=module,
        tokenizer=tokenizer,
        device=device,
        fingerprint=_digest(module),
        max_tokens=max_tokens,
    )


def tiny_class(family: str) -> Any:
    """The classifier class of a recurrent family."""
    from transformers import PreTrainedModel

    module = registry.load("architectures", family)
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, PreTrainedModel) and value.__module__ == module.__name__
    )


def scale_up(module: Any, seed: int) -> None:
    """Random weights of unit gain and biases that matter, so that no promise holds only because all is near zero."""
    import torch

    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            if weight.dim() == 1:
                weight.copy_(1 + 0.1 * noise if "LayerNorm.weight" in name else 0.3 * noise)
            else:
                weight.copy_(noise if "embed" in name else noise * 1.2 / math.sqrt(weight.shape[1]))


def tiny_tokenizer(*, special: bool, words: bool = False, end_token: bool = False) -> Any:
    """A fast tokenizer over `WORDS`, built in memory.

    Args:
        special: Whether [CLS] and [SEP] stand around a text.
        words: Whole words only; without it every ASCII letter and digit is a piece, so nothing ASCII is unknown.
        end_token: Whether [END] is added after the last word.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    marks = list(".,!?;:'\"-()")
    pieces = [] if words else [*(letter for letter in letters if letter not in WORDS), *(f"##{c}" for c in letters)]
    vocab: dict[str, int] = {}
    for piece in (*SPECIAL_TOKENS, *WORDS, *marks, *pieces, *(("[END]",) if end_token else ())):
        vocab.setdefault(piece, len(vocab))
    model = models.WordLevel(vocab, unk_token="[UNK]") if words else models.WordPiece(vocab, unk_token="[UNK]")
    backend = Tokenizer(model)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if special:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
        )
    elif end_token:
        backend.post_processor = processors.TemplateProcessing(
            single="$A [END]", special_tokens=[("[END]", vocab["[END]"])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        **({"eos_token": "[END]"} if end_token else {}),
    )


def _digest(module: Any) -> str:
    found = hashlib.sha256()
    for weight in module.state_dict().values():
        found.update(weight.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]
