"""Is this folder a model that can be opened without running or unpickling anything, and does it fit together?

A folder may come from anywhere. Before a single weight is allocated, the files are looked at from outside in: what
lies there, what config.json says, what the safetensors headers hold, and whether the two agree with the network the
config describes, built without memory on torch's meta device.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer_core import registry, settings
from explorer_core.architectures._folder_files import (
    CONFIG,
    INDEX,
    MAX_CONFIG_BYTES,
    TOKENIZER_FILES,
    WEIGHTS,
    check_entries,
    check_tokenizer_files,
    read_headers,
    read_json,
    refuse_code,
)
from explorer_core.errors import IncompatibleError, NotFoundError
from explorer_core.registry import About

MAX_LABEL_CHARS = 200
_MAX_LAYERS = 128
_WIDTHS = (
    *("vocab_size", "hidden_size", "embedding_size", "intermediate_size", "dim", "hidden_dim"),
    *("max_position_embeddings", "type_vocab_size", "num_attention_heads", "n_heads"),
)
_DEPTHS = ("num_hidden_layers", "n_layers", "num_layers")
# left in older checkpoints, and no part of a classifier: the app neither needs nor misses them
_LEFT_OVERS = (".position_ids", ".token_type_ids", ".pooler.dense.weight", ".pooler.dense.bias")


@dataclass(frozen=True)
class Checked:
    """A folder that passed: its parsed config.json, its family and what opens it.

    `config` is a config object made of the fields that shape the network and nothing else: no setting of the folder
    that names files, code or kernels reaches transformers. `dtypes` are those of the stored weights.
    """

    folder: Path
    plain: Mapping[str, Any]
    family: About
    config: Any
    model_class: Any
    labels: tuple[str, ...]
    max_tokens: int
    dtypes: frozenset[str]


def check_folder(path: str | Path) -> dict[str, Any]:
    """The parsed config.json of a folder that can be loaded.

    Raises:
        NotFoundError: If there is no such folder.
        UnsafeModelError: If loading would have to run code or unpickle, or if a file lies outside the folder.
        IncompatibleError: If it is not a complete sequence classifier of a known family.
        InvalidInputError: If a file of it is damaged or absurdly large.
    """
    return dict(inspect(path).plain)


def inspect(path: str | Path) -> Checked:
    """All checks of `check_folder`, with what was learned on the way."""
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {str(path)[:60]!r}.")
    names = check_entries(folder)
    if CONFIG not in names:
        raise IncompatibleError(
            f"The folder {folder.name[:60]!r} is no model: it has no config.json. "
            "Choose a folder written by save_pretrained."
        )
    plain = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
    refuse_code(plain, CONFIG)
    family = find_family(plain)
    shapes, dtypes = read_headers(folder, names)
    check_tokenizer_files(folder, names)
    labels = read_labels(plain)
    _check_sizes(plain, shapes)
    module = registry.load("architectures", family.name)
    from explorer_core.architectures import _recurrent

    getattr(module, "check_config", _recurrent.check_config)(plain)
    config, model_class = _open_config(plain, labels)
    _check_shapes(config, model_class, shapes)
    return Checked(
        folder=folder,
        plain=plain,
        family=family,
        config=config,
        model_class=model_class,
        labels=labels,
        max_tokens=getattr(module, "count_positions", _recurrent.count_positions)(config),
        dtypes=frozenset(dtypes),
    )


def fingerprint(path: str | Path) -> str:
    """Digest of a folder's weights, config and tokenizer: 16 hexadecimal characters."""
    folder = Path(path)
    digest = hashlib.sha256()
    weights = sorted(item.name for item in folder.glob("*.safetensors"))
    for name in (CONFIG, INDEX, *TOKENIZER_FILES, *weights):
        if (folder / name).is_file():
            with (folder / name).open("rb") as file:
                digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
    return digest.hexdigest()[:16]


def find_family(plain: Mapping[str, Any]) -> About:
    """The family whose network a config describes.

    Raises:
        IncompatibleError: If it is none of ours, or quantised; the message names what loads.
    """
    if plain.get("quantization_config") is not None:
        raise IncompatibleError("The model is quantised; load the version with ordinary float weights.")
    model_type = plain.get("model_type")
    families = registry.describe("architectures").values()
    for family in families:
        if model_type in family.extra["model_types"]:
            return family
    known = ", ".join(name for family in families for name in family.extra["model_types"])
    raise IncompatibleError(f"A model of type {str(model_type)[:60]!r} cannot be loaded; these can: {known}.")


def read_labels(plain: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the classes, in the order of the logits.

    Raises:
        IncompatibleError: If the model is no classifier of 2 to 20 classes, one of which is right for each text.
    """
    if plain.get("problem_type") not in (None, "single_label_classification"):
        raise IncompatibleError(
            f"The model is made for {str(plain['problem_type'])[:60]}; only models that choose one class load."
        )
    given = plain.get("id2label")
    n_labels = plain.get("num_labels", 2) if given is None else len(given) if isinstance(given, dict) else None
    if isinstance(n_labels, bool) or not isinstance(n_labels, int):
        raise IncompatibleError("config.json does not say its labels: id2label is no table from numbers to names.")
    if not 2 <= n_labels <= settings.MAX_LABELS:
        raise IncompatibleError(
            f"The model has {n_labels:,} output{'s' * (n_labels != 1)}; a classifier of 2 to {settings.MAX_LABELS} "
            "classes is expected."
        )
    if given is None:
        return tuple(f"LABEL_{index}" for index in range(n_labels))
    names = [given.get(str(index)) for index in range(n_labels)]
    if not all(isinstance(name, str) and _is_whole(name) and len(name) <= MAX_LABEL_CHARS for name in names):
        raise IncompatibleError(
            f"config.json names its labels wrongly: id2label needs the keys 0 to {n_labels - 1}, each with a name of "
            f"1 to {MAX_LABEL_CHARS} whole characters."
        )
    if len(set(names)) < n_labels:
        raise IncompatibleError("Two labels in config.json have the same name; give each its own in id2label.")
    return tuple(str(name) for name in names)


def _is_whole(name: str) -> bool:
    """Whether a name has something to see and no half of a surrogate pair, which no file could hold."""
    return bool(name.strip()) and not any("\ud800" <= char <= "\udfff" for char in name)


def _check_sizes(plain: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare the sizes config.json claims with what is really stored, before anything of that size is built."""
    if not shapes:
        raise IncompatibleError(f"{WEIGHTS} holds no weights.")
    # a tensor with a dimension of zero takes no bytes, so its other dimensions prove nothing
    largest = max((max(shape) for shape in shapes.values() if shape and min(shape) > 0), default=0)
    for keys, limit in ((_WIDTHS, largest), (_DEPTHS, min(len(shapes), _MAX_LAYERS))):
        for key in keys:
            size = plain.get(key, 1)
            if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= limit:
                raise IncompatibleError(
                    f"config.json says {key} {str(size)[:20]}, which the stored weights do not bear out "
                    f"(at most {limit:,}). Config and weights belong to different models."
                )


def _open_config(plain: Mapping[str, Any], labels: tuple[str, ...]) -> tuple[Any, Any]:
    """The config object of a known class, from the fields that shape the network, and its classifier class."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig

    from explorer_core.architectures._quietly import refusing

    with refusing("config.json does not describe a network of its type"):
        config_class = type(AutoConfig.for_model(plain["model_type"]))
        shared = {field.name for field in dataclasses.fields(PreTrainedConfig)}
        allowed = {field.name for field in dataclasses.fields(config_class)} - shared
        config = config_class(
            **{key: value for key, value in plain.items() if key in allowed},
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
        if not isinstance(config.pad_token_id, int) or not 0 <= config.pad_token_id < config.vocab_size:
            raise IncompatibleError(
                f"config.json says pad_token_id {str(config.pad_token_id)[:20]}; a row of the vocabulary is expected."
            )
        return config, AutoModelForSequenceClassification._model_mapping[config_class]


def _check_shapes(config: Any, model_class: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare every stored shape with the network the config describes, built on the meta device."""
    import torch

    from explorer_core.architectures._quietly import refusing

    with refusing("config.json does not describe a network of its type"), torch.device("meta"):
        expected = {key: tuple(value.shape) for key, value in model_class(config).state_dict().items()}
    found = {_modern_name(key): shape for key, shape in shapes.items()}
    missing = [key for key in expected if key not in found]
    if any("classifier" in key for key in missing):
        raise IncompatibleError(
            "The model has no classification head: it knows a language but no classes. "
            "Fine-tune it first, on the page Models, and load the result."
        )
    if missing:
        raise IncompatibleError(
            f"The weights are not complete: {missing[0]} and {len(missing) - 1:,} others are missing."
            if len(missing) > 1
            else f"The weights are not complete: {missing[0]} is missing."
        )
    for key, shape in expected.items():
        if found[key] != shape:
            raise IncompatibleError(
                f"Config and weights do not fit: {key} is stored as {list(found[key])}, config.json asks for "
                f"{list(shape)}. They belong to different models."
            )
    prefix = f"{model_class.base_model_prefix}."
    extra = [key for key in found if key.startswith(prefix) and key not in expected and not key.endswith(_LEFT_OVERS)]
    if extra:
        raise IncompatibleError(
            f"The weights hold more than config.json describes ({extra[0][:80]}): read without them, the network would "
            "be another one."
        )


def _modern_name(key: str) -> str:
    """The name under which transformers loads a tensor; the first BERTs called a norm's weight gamma."""
    return key.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
