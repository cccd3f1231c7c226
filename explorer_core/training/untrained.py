"""The network a run began from: its own sizes filled with fresh weights, exactly as training fills them before its
first step.

With the seed of the run's spec it is that very network; every starter was begun with seed 0.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from explorer_core import settings
from explorer_core.architectures import _building
from explorer_core.errors import ExplorerError, IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.seeding import seeded
from explorer_core.training import store
from explorer_core.training.spec import KNOBS

if TYPE_CHECKING:
    from torch import Tensor

_kept: OrderedDict[tuple[str, ...], LoadedModel] = OrderedDict()  # those used last at the end
_keeping = threading.Lock()


def twin(model: LoadedModel, seed: int) -> LoadedModel:
    """The untrained twin of a recurrent network; see `api.untrained_twin`."""
    if model.kind != "recurrent":
        raise IncompatibleError(
            f"{model.name[:60]!r} has no untrained twin: a BERT begins pretrained. Choose a recurrent model."
        )
    KNOBS["seed"].check(seed)
    table = model.module.get_input_embeddings().weight
    key = (
        model.name,
        model.fingerprint,
        model.module.config.to_json_string(),
        model.device,
        str(table.dtype),
        f"{seed}",
    )
    with _keeping:
        found = _kept.pop(key, None) or _build(model, seed)
        _kept[key] = found
        sizes = [_n_bytes(each) for each in _kept.values()]
        while _kept and sum(sizes) > settings.MAX_UNTRAINED_MIB * 2**20:
            _kept.popitem(last=False)
            sizes.pop(0)
    return found


def _build(model: LoadedModel, seed: int) -> LoadedModel:
    """A twin with its own kernel and head; word vectors that training never touched are those of the network itself."""
    config = copy.deepcopy(model.module.config)
    embedding = model.module.get_input_embeddings()
    vectors = None if config.freeze_embeddings else _vectors_before_tuning(model)
    with seeded(seed):
        module = _building.fresh_recurrent(config, vectors)
    module = module.to(device=model.device, dtype=embedding.weight.dtype).eval().requires_grad_(False)
    if config.freeze_embeddings:
        module.set_input_embeddings(embedding)
    return _as_twin(model, module, seed)


def fresh_transformer(model: LoadedModel, seed: int) -> LoadedModel:
    """A transformer of the same sizes with all of its weights fresh, also those that came pretrained: what states look
    like before anything was learned. It is kept by nobody.

    Args:
        model: A transformer.
        seed: Of the weights; the global random generator is left as it was.
    """
    with seeded(seed):
        module = type(model.module)(copy.deepcopy(model.module.config))
    return _as_twin(model, module.to(device=model.device, dtype=model.module.dtype).eval().requires_grad_(False), seed)


def _as_twin(model: LoadedModel, module: Any, seed: int) -> LoadedModel:
    return dataclasses.replace(
        model,
        name=f"{model.name}, untrained",
        module=module,
        fingerprint=hashlib.sha256(f"{model.fingerprint} untrained {seed}".encode()).hexdigest()[:16],
        notes=(f"Its weights are fresh, from seed {seed}; no text has touched them.",),
    )


def _vectors_before_tuning(model: LoadedModel) -> Tensor | None:
    """Pretrained word vectors as a run that tuned them began with, shape [row, width]; `None` where it learned them
    from nothing, or where nothing is known of the run.
    """
    try:
        is_this_one = store.find_card(model.name).fingerprint == model.fingerprint
        was_tuned = is_this_one and store.read_spec(model.name).embeddings == "tuned"
    except ExplorerError:
        return None
    vectors = _building.pretrained_vectors(allow_hub=False) if was_tuned else None
    fits = vectors is not None and vectors.shape == model.module.get_input_embeddings().weight.shape
    return vectors if fits else None


def _n_bytes(model: LoadedModel) -> int:
    return sum(weight.numel() * weight.element_size() for weight in model.module.parameters())
