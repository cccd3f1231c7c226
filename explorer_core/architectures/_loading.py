"""From a name, a folder or a Hub id to a network that is ready to be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from explorer_core import settings
from explorer_core.architectures._checking import (
    Checked,
    check_folder,
    find_family,
    fingerprint,
    inspect,
    read_labels,
)
from explorer_core.architectures._folder_files import CONFIG, MAX_CONFIG_BYTES, read_json, refuse_code
from explorer_core.errors import IncompatibleError, InvalidInputError, NotFoundError, OfflineError
from explorer_core.loaded import LoadedModel
from explorer_core.training.spec import NAME_PATTERN

__all__ = ["check_folder", "fingerprint", "load"]

DEVICES = ("auto", "cpu", "cuda", "mps")
_CHECKPOINT = re.compile(rf"({NAME_PATTERN.pattern})@(\d{{1,9}})")  # a run as it was after a step
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_SMALL_FILES = ["config.json", "*token*.json", "vocab.json", "vocab.txt", "merges.txt", "model.safetensors.index.json"]
_WEIGHT_FILES = ["model.safetensors", "model-*.safetensors"]
_HUB_TIMEOUT_S = 5.0
_MAX_SOURCE_CHARS = 1_024


def load(source: str, device: str = "auto", *, like: LoadedModel | None = None) -> LoadedModel:
    """A network ready to be read; see `api.load_model`, and `api.load_checkpoint` for `like`."""
    place = choose_device(device)
    name, folder = _locate(source)
    checked = inspect(folder)
    tokenizer = _open_tokenizer(checked)
    module = _open_weights(checked).to(place).eval().requires_grad_(False)
    if like is not None:
        _share_vectors(module, like.module)
    return LoadedModel(
        name=name,
        architecture=checked.family.name,
        kind=checked.family.extra["kind"],
        labels=checked.labels,
        module=module,
        tokenizer=tokenizer,
        device=place,
        fingerprint=fingerprint(folder),
        max_tokens=checked.max_tokens,
        notes=_notes(checked),
    )


def choose_device(device: str) -> str:
    """`cpu`, `cuda` or `mps`; `auto` takes the fastest that is there. Choosing cuda switches cuDNN's TF32 off.

    Raises:
        InvalidInputError: If the device is unknown, or not there.
    """
    import torch

    if device not in DEVICES:
        raise InvalidInputError(f"The device is {str(device)[:60]!r}; allowed: {', '.join(DEVICES)}.")
    is_there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        device = next(name for name, there in is_there.items() if there)
    if not is_there[device]:
        raise InvalidInputError(f"There is no {device} device on this machine. Choose auto or cpu.")
    if device == "cuda":
        # cuDNN's recurrent kernels round to 10 bits (TF32) unless told not to; every number shown is to be exact
        torch.backends.cudnn.allow_tf32 = False
    return device


def _locate(source: str) -> tuple[str, Path]:
    """The name and the folder a source stands for: a run first, then a folder, then a Hub repository."""
    if not isinstance(source, str) or not source.strip() or len(source) > _MAX_SOURCE_CHARS or "\0" in source:
        raise InvalidInputError("A model is named by a run's name (starter-lstm), a folder, or a Hub id (owner/name).")
    if NAME_PATTERN.fullmatch(source) and (run := settings.home() / source).is_dir():
        if not (run / "config.json").is_file():
            raise NotFoundError(f"The model {source!r} is not ready: its training has not finished (page Models).")
        return source, run
    if (at := _CHECKPOINT.fullmatch(source)) and (run := settings.home() / at[1]).is_dir():
        if not (folder := run / "checkpoints" / f"checkpoint-{int(at[2])}").is_dir():
            raise NotFoundError(f"The run {at[1]} has no checkpoint of step {int(at[2]):,}.")
        return f"{at[1]}@{int(at[2])}", folder
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder.resolve().name, folder
    if _HUB_ID.fullmatch(source) and ".." not in source and "--" not in source:
        return source, _fetch(source)
    raise NotFoundError(
        f"There is no model {source[:60]!r}: no run and no folder has that name, and a Hub id looks like owner/name."
    )


def _fetch(repo_id: str) -> Path:
    """A Hub repository in the local cache: first its small files, and the weights only once the config is ours."""
    folder = _download(repo_id, _SMALL_FILES)
    if (folder / CONFIG).is_file():
        plain = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
        refuse_code(plain, CONFIG)
        find_family(plain)
        read_labels(plain)
    return _download(repo_id, [*_SMALL_FILES, *_WEIGHT_FILES])


def _download(repo_id: str, patterns: list[str]) -> Path:
    """Fetch the files that match, or find them in the cache.

    Raises:
        NotFoundError: If the Hub has no such repository, or does not let us see it.
        OfflineError: If the Hub is off or cannot be reached, and the cache does not hold the files.
    """
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    from explorer_core.architectures._pretrained import is_offline

    try:
        return Path(
            huggingface_hub.snapshot_download(
                repo_id, allow_patterns=patterns, local_files_only=is_offline(), etag_timeout=_HUB_TIMEOUT_S
            )
        )
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise NotFoundError(
            f"The Hub has no public model {repo_id[:60]!r}. Check the spelling, or log in if it is private."
        ) from error
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise OfflineError(
            f"The model {repo_id[:60]!r} is not on this machine and the Hugging Face Hub cannot be reached. "
            "Go online, or choose a model of your own."
        ) from error


def _open_tokenizer(checked: Checked) -> Any:
    """The folder's fast tokenizer, which knows no token the network does not."""
    from transformers import AutoTokenizer

    from explorer_core.architectures._quietly import quietly, refusing

    with refusing("The tokenizer cannot be opened"), quietly():
        tokenizer = AutoTokenizer.from_pretrained(checked.folder, local_files_only=True, trust_remote_code=False)
        if not getattr(tokenizer, "is_fast", False):
            raise IncompatibleError("The tokenizer has no fast form (tokenizer.json), which maps tokens to the text.")
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.truncation_side = "right"
        tokenizer.model_max_length = checked.max_tokens
        # set the cut once: asked for again in the same form it changes nothing, so threads can share the tokenizer
        probe = tokenizer("a b", truncation=True, max_length=checked.max_tokens)["input_ids"]
        ids = [*tokenizer.get_vocab().values(), *probe]
    if max(ids, default=0) >= checked.config.vocab_size:
        raise IncompatibleError(
            f"The tokenizer has tokens up to number {max(ids):,}, the network knows {checked.config.vocab_size:,}. "
            "They belong to different models."
        )
    return tokenizer


def _open_weights(checked: Checked) -> Any:
    """The module with its weights, on the CPU and in float32.

    Raises:
        IncompatibleError: If a weight is missing after all, or is not a finite number.
    """
    import torch

    from explorer_core.architectures._quietly import quietly, refusing

    with refusing("The weights cannot be loaded"), quietly():
        module, said = checked.model_class.from_pretrained(
            checked.folder,
            config=checked.config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype=torch.float32,
            output_loading_info=True,
        )
    if said["missing_keys"] or said["mismatched_keys"]:
        raise IncompatibleError("The weights do not fill the network. Save the model again with save_pretrained.")
    for name, weight in module.state_dict().items():
        if not bool(torch.isfinite(weight).all()):
            raise IncompatibleError(
                f"The weights of {name} hold numbers that are not finite (NaN or infinite): the training went wrong. "
                "Train again with a smaller learning rate, or load an earlier checkpoint."
            )
    return module


def _share_vectors(module: Any, other: Any) -> None:
    """Take the word vectors of another network for those just loaded, where they are the same to the bit."""
    import torch

    ours, theirs = module.get_input_embeddings().weight, other.get_input_embeddings().weight
    if ours.dtype == theirs.dtype and ours.device == theirs.device and torch.equal(ours, theirs):
        module.get_input_embeddings().weight = theirs


def _notes(checked: Checked) -> tuple[str, ...]:
    """What a person should know of a model that was loaded."""
    notes = []
    if all(re.fullmatch(r"LABEL_\d+", label) for label in checked.labels):
        notes.append("The model does not name its classes; they are shown as LABEL_0, LABEL_1, ...")
    if stored := checked.dtypes & {"F16", "BF16", "F64"}:
        notes.append(f"The weights are stored as {', '.join(sorted(stored)).lower()} and read as f32.")
    return tuple(notes)
