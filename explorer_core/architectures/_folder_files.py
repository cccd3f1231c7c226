"""What lies in a model's folder: its entries, its JSON and the headers of its weights, read without running anything.

Nothing here knows what a config means; `_checking` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from explorer_core.errors import IncompatibleError, InvalidInputError, UnsafeModelError

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
_MAX_DEPTH = 32
_MAX_ENTRIES = 10_000
_MAX_TENSORS = 5_000
_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".msgpack"}
_TOKENIZER_CLASS = re.compile(r"[A-Za-z0-9]{1,60}(Tokenizer|TokenizerFast|Backend)")


def check_entries(folder: Path) -> set[str]:
    """Names in a folder, after a look at every entry: links stay inside, and nothing is a pipe or a device.

    A snapshot in the Hub's cache links to the blobs beside it, which belong to it.

    Raises:
        UnsafeModelError: If a link leaves the folder, or an entry is neither a file nor a folder.
        IncompatibleError: If there are absurdly many.
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


def read_headers(folder: Path, names: set[str]) -> tuple[dict[str, tuple[int, ...]], set[str]]:
    """Shape of every stored tensor, and their dtypes, from the safetensors headers alone.

    Raises:
        UnsafeModelError: If the weights are pickled, or an index names files outside the folder.
        InvalidInputError: If a file is damaged, missing or too large.
        IncompatibleError: If there are no weights, or too many tensors.
    """
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


def check_tokenizer_files(folder: Path, names: set[str]) -> None:
    """Refuse a folder without a tokenizer, or with one that asks for code.

    Raises:
        UnsafeModelError: If it asks for code.
        IncompatibleError: If there is none, or its class is none.
        InvalidInputError: If one of its files is damaged or too large.
    """
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


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
