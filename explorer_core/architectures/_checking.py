"""Is this folder a model that can be opened without running or unpickling anything, and does it fit together?

A folder may come from anywhere. Before a single weight is allocated, the files are looked at from outside in: what
lies there, what config.json says, what the safetensors headers hold, and whether the two agree with the network the
config describes, built without memory on torch's meta device.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from explorer_core import registry, settings
from explorer_core.errors import IncompatibleError, InvalidInputError, NotFoundError, UnsafeModelError
from explorer_core.registry import About

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZER_SETS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))
TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt"),
)
MAX_CONFIG_BYTES = 2**20
MAX_INDEX_BYTES = 10 * 2**20
MAX_TOKENIZER_BYTES = 100 * 2**20
MAX_WEIGHTS_BYTES = 4 * 2**30
MAX_LABEL_CHARS = 200
_MAX_DEPTH = 32
_MAX_ENTRIES = 10_000
_MAX_TENSORS = 5_000
_MAX_LAYERS = 128
_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".msgpack"}
_FLOATS = {"F64", "F32", "F16", "BF16"}
_WIDTHS = (
    *("vocab_size", "hidden_size", "embedding_size", "intermediate_size", "dim", "hidden_dim"),
    *("max_position_embeddings", "type_vocab_size", "num_attention_heads", "n_heads"),
)
_DEPTHS = ("num_hidden_layers", "n_layers", "num_layers")
_TOKENIZER_CLASS = re.compile(r"[A-Za-z0-9]{1,60}(Tokenizer|TokenizerFast|Backend)")
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
    names = _check_entries(folder)
    if CONFIG not in names:
        raise IncompatibleError(
            f"The folder {folder.name[:60]!r} is no model: it has no config.json. "
            "Choose a folder written by save_pretrained."
        )
    plain = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
    refuse_code(plain, CONFIG)
    family = find_family(plain)
    shapes, dtypes = _read_headers(folder, names)
    _check_tokenizer_files(folder, names)
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


def read_json(path: Path, max_bytes: int) -> dict[str, Any]:
    """A JSON object from a file of unknown origin.

    Raises:
        InvalidInputError: If it is larger than allowed, is no JSON object, or is nested absurdly deep.
    """
    if (size := path.stat().st_size) > max_bytes:
        raise InvalidInputError(f"{path.name} has {size:,} bytes; at most {max_bytes:,} are read.")
    try:
        found = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path.name} is not valid JSON ({str(error)[:80]}). Save the model again.") from error
    if not isinstance(found, dict):
        raise InvalidInputError(f"{path.name} holds no JSON object. Save the model again with save_pretrained.")
    level: list[Any] = [found]
    for _ in range(_MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return found
    raise InvalidInputError(f"{path.name} is nested deeper than {_MAX_DEPTH} levels. Save the model again.")


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
    if not all(isinstance(name, str) and name.strip() and len(name) <= MAX_LABEL_CHARS for name in names):
        raise IncompatibleError(
            f"config.json names its labels wrongly: id2label needs the keys 0 to {n_labels - 1}, each with a name of "
            f"1 to {MAX_LABEL_CHARS} characters."
        )
    if len(set(names)) < n_labels:
        raise IncompatibleError("Two labels in config.json have the same name; give each its own in id2label.")
    return tuple(str(name) for name in names)


def _check_entries(folder: Path) -> set[str]:
    """Names in a folder, after a look at every entry: links stay inside, and nothing is a pipe or a device.

    A snapshot in the Hub's cache links to the blobs beside it, which belong to it.
    """
    root = folder.resolve()
    inside = [root]
    if root.parent.name == "snapshots" and root.parent.parent.name.startswith("models--"):
        inside.append(root.parent.parent / "blobs")
    names: set[str] = set()
    for entry in folder.iterdir():
        names.add(entry.name)
        if len(names) > _MAX_ENTRIES:
            raise IncompatibleError(f"The folder {folder.name[:60]!r} holds more than {_MAX_ENTRIES:,} files.")
        if entry.is_symlink() and not any(entry.resolve().is_relative_to(place) for place in inside):
            raise UnsafeModelError(
                f"{entry.name[:60]!r} is a link that leaves the model's folder. Copy the file itself into it."
            )
        if not entry.is_file() and not entry.is_dir():
            raise UnsafeModelError(f"{entry.name[:60]!r} is neither a file nor a folder. Remove it from the model.")
    return names


def refuse_code(plain: Mapping[str, Any], name: str) -> None:
    """Refuse a config that names code to run.

    Raises:
        UnsafeModelError: If it has an `auto_map`.
    """
    if "auto_map" in plain:
        raise UnsafeModelError(
            f"{name} asks to run Python code that comes with the model (auto_map). Unrolled never does; "
            "choose a model that transformers knows by itself."
        )


def _read_headers(folder: Path, names: set[str]) -> tuple[dict[str, tuple[int, ...]], set[str]]:
    """Shape of every stored tensor, and their dtypes, from the safetensors headers alone."""
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    dtypes: set[str] = set()
    n_bytes = 0
    for path in _weight_files(folder, names):
        n_bytes += path.stat().st_size
        if n_bytes > MAX_WEIGHTS_BYTES:
            raise InvalidInputError(
                f"The weights have more than {MAX_WEIGHTS_BYTES / 2**30:.0f} GiB; that is too much."
            )
        try:
            with safe_open(path, framework="np") as file:
                for key in file.keys():  # noqa: SIM118 (not a mapping)
                    shapes[key] = tuple(file.get_slice(key).get_shape())
                    dtypes.add(file.get_slice(key).get_dtype())
        except (SafetensorError, OSError) as error:
            raise InvalidInputError(
                f"{path.name[:60]} is damaged or was not copied to its end ({str(error)[:120]}). Copy it again."
            ) from error
        if len(shapes) > _MAX_TENSORS:
            raise IncompatibleError(f"The model holds more than {_MAX_TENSORS:,} tensors; it is no model of ours.")
    return shapes, dtypes


def _weight_files(folder: Path, names: set[str]) -> list[Path]:
    """The safetensors files of a folder, whole or in shards."""
    if WEIGHTS in names:
        return [folder / WEIGHTS]
    if INDEX in names:
        return _read_index(folder, names)
    if any(Path(name).suffix.lower() in _PICKLES for name in names):
        raise UnsafeModelError(
            "The weights are stored in a form that can run code when opened, such as a pickle (pytorch_model.bin). "
            "Unrolled opens safetensors only; save the model again with save_pretrained."
        )
    hint = " It holds an adapter only: merge it into its model first." if "adapter_config.json" in names else ""
    raise IncompatibleError(f"The folder {folder.name[:60]!r} has no weights: model.safetensors is missing.{hint}")


def _read_index(folder: Path, names: set[str]) -> list[Path]:
    """The shards an index names, each a plain file of the folder."""
    weight_map = read_json(folder / INDEX, MAX_INDEX_BYTES).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map or not all(isinstance(x, str) for x in weight_map.values()):
        raise InvalidInputError(f"{INDEX} has no weight_map. Save the model again with save_pretrained.")
    shards = sorted(set(weight_map.values()))
    for shard in shards:
        is_plain = PurePosixPath(shard).name == shard == PureWindowsPath(shard).name and "\0" not in shard
        if not is_plain or not shard.endswith(".safetensors"):
            raise UnsafeModelError(
                f"{INDEX} names {shard[:60]!r}; only .safetensors files of the folder itself are opened."
            )
        if shard not in names:
            raise InvalidInputError(f"The weights are not complete: {shard[:60]!r} is missing. Copy the folder again.")
    return [folder / shard for shard in shards]


def _check_tokenizer_files(folder: Path, names: set[str]) -> None:
    """Refuse a folder without a tokenizer, or with one that asks for code."""
    if not any(names.issuperset(needed) for needed in TOKENIZER_SETS):
        raise IncompatibleError(
            "The model has no tokenizer (tokenizer.json or vocab.txt). Save the tokenizer into the same folder."
        )
    for name in names.intersection(TOKENIZER_FILES):
        if (size := (folder / name).stat().st_size) > MAX_TOKENIZER_BYTES:
            raise InvalidInputError(f"{name} has {size:,} bytes; at most {MAX_TOKENIZER_BYTES:,} are read.")
    for name in names.intersection({"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}):
        refuse_code(read_json(folder / name, MAX_INDEX_BYTES), name)
    if "tokenizer_config.json" in names:
        wanted = read_json(folder / "tokenizer_config.json", MAX_INDEX_BYTES).get("tokenizer_class")
        if wanted is not None and not (isinstance(wanted, str) and _TOKENIZER_CLASS.fullmatch(wanted)):
            raise IncompatibleError(f"tokenizer_config.json names the tokenizer {str(wanted)[:60]!r}; that is none.")


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


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
