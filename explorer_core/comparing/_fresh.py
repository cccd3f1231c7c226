"""A transformer of the same sizes with fresh weights: what states look like before anything was learned."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from explorer_core.loaded import LoadedModel
from explorer_core.seeding import seeded


def fresh_transformer(model: LoadedModel, seed: int) -> LoadedModel:
    """The network with all of its weights fresh, also those that came pretrained; it is kept by nobody.

    Args:
        model: A transformer.
        seed: Of the weights; the global random generator is left as it was.
    """
    module: Any = model.module
    with seeded(seed):
        fresh = type(module)(copy.deepcopy(module.config))
    fresh = fresh.to(device=model.device, dtype=module.dtype).eval().requires_grad_(False)
    return LoadedModel(
        name=f"{model.name}, untrained",
        architecture=model.architecture,
        kind=model.kind,
        labels=model.labels,
        module=fresh,
        tokenizer=model.tokenizer,
        device=model.device,
        fingerprint=hashlib.sha256(f"{model.fingerprint} fresh {seed}".encode()).hexdigest()[:16],
        max_tokens=model.max_tokens,
        notes=(f"Its weights are fresh, from seed {seed}; no text has touched them.",),
    )
