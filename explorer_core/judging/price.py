"""What judging will take, from reading some of the texts now."""

from __future__ import annotations

import time

import numpy as np

from explorer_core import prediction
from explorer_core.judging import _kept
from explorer_core.loaded import LoadedModel
from explorer_core.results import JudgingPrice, TextTable

_N_TOKENISED = 200  # texts
_TRIED_S = 0.2  # of reading, before the pace is believed
_SEED = 0  # of the draw


def price(model: LoadedModel, table: TextTable) -> JudgingPrice:
    """Price of one network; see `api.price_judging`."""
    kept = {bytes(one) for one in _kept.load(model.fingerprint, len(model.labels)).digests}
    first = {digest: row for row, digest in reversed(list(enumerate(table.digests)))}
    missing = [row for digest, row in first.items() if digest not in kept]
    n_known = len(first) - len(missing)
    if not missing:
        return JudgingPrice(model.name, len(first), n_known, 0, 0.0)
    n_chars = np.array([len(table.texts[row]) for row in missing])
    drawn = np.random.default_rng(_SEED).permutation(len(missing))[:_N_TOKENISED]
    began_s = time.perf_counter()
    ids = prediction.read_ids(model, [table.texts[missing[place]] for place in drawn], may_skip=True).ids
    tokenising_s = (time.perf_counter() - began_s) / n_chars[drawn].sum() * n_chars.sum()
    lengths = np.array([len(one) for one in ids])
    is_whole = lengths < model.max_tokens
    per_char = lengths[is_whole].sum() / max(n_chars[drawn][is_whole].sum(), 1) if is_whole.any() else 1.0
    n_tokens = int(np.minimum(n_chars * per_char, model.max_tokens).sum())
    return JudgingPrice(model.name, len(first), n_known, n_tokens, tokenising_s + n_tokens * _pace_s(model, ids))


def _pace_s(model: LoadedModel, ids: list[list[int]]) -> float:
    """Seconds a token, from reading more and more texts until that takes long enough to be measured."""
    n_texts = 2
    while True:
        some = [one for one in ids[:n_texts] if one]
        began_s = time.perf_counter()
        for _ in prediction.forward(model, some):
            pass
        took_s = time.perf_counter() - began_s
        if took_s >= _TRIED_S or n_texts >= len(ids):
            return took_s / max(sum(map(len, some)), 1)
        n_texts *= 2
