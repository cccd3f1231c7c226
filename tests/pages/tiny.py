"""A store with tiny ready models, made in milliseconds and without training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from explorer_core.loaded import LoadedModel
from explorer_core.training import store
from tests.conftest import build_tiny

STARTERS = ("starter-lstm", "starter-rnn", "starter-gru", "starter-bilstm", "starter-bert")


def save_tiny(home: Path, name: str, family: str, *, labels: Sequence[str] = ("negative", "positive")) -> LoadedModel:
    """Keep a tiny random network as a finished run."""
    model = build_tiny(family, labels=tuple(labels), seed=len(name))
    folder = home / name
    model.module.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    card = store.make_card(
        name,
        architecture=family,
        labels=tuple(labels),
        n_params=sum(weight.numel() for weight in model.module.parameters()),
        trained_on="nothing: random weights",
        metrics={"accuracy": 0.5, "macro_f1": 0.5, "loss_nats": 0.7},
        fingerprint=model.fingerprint,
    )
    (folder / "unrolled.json").write_text(json.dumps(card), encoding="utf-8")
    return model


def fill_home(home: Path, names: Sequence[str] = STARTERS) -> Path:
    """A store in which these starters are ready."""
    home.mkdir(parents=True, exist_ok=True)
    for name in names:
        save_tiny(home, name, name.removeprefix("starter-"))
    return home
